"""Stack and prompts to a prediction: the study's tokens answer sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from . import aha
from .backends import Graph, TorchGraph, choose, load_onnx, stored_tensors
from .bundle import default_bundle, open_bundle
from .decisions import (
    SCORE_SHARES,
    can_be_answered,
    layers_affirmed,
    prompt_logit,
    segment_logits_by_share,
    study_logit,
)
from .finding import LAYERS, Meaning
from .looks import as_shown_to, network_image
from .normalised import NormalisedStack, in_usual_slices
from .questions import prompt_pair
from .refusal import InputRefused
from .tokens import MEASURES, StudyTokens, looked_at, segments_of_tokens, shown_segments, study_tokens
from .views import look_in_views
from .wall_regions import PER_SLICE

Float32 = npt.NDArray[np.float32]
BATCH = 16  # slices a call, bounds the memory
FIRST_WEIGHT = "study.values.0.weight"  # of the text side: (width, measures of a token)
SCAR_STEM = "stem.conv.weight"  # of the scar network: (width, images, 3, 3)
SEGMENTS = range(1, 18)
STUDY_QUESTIONS = (
    Meaning(True, no_reflow=True),
    Meaning(True, aetiology="ischaemic"),
    Meaning(True, aetiology="non-ischaemic"),
)
SCORES = (2, 3, 4)
EVEN_ODDS = 0.5
ROUNDING = 1e-4  # of probabilities in a result
BORDER_PX = 1.5  # over which evidence fades between two segments


@dataclass(frozen=True, eq=False)
class Prediction:
    """Answers of the model, before calibration; arrays follow the stack's order (base to apex).

    segment_seen: (17,) whether a slice shows the segment; nothing is said of the others. prompt_probability: None for
    prompts that were not understood or ask of places that no slice shows.
    evidence: (S, 96, 96) where scar is seen, faded in segments that the text's answers think free of it.
    heart: (S, 2, 96, 96) cavity and myocardium, scar included, as the scar network judged them in the end.
    """

    probability: float
    slice_probability: Float32
    segment_probability: Float32
    segment_seen: npt.NDArray[np.bool_]
    segment_layer: tuple[str | None, ...]
    segment_transmurality: tuple[int | None, ...]
    no_reflow_probability: float
    ischaemic_probability: float
    prompt_probability: tuple[float | None, ...]
    evidence: Float32
    heart: Float32
    head_probability: float


class Engine:
    """A loaded bundle; ``segment`` is the callable that landmarks.find_landmarks takes."""

    def __init__(
        self, folder: Path | None = None, backend: str = "auto", device: str = "auto", threads: int = 0
    ) -> None:
        self.bundle = open_bundle(folder or default_bundle())
        self._chosen = choose(backend, device)
        self._heart = self._image_graph("heart", threads)
        self._scar = self._image_graph("scar", threads)
        self._language = load_onnx(self.bundle.folder / "language.onnx", threads)
        self._measures = measures_read(self.bundle.folder)
        self._see = as_shown_to(lambda image: _in_batches(self._scar, image)[0], images_shown(self.bundle.folder))

    @property
    def backend(self) -> str:
        """'onnx' or 'torch'."""
        return self._chosen.backend

    @property
    def device(self) -> str:
        """Where the image networks ran: 'cpu' or 'cuda', after any fall-back."""
        return "cpu" if self.fell_back else self._chosen.device

    @property
    def fell_back(self) -> bool:
        """Whether a GPU or a PyTorch was there and could not be used, or memory was short and a network went on on the CPU."""
        return bool(self._chosen.fault) or any(
            isinstance(g, TorchGraph) and g.fell_back for g in (self._heart, self._scar)
        )

    def _image_graph(self, kind: str, threads: int) -> Graph:
        if self.backend == "onnx":
            return load_onnx(self.bundle.folder / f"{kind}.onnx", threads)
        settings = self.bundle.manifest["networks"][kind]
        return TorchGraph(kind, self.bundle.folder / f"{kind}.safetensors", settings, self._chosen.device)

    def segment(self, image: Float32) -> Float32:
        """(N, 2, 160, 160) to probabilities of background, cavity, myocardium, RV (N, 4, 160, 160)."""
        return _in_batches(self._heart, image)[0]

    def read_tokens(self, stack: NormalisedStack) -> tuple[StudyTokens, Float32]:
        """The study's tokens and the scar network's maps (S, 11, 96, 96)."""
        maps = look_in_views(self._see, network_image(stack.image, stack.maps))
        return study_tokens(stack.image, maps, stack.position), maps

    def predict(self, stack: NormalisedStack, meanings: Sequence[Meaning] = ()) -> Prediction:
        """Answer the standing questions and the given prompts for one normalised stack, each slice as the usual one it lies in."""
        stack, place = in_usual_slices(stack)
        tokens, maps = self.read_tokens(stack)
        member = segments_of_tokens(stack.position)
        shown = shown_segments(member, tokens.trusted)
        of_segments = self._asked_of(tokens, member, [Meaning(True, segments=(n,)) for n in SEGMENTS])
        no_reflow, ischaemic, other = self._asked_of(tokens, member, STUDY_QUESTIONS)
        of_slices, head = self._asked_of_slices(tokens)
        of_study = study_logit(of_segments[shown])
        share = scarred_shares(maps, tokens.position)
        of_segments = segment_logits_by_share(of_segments, share, shown, of_study)
        segment_probability = _sigmoid(of_segments)
        ischaemic_probability = float(_sigmoid(ischaemic - other))
        layers, scores = self._describe(tokens, member, segment_probability, maps, ischaemic_probability)
        probability = float(_sigmoid(of_study))
        seen = tokens.present.reshape(-1, PER_SLICE).any(1)
        # No slice is likelier scarred than the study.
        by_slice = np.minimum(_sigmoid(of_slices), np.float32(probability))
        prompts = [
            prompt_logit(m, float(own), of_segments, of_study)
            for m, own in zip(meanings, self._asked_of(tokens, member, meanings), strict=True)
        ]
        return Prediction(
            probability=probability, slice_probability=np.where(seen, by_slice, 0).astype(np.float32)[place],
            segment_probability=segment_probability, segment_seen=shown, segment_layer=layers, segment_transmurality=scores,
            no_reflow_probability=float(_sigmoid(no_reflow)), ischaemic_probability=ischaemic_probability,
            prompt_probability=tuple(_prompt_probability(m, float(_sigmoid(p)), shown) for m, p in zip(meanings, prompts, strict=True)),
            evidence=answered_evidence(maps[:, 2], tokens.position, segment_probability)[place], heart=maps[place, :2],
            head_probability=float(_sigmoid(head)),
        )  # fmt: skip

    def _asked_of(self, tokens: StudyTokens, member: npt.NDArray[np.bool_], meanings: Sequence[Meaning]) -> Float32:
        """Logits (P,) of the meanings, each looking at the segments that it names."""
        if not meanings:
            return np.zeros(0, np.float32)
        allowed = [looked_at(member, tokens.trusted, meaning.segments) for meaning in meanings]
        return self.answer(tokens, meanings, np.stack(allowed).astype(np.float32))[0]

    def _asked_of_slices(self, tokens: StudyTokens) -> tuple[Float32, float]:
        """Logits (S,) of scar on each slice, and the plain head's for the study."""
        count = len(tokens.position)
        allowed = np.repeat(np.eye(count, dtype=np.float32), PER_SLICE, 1)
        logits, head = self.answer(tokens, [Meaning(True)] * count, allowed)
        return logits, float(head[0])

    def _describe(
        self,
        tokens: StudyTokens,
        member: npt.NDArray[np.bool_],
        probability: Float32,
        maps: Float32,
        ischaemic: float,
    ) -> tuple[tuple[str | None, ...], tuple[int | None, ...]]:
        """Layer and transmurality score of every segment that may hold scar, of a study ischaemic with that probability.

        The layer is the one whose sentence is affirmed most, of those that go together (:func:`layers_affirmed`). The score
        counts the depths that are affirmed, unless the scar map shows the lesion: then its share of the wall is read off.
        """
        named = min(float(self.bundle.thresholds["segment"]), float(probability.max()))
        likely = [n for n in SEGMENTS if probability[n - 1] >= named - ROUNDING]
        asked = [Meaning(True, segments=(n,), layers=(layer,)) for n in likely for layer in LAYERS]
        asked += [Meaning(True, segments=(n,), min_transmurality=score) for n in likely for score in SCORES]
        logits = self._asked_of(tokens, member, asked)
        by_layer = logits[: len(likely) * len(LAYERS)].reshape(len(likely), -1)
        by_score = logits[len(likely) * len(LAYERS) :].reshape(len(likely), -1)
        layers = layers_affirmed(likely, by_layer, ischaemic)
        place = _segment_maps(tokens.position)
        scores: dict[int, int] = {}
        for n, row in zip(likely, by_score, strict=True):
            if layers[n] == "transmural":
                scores[n] = 4
            elif layers[n] == "subendocardial":
                share = aha.scarred_share(maps[:, 2], maps[:, 1], place == n)
                affirmed = int((row > 0).sum()) if share is None else int(np.digitize(share, SCORE_SHARES))
                scores[n] = min(1 + affirmed, 3)
        return tuple(layers.get(n) for n in SEGMENTS), tuple(scores.get(n) for n in SEGMENTS)

    def answer(self, tokens: StudyTokens, meanings: Sequence[Meaning], allowed: Float32) -> tuple[Float32, Float32]:
        """Logits (P,) of the affirmative against the negative sentence of each meaning, and the plain head's (1,).

        allowed: (P, T) 0 or 1, the tokens each question may look at. Sentences are padded to the tokenizer's full length,
        whatever else is asked: the text sides of bundles up to 0.6.0 see the padding, and it must be the same always.
        """
        pairs = [prompt_pair(replace(meaning, negated=False)) for meaning in meanings]
        affirm, deny = (self.bundle.tokenizer.encode([pair[side] for pair in pairs]) for side in (0, 1))
        logits, head = self._language(
            values=tokens.values[:, : self._measures], places=tokens.places, present=tokens.trusted.astype(np.float32), allowed=allowed,
            affirm=affirm, deny=deny,
        )  # fmt: skip
        return logits, head


def measures_read(folder: Path) -> int:
    """How many measures of a token a bundle's text side reads, the first ones: in bundles up to 0.7.0 13.

    Raises InputRefused('bad-bundle') for more than this program takes.
    """
    count = stored_tensors(folder / "language.safetensors")[FIRST_WEIGHT].shape[1]
    if count > MEASURES:
        raise InputRefused("bad-bundle", "The model reads more of a token than this program measures.")
    return count


def images_shown(folder: Path) -> int:
    """How many images of a slice a bundle's scar network is shown: in bundles up to 0.8.0 5."""
    return stored_tensors(folder / "scar.safetensors")[SCAR_STEM].shape[1]


def _in_batches(graph: Graph, image: Float32) -> list[npt.NDArray[Any]]:
    parts = [graph(image=np.ascontiguousarray(image[k : k + BATCH], np.float32)) for k in range(0, len(image), BATCH)]
    return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]


def answered_evidence(scar: Float32, position: Float32, segment_probability: Float32) -> Float32:
    """Scar map (S, 96, 96) in full where its segment's probability (17,) is even odds or more, less in proportion below.

    What is shown then agrees with what is said: flecks in segments that are called free do not outshine the lesion.
    """
    weight = np.concatenate([[0.0], np.clip(segment_probability / EVEN_ODDS, 0, 1)])
    return np.asarray(
        scar * ndimage.gaussian_filter(weight[_segment_maps(position)], (0, BORDER_PX, BORDER_PX)), np.float32
    )


def scarred_shares(maps: Float32, position: Float32) -> Float32:
    """(17,) mean scar over the wall of every segment on the scar maps (S, 11, 96, 96), 0 where there is no wall."""
    place = _segment_maps(position).ravel()
    wall, scar = (np.bincount(place, maps[:, k].ravel(), 18)[1:] for k in (1, 2))
    return np.asarray(scar / np.maximum(wall, 1), np.float32)


def _segment_maps(position: Float32) -> npt.NDArray[np.int64]:
    """(S,) places along the LV to (S, 96, 96) AHA segment of every pixel."""
    return np.stack([aha.segment_map(aha.level_of(float(place))) for place in position])


def _sigmoid(logit: npt.ArrayLike) -> Float32:
    return np.asarray(1 / (1 + np.exp(-np.clip(logit, -30, 30))), np.float32)


def _prompt_probability(meaning: Meaning, probability: float, shown: npt.NDArray[np.bool_]) -> float | None:
    if not can_be_answered(meaning, shown):
        return None
    return 1 - probability if meaning.negated else probability
