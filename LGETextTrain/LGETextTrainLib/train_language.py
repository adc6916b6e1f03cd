"""Vision-language training: contrastive terms over (study, sentence) pairs and a caption loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from LGETextDetectLib.bundle import Tokenizer
from LGETextDetectLib.finding import LAYERS, Finding, Lesion, Meaning
from LGETextDetectLib.questions import PROMPT_VOCABULARY, prompt_pair
from LGETextDetectLib.tokens import MEASURES, PLACES
from LGETextDetectLib.wall_regions import PER_SLICE
from torch import Tensor
from torch.nn import functional

from .ask import PRESENCE, LayerQuestion, answers_to, draw_layer_questions, draw_questions
from .cohort import Case, CaseBatch, join_cases
from .language import LanguageConfig, LanguageModel
from .losses import report_contrast
from .optimise import Key, Log, Loop, PartSource, Validate, optimise
from .processes import ALONE, Processes
from .recipe import LanguageStage, TextTable

VALUE_NOISE = 0.15  # of a value's own spread
TOKEN_DROP = 0.08
REPORTED_SLICES = 2  # scar seen on one slice only is reported by some and not by others: such studies teach nothing
LAYER_STUDIES = 12  # of a batch, of which the layer is asked: seven sentences each, twice
Part = tuple[CaseBatch, list[Meaning], list[LayerQuestion]]


def make_tokenizer(length: int = 64) -> Tokenizer:
    """The closed vocabulary of the canonical sentences."""
    return Tokenizer(("<pad>", "<unknown>", *PROMPT_VOCABULARY), length)


def report_sentence(finding: Finding) -> str:
    """What a study's report comes down to in the closed vocabulary: one clause a lesion, or the denial."""
    if finding.lge != "present":
        return prompt_pair(PRESENCE)[1]
    clauses = [
        prompt_pair(
            Meaning(True, segments=n.segments, layers=(n.layer,) if n.layer else (), aetiology=finding.aetiology)
        )[0]
        for n in finding.lesions or (Lesion(),)
    ]
    return " , ".join(clauses)


def looked_at(member: Tensor, present: Tensor, meanings: list[Meaning]) -> Tensor:
    """(B, P, T) tokens that each question may look at: of the segments that it names; all when none of them is there."""
    asked = torch.zeros(len(meanings), 17, device=member.device)
    for row, meaning in enumerate(meanings):
        for number in meaning.segments or range(1, 18):
            asked[row, number - 1] = 1
    named = (torch.einsum("bts,ps->bpt", member, asked) > 0).float() * present[:, None]
    whole = present[:, None].expand_as(named)
    anywhere = torch.tensor([not m.segments for m in meanings], device=member.device)[None, :, None]
    return torch.where(anywhere | (named.sum(-1, keepdim=True) == 0), whole, named)


def truth_table(meanings: list[Meaning], findings: tuple[Finding, ...]) -> tuple[Tensor, Tensor]:
    """(B, P) 1 where the question is true of the study, and (B, P) bool where what is said of it decides the question."""
    true, decided = answers_to(meanings, findings)
    return torch.from_numpy(true).float(), torch.from_numpy(decided)


@dataclass(frozen=True)
class Terms:
    """What the loss is made of: weights of the caption, of the supervised terms (slices, plain classifier), of the layers."""

    caption: float = 0.3
    supervised: float = 1.0
    layers: float = 0.5


def new_language_model(stage: LanguageStage | TextTable, seed: int) -> LanguageModel:
    """An untrained text side of a recipe's sizes."""
    torch.manual_seed(seed)
    tokenizer = make_tokenizer()
    return LanguageModel(
        LanguageConfig(MEASURES, PLACES, len(tokenizer.words), stage.width, stage.layers, stage.heads, tokenizer.length)
    )


def worth_learning(case: Case) -> bool:
    """Whether a study teaches: scar-free, of unknown slices (-1, a report's), or scarred on slices enough."""
    slices = case.scarred.astype(int)
    return case.finding.lge == "absent" or bool((slices < 0).any()) or slices.sum() >= REPORTED_SLICES


def case_source(
    cases: Sequence[Case], weights: npt.NDArray[np.float64] | None, batch: int, questions: int, seed: int,
    device: torch.device,
) -> PartSource:  # fmt: skip
    """Batches of cases with the questions asked of them; without ``weights`` all alike and none twice in a batch."""
    share = None if weights is None else weights / weights.sum()

    def stream(keys: list[Key]) -> Iterator[Part]:
        for step, part in keys:
            rng = np.random.default_rng((seed, step, part))
            count = min(batch, len(cases)) if share is None else batch
            chosen = rng.choice(len(cases), count, replace=share is not None, p=share)
            data = join_cases([cases[k] for k in chosen], device)
            yield ask(rng, data, questions)

    return stream


def ask(rng: np.random.Generator, batch: CaseBatch, count: int) -> Part:
    """A batch with ``count`` questions asked of every study, and the layers asked of some."""
    return batch, draw_questions(rng, batch.findings, count), draw_layer_questions(rng, batch.findings, LAYER_STUDIES)


class LanguageLoss:
    """The loss of a text side on one batch: contrast, layers, slices, reports, caption and plain classifier."""

    def __init__(self, model: LanguageModel, cases: Sequence[Case], terms: Terms, device: torch.device) -> None:
        self.model, self.terms, self.device, self.tokenizer = model, terms, device, make_tokenizer()
        seen = np.concatenate([case.values[case.present] for case in cases[:200]]).astype(np.float32)
        spread = (
            seen.std(0) if len(seen) else np.zeros(MEASURES, np.float32)
        )  # an untrained network sees no wall at all
        self.spread = torch.from_numpy(spread).to(device)

    def encode(self, sentences: list[str]) -> Tensor:
        words = self.tokenizer.encode(sentences)
        return torch.from_numpy(words[:, : int((words > 0).sum(1).max())]).to(self.device)

    def pairs(self, meanings: list[Meaning]) -> tuple[Tensor, Tensor]:
        """Sentence embeddings (P, W) of the affirmative and the negative wording."""
        sentences = [prompt_pair(m) for m in meanings]
        embedded = self.model.text(self.encode([a for a, _ in sentences] + [b for _, b in sentences]))
        return embedded[: len(meanings)], embedded[len(meanings) :]

    def answers(self, batch: CaseBatch, meanings: list[Meaning]) -> Tensor:
        """Logits (B, P) without noise: as in use."""
        trusted = batch.present * batch.trusted
        tokens = self.model.study(batch.values, batch.places, trusted)
        affirm, deny = (t[None].expand(len(tokens), -1, -1) for t in self.pairs(meanings))
        return self.model.answer(tokens, looked_at(batch.member, trusted, meanings), affirm, deny)

    def __call__(self, part: Part) -> tuple[Tensor, dict[str, float]]:
        batch, meanings, of_layers = part
        present = self._thinned(batch.present)
        trusted = present * batch.trusted
        tokens = self.model.study(self._blurred(batch.values), batch.places, trusted)
        affirm, deny = self.pairs(meanings)
        expand = lambda t: t[None].expand(len(tokens), -1, -1)  # noqa: E731
        allowed = looked_at(batch.member, trusted, meanings)
        logits = self.model.answer(tokens, allowed, expand(affirm), expand(deny))
        true, decided = (table.to(self.device) for table in truth_table(meanings, batch.findings))
        weight = torch.ones(len(meanings), device=self.device)
        weight[0] = 6  # the presence question
        each = functional.binary_cross_entropy_with_logits(logits, true, reduction="none") * weight
        terms = {"contrast": each[decided].mean(), "layers": logits.new_zeros(()), "slices": logits.new_zeros(())}
        if of_layers:
            terms["layers"] = self.terms.layers * self._layer_contrast(tokens, batch.member, trusted, of_layers)
        count = batch.scarred.shape[1]
        slices = torch.eye(count, device=self.device).repeat_interleave(PER_SLICE, 1)[None] * present[:, None]
        by_slice = self.model.answer(
            tokens, slices, affirm[:1].expand(len(tokens), count, -1), deny[:1].expand(len(tokens), count, -1)
        )
        known = (batch.scarred >= 0) & (slices.sum(-1) > 0)
        if known.any():
            terms["slices"] = self.terms.supervised * functional.binary_cross_entropy_with_logits(
                by_slice[known], batch.scarred[known]
            )
        reports = [report_sentence(f) for f in batch.findings]
        words = self.encode(reports)
        same = torch.tensor([[float(a == b) for b in reports] for a in reports], device=self.device)
        terms["reports"] = 0.3 * report_contrast(self.model.match(tokens, trusted, self.model.text(words)), same)
        if self.terms.caption:
            terms["caption"] = self.model.caption_loss(tokens, trusted, words) * self.terms.caption
        head = functional.binary_cross_entropy_with_logits(self.model.plain(tokens, trusted), true[:, 0])
        terms["head"] = self.terms.supervised * head
        return torch.stack(list(terms.values())).sum(), {k: float(v.detach()) for k, v in terms.items()}

    def _layer_contrast(self, tokens: Tensor, member: Tensor, trusted: Tensor, asked: list[LayerQuestion]) -> Tensor:
        """Cross-entropy over the sentences of all layers about the same place: only the right one is to be affirmed."""
        sentences = [Meaning(True, segments=q.segments, layers=(layer,)) for q in asked for layer in LAYERS]
        affirm, deny = (side.unflatten(0, (len(asked), len(LAYERS))) for side in self.pairs(sentences))
        rows = torch.tensor([q.row for q in asked], device=self.device)
        places = [Meaning(True, segments=q.segments) for q in asked]
        allowed = torch.cat(
            [looked_at(member[k : k + 1], trusted[k : k + 1], [m])[0] for k, m in zip(rows, places, strict=True)]
        )
        allowed = allowed[:, None].expand(-1, len(LAYERS), -1)
        true = torch.tensor([LAYERS.index(q.layer) for q in asked], device=self.device)
        return functional.cross_entropy(self.model.answer(tokens[rows], allowed, affirm, deny), true)

    def _blurred(self, values: Tensor) -> Tensor:
        """Token values with noise: what the scar network says of real images is less sure than of virtual ones."""
        return values + VALUE_NOISE * self.spread * torch.randn_like(values)

    def _thinned(self, present: Tensor) -> Tensor:
        """Some tokens left out, so that no single region decides."""
        return present * (torch.rand_like(present) >= TOKEN_DROP)


def fit_language(
    model: LanguageModel, cases: Sequence[Case], stage: LanguageStage | TextTable, loop: Loop, checkpoint: Path, log: Log, *,
    terms: Terms, weights: npt.NDArray[np.float64] | None = None, validate: Validate | None = None,
    processes: Processes = ALONE,
) -> LanguageModel:  # fmt: skip
    """Train the text side, or go on; the averaged weights end up in the model, which is returned for use."""
    model = model.to(processes.device)
    taught = [k for k, case in enumerate(cases) if worth_learning(case)]
    chosen = [cases[k] for k in taught]
    share = None if weights is None else weights[taught]
    source = case_source(chosen, share, stage.batch, stage.questions, loop.seed, processes.device)
    loss_of = LanguageLoss(model, chosen, terms, processes.device)
    state = optimise(model, source, loss_of, loop, checkpoint, log, validate=validate, processes=processes)
    model.load_state_dict(state)
    return model.cpu().eval()
