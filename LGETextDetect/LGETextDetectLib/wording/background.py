"""What a prompt says of the patient before it asks: 'LVEF 30 %, normal echo, ICD candidate: any septal scar?' asks for septal scar."""

from __future__ import annotations

import re

_PART = re.compile(r"((?:[,;:]|(?<=[\w%)])\.|\s(?:[-–→]|[-=]>))\s+)")  # between what is said and what is asked
_FINDING = re.compile(
    r"\b(?:scar\w*|lge|dhe|mde|gad\w*|\w*enhanc\w*|fibro\w+|\w*infar[ckz]\w*|n?stemi|a?mi|mvo|\w*narbe\w*|\w*anreicher\w*|rehauss\w*|realce|cicatri\w*|ne[ck]ros\w*|\w*vital\w*|no[- ]reflow|microvascular|\w*viab\w*|bright|stripe)\b",
    re.I,
)
_ASKS = re.compile(
    r"\s*(?:any|is|are|was|were|do|does|did|has|have|could|where|which|look\w*|please|check|gibt|ist|sind|hat|liegt|zeigt|y\s?a|existe\w*|hay)\b",
    re.I,
)
_LISTED = re.compile(r"\b(?:or|nor|and)\b|[/&+]", re.I)
_DENIES = re.compile(r"\b(?:no|not|without|denies|never)\b", re.I)
_PLACE = re.compile(
    r"\b(?:\w*sept\w*|\w*lateral\w*|(?:infero|antero)?(?:(?:ant|inf|post)[eé]ri?e?(?:or|ur)|api[ck]al|basal)\w*|apex|apice|wall|\w*wand|paroi|cara|pared|\w*spitze|segment\w*|segs?|territor\w+|lad|rca|lcx|circumflex|mid\w*)\b",
    re.I,
)
_NO_HISTORY = re.compile(
    r"\s*(?:with\s+)?(?:no|without|not|denies|never)\s+(?:any\s+|a\s+)?(?:(?:known|previous|prior|past|documented|(?:family\s+)?history\s+of|hx\s+of)\s+)+",
    re.I,
)
_INFARCT = re.compile(r"\b(?:\w*infar[ckz]t?\w*|n?stemi|a?mi)\b", re.I)
_LAYER = re.compile(r"\b(?:(?:sub)?(?:endo|epi)\w*|transmural\w*|intramural|patchy|diffuse)\b", re.I)
_HISTORY = re.compile(  # a mere "old" tells the infarct that is asked for
    r"\b(?:prior|previous(?:ly)?|known|past|history|h/?x|pmh|s/p|status\s+post|post|z\.?\s?n\b|zustand\s+nach|bekannt\w*|antecede\w+|connu\w*|conocid\w*|ago|(?:19|20)\d\d|presented|admitted|had)\b",
    re.I,
)
_ELSEWHERE = re.compile(r"\b(?:elsewhere|else|other|additional|further)\b", re.I)
_VIABLE = re.compile(r"\b(?:viable|viability)\b", re.I)
_DECIDES = re.compile(
    r"\b(?:should|would|can|could|need\w*|recommend\w*|indicat\w*|benefit\w*|what|why|how|is|are|does|will)\b", re.I
)
_THERAPY = r"(?:icd|crt(?:-[dp])?|pacemaker|defibrillator|revasculari[sz]ation|(?:vt\s+|pv\s+)?ablation|surgery|(?:(?:heart|renal|kidney|liver|lung)\s+)?transplant\w*|(?:chemo|radio)?therapy|treatment|medication|statins?|beta ?blockers?|anticoagulation)"
_BEFORE = re.compile(
    rf"\s*\(\s*(?:(?:pre|for|before)[- ])?{_THERAPY}\b[^()]{{0,20}}\)|\bfor\s+{_THERAPY}\s+(?:planning|(?:lead\s+)?placement|implantation|candida\w+|work-?up|evaluation|eligibility)\b|\s*\b(?:pre[- ]?|(?:before|prior\s+to|awaiting|ahead\s+of)\s+(?:the\s+|an?\s+)?)(?:{_THERAPY}|pci|stenting|cabg|bypass|tavi|(?:valve\s+)?intervention)\b"
    rf"|(?<=viable)\s+for\s+(?:{_THERAPY}|pci|stenting|cabg|bypass)\b",
    re.I,
)
_TEST = (
    r"(?:echo(?:cardio\w+)?|tte|toe|ecg|ekg|ct|ctca|cath(?:eter\w*)?|(?:coronary\s+)?angiogra\w+|troponins?|trop|bnp|bloods?|cxr|x-ray|pyp|dpd|scintigraphy|spect|pet(?:-ct)?|"
    r"biopsy|emb|genetic(?:s|\s+test\w*)?|gene(?:\s+test\w*)?|genotype|phenotype|stress\s+(?:test|echo)|exercise\s+test|holter|serology|pcr)"
)
_CLEAR = r"(?:normal|negative|unremarkable|clean|clear|unobstructed)"
_WHAT_FOR = re.compile(  # "scar that could explain the VT"
    r"\b(?:that|which)\s+(?:could|might|may|can|would)\s+(?:also\s+)?(?:explain|cause|account\s+for|be\s+(?:responsible\s+for|the\s+(?:cause|substrate|source)\s+(?:of|for)))\b[^,;?.]{0,60}",
    re.I,
)
_TESTED = re.compile(  # "echo normal", "genotype positive, phenotype negative", "negative biopsy"
    rf"(?<!-)(?<!lge )(?<!enhancement )\b{_TEST}\s+(?:(?:is|was|were|all|scan|study|result|completely|\w+ly)\s+){{0,3}}(?:{_CLEAR}|positive)\b(?:\s+for\s+\w+)?|\b{_CLEAR}\s+(?:(?!lge|late|scar|fibro|enhanc)\w+\s+)?{_TEST}(?![\w-])",
    re.I,
)
_GENE = (
    r"(?:lmna|lamin(?:\s+a/?c)?|ttn|titin|mybpc3|myh7|tnn[it][23]|tpm1|actc1|pln|phospholamban|dsp|desmoplakin|dsg2|dsc2|pkp2|plakophilin|flnc|filamin(?:\s+c)?|rbm20|bag3|"
    r"desmin|scn5a|tmem43|gla|ttr|prkag2|lamp2|dmd|gene|genotype|sarcomere|sarcomeric)"
)
_CARRIED = re.compile(  # "LMNA carrier", "in MYBPC3 mutation carriers", "TTNtv": a gene is no disease
    rf"\b(?:(?:with|has|have|in)\s+)?(?:an?\s+|the\s+)?(?:(?:pathogenic|likely|known|heterozygous|truncating)\s+)*{_GENE}(?:tv\b|\s?\+|\s+(?:(?:gene|pathogenic|truncating|missense|splice|[\w.]*\d[\w.>*]*)\s+)*"
    r"(?:(?:positive|pos|carriers?|carriage|mutations?|mutated|variants?|vus|truncation|truncating|deletion)\b\s*)+)",
    re.I,
)
_RELATIVE = re.compile(
    r"\b(?:family\s+history|fhx?|famhx|(?:father|mother|brother|sister|dad|mum|mom|uncle|aunt|cousin|sibling|relative|grandfather|grandmother)s?)\b",
    re.I,
)
_SHARE = re.compile(r"[<>~]?\s*\b\d{1,3}\s*%")
_DEPTH = re.compile(r"\b(?:transmural\w*|tm|thick\w*|depth|deep|wall)\b", re.I)
_ECG = re.compile(r"\b(?:[tq][- ]?waves?|twi|st[- ](?:elevation|depression|segment|changes?)|e[ck]g|leads?)\b", re.I)
_WEAK = re.compile(
    r"\b(?:aneurysm\w*|(?:a|dys|hypo)kine\w+|rwma|wall\s+motion|thinn\w+|hypertroph\w+|o?edema|ischa?emia|perfusion|t1|t2|ecv|stenos\w*|occlu\w*|cto|stent\w*)\b|\d\s*%\s*(?:lad|rca|lcx|om)\b",
    re.I,
)
_SAID = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        # treatment had or planned
        rf"\b(?:(?:on|post|after|following|has|had|have|for|with|under|considered\s+for|candidate\s+for|referred\s+for|work-?up\s+for)[\s-]+(?:an?\s+)?)?{_THERAPY}\b",
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
    text = _TESTED.sub(" ", _WHAT_FOR.sub("", _BEFORE.sub(" ", _CARRIED.sub(" ", text))))
    parts = _PART.split(text)  # what is said at even places, what parts it at odd ones
    denied = _denied(parts)
    asked = next((k for k in range(0, len(parts), 2) if k not in denied and _FINDING.search(parts[k])), 0)
    if _is_told(parts, asked):
        parts[asked : asked + 2] = [_told(parts, asked), ", "]
        asked = next((k for k in range(asked + 2, len(parts), 2) if _FINDING.search(parts[k])), asked)
    asking = [k for k in range(asked, len(parts), 2) if _ASKS.match(parts[k]) or "?" in parts[k]]
    placed = bool(_PLACE.search("".join(parts[asked:])))
    for k in range(0, asking[-1] if asking else asked, 2):
        if k in denied:
            parts[k : k + 2] = ["", ""]
        elif "?" not in parts[k]:
            parts[k] = _without_elsewhere(_without_said(parts[k]), placed) if k < asked else _without_said(parts[k])
    return "".join(parts).strip()


def _without_said(part: str) -> str:
    if not _DECIDES.search(part):
        for said in _SAID:
            part = said.sub(" ", part)
    return part


def _without_elsewhere(part: str, placed: bool) -> str:
    """A part before the question without percentages of a stenosis or of ectopic beats, and without places of an ECG or,
    when the question has its own (``placed``), of weak walls and narrow arteries.
    """
    elsewhere = _ECG.search(part) or (placed and _WEAK.search(part) and not _DENIES.search(part))
    if not _DEPTH.search(part):
        part = _SHARE.sub(" ", part)
    return _PLACE.sub(" ", _WEAK.sub(" ", part)) if elsewhere else part


def _denied(parts: list[str]) -> set[int]:
    """'No LVH, any scar?', 'no known MI: LGE?': where something else, or a history, is denied and a question begins behind it."""
    denied: set[int] = set()
    asks = False  # whether a question stands behind the part, and nothing but background between
    for k in range(len(parts) - 3, -1, -2):
        part, following = parts[k], parts[k + 2]
        last = k + 3 == len(parts) and following.rstrip().endswith("?")
        bare = last and not (_LISTED.search(following) or _DENIES.search(following))
        asks = bool(_ASKS.match(following)) or bare or (asks and (k + 2 in denied or _says_else(following)))
        told = _RELATIVE.search(part) or _NO_HISTORY.match(part) or (_DENIES.search(part) and _says_else(part))
        if asks and told and "?" not in part:
            denied.add(k)
    return denied


def _says_else(part: str) -> bool:
    """Whether a part names no finding and no wall and asks nothing."""
    return not ("?" in part or _FINDING.search(part) or _PLACE.search(part))


def _told(parts: list[str], k: int) -> str:
    """What stays of a finding that is only told: its place is left out of a question of what is elsewhere."""
    places = list(_PLACE.finditer(parts[k]))
    if places and _ELSEWHERE.search("".join(parts[k + 2 :])):
        return "except " + _FINDING.sub(" ", parts[k][places[0].start() : places[-1].end()])
    rest = _LAYER.sub(" ", _PLACE.sub(" ", _FINDING.sub(" ", parts[k])))  # a disease may be told with it
    return "post MI" if _INFARCT.search(parts[k]) else rest


def _is_told(parts: list[str], k: int) -> bool:
    """'Prior anterior MI. Is the anterior wall viable?', '... Any septal scar?': whether a finding is only told before the question."""
    if k + 2 >= len(parts) or not _FINDING.search(parts[k]) or _DENIES.search(parts[k]) or "?" in parts[k]:
        return False
    following = "".join(parts[k + 2 :])
    if not (_ASKS.match(following) or "?" in following):
        return False  # "RCA infarct, LAD territory viable"
    if _ELSEWHERE.search(following) and _PLACE.search(parts[k]) and _FINDING.search(following):
        return True
    if _HISTORY.search("".join(parts[: k + 1])) and _FINDING.search(following) and _PLACE.search(following):
        return True
    told = _INFARCT.search(parts[k]) and not any(
        _FINDING.search(_VIABLE.sub(" ", part)) for part in (_INFARCT.sub(" ", parts[k]), following)
    )
    return bool(told and _VIABLE.search(following) and _PLACE.search(following) and not _DENIES.search(following))
