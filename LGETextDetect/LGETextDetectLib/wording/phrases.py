"""All phrases with what they say: those of the table, and walls, coronary territories and insertion points in their forms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .lexicon import ALL_WALLS, INSERTION_POINTS, TERRITORIES, WALLS
from .phrase_table import TABLE

_ARTERIES = {
    "lad": "lad | left anterior descending | left anterior descending artery | left descending artery | descendente anterior",
    "rca": "rca | right coronary artery | right coronary | coronary right | coronary artery right | artery coronary right | pda | posterior descending | posterior descending artery",
    "lcx": "lcx | circumflex artery | left circumflex | left lcx | om1 | om2 | om | obtuse marginal",
}
_ARTERY_FORMS = ("{}", "distal {}", "proximal {}", "mid {}", "{} artery", "dominant {}")
_TERRITORY_FORMS = (
    "{} territory", "{} coronary territory", "{} coronary artery territory", "{} region", "{} area", "territory of {}", "{} segment",
)  # fmt: skip
_POINTS = (
    "insertion | rv insertion | insertion point | insertion pt | insertion pts | rv insertion pt | rv insertion pts | insertion points | rv insertion point | rv insertion points | "
    "right ventricle insertion point | right ventricular insertion point | right ventricular insertion points | "
    "right ventricle insertion points | insertion site | insertion sites | rv insertion site | rv insertion sites "
    "| right insertion points | insertion region | rv junction | rv lv junction | points of insertion | point of "
    "insertion | rv attachment | rv lv junctions | septal insertion point | septal insertion points | rv septal "
    "insertion points | right ventricular septal insertion points | rv septal junction | junction rv and septal | junction septal and rv | junction septal with rv | junction septal with right ventricle | junction septal and right ventricle | ventricular insertion "
    "points | junction rv and lv | junction rv & lv | junction lv and rv | junction between rv and lv | junction between lv and rv | insertion of rv | insertion points of rv | insertion point of rv | insertion points of right "
    "ventricle | insertion points of of right ventricle | insertion points of of rv | points of insertion of "
    "right ventricle | points insertion | insertionspunkte | insertion zones | junctional points | junction with rv | junction with right ventricle | junction to rv | junction "
    "points | rv / lv junction | rv / lv junctions | junction rv with septal | junctions rv with septal | junction right ventricle with septal | junctions right ventricle with septal | junctions rv and septal | septal rv insertion | septal rv insertion point | septal rv insertion points"
)
_BOTH_POINTS = (
    "{}", "anterior and inferior {}", "inferior and anterior {}", "both {}", "superior and inferior {}", "anterior and posterior {}",
    "anterior / inferior {}", "anterior + inferior {}", "anterior & inferior {}",
)  # fmt: skip
_ON_ONE_VIEW = (
    "not confirmed", "not reproduced", "not reproducible", "not verified", "not seen", "not visible",
)  # fmt: skip
_OTHER_VIEWS = (
    "long axis", "orthogonal", "perpendicular", "other plane", "other planes", "second plane", "2 planes", "two planes", "both planes", "2 views", "two views", "both views", "cross cut", "phase swap", "phase swapped", "swapped phase",
)  # fmt: skip
_HIDDEN = (
    "obscured",
    "degraded",
    "hampered",
    "masked",
    "corrupted",
    "limited",
    "affected",
    "impaired",
    "compromised",
    "distorted",
)
_HIDDEN_BY = (
    "artefact", "artefacts", "icd", "device", "motion", "motion artefact", "breathing artefact", "respiratory artefact", "icd artefact",
    "device artefact", "pacemaker artefact", "metal artefact", "metallic artefact", "susceptibility artefact", "susceptibility", "lead artefact", "image quality",
)  # fmt: skip
_NOT_CORONARY = tuple(
    f"not {verb} {vessels} {where}"
    for verb in ("following", "follow", "respecting", "respect", "conforming to", "conform to", "corresponding to", "correspond to", "matching", "match", "fitting", "fit", "in")
    for vessels in ("coronary", "coronary artery", "vascular", "any coronary", "any coronary artery", "any vascular", "single coronary", "typical coronary")
    for where in ("territory", "territories", "pattern")
)  # fmt: skip
_NO_MATTER = tuple(
    " ".join(f"{no} {kind} {worth}".split())
    for no in ("no", "without", "little", "not of")
    for kind in ("", "clinical", "known", "prognostic", "diagnostic", "pathological", "particular", "certain", "any", "real", "functional", "haemodynamic")
    for worth in ("relevance", "significance", "importance", "consequence", "concern", "meaning")
)  # fmt: skip
_HARMLESS = tuple(
    f"{probably} {what}"
    for probably in ("likely", "most likely", "probably", "possibly", "might be", "considered", "presumably")
    for what in ("non pathological", "not pathological", "physiological", "physiologic", "normal variant", "benign", "insignificant", "incidental", "innocent")
)  # fmt: skip
_RIGHT_VENTRICLE = ("rv", "right ventricle", "right ventricular")
_RIGHT_PARTS = (
    "{}", "{} free wall", "{} wall", "{} myocardium", "{} apex", "{} lateral wall", "{} anterior wall", "{} inferior wall",
    "{} outflow tract", "{} fibrosis",
)  # fmt: skip


def _value(kind: str, said: str) -> Any:
    """What the table's word stands for: segments of a wall, names of layers or levels, else the word or None."""
    if kind == "apex":
        return (17,)
    if kind == "wall":
        return {"all": ALL_WALLS, "all17": tuple(range(1, 18))}.get(said) or WALLS[said]
    if kind in ("layer", "level"):
        return tuple(said.split("+"))
    return said or None


def _of_table() -> Iterator[tuple[str, str, Any]]:
    for entry in TABLE.strip().replace("\n    ", " ").split("\n"):
        says, _, phrases = entry.partition(": ")
        kind, _, said = says.partition(" ")
        for phrase in phrases.split(" | "):
            yield phrase, kind, _value(kind, said)
            if kind in ("maybe", "notstated") and phrase.startswith("not "):
                yield f"might {phrase}", kind, None  # "could not be excluded"


def _of_places() -> Iterator[tuple[str, str, Any]]:
    for wall, segments in WALLS.items():
        for form in ("{}", "{} wall", "{} free wall", "{} myocardium"):
            yield form.format(wall), "wall", segments
    for name, arteries in _ARTERIES.items():
        for artery in (form.format(a) for a in arteries.split(" | ") for form in _ARTERY_FORMS):
            yield artery, "vessel", name
            for form in _TERRITORY_FORMS:
                yield form.format(artery), "territory", TERRITORIES[name]
    for point in _POINTS.split(" | "):
        for form in _BOTH_POINTS:
            yield form.format(point), "rvip", INSERTION_POINTS["both"]
        for where, other, also in (("anterior", "superior", "upper"), ("inferior", "posterior", "lower")):
            for form in (
                f"{where} {{}}",
                f"rv {where} {{}}",
                f"{{}} {where}",
                f"{other} {{}}",
                f"{also} {{}}",
                f"{where} {other} {{}}",
                f"{where}septal {{}}".replace("rior", "ro"),
            ):
                yield form.format(point), "rvip", INSERTION_POINTS[where]
    for view in _OTHER_VIEWS:
        for seen in (f"{said} {where}" for said in _ON_ONE_VIEW for where in ("", "on ", "after ", "with ")):
            yield f"{seen}{view}", "maybe", None  # "not confirmed in long axis"
    yield from ((phrase, "vote", "non-ischaemic") for phrase in _NOT_CORONARY)
    yield from ((phrase, "notmaybe", None) for phrase in (*_NO_MATTER, *_HARMLESS))
    for hidden in _HIDDEN:
        for cause in (f"{by} {what}" for by in ("by", "due to", "because") for what in _HIDDEN_BY):
            yield f"{hidden} {cause}", "notstated", None
    for right in _RIGHT_VENTRICLE:
        for form in _RIGHT_PARTS:
            yield form.format(right), "organ", None


PHRASES: dict[str, tuple[str, Any]] = {phrase: (kind, value) for phrase, kind, value in (*_of_places(), *_of_table())}
