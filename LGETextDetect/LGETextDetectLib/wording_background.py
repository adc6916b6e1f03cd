"""What a prompt says of the patient before it asks: 'LVEF 30 %, normal echo, ICD candidate: any septal scar?' asks for septal scar."""

from __future__ import annotations

import re

_PART = re.compile(r"((?:[,;:]|(?<=[\w%)])\.|\s[-–])\s+)")  # between what is said and what is asked
_FINDING = re.compile(
    r"\b(?:scar\w*|lge|dhe|mde|gad\w*|\w*enhanc\w*|fibro\w+|infarct\w*|n?stemi|a?mi|mvo|no[- ]reflow|microvascular|\w*viab\w*|bright|stripe)\b",
    re.I,
)
_ASKS = re.compile(r"\s*(?:any|is|are|was|were|do|does|did|has|have|could|where|which|look\w*|please|check)\b", re.I)
_LISTED = re.compile(r"\b(?:or|nor|and)\b|[/&+]", re.I)
_DENIES = re.compile(r"\b(?:no|not|without|denies|never)\b", re.I)
_PLACE = re.compile(
    r"\b(?:\w*sept\w*|\w*lateral\w*|(?:infero|antero)?(?:anterior|inferior|posterior|apical|basal)\w*|apex|wall|segments?|segs?|territor\w+|lad|rca|lcx|circumflex|mid\w*)\b",
    re.I,
)
_NO_HISTORY = re.compile(
    r"\s*(?:with\s+)?(?:no|without|not|denies|never)\s+(?:any\s+|a\s+)?(?:(?:known|previous|prior|past|documented|(?:family\s+)?history\s+of|hx\s+of)\s+)+",
    re.I,
)
_INFARCT = re.compile(r"\b(?:infarct\w*|n?stemi|a?mi)\b", re.I)
_VIABLE = re.compile(r"\b(?:viable|viability)\b", re.I)
_DECIDES = re.compile(
    r"\b(?:should|would|can|could|need\w*|recommend\w*|indicat\w*|benefit\w*|what|why|how|is|are|does|will)\b", re.I
)
_THERAPY = r"(?:icd|crt(?:-[dp])?|pacemaker|defibrillator|revasculari[sz]ation|(?:vt\s+|pv\s+)?ablation|surgery|(?:heart\s+)?transplant\w*|(?:chemo|radio)?therapy|treatment|medication|statins?|beta ?blockers?|anticoagulation)"
_BEFORE = re.compile(
    rf"\s*\b(?:pre[- ]?|(?:before|prior\s+to|awaiting|ahead\s+of)\s+(?:the\s+|an?\s+)?)(?:{_THERAPY}|pci|stenting|cabg|bypass|tavi|(?:valve\s+)?intervention)\b",
    re.I,
)
_TEST = (
    r"(?:echo(?:cardio\w+)?|tte|toe|ecg|ekg|ct|ctca|cath(?:eter\w*)?|(?:coronary\s+)?angiogra\w+|troponins?|trop|bnp|bloods?|cxr|x-ray|pyp|dpd|scintigraphy|spect|pet(?:-ct)?|"
    r"biopsy|emb|genetic(?:s|\s+test\w*)?|gene(?:\s+test\w*)?|genotype|phenotype|stress\s+(?:test|echo)|exercise\s+test|holter|serology|pcr)"
)
_CLEAR = r"(?:normal|negative|unremarkable|clean|clear|unobstructed)"
_TESTED = re.compile(  # "echo normal", "genotype positive, phenotype negative", "negative biopsy"
    rf"(?<!-)(?<!lge )(?<!enhancement )\b{_TEST}\s+(?:(?:is|was|were|all|scan|study|result|completely|\w+ly)\s+){{0,3}}(?:{_CLEAR}|positive)\b(?:\s+for\s+\w+)?|\b{_CLEAR}\s+(?:(?!lge|late|scar|fibro|enhanc)\w+\s+)?{_TEST}(?![\w-])",
    re.I,
)
_SAID = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        # treatment had or planned
        rf"\b(?:(?:on|post|after|following|has|had|have|for|with|under|considered\s+for|candidate\s+for|referred\s+for|work-?up\s+for)[\s-]+(?:an?\s+)?)?{_THERAPY}\b",
        r"\bno\s+family\s+history\b.*",
        r"\b(?:(?:low|half|full|single|double|reduced)\s+)?dose\b",
        r"\btreated(?:\s+(?:with|by))?\b|\brisk(?:\s+(?:stratification|assessment|score))?\b",
        # an ejection fraction with its value or grade; "normal EF, scar?" are two questions
        r"\b(?:preserved|reduced|low|poor|impaired|good|depressed)\s+(?:lv\s?ef|ef|ejection\s+fraction)\b(?:\s*\(?\d{1,2}\s*%\)?)?",
        r"\b(?:lv\s?ef|ef|ejection\s+fraction)\s*(?:(?:of|is|was|=|~|about)\s*)?(?:\d{1,2}(?:\s*[-–]\s*\d{1,2})?\s*%?|(?:is\s+)?(?:preserved|reduced|low|poor|impaired|depressed|drop|decline|fall))(?!\w)",
        # a wall's thickness in millimetres
        r"\b(?:max(?:imal|imum)?\s+)?(?:(?:ivs|septum|septal|wall|posterior|anterior|inferior|lateral)\s+){1,2}(?:(?:thickness|of|is|up\s+to|=|measuring)\s*){0,3}\d{1,2}(?:[.,]\d)?\s*(?:mm|cm)\b",
        r"\b\d{1,2}(?:[.,]\d)?\s*(?:mm|cm)\s+(?:thick\s+)?(?:(?:ivs|septum|septal|wall|posterior|anterior|inferior|lateral)\b\s*){1,2}",
        # what is normal and is not late enhancement
        r"\bstructurally\s+normal\s+heart\b|\bnormal\s+(?:heart|lv)\s+(?:on|by)\s+\w+",
        r"\bnormal\s+(?:(?:lv|rv|left|right|ventricular|ventricle|heart|cardiac|wall|chamber|cavity|atrial|coronary|systolic)\s+){0,3}"
        r"(?:sizes?|dimensions|volumes?|thickness|function|mass|geometry|contract\w+|morphology|rhythm|echo\w*|ecg|ekg|tte|ct|cta|troponins?|bnp|bloods?|cxr|angiogra\w+|coronaries|biomarkers|enzymes)\b"
        r"(?:\s*(?:and|&)\s*(?:(?:systolic|diastolic|lv|rv|ventricular)\s+){0,2}(?:sizes?|volumes?|thickness|function|mass)\b)?",
    )
)


def without_background(text: str) -> str:
    """The prompt without such words; a denial ("no known MI, any scar?") goes only where a question clearly follows."""
    text = _TESTED.sub(" ", _BEFORE.sub(" ", text))
    parts = _PART.split(text)  # what is said at even places, what parts it at odd ones
    denied = _denied(parts)
    asked = next((k for k in range(0, len(parts), 2) if k not in denied and _FINDING.search(parts[k])), 0)
    for k in range(0, asked, 2):
        if k in denied:
            parts[k : k + 2] = ["", ""]
        elif not _DECIDES.search(parts[k]):
            for said in _SAID:
                parts[k] = said.sub(" ", parts[k])
    if _is_old_infarct(parts, asked):
        parts[asked : asked + 2] = ["post MI", ", "]
    return "".join(parts).strip()


def _denied(parts: list[str]) -> set[int]:
    """'No LVH, any scar?', 'no known MI: LGE?': where something else, or a history, is denied and a question begins behind it."""
    denied: set[int] = set()
    asks = False  # whether a question stands behind the part, and nothing but background between
    for k in range(len(parts) - 3, -1, -2):
        part, following = parts[k], parts[k + 2]
        last = k + 3 == len(parts) and following.rstrip().endswith("?")
        bare = last and not (_LISTED.search(following) or _DENIES.search(following))
        asks = bool(_ASKS.match(following)) or bare or (asks and (k + 2 in denied or _says_else(following)))
        if asks and "?" not in part and ((_DENIES.search(part) and _says_else(part)) or _NO_HISTORY.match(part)):
            denied.add(k)
    return denied


def _says_else(part: str) -> bool:
    """Whether a part names no finding and no wall and asks nothing."""
    return not ("?" in part or _FINDING.search(part) or _PLACE.search(part))


def _is_old_infarct(parts: list[str], k: int) -> bool:
    """'Prior anterior MI. Is the anterior wall viable?': whether an infarct is only told before a wall's viability is asked."""
    if k + 2 >= len(parts) or not _INFARCT.search(parts[k]) or _DENIES.search(parts[k]) or "?" in parts[k]:
        return False
    following = "".join(parts[k + 2 :])
    if not (_ASKS.match(following) or "?" in following):
        return False  # "RCA infarct, LAD territory viable"
    told = not any(_FINDING.search(_VIABLE.sub(" ", part)) for part in (_INFARCT.sub(" ", parts[k]), following))
    return told and bool(_VIABLE.search(following) and _PLACE.search(following)) and not _DENIES.search(following)
