"""Vision-language training: contrastive terms over (study, sentence) pairs and a caption loss."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from LGETextDetectLib.bundle import Tokenizer
from LGETextDetectLib.finding import Finding, Meaning
from LGETextDetectLib.questions import PROMPT_VOCABULARY, prompt_pair
from LGETextDetectLib.tokens import PER_SLICE
from torch import Tensor, nn
from torch.nn import functional

from .ask import PRESENCE, draw_questions
from .cohort import Case, CaseBatch, join_cases
from .language import LanguageConfig, LanguageModel
from .losses import report_contrast
from .recipe import LanguageStage
from .train_images import Average, learning_rate

VALUE_NOISE = 0.15  # of a value's own spread
TOKEN_DROP = 0.08
REPORTED_SLICES = 2  # scar seen on one slice only is reported by some and not by others: such studies teach nothing
Log = Callable[[dict[str, object]], None]


def make_tokenizer(length: int = 64) -> Tokenizer:
    """The closed vocabulary of the canonical sentences."""
    return Tokenizer(("<pad>", "<unknown>", *PROMPT_VOCABULARY), length)


def report_sentence(finding: Finding) -> str:
    """What a study's report comes down to in the closed vocabulary: one clause a lesion, or the denial."""
    if finding.lge != "present" or not finding.lesions:
        return prompt_pair(PRESENCE)[1]
    clauses = [
        prompt_pair(
            Meaning(True, segments=n.segments, layers=(n.layer,) if n.layer else (), aetiology=finding.aetiology)
        )[0]
        for n in finding.lesions
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


def truth_table(meanings: list[Meaning], findings: tuple[Finding, ...]) -> Tensor:
    """(B, P) 1 where the question is true of the study."""
    return torch.tensor([[float(m.true_for(f)) for m in meanings] for f in findings])


class Trainer:
    """Holds the model, the tokenizer and one optimiser over a list of cases."""

    def __init__(self, cases: list[Case], stage: LanguageStage, seed: int) -> None:
        torch.manual_seed(seed)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.tokenizer = make_tokenizer()
        self.config = LanguageConfig(
            cases[0].values.shape[1],
            cases[0].places.shape[1],
            len(self.tokenizer.words),
            stage.width,
            stage.layers,
            stage.heads,
            self.tokenizer.length,
        )
        self.model = LanguageModel(self.config).to(self.device)
        self.caption_weight = stage.caption_weight
        self.cases = [case for case in cases if case.finding.lge == "absent" or case.scarred.sum() >= REPORTED_SLICES]
        self.rng = np.random.default_rng(seed)
        seen = np.concatenate([case.values[case.present] for case in cases[:200]]).astype(np.float32)
        self.spread = torch.from_numpy(seen.std(0)).to(self.device)

    def encode(self, sentences: list[str]) -> Tensor:
        words = self.tokenizer.encode(sentences)
        return torch.from_numpy(words[:, : int((words > 0).sum(1).max())]).to(self.device)

    def pairs(self, meanings: list[Meaning]) -> tuple[Tensor, Tensor]:
        """Sentence embeddings (P, W) of the affirmative and the negative wording."""
        sentences = [prompt_pair(m) for m in meanings]
        embedded = self.model.text(self.encode([a for a, _ in sentences] + [b for _, b in sentences]))
        return embedded[: len(meanings)], embedded[len(meanings) :]

    def _blurred(self, values: Tensor) -> Tensor:
        """Token values with noise: what the scar network says of real images is less sure than of virtual ones."""
        return values + VALUE_NOISE * self.spread * torch.randn_like(values)

    def _thinned(self, present: Tensor) -> Tensor:
        """Some tokens left out, so that no single region decides."""
        return present * (torch.rand_like(present) >= TOKEN_DROP)

    def loss(self, batch: CaseBatch, meanings: list[Meaning]) -> tuple[Tensor, dict[str, float]]:
        present = self._thinned(batch.present)
        trusted = present * batch.trusted
        tokens = self.model.study(self._blurred(batch.values), batch.places, trusted)
        affirm, deny = self.pairs(meanings)
        expand = lambda t: t[None].expand(len(tokens), -1, -1)  # noqa: E731
        allowed = looked_at(batch.member, trusted, meanings)
        logits = self.model.answer(tokens, allowed, expand(affirm), expand(deny))
        true = truth_table(meanings, batch.findings).to(self.device)
        weight = torch.ones(len(meanings), device=self.device)
        weight[0] = 6  # the presence question
        terms = {
            "contrast": (functional.binary_cross_entropy_with_logits(logits, true, reduction="none") * weight).mean()
        }
        count = batch.scarred.shape[1]
        slices = torch.eye(count, device=self.device).repeat_interleave(PER_SLICE, 1)[None] * present[:, None]
        by_slice = self.model.answer(
            tokens, slices, affirm[:1].expand(len(tokens), count, -1), deny[:1].expand(len(tokens), count, -1)
        )
        known = (batch.scarred >= 0) & (slices.sum(-1) > 0)
        if known.any():
            terms["slices"] = functional.binary_cross_entropy_with_logits(by_slice[known], batch.scarred[known])
        reports = [report_sentence(f) for f in batch.findings]
        words = self.encode(reports)
        same = torch.tensor([[float(a == b) for b in reports] for a in reports], device=self.device)
        terms["reports"] = 0.3 * report_contrast(self.model.match(tokens, trusted, self.model.text(words)), same)
        terms["caption"] = self.model.caption_loss(tokens, trusted, words) * self.caption_weight
        terms["head"] = functional.binary_cross_entropy_with_logits(self.model.plain(tokens, trusted), true[:, 0])
        return torch.stack(list(terms.values())).sum(), {k: float(v.detach()) for k, v in terms.items()}

    def fit(self, stage: LanguageStage, folder: Path, log: Log) -> None:
        """Optimise with warm-up and cosine decay; the averaged weights end up in the model."""
        optimiser = torch.optim.AdamW(self.model.parameters(), lr=stage.peak, weight_decay=0.01)
        average, first = Average(self.model), 0
        checkpoint = folder / "language-checkpoint.pt"
        if checkpoint.exists():
            first = self._resume(checkpoint, optimiser, average)
        start = saved_at = time.monotonic()
        sums: dict[str, float] = {}
        self.model.train()
        for step in range(first, stage.steps):
            chosen = [
                self.cases[k]
                for k in self.rng.choice(len(self.cases), min(stage.batch, len(self.cases)), replace=False)
            ]
            data = join_cases(chosen, self.device)
            loss, terms = self.loss(data, draw_questions(self.rng, data.findings, stage.questions))
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(step, stage.steps, stage.peak)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            optimiser.step()
            average.update(self.model, step)
            for key, value in terms.items():
                sums[key] = sums.get(key, 0.0) + value
            if (step + 1) % 50 == 0:
                log(
                    {
                        "stage": "language",
                        "step": step + 1,
                        "seconds": round(time.monotonic() - start, 1),
                        **{k: round(v / 50, 4) for k, v in sums.items()},
                    }
                )
                sums = {}
            if time.monotonic() - saved_at > 120:
                self._save(checkpoint, optimiser, average, step + 1)
                saved_at = time.monotonic()
        self.model.load_state_dict(average.state)
        self.model.eval()
        torch.save(
            {"model": self.model.state_dict(), "config": json.dumps(self.model.settings())}, folder / "language.pt"
        )

    def _save(self, path: Path, optimiser: torch.optim.Optimizer, average: Average, step: int) -> None:
        partial = path.with_suffix(".partial")
        torch.save(
            {"model": self.model.state_dict(), "optimiser": optimiser.state_dict(), "average": average.state, "step": step,
             "numpy": json.dumps(self.rng.bit_generator.state), "torch": torch.get_rng_state()},
            partial,
        )  # fmt: skip
        partial.replace(path)

    def _resume(self, path: Path, optimiser: torch.optim.Optimizer, average: Average) -> int:
        saved = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(saved["model"])
        optimiser.load_state_dict(saved["optimiser"])
        average.state = saved["average"]
        self.rng.bit_generator.state = json.loads(saved["numpy"])
        torch.set_rng_state(saved["torch"].cpu())
        return int(saved["step"])
