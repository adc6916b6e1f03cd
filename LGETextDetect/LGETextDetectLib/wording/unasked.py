"""What names scar and yet asks nothing a single study answers: therapy, lore, another time's study, 'not all', 'other than midwall'."""

from __future__ import annotations

import re

from .shorthand import SCARLESS

_SCAR = r"(?:scars?|scarring|lge|dhe|mde|enhancement|fibrosis|infarct(?:ion)?s?|lesions?)"
_COUNTED = r"(?:scar(?:red)?|infarct(?:ed|ion)?s?|lge|lesions?|segments?|walls?|regions?|levels?|layers?|slices?|territor\w+|areas?|foci)"
_OTHER_SUBJECT = re.compile(
    r"\b(should|icd|crt|defibrillator|pacemaker|treat\w*|therap\w*|recommend\w*|surgery|ablat\w*|anticoag\w*|statin\w*|drug|drugs|dose|dosage|prognos\w*|survival|mortality|"
    r"life expectancy|prescri\w*|medication|operate|transplant\w*|revasculari[sz]\w*|beta ?blocker\w*|cause of death|cost|price|population|prevalence|incidence|guideline\w*|define|definition|what is|what are|(?<!to )explain|"
    rf"how much(?!\s{_SCAR}(?:\s(?:(?:is|are)\s(?:there|seen|present|visible)|in|of|does|do)\b|\s?[?.,]|$))|how many(?!\s(?:\w+\s)?{_COUNTED}\b)|"
    r"what causes|what happens|what if|prevent\w*|causes of|differential|ddx|accura(?:te|cy)|sensitivity|specificity|reliab\w+|safe|safety|side effects?|overlay|mask|opacity|colou?r ?map|screenshot|stands? for|meaning of|who (?:is|was|are|discovered|invented|reported|wrote|read|did|made|performed)|which (?:sequence|protocol|contrast|dose|scanner|method|technique|software)|(?:bad|good) (?:sign|news)|worr(?:y|ied|ying|isome)|write|translate|poem|joke|recipe for|contraindicat\w*|"
    r"difference between|surpris\w+|dangerous|harmful|tell me (?:more )?about(?!.{1,40}?\b(?:segments?|walls?|septum|apex|territory)\b)|teach me|risks?(?! factor))\b"
    # instructions to the program
    r"|^(?:please )?(?:delete|remove|hide|turn (?:on|off)|toggle|load|open|import|export|save|download|upload|print|e?mail|send|set(?! of)|reset|undo|threshold|crop|rotate|rename|switch|install|update|run|start|stop|train|copy|paste|close|zoom|call|phone|contact|notify|order|book|schedule)\b"
    r"|\b(?:can|may|should) (?:he|she|i|they|we|the patient) (?:play|return|exercise|compete|fly|drive|travel|work|run|stop|start|be discharged)\b"
    r"|^(?:please )?(?:show|display|view) (?:me )?(?:the |all )?(?:lge|late \w+|psir|mri|cmr) (?:images?|series|stack|slices?|sequence)\W*$|\b(?:report|scan) (?:is )?(?:ready|done|available)\b|^will (?!you)"
    r"|^(why|enhance (the|this)|how (do|does|is|are|to|can|long|often))\b"
    r"|^(?:does it matter|is it (?:important|relevant|bad|serious|dangerous))\b"
    r"|^(?:is|are|does|do)\s(?!there\b)(?:[\w-]+\s){1,6}(?:important|relevant|useful|helpful|necessary|matter)\b\W*$"
    r"|\b(do|does|can|could|will|would)\b.*\b(cause|causes|heal|mean|kill|lead to|predict|regress)\b"
)
_STILL_ASKED = re.compile(
    r"\b(what is|what are|how much|how many)\b.*\b(in|of|on) (this|the) (study|scan|patient|heart|image|images|wall|septum|lv)\b"
    # "what is the extent of the scar?", "what is the pattern of LGE?"; not "... of LGE in amyloid"
    rf"|\bwhat is the (?:extent|size|location|site|pattern|distribution|transmurality|layer|depth) of (?:(?:the|this|his|her) (?:[\w-]+ )?{_SCAR}\b|(?:[\w-]+ ){{0,2}}{_SCAR}\s*(?:[?.]|$))"
    r"|\bwhat is the (?:maxim\w+ |mean )?(?:transmurality|transmural extent) (?:in|of|at) (?:the )?(?:segments? \d|\w+ (?:wall|septum|segment))"
    rf"|\bwhat are the (?:scarred|infarcted|enhanc\w+|affected) (?:segments|walls|territories)\b"
)
_UNSAYABLE = re.compile(  # of some not, other layers than, a comparison of places
    r"\bfibrosis\b.{0,20}\b(?:on|by|in|from|with|using)\s(?:native\s)?(?:t1|ecv)\b"
    rf"|\bnot (?:all|every|each)\b(?!.*\b{SCARLESS}\b)"
    r"|\bnon[- ]?(?:(?:sub)?e(?:ndo|pi)cardial|mid[- ]?wall|patchy|diffuse)\b"
    r"|\b(?:more|less|larger|smaller|bigger|denser|brighter)\b.{0,60}?\bthan (?:in|on|at)\b"
    rf"|\b(?:larger|smaller|bigger|denser|brighter|worse)\b.{{0,30}}?\bthan (?:the|that|those) (?:\w+ ){{0,3}}?(?:one|wall|septum|{_SCAR})\b"
    rf"|^which\b(?! (?:study|studies|patients?|cases?|hearts?)\b).*\b{SCARLESS}\b"
    r"|^(?:please |(?:can|could) you )?compare\b|\b(?:lower|bottom) (?:part|portion|third|half|end|bit) of the (?:\w+ )?(?:wall|sept\w*)\b|\b(?:upper|top) (?:part|portion|third|half|end|bit) of the \w+ wall\b|\blower (?:lateral|anterior|sept\w*)\b|\bupper (?:\w+ )?wall\b"
    r"|\b(?:more|less) (?:scarred|fibrotic|enhanced|infarcted|affected|involved|bright)\b.{0,40}?\bthan\b"
    # "compared to the lateral wall, is the septum brighter?"
    r"|^(?=.*\b(?:more|less|larger|smaller|bigger|denser|brighter|stronger|worse)\b).*\b(?:compared|relative|in comparison) (?:to|with) the\b"
)
_EARLIER = r"(?:(?:the|an?|his|her|my|your)\s)?(?:previous|prior|last|earlier|before|baseline|initial|first|old(?:er)?|pre|(?:19|20)\d\d)\b"
_CHANGED = (
    r"(?:grown|progress(?:ed|ing)|worsen(?:ed|ing)|sh[rw][aiu]nk(?:ing)?|(?<!completely )(?<!fully )regress(?:ed|ing)|chang(?:ed|ing)|evolved|expanded|"
    r"extended further|(?:in|de)creas(?:ed|ing)|(?:get|got|gotten|become|getting|becoming) (?:larger|bigger|smaller|worse|better))"
)
_CHANGE = re.compile(
    # "bigger than last year", "more LGE than before"; "MI more than two years ago" is history
    rf"\b(?:more|less|larger|smaller|bigger|greater|worse|better|denser|brighter|fewer)\b.{{0,60}}?\bthan\s(?:(?:it|they)\s(?:was|were)\b|{_EARLIER}|then\b)"
    r"|\b(?:larger|smaller|bigger|greater|worse|denser|brighter)\b.{0,60}?\bthan\s(?:\w+\s){1,3}ago\b"
    # "has the septal LGE increased?", "the scar has grown"
    rf"|\b(?:has|have|did|is|are)\s(?:[\w-]+\s){{0,4}}?{_SCAR}\s(?:[\w-]+\s){{0,6}}?{_CHANGED}(?!\s(?:signal|enhancement|uptake|intensity))\b"
    rf"|\b{_SCAR}\s(?:[\w-]+\s){{0,3}}?(?:has|have)\s(?:\w+\s)?{_CHANGED}\b"
    rf"|\b(?:change|progression|regression|growth|evolution|increase|decrease)\s(?:in|of)\s(?:[\w-]+\s){{0,3}}?{_SCAR}\b"
    rf"|\b{_SCAR}\s(?:(?:size|mass|volume|burden)\s)?(?:progression|regression|evolution|growth|change)\b|\bbetween\s(?:the\s)?(?:two|both)\s(?:scans|studies|examinations|exams|mris|timepoints)\b"
    # "compared with the prior scan"; "new scar compared with ..." asks for scar
    rf"|^(?!.*\bnew(?:ly)?\b).*\b(?:compar(?:ed?|ing|ison)\b.{{0,40}}?|(?:vs\.?|versus)\s){_EARLIER}"
)


def asks_else(text: str) -> bool:
    """Whether a lower-case prompt asks for treatment or lore ("how is scar treated?"), for change ("has the scar grown?") or
    for what no Meaning says ("not every segment shows LGE").
    """
    if _UNSAYABLE.search(text) or _CHANGE.search(text):
        return True
    return bool(_OTHER_SUBJECT.search(text)) and not _STILL_ASKED.search(text)
