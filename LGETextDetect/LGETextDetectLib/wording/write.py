"""Findings to words: one caption sentence that reads back exactly, and varied clinical reports around an LGE statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..finding import Finding, Lesion
from .lexicon import INSERTION_POINTS

if TYPE_CHECKING:
    import numpy as np

_LEVELS = ("basal", "mid", "apical")
_WALLS = ("anterior", "anteroseptal", "inferoseptal", "inferior", "inferolateral", "anterolateral")
_APICAL_WALLS = ("anterior", "septal", "inferior", "lateral")
_SHARES = {1: "up to 25 %", 2: "26-50 %", 3: "51-75 %", 4: "more than 75 %"}
_LAYER_WORDS = {
    None: "", "subendocardial": "subendocardial ", "mid-wall": "mid-wall ", "subepicardial": "subepicardial ",
    "transmural": "transmural ", "insertion-point": "RV insertion point ", "diffuse": "diffuse ", "patchy": "patchy ",
}  # fmt: skip


def say(finding: Finding) -> str:
    """One sentence that ``read_report`` reads back to the same finding."""
    if finding.lge == "not_stated":
        return "Late gadolinium enhancement is not reported."
    if finding.lge == "absent":
        parts = ["no late gadolinium enhancement"]
    else:
        doubt = finding.lge == "uncertain"
        parts = [_lesion_words(lesion, doubt or lesion.certainty == "possible") for lesion in finding.lesions]
        parts = parts or [_lesion_words(Lesion(), doubt) + ("" if doubt else " is present")]
    if finding.aetiology:
        parts.append(f"{finding.aetiology} pattern")
    if finding.no_reflow is not None:
        parts.append("microvascular obstruction is present" if finding.no_reflow else "no microvascular obstruction")
    sentence = "; ".join(parts)
    return sentence[0].upper() + sentence[1:] + "."


def _lesion_words(lesion: Lesion, doubt: bool) -> str:
    words = ("possible " if doubt else "") + _LAYER_WORDS[lesion.layer] + "late gadolinium enhancement"
    if lesion.segments:
        place = place_words(lesion.segments)
        words += " of " + ("" if place.startswith("all") else "the ") + place
    elif not doubt:
        words += " is present"
    if lesion.transmurality in (1, 2, 3):
        words += f", {_SHARES[lesion.transmurality]} of the wall thickness"
    return words


def place_words(segments: Sequence[int]) -> str:
    """AHA segments as levels and walls: (4, 5, 10, 17) is 'basal and mid inferior and basal inferolateral segments and apical cap'."""
    numbers = set(segments)
    if numbers >= set(range(1, 17)):
        return "all segments" + (" and the apical cap" if 17 in numbers else "")
    walls: dict[tuple[str, ...], list[str]] = {}
    for name in (*_WALLS, "septal", "lateral"):
        levels = tuple(level for k, level in enumerate(_LEVELS) if _number(k, name) in numbers)
        if levels:
            walls.setdefault(levels, []).append(name)
    parts = [f"{_listed(levels)} {_listed(names)}" for levels, names in walls.items()]
    words = _listed(parts) + (" segment" if len(numbers - {17}) == 1 else " segments") if parts else ""
    if 17 in numbers:
        words = words + " and the apical cap" if words else "apical cap"
    return words


def _number(level: int, wall: str) -> int:
    """AHA number of a wall at level 0-2; 0 where that level has no such wall."""
    if level < 2:
        return level * 6 + _WALLS.index(wall) + 1 if wall in _WALLS else 0
    return 13 + _APICAL_WALLS.index(wall) if wall in _APICAL_WALLS else 0


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


# ------------------------------------------------------------------ reports

_TERMS = ("LGE", "late gadolinium enhancement", "late enhancement", "delayed enhancement", "hyperenhancement")
_INDICATIONS = (
    "chest pain", "breathlessness on exertion", "new heart failure", "palpitations", "abnormal ECG", "syncope", "raised troponin", "left bundle branch block",
    "ventricular ectopy", "assessment of LV function", "out-of-hospital arrest", "family screening",
)  # fmt: skip
_CAUSES = {
    "ischaemic": ("in keeping with myocardial infarction", "consistent with an infarct", "ischaemic pattern", "compatible with previous infarction", "typical of ischaemic scar"),
    "non-ischaemic": ("non-ischaemic pattern", "in keeping with a non-ischaemic process", "not in an ischaemic pattern, non-ischaemic aetiology", "suggestive of non-ischaemic cardiomyopathy"),
}  # fmt: skip
_CONCLUSIONS = {
    "ischaemic": ("Ischaemic scar as above.", "Infarct as described.", "Ischaemic heart disease with scar."),
    "non-ischaemic": (
        "Non-ischaemic scar as described.",
        "Appearances of non-ischaemic fibrosis.",
        "Non-ischaemic cardiomyopathy.",
    ),
}
_AMERICAN = (
    ("oedema", "edema"), ("ischaem", "ischem"), ("haemo", "hemo"), ("aetiolog", "etiolog"), ("artefact", "artifact"), ("dilatation", "dilation"), ("tumour", "tumor"),
    ("Oedema", "Edema"), ("Ischaem", "Ischem"), ("Aetiolog", "Etiolog"),
)  # fmt: skip


def write_report(rng: np.random.Generator, finding: Finding) -> str:
    """A clinical report that says ``finding`` among other things; headed, in prose or in telegraph style, UK or US spelling."""
    style = _pick(rng, ("headed", "prose", "telegraph", "headed"))
    statement = lge_statement(rng, finding)
    if style == "headed":
        text = _headed(rng, statement, finding)
    elif style == "prose":
        text = _prose(rng, statement, finding)
    else:
        text = _telegraph(rng, statement, finding)
    if rng.random() < 0.4:
        for british, american in _AMERICAN:
            text = text.replace(british, american)
    return text


def lge_statement(rng: np.random.Generator, finding: Finding) -> str:
    """The report's sentences on LGE, no-reflow included; the empty string for 'not stated'."""
    if finding.lge == "not_stated":
        return ""
    if finding.lge == "absent":
        words = _pick(rng, (
            "No late gadolinium enhancement.", "There is no evidence of myocardial scar or fibrosis.", "No LGE to suggest infarction or fibrosis.",
            "The myocardium shows no late enhancement.", "Late gadolinium imaging is negative for scar.", "No delayed hyperenhancement in any segment.", "LGE: none.",
        ))  # fmt: skip
    elif not finding.lesions:
        words = (
            "Equivocal late gadolinium enhancement."
            if finding.lge == "uncertain"
            else "Late gadolinium enhancement is present."
        )
    else:
        said = [_lesion_sentence(rng, lesion, finding.lge == "uncertain") for lesion in finding.lesions]
        if finding.aetiology and finding.lge == "present":
            said[-1] = said[-1].rstrip(".") + ", " + _pick(rng, _CAUSES[finding.aetiology]) + "."
        elif finding.aetiology:
            said.append(
                "If real, an " + ("ischaemic" if finding.aetiology == "ischaemic" else "non-ischaemic") + " pattern."
            )
        words = " ".join(said)
    if finding.no_reflow is not None:
        words += " " + _pick(rng, (
            ("Microvascular obstruction is present.", "There is a dark core of microvascular obstruction.", "MVO present.") if finding.no_reflow
            else ("No microvascular obstruction.", "MVO: none.", "There is no no-reflow zone.")
        ))  # fmt: skip
    return words


def _lesion_sentence(rng: np.random.Generator, lesion: Lesion, doubt: bool) -> str:
    term = _pick(rng, _TERMS)
    layer = {
        "mid-wall": _pick(rng, ("mid-wall", "intramural", "mid-myocardial")),
        "subepicardial": _pick(rng, ("subepicardial", "epicardial")),
    }.get(lesion.layer or "", _LAYER_WORDS[lesion.layer].strip())
    if lesion.layer == "transmural":
        layer = _pick(rng, ("transmural", "full-thickness"))
    place = place_words(lesion.segments)
    if lesion.segments and rng.random() < 0.3:
        place = ("segment " if len(lesion.segments) == 1 else "segments ") + _listed([str(s) for s in lesion.segments])
    if lesion.layer == "insertion-point" and set(lesion.segments) in [set(v) for v in INSERTION_POINTS.values()]:
        where = next(k for k, v in INSERTION_POINTS.items() if set(v) == set(lesion.segments))
        layer, place = "", ("RV insertion points" if where == "both" else f"{where} RV insertion point")
    share = ""
    if lesion.transmurality in (1, 2, 3):
        share = _pick(
            rng,
            {
                1: ("less than 25% of wall thickness", "1-25% transmurality"),
                2: ("25-50% of wall thickness", "26-50 % transmurality"),
                3: ("50-75% of wall thickness", "51-75 % transmurality"),
            }[lesion.transmurality],
        )
    possible = doubt or lesion.certainty == "possible"
    opening = f"{layer} {term}".strip()
    where = (
        f"{_pick(rng, ('of', 'in', 'involving'))} {'' if place.startswith('segment') or place.startswith('all') else 'the '}{place}"
        if place
        else ""
    )
    if possible:
        sentence = _pick(
            rng,
            (f"Possible {opening} {where}", f"Questionable {opening} {where}", f"{opening} {where} cannot be excluded"),
        )
    else:
        sentence = _pick(
            rng,
            (
                f"There is {opening} {where}",
                f"{opening} {where}",
                f"{opening} is seen {where}",
                f"Late imaging shows {opening} {where}",
            ),
        )
    sentence = " ".join(sentence.split()) + (f", {share}" if share else "")
    return sentence[0].upper() + sentence[1:] + "."


def _numbers(rng: np.random.Generator) -> dict[str, int]:
    edv, ef = int(rng.integers(110, 280)), int(rng.integers(22, 70))
    return {
        "age": int(rng.integers(18, 86)), "edv": edv, "esv": round(edv * (100 - ef) / 100), "ef": ef, "rvef": int(rng.integers(38, 66)), "mass": int(rng.integers(90, 190)),
        "t1": int(rng.integers(940, 1110)), "t2": int(rng.integers(42, 58)), "la": int(rng.integers(18, 36)), "rf": int(rng.integers(5, 30)),
    }  # fmt: skip


def _others(rng: np.random.Generator, n: dict[str, int]) -> list[str]:
    """Statements on anything but LGE, some with words that also occur in LGE statements."""
    every = (
        f"RV normal in size, RVEF {n['rvef']} %.", f"Mild mitral regurgitation, regurgitant fraction {n['rf']} %.", "Trileaflet aortic valve without stenosis.",
        f"Native T1 {n['t1']} ms, T2 {n['t2']} ms.", f"LA area {n['la']} cm2.", "No pericardial effusion.", "No intracardiac thrombus.", "Small left pleural effusion.",
        "No resting perfusion defect.", "No inducible perfusion defect.", "No myocardial oedema on T2 imaging.", f"LV mass {n['mass']} g.", "Simple hepatic cyst.",
        "Mild hypokinesis of the lateral wall." if n["ef"] < 50 else "No regional wall motion abnormality.",
    )  # fmt: skip
    return [every[k] for k in sorted(rng.permutation(len(every))[: int(rng.integers(2, 7))])]


def _headed(rng: np.random.Generator, statement: str, finding: Finding) -> str:
    n = _numbers(rng)
    lines = [
        f"{_pick(rng, ('INDICATION', 'Clinical details', 'HISTORY'))}: {n['age']}-year-old {_pick(rng, ('man', 'woman'))}, {_pick(rng, _INDICATIONS)}.",
        f"{_pick(rng, ('TECHNIQUE', 'Protocol'))}: {_pick(rng, ('1.5 T', '3 T'))}, cines, {_pick(rng, ('T2 maps, ', 'perfusion, ', ''))}late gadolinium imaging.",
        f"{_pick(rng, ('LV', 'Left ventricle'))}: EDV {n['edv']} ml, ESV {n['esv']} ml, EF {n['ef']} %.",
        *_others(rng, n),
    ]
    if statement:
        lines.insert(
            int(rng.integers(3, len(lines) + 1)),
            f"{_pick(rng, ('LGE', 'Late gadolinium enhancement', 'Late enhancement', 'Viability'))}: {statement}",
        )
    lines.append(f"{_pick(rng, ('CONCLUSION', 'Impression', 'Opinion'))}: {_closing(rng, finding, n)}")
    return "\n".join(lines)


def _prose(rng: np.random.Generator, statement: str, finding: Finding) -> str:
    n = _numbers(rng)
    sentences = [
        f"This {n['age']}-year-old {_pick(rng, ('gentleman', 'lady', 'patient'))} was referred with {_pick(rng, _INDICATIONS)}.",
        f"The left ventricle has an end-diastolic volume of {n['edv']} ml and an ejection fraction of {n['ef']} %.",
        *_others(rng, n),
    ]
    if statement:
        sentences.insert(int(rng.integers(2, len(sentences) + 1)), statement)
    return " ".join([*sentences, f"In summary, {_closing(rng, finding, n, inside=True)}"])


def _telegraph(rng: np.random.Generator, statement: str, finding: Finding) -> str:
    n = _numbers(rng)
    sentences = [f"{n['age']}{_pick(rng, 'MF')}. EF {n['ef']}%.", *_others(rng, n)]
    if statement:
        sentences.insert(1, statement)
    return " ".join(sentences)


def _closing(rng: np.random.Generator, finding: Finding, n: dict[str, int], inside: bool = False) -> str:
    function = f"{'normal' if n['ef'] >= 55 else 'impaired'} LV systolic function."
    closing = function if inside else function[0].upper() + function[1:]
    if finding.lge == "present" and finding.aetiology and rng.random() < 0.5:
        closing += " " + _pick(rng, _CONCLUSIONS[finding.aetiology])
    return closing


def _pick(rng: np.random.Generator, choices: Sequence[str]) -> str:
    return choices[int(rng.integers(len(choices)))]
