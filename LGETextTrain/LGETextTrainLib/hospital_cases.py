"""Cases of the text side from a hospital: real studies with what their reports say, painted ones, and virtual ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from LGETextDetectLib.looks import network_image
from LGETextDetectLib.tokens import study_tokens
from LGETextDetectLib.wording import read_report
from torch import Tensor

from .cohort import Case, load_cases, save_cases, virtual_cases
from .network import ScarSight, trained_scar
from .painted_report import painted_report
from .painted_samples import SampleStudy, with_painting
from .painted_scar import paint_scar
from .prepared_study import Prepared, load_prepared
from .recipe import HospitalRecipe
from .samples import Heart, trained_heart

Report = Callable[[int], None]
See = Callable[[Prepared], Case]
VIRTUAL_SEED = 11  # added to the recipe's
REAL, PAINTED, VIRTUAL = 3.0, 2.0, 1.0  # shares of each source in its class


class HospitalCases:
    """Makes cases through the hospital's scar network; files in ``folder`` are read back instead of made again."""

    def __init__(
        self, folder: Path, prepared: Path, recipe: HospitalRecipe, heart: dict[str, Tensor], scar: dict[str, Tensor]
    ) -> None:
        self.folder, self.prepared, self.recipe = folder, prepared, recipe
        self.heart_state, self.scar_state = heart, scar

    def real(self, name: str, studies: Sequence[SampleStudy], report: Report) -> list[Case]:
        """One case a study, as its report says; the slices of a scarred one are unknown (-1)."""

        def make() -> list[Case]:
            sight, cases = trained_scar(self.scar_state), []
            for number, study in enumerate(studies, start=1):
                seen = load_prepared(self.prepared, study.sha256)
                unknown = -1 if study.finding.lge == "present" else 0
                cases.append(seen_case(seen, sight, study, np.full(len(seen.image), unknown, np.int8)))
                report(number)
            return cases

        return self._kept(name, make)

    def painted(self, studies: Sequence[SampleStudy], report: Report) -> list[Case]:
        """``text.painted`` paintings of every scar-free study; painting v of study k follows from seed, k and v alone."""

        def make() -> list[Case]:
            sight, heart, cases = trained_scar(self.scar_state), trained_heart(self.heart_state), []
            free = [study for study in studies if study.finding.lge == "absent"]
            for number, study in enumerate(free, start=1):
                for turn in range(self.recipe.text.painted):
                    rng = np.random.default_rng((self.recipe.seed, number, turn))
                    case = self._painted_case(rng, study, sight, heart)
                    cases += [case] if case is not None else []
                report(number)
            return cases

        return self._kept("painted", make) if self.recipe.paint.share and self.recipe.text.painted else []

    def virtual(self, report: Report) -> list[Case]:
        """Virtual patients seen through the same networks."""
        count = self.recipe.text.virtual_patients
        make = lambda: virtual_cases(count, self.recipe.seed + VIRTUAL_SEED, self.heart_state, self.scar_state, report)  # noqa: E731
        return self._kept("virtual", make) if count else []

    def _painted_case(
        self, rng: np.random.Generator, study: SampleStudy, sight: ScarSight, heart: Heart
    ) -> Case | None:
        """Image and report change together; what is learnt is what the new report is read to say."""
        seen = load_prepared(self.prepared, study.sha256)
        painted = paint_scar(rng, seen, self.recipe.paint)
        if painted is None:
            return None
        text = painted_report(rng, study.text, painted.finding, self.recipe.paint.varied_sentences)
        said = SampleStudy(study.sha256, read_report(text))
        return seen_case(with_painting(rng, seen, painted, heart), sight, said, painted.scarred.astype(np.int8))

    def _kept(self, name: str, make: Callable[[], list[Case]]) -> list[Case]:
        path = self.folder / f"cases-{name}.npz"
        if not path.is_file():
            save_cases(make(), path)
        return load_cases(path)


def seen_case(seen: Prepared, sight: ScarSight, study: SampleStudy, scarred: npt.NDArray[np.int8]) -> Case:
    """The tokens of a prepared study and what is said of it."""
    tokens = study_tokens(seen.image, sight(network_image(seen.image, seen.maps)), seen.position)
    return Case(
        tokens.values.astype(np.float16), tokens.places.astype(np.float16), tokens.present, study.finding, scarred  # type: ignore[arg-type]
    )  # fmt: skip


def balanced_weights(sources: Sequence[tuple[Sequence[Case], float]]) -> npt.NDArray[np.float64]:
    """How often each case is drawn: scarred and scar-free alike, within a class the sources by their shares."""
    counts = [
        (sum(c.finding.lge == s for c in cases), share) for s in ("present", "absent") for cases, share in sources
    ]
    per_class = len(sources)
    result: list[float] = []
    for number, (cases, _) in enumerate(sources):
        for case in cases:
            own = counts[:per_class] if case.finding.lge == "present" else counts[per_class:]
            there = sum(share for count, share in own if count)
            result.append(own[number][1] / there / max(own[number][0], 1))
    return np.asarray(result, np.float64)
