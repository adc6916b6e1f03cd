"""The virtual hospital's own reporters: findings to clinical prose, independent of the project's sentence writer.

Three reporters with habits of their own: a dictating consultant, a telegraphing registrar, a template user. They
abbreviate, mistype, mention history and other organs, and spell in the British or the American way.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from LGETextDetectLib.finding import Finding, Lesion

Rng = np.random.Generator
WALLS = {  # segment -> level and wall as said aloud
    1: ("basal", "anterior"), 2: ("basal", "anteroseptal"), 3: ("basal", "inferoseptal"), 4: ("basal", "inferior"), 5: ("basal", "inferolateral"),
    6: ("basal", "anterolateral"), 7: ("mid", "anterior"), 8: ("mid", "anteroseptal"), 9: ("mid", "inferoseptal"), 10: ("mid", "inferior"),
    11: ("mid", "inferolateral"), 12: ("mid", "anterolateral"), 13: ("apical", "anterior"), 14: ("apical", "septal"), 15: ("apical", "inferior"),
    16: ("apical", "lateral"),
}  # fmt: skip
NONE = (
    "No LGE.", "No late gadolinium enhancement is demonstrated.", "Delayed images: no scar.", "There is no myocardial scarring on the late gadolinium images.",
    "Post-contrast imaging shows no evidence of infarction or fibrosis.", "LGE negative.", "Nil late enhancement.", "No evidence of LGE.",
    "The myocardium nulls normally with no late enhancement.", "Late gad: no abnormal enhancement of the LV myocardium.", "No delayed enhancement seen.",
)  # fmt: skip
LAYER_WORDS = {
    "subendocardial": ("subendocardial", "subendocardial", "sub-endocardial", "endocardial-based"), "mid-wall": ("mid-wall", "midwall", "mid-myocardial", "intramural"),
    "subepicardial": ("subepicardial", "epicardial", "sub-epicardial"), "transmural": ("transmural", "full thickness", "full-thickness"),
    "insertion-point": ("RV insertion point",), "diffuse": ("diffuse", "global diffuse"), "patchy": ("patchy", "patchy multifocal"), None: ("",),
}  # fmt: skip
DEPTHS = {
    1: ("<25% transmurality", "less than 25% of the wall"),
    2: ("25-50% transmurality", "up to 50% of wall thickness"),
    3: ("50-75% transmural extent", "51-75% of wall thickness"),
}
CAUSES = {
    "ischaemic": ("in keeping with previous MI", "c/w old infarct", "typical of myocardial infarction", "ischaemic in distribution", "in an ischaemic pattern"),
    "non-ischaemic": ("non-ischaemic in distribution", "not typical of infarction, non-ischaemic pattern", "suggesting a non-ischaemic cardiomyopathy", "non-ischaemic pattern"),
}  # fmt: skip
HISTORY = (
    "Hypertension, ex-smoker.", "Previous PCI to LAD 2016.", "Known AF.", "?IHD. Chest pain ?cause.", "New LBBB, reduced EF on echo.", "Family history of cardiomyopathy.",
    "Breathless on exertion.", "Palpitations, NSVT on tape.", "Troponin rise, unobstructed coronaries.", "Pre-op assessment.",
)  # fmt: skip
OTHERS = (
    "Mild MR, no AR.", "RV normal size and function.", "Small pericardial effusion, not haemodynamically significant.", "Biatrial dilatation.", "No intracardiac thrombus.",
    "Tricuspid aortic valve.", "Incidental simple renal cyst.", "Small hiatus hernia noted.", "No oedema on T2 weighted imaging.", "Normal first pass perfusion at rest.",
    "Native T1 within the normal range.", "Aortic root 36 mm.", "Bibasal atelectasis.", "No significant valve disease.",
)  # fmt: skip
AMERICAN = (("oedema", "edema"), ("ischaem", "ischem"), ("haemo", "hemo"), ("dilatation", "dilation"))
MISTAKEN = {
    "evidence": "evidnece",
    "myocardial": "myocardal",
    "significant": "signifcant",
    "pericardial": "pericadial",
    "demonstrated": "demonstated",
    "imaging": "imagng",
    "ventricle": "ventricel",
    "function": "fucntion",
}
TYPO = 0.35  # of the reports hold one


def hospital_report(rng: Rng, finding: Finding) -> str:
    """One report; what it says of late enhancement is ``finding``, as far as prose can say it."""
    reporter = (_dictated, _telegraphed, _templated)[rng.integers(3)]
    text = reporter(rng, lge_words(rng, finding), finding)
    if rng.random() < 0.3:
        for british, american in AMERICAN:
            text = text.replace(british, american).replace(british.capitalize(), american.capitalize())
    if rng.random() < TYPO:
        there = [word for word in MISTAKEN if word in text]
        if there:
            word = there[rng.integers(len(there))]
            text = text.replace(word, MISTAKEN[word], 1)
    return text


def lge_words(rng: Rng, finding: Finding) -> str:
    """The sentences on late enhancement."""
    if finding.lge != "present" or not finding.lesions:
        return _one(rng, NONE)
    sentences = [_lesion(rng, lesion, finding.aetiology) for lesion in finding.lesions]
    if finding.no_reflow:
        sentences.append(
            _one(
                rng,
                (
                    "There is associated MVO.",
                    "Dark core consistent with microvascular obstruction.",
                    "MVO present within the infarct.",
                ),
            )
        )
    return " ".join(sentences)


def _lesion(rng: Rng, lesion: Lesion, aetiology: str | None) -> str:
    layer, term = (
        _one(rng, LAYER_WORDS[lesion.layer]),
        _one(rng, ("LGE", "late enhancement", "late gadolinium enhancement", "delayed enhancement", "scar")),
    )
    place = place_words(rng, lesion.segments)
    depth = (
        f" ({_one(rng, DEPTHS[lesion.transmurality])})"
        if lesion.transmurality in DEPTHS and lesion.layer == "subendocardial"
        else ""
    )
    cause = f", {_one(rng, CAUSES[aetiology])}" if aetiology and rng.random() < 0.7 else ""
    if lesion.layer == "diffuse" and len(lesion.segments) > 10:
        return (
            f"There is diffuse, global subendocardial {term}{cause}."
            if rng.random() < 0.3
            else f"Diffuse {term} throughout the LV myocardium{cause}."
        )
    opening = _one(
        rng,
        (
            f"{layer} {term} in the",
            f"There is {layer} {term} involving the",
            f"{layer} {term} is present in the",
            f"Positive for {layer} {term} of the",
        ),
    )
    sentence = f"{opening} {place}{depth}{cause}."
    return sentence[0].upper() + sentence[1:]


def place_words(rng: Rng, segments: Sequence[int]) -> str:
    """Segments as this hospital says them: wall by wall with its levels, now and then by AHA number."""
    if rng.random() < 0.15:
        return f"AHA segments {', '.join(str(n) for n in segments)}"
    walls: dict[str, list[str]] = {}
    for number in segments:
        level, wall = WALLS.get(number, ("", "apical cap"))
        walls.setdefault(wall, []).append(level)
    parts = []
    for wall, levels in walls.items():
        if wall == "apical cap":
            parts.append("apical cap")
        else:
            said = levels[0] if len(levels) == 1 else f"{', '.join(levels[:-1])} and {levels[-1]}"
            parts.append(f"{said} {wall} {'wall' if len(levels) == 1 else 'segments'}")
    return (
        parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + _one(rng, (" and ", " and the ", " plus ")) + parts[-1]
    )


def _numbers(rng: Rng) -> tuple[int, int, int]:
    volume, fraction = int(rng.integers(105, 260)), int(rng.integers(25, 70))
    return volume, round(volume * (100 - fraction) / 100), fraction


def _dictated(rng: Rng, words: str, finding: Finding) -> str:
    volume, _, fraction = _numbers(rng)
    state = "normal" if fraction >= 55 else "mildly impaired" if fraction >= 45 else "impaired"
    return (
        f"Cardiac MRI with contrast. Indication: {_one(rng, HISTORY)} The left ventricle is {_one(rng, ('not dilated', 'mildly dilated', 'of normal size'))} with an EDV "
        f"of {volume} ml and {state} systolic function, EF {fraction}%. {_some(rng, OTHERS, 2)} {words} {_some(rng, OTHERS, 1)} "
        f"Reported by: Dr {_one(rng, ('Asher', 'Lindqvist', 'Okafor', 'Moreau'))}, {int(rng.integers(1, 28)):02d}/{int(rng.integers(1, 12)):02d}/2021."
    )


def _telegraphed(rng: Rng, words: str, finding: Finding) -> str:
    volume, rest, fraction = _numbers(rng)
    return f"{int(rng.integers(24, 86))}{_one(rng, ('M', 'F'))}. {_one(rng, HISTORY)} LVEDV {volume} ESV {rest} EF {fraction}. {words} {_some(rng, OTHERS, 2)}"


def _templated(rng: Rng, words: str, finding: Finding) -> str:
    volume, rest, fraction = _numbers(rng)
    summary = {"present": "Scar as detailed above.", "absent": "No scar."}[
        finding.lge if finding.lge == "present" else "absent"
    ]
    return "\n".join((
        f"CLINICAL INFORMATION\n{_one(rng, HISTORY)}", f"LEFT VENTRICLE\nEDV {volume} ml, ESV {rest} ml, EF {fraction} %", f"OTHER FINDINGS\n{_some(rng, OTHERS, 3)}",
        f"{_one(rng, ('LATE GADOLINIUM', 'TISSUE CHARACTERISATION', 'LGE IMAGING'))}\n{words}", f"SUMMARY\n{'Normal' if fraction >= 55 else 'Reduced'} LV function. {summary}",
    ))  # fmt: skip


def _one(rng: Rng, choices: Sequence[str]) -> str:
    return choices[int(rng.integers(len(choices)))]


def _some(rng: Rng, choices: Sequence[str], count: int) -> str:
    return " ".join(choices[k] for k in rng.permutation(len(choices))[:count])
