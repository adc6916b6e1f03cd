"""A prompt's shorthand spelt out before it is read: signs, tags, ellipses, contractions and bare numbers."""

from __future__ import annotations

import re
from collections.abc import Callable

from .sentences import sentence_ends
from .words import WHOLE_SHARE

_NUMBERS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen".split()
)
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth".split() + [f"{n}th" for n in _NUMBERS[9:]]
_ORDINALS[11] = "twelfth"
_NUMBER_WORDS = re.compile(rf"\bsegments?(?:\s*(?:,|and|or|to|through|thru|\b(?:{'|'.join(_NUMBERS)})\b))+", re.I)
SCARLESS = r"(?:free|normal|clear|clean|spared|viable|healthy|intact|unaffected|unremarkable|uninvolved)"
_VERB = r"(?:is|are|was|were|do|does|did|has|have|had)"
_RECALLED = 200  # characters in which a lone verb finds what it stands for
_ELLIPSIS = re.compile(
    rf"((?:[,;:]|\b(?:and|but|while|whereas|though|although|yet|however)\b)\s*(?:\w+\s+){{1,5}}?)(?:{_VERB}(\s+not|n't)?|(?<!\bor\s)(not))"
    r"(?:\s+(?:too|also|as well|either))?(?=\s*(?:[,;.?!)]|$|\b(?:and|but|while|whereas)\b))",
    re.I,
)
_NOT_SCARLESS = re.compile(rf"(\bnot\s+|n't\s+)?\b{SCARLESS}\b", re.I)
_NUMBER = r"(?:1[0-7]|[1-9])(?!\d)"
_SIGNED_NUMBERS = re.compile(
    rf"(?<![\w.])(?:segments?|segs?\.?)?\s*\b({_NUMBER}(?:\s*,\s*{_NUMBER})*)\s*([+−–-])(?=\s*(?:[,;.?!]|$))", re.I
)
_NUMBER_LIST = re.compile(
    rf"(\b(?:seg(?:ment)?s?|aha|grades?|scores?|stages?|days?|s)\b[\s.:#(]*(?:no\.?\s*)?)?(?<![\w.,:/<>=#-])(?!\d/\d(?!/))"
    rf"{_NUMBER}(?:\s*(?:,|and|or|to|[-&+/])\s*(?:segment\s+)?{_NUMBER})+"
    r"(?!\s*(?:%|mm\b|cm\b|ml\b|g\b|t\b|per\s?cent|min|slice|vessel|territor|segment|wall|patient|year|month|week|day|point|[-–/.:]\s*\d))",
    re.I,
)


def _numbered_segment(found: re.Match[str]) -> str:
    """'The 4th segment', 'the seventeenth segment'."""
    return f"segment {found[2] or _ORDINALS.index(found[1].lower()) + 1}"


_SCORED = {"1": 1, "2": 26, "3": 51, "4": 76}  # the least percentage of a score
_FOUND = r"scar|fibrosis|infarct(?:ion)?|enhancement"
_REWORDED: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(pattern, re.I), said)
    for pattern, said in (
        # "where" is German only at the start or before a verb or an article; else it is shorthand for "without"
        (r"(?<=[\w)])\s+wo\s+(?!(?:ist|sind|liegt|liegen|befindet|sitzt|die|der|das|ein|eine|genau)\b)", " w/o "),
        (r"^wo\s+(?=(?:any\s+)?(?:scar|lge|fibrosis|enhancement|mvo)\b)", "w/o "),
        (r"^\s*\+\s*/\s*[-−–]\s*(?=\w)", ""),
        # both answers offered: "yes or no", "or not?", "whether or not"; no doubt is no denial
        (r"\byes\s*(?:/|or)\s*no\b", " "),
        (r",?\s+or\s+(?:not|no|none|isn't|nicht|(?:is|are|does)(?:n't| it not| there not))(?:\s+(?:it|there))?(?=\s*(?:[?.!,]|$))", ""),
        (rf",?\s+or\s+(?:(?:is|are|was|were)\s+(?:it|they|that)\s+)?(?:{SCARLESS}|absent|missing|negative)(?=\s*(?:[?.!]|$))", ""),
        (r"\bwhether or not\b", "whether"),
        (r"\s+(?:vs\.?|versus)\s+(?:none|nothing|not)(?=\s*(?:[?.!,]|$))", ""),
        (r"\s+or\s+(?:not|none)(?=\s+(?:in|at|within)\b)", ""),
        (r"\b(presence|present|positive|seen)\s*(?:or|/)\s*(?:absen(?:ce|t)|negative|not seen)\b", r"\1"),
        (r"\b(?:absence|absent|negative)\s*(?:or|/)\s*(presence|present|positive)\b", r"\1"),
        (r"\b(\w{2,})\b(.{0,60}?)(?:\s+(?:or|vs\.?|versus)\s+|\s*/\s*)(?:no|without)\s+(?:any\s+)?\1\b", r"\1\2"),  # "LGE or no LGE in the septum"
        (r"\s+or\s+(?:is|are|does|do)(?:(?:n't|\s+not)\s+(?:there|it)|\s+(?:there|it)\s+not)\b", ""),
        (r"(?:\bwith or without|\+\s*/\s*[-−–])\s+(?:the\s+|any\s+)?(?:microvascular\s+obstruction|insertion\s+points?|[\w-]+)(?:\s+(?:involvement|extension))?", " "),
        # what is not known is asked; what is doubted is denied
        (r"\b(?:do(?:es)?\s+not|don't|doesn't)\s+(?:know|remember)\s+(?:if|whether)\b", " "),
        # viability that is there is no scar; "assess viability" asks for scar
        (r"\b(?:any|some|residual|remaining|retained|shows?|has|have|there)\s+(?:residual\s+|remaining\s+)?viability\b", "preserved viability"),
        (r"\bet non\b", "not"),
        (r"\bla da\b", "lad"),
        (r"\b(?:false|untrue)\s+that\b", "not that"),
        (r"\bi\s+(?:strongly\s+)?doubt\b(?:\s+(?:that|if|whether))?", "no"),
        (r"\b(?:without|no|beyond)\s+(?:any\s+)?doubt(?:\s+about)?\b", " "),
        (r"\bs/p\b", "post"),
        (r"\ball\s+(?:of\s+)?(?:the\s+)?segments\s+(?=\d)", "segments "),
        (r"(\bsegments?\s+\d{1,2})\s+nor\s+(?=\d)", r"\1 nor segment "),
        # whose heart it is; what the scar is compared with
        (r"\b(?:my|your|his|her|their|our)\b", "the"),
        (r"\b(?:(?:as|when)\s+)?(?:compared|in\s+comparison|relative)\s+(?:to|with)\s+(?:(?:the\s+)?(?:\w+\s+){0,2}?(?:walls?|septum|apex|base|myocardium|segments?|territory)\b|[^,;?.]{2,40}(?=[,;?.]|$))", " "),
        (r"(?<!\bno )(?<!without )\b(?:pericardial|pleural)\s+effusions?\b", "effusion"),
        (r"\bchest\s+(?:pains?|discomfort|tightness)\b", " "),
        (r"\bil\s+(?=walls?\b|segs?\b|segments?\b)", "inferolateral "),
        (r"\bal\s+(?=walls?\b|segs?\b|segments?\b)", "anterolateral "),
        (r"\bwhere\s+(?:the\s+)?(?:right\s+ventricle|rv)\s+(?:joins|meets|touches|attaches|connects|inserts)(?:\s+(?:(?:on|in)?to\s+)?the\s+(?:septum|lv|left\s+ventricle|left\s+one)\b)?", "RV insertion points"),
        (r"\b(?:non|un)(?:-|\s)(?=(?:scarred|fibrotic|fibrosed|infarcted|enhanced|enhancing|damaged|affected|involved)\b(?!\s+(?:core|cent|zone|area|region|spot)))", "not "),
        (rf"\b(with|without)(?=\s+and\s+(?:\w+\s+){{1,3}}?(?:with|without)\s+(lge|{_FOUND})\b)", r"\1 \2,"),
        (r"\b(?:on|in|with)\s+(?:the\s+)?psir\b(?!\s+(?:images?|series|sequences?))", "on late images"),
        # "endo, mid or epi": the mid layer; what is scarred and yet viable is scarred
        (r"\bmid(?=\s*(?:,|/|or\b|and\b|vs\b|[-&+])\s*(?:sub)?epi)", "midwall"),
        (r"\b((?:sub)?e(?:ndo|pi)(?:cardial)?\s*(?:/|\bor|\bvs)\s*)mid(?=\s*(?:lge|scar|fibrosis|enhancement|[?,;]|$))", r"\1midwall"),
        (r"\b(scarred|infarcted)\s+(?:yet|but|and)\s+(?:still\s+)?(?:\w+ly\s+)?viable\b", r"\1"),
        (r"\b(infarct(?:ion)?\s+(?:\w+\s+){0,4}?)(?:reach(?:es|ing)?|extend(?:s|ing)?\s+(?:in)?to|up\s+to)\s+the\s+(?:sub)?epicardium\b", r"\1 transmural"),
        (rf"\b(?:({'|'.join(_ORDINALS)})|(\d{{1,2}})(?:st|nd|rd|th))\s+(?=(?:aha\s+)?segment\b)((?:aha\s+)?segment)", _numbered_segment),
        (r"\bpos\b\.?", "positive"),
        (r"\b(?:(?:lv|left\s+ventricular)\s+)?non[- ]?compaction\b", "LVNC"),  # asked as a disease
        (r"\b(segments?|segs?)\s*=+\s*(?=\d)", r"\1 "),
        # German, French, Spanish: what can be excluded, the heart attack, hyphens
        (r"\b(?:lasst|lassen|kann|konnen)\s+(?:sich|man|wir)\s+([^,;?]{2,60}?)\s+(?:sicher\s+)?aus(?:zu)?schlie(?:ss|s)en\b", r"no \1"),
        (r"\b(?:peut[- ]on\s+(?:exclure|eliminer|ecarter)|(?<!no )se\s+(?:puede\s+)?descartan?r?)\b", "no"),
        (r"(?<!nicht )\bausgeschlossen\b", "excluded"),
        (r"\bcrise\s+cardiaque\b|\bataque\s+(?:cardiaco|al\s+corazon)\b", "heart attack"),
        (r"\b(?:intra|medio|meso)-(?=(?:mur|pariet|m[iy]o))", "mid"),
        (r"\b(fibrose|cicatriz|realce|infarto)\s+no\s+(?=septo\b|apice\b|segmento\b|territorio\b)", r"\1 in "),
        (r"\bbasel\s+(?=seg|sept|lat|ant|inf|post|level|wall|slice|half|third)", "basal "),
        (r"(\b(?:stripe|line|linear|streak|band)\b.{0,40}?)\b(?:in|along|through|down|within)\s+(?:the\s+)?(?:middle|cent(?:re|er))\s+of\s+the\s+(?=(?:interventricular\s+)?sept)", r"\1midwall of the "),
        (rf"(\b(?:{_FOUND}|lge|subendo\w*|transmural\w*)\s*[<>≤≥]=?\s*(?:25|50|75))(?=\s*(?:[?.,!;]|$|in\b|of\b|transm))", r"\1 %"),
        (rf"\bviable\s+(segments?|walls?|myocardium|areas?|regions?)\s+(?:with|showing|containing|having|despite)\s+(?=(?:(?:less\s+than|under|up\s+to|<)\s*\d+\s*%\s+)?(?:lge\b|{_FOUND}))", r"\1 with "),
        # tags: "..., isn't it?", "..., right?"
        (
            r",\s*(?:(?:is|are|was|does|do|has|have)(?:n't)?\s+(?:it|there|they|he|she|this|that)|right|correct|no|yes|ok|okay|true|"
            r"oder|nicht wahr|n'est-ce pas|verdad)\s*[?.!]*\s*$",
            " ?",
        ),
        (r"\b(no|any|without|some)\s+(?:late|delayed)\s+gad(?:o|olinium)?(?=\s*(?:[?.!,;]|$|(?:in|of|at|seen|present)\b))", r"\1 LGE"),
        (r"\batypical\s+(?:for|of)\b", "not typical for"),
        (r"\bhow\s+transmural\b", "which transmurality"),
        # the score of 0-4; what crosses the territories
        (
            r"\b(?:transmural(?:ity)?|scar|lge)\s+(?:score|grade|bin)\s*(?:of\s+|is\s+|=\s*)?(?:(?:>=|≥|at\s+least)\s*)?([1-4])(?:\s*(?:or\s+(?:more|higher|above)|\+))?(?![\d%.,])",
            lambda found: f"scar transmurality >= {_SCORED[found[1]]} %",
        ),
        (r"(\d)\s*(?:\+\s*%|%\s*\+)", r"\1 % or more"),
        (r"\b(?:upper(?:most)?|top)\s+(?:(?:(?:part|portion|third|half|end|bit)\s+)?of\s+(?:the\s+)?)?(?=(?:interventricular\s+)?sept|ivs\b)", "basal "),
        (r"\bhigh\s+(?=(?:antero|infero|postero)?-?(?:lateral|sept(?:um|al))\b(?!\s+leads?\b))", "basal "),
        (
            r"(?:\bnot|n't)\s+(?:respect(?:ing)?|follow(?:ing)?|correspond(?:ing)?\s+to|conform(?:ing)?\s+to|confined\s+to|restricted\s+to|in|within)\s+(?:(?:a|the|any)\s+)?(?:typical\s+)?coronary\s+(?:artery\s+)?(?:territor(?:y|ies)|distributions?|boundar(?:y|ies))\b",
            "non-coronary",
        ),
        (r"\b(?:respect|follow|correspond\s+to|conform\s+to)(?:s|ing)?\s+(?:(?:a|the|any)\s+)?(?:typical\s+)?coronary\s+(?:artery\s+)?(?:territor(?:y|ies)|distributions?|boundar(?:y|ies))\b", "of coronary distribution"),
        (r"\barrhythmogenic\s+(?=(?:substrate|scar|fibrosis|foc))", ""),
        # plain words: "damage to the muscle" is no "to"; the wall between the chambers; fibrosis that is diffuse, where no map is named
        (r"\b(damage|injury|harm)\s+(?:done\s+|caused\s+)?to\b", r"\1 of"),
        (r"(?:\b(?:is|are|was|were)\s*)?(?:\bnot|n't)\s+(?:confined|limited|restricted|isolated)\s+to\b", " except"),
        (r"\ball\s+the\s+way\s+through\b(?!\s+to\b)", "transmural"),
        (r"\bon\s+the\s+inside\s+of\s+the\s+(?:heart\s+)?(?:wall|muscle)\b", "subendocardial"),
        (r"\bon\s+the\s+outside\s+of\s+the\s+(?:heart\s+muscle|heart|(?:heart\s+)?wall|muscle)\b", "subepicardial"),
        (r"\b(?:on\s+)?the\s+(?:inside|inner\s+side)\s+of\s+the\s+(?=\w+\s+wall\b)", "subendocardial "),
        (r"\b(?:on\s+)?the\s+(?:outside|outer\s+side)\s+of\s+the\s+(?=\w+\s+wall\b)", "subepicardial "),
        (r"\b((?:(?:anterior|inferior|septal|lateral)\s+(?:and|or)\s+)?(?:anterior|inferior|septal|lateral))\s+apex\b", r"apical \1"),
        (r"\b(?:no\s+blood\s+flow|blood\s+flow\s+(?:is\s+|was\s+)?not\s+restored)\b", "no-reflow"),
        (r"\b(?:dark|black)\s+(?:spots?|areas?|zones?|holes?|parts?)\s+(?:with)?in(?:side)?\s+(?:the\s+|an?\s+)?(scar|infarct|white\s+area)\b", r"\1 dark core"),
        (
            r"\b(?:wall|muscle)\s+(?:(?:that|which)\s+)?(?:separat(?:es|ing)|divid(?:es|ing)|(?:in\s+)?between)\s+(?:the\s+)?(?:(?:two|both|lower|(?:left|right)\s+and\s+(?:the\s+)?(?:left|right))\s+)?"
            r"(?:sides|chambers|ventricles?|halves|heart)\b(?:\s+of\s+(?:the|my|his|her|your)\s+heart\b)?",
            "septum",
        ),
        (r"^(?!.*\b(?:t1|ecv|map\w*)\b)(.*?)\bdiffuse\s+(?:(?:myocardial|cardiac)\s+)?fibrosis\b", r"\1diffuse scar"),
        # signs: "septum+, apex-", "LGE+/MVO-", "LGE = 0"
        (r"\b(sept\w*|lat\w*|ant\w*|inf\w*|apex|apical|basal|mid)\+(?=\s*(?:[,;/.?!)]|$))", r"\1 positive"),
        (r"\b(sept\w*|lat\w*|ant\w*|inf\w*|apex|apical|basal|mid)[-−–](?=\s*(?:[,;.?!)]|$))", r"\1 negative"),
        (rf"(?<=\w)\s+[-−–—]\s+(?=(?:no\s+)?(?:lge|dhe|mde|lde|{_FOUND})\b)", ": "),
        (r"\s[-−–—]\s+(?=(?:none|no|nil|negative|absent|yes|present|positive|normal|free)\s*(?:[;,.?!]|$))", ": "),
        (r"\bminus(?=\s*(?:[;,.?!)]|$))", "negative"),
        (r"\b(lge|dhe|mde|lde|mvo)[-−–](?=\s)(?!\s*positive)", r"\1 negative "),
        (rf"\b({_FOUND})[-−–](?=\s.{{0,80}}?(?:\w\+|\b(?:negative|positive)\b))(?!\s*positive)", r"\1 negative "),
        (rf"((?:\w\+|\b(?:negative|positive)\b).{{1,80}}?\b(?:{_FOUND}))[-−–](?=\s)", r"\1 negative "),
        (r"(?<=\w)\s*\+\s*/\s*(?=\w)", " positive , "),
        (r"\b((?:pos|neg)(?:itive|ative)?|present|absent)\s*/\s*(?=\w)", r"\1 , "),
        (rf"\b(lge|dhe|mde|lde|mvo|{_FOUND})\s+yes\b(?=\s*(?:[,;/.?!)]|$|(?:lge|mvo|{_FOUND})\s+no\b))\s*[,;/]?", r"\1 positive ,"),
        (rf"\b(lge|dhe|mde|lde|mvo|{_FOUND})\s+no\b(?=\s*(?:[,;/.?!)]|$|(?:lge|mvo|{_FOUND})\s+(?:yes|no)\b))\s*[,;/]?", r"\1 negative ,"),
        (rf"\b(lge|{_FOUND})\s+(?:(?:is|are)\s+)?lacking\b", r"\1 absent"),
        (r"(?<=\w)\s+\+(?=\s*[,;])", " positive"),
        (r"((?:\+|\bpositive\b).{1,80}?\w)\s+[-−–](?=\s*(?:[;,.?!)]|$))", r"\1 negative"),  # "septum +, apex -"
        (rf"\b(lge|dhe|mde|lde|mvo|{_FOUND})\+(?=[\s?!.,;/)]|$)", r"\1 positive"),
        (rf"(?<=\b(?:posi|nega)tive)\s*/?\s*(?=(?:lge|mvo|{_FOUND})\b)", " , "),
        (r"(?<=\w)\s*[=:]\s*(?:0|false)(?=\s|$)", " negative"),
        # what a relative clause denies is taken from the noun before it, which goes on being asked; a verb denies it all
        (rf"\b(?:that|which|who)\s+{_VERB}(?:\s+not\b|n't)", "not"),
        (r"\b(?:that|which|who)\s+spares?\b", "sparing"),
        (rf"\b({_VERB})\s+not\b", r"\1n't"),
        (r"\b(?:can|could)\s+(?:we|you|i|one)\s+(?:\w+ly\s+)?(?:rule\s+out|exclude)\b", "no"),
        (r"\bexclud(?:e|ing)\s+(?:all\s+|any\s+)?(?:patients?|cases?|studies|subjects?|hearts?|scans?)\b", "no"),
        (r"(?<=,)\s*(?:it|they)(?:'s|'re|\s+is|\s+are)\s+(?!not\b)", " but "),  # "isn't septal, it's lateral"
        # exceptions: "everywhere but", "instead of", "non-septal", "ignore the apex"
        (r"\b(?:instead of|as opposed to)\b", "rather than"),
        (r"^(?:unlike|in contrast to)\s+([^,;]{1,40}),", r"not \1 but"),
        (r",\s*(?:unlike|in contrast to)\s+([^,;]{1,40}),", r" (not \1)"),
        (r",\s*(?:unlike|in contrast to)\b", ", not"),
        (r"^(not\s[^:;,.]{1,40}):", r"\1 but"),
        (rf"\bnot\s+(?:all|every|each)\b(.{{1,60}}?)\b({SCARLESS})\b", r"\1 not \2"),
        (r"\bnot\s+only\b(.{1,60}?)\bbut\b(?:\s+also\b)?", r"\1 and"),
        (r"\bnot\s+only\b|\bminus\b(?=\s+\w)", "except"),
        (r"\bnowhere\s+(?:else\s+)?but\b", "nowhere except"),
        (r"(\b(?:no|not|without|none)\b[^,;]{1,60}),\s*(?:only|just)\b", r"\1 but only"),
        (r"\bmore\s+(?:likely|probably|like|(?:in\s+keeping|consistent|compatible)\s+with|(?:suggestive|typical)\s+of)\s+(.{1,40}?)\s+than\b", r"\1 rather than"),
        (r"\b(?:not|never)\s+outside\b", "in"),
        (
            r"\b(every(?:thing|where)?|any(?:thing|where)?|(?:all|every|any|no)(?:\s+the)?\s+(?:segments?|walls?|regions?|areas?|territor(?:y|ies))|(?:whole|entire)\s+\w+(?:\s+wall)?|all(?:\s+over)?)\s+but\b(?!\s+(?:not|no)\b)",
            r"\1 except",
        ),
        (
            r"\bnon[- ]?(?=(?:(?:antero|infero)?septal|(?:antero|infero)?lateral|anterior|inferior|apical|basal|insertion|rvip|hinge|rv[- ]insertion|lad|rca|lcx)\b)",
            "outside ",
        ),
        (r"\b(?:exclude|ignore|disregard|omit|skip)\s+(?=the\s+\w+(?:\s+\w+){0,2}\s*(?:[,.;:?!]|$))", "except "),
        (r"\b(?:apart|aside) from (?:that|this|it)\b,?", " "),
        (r"^([^,;]{2,40}?)\s+(?:excluded|aside|apart)\s*,", r"except \1,"),
        (r"\b(?:ignoring|disregarding|omitting|leaving out)\b", "excluding"),
        # "list all segments with LGE" asks for no particular ones
        (r"\b(?:all|every)\s+(?:the\s+)?(segments?|walls?)\s+(?=(?:with|that|which|where|showing|having|containing)\b)", r"\1 "),
        # "> 50 % of the septum" is a share of its area and no depth
        (
            rf"(%|\bper\s?cent|{WHOLE_SHARE}\b(?:half|thirds?|quarters?))\s+of\s+(?:the\s+|all\s+|its\s+)?(?=(?:(?:basal|mid|apical|lad|rca|lcx|circumflex|entire|whole)\s+)*"
            r"(?:septum|segments?|territor(?:y|ies)|apex|slices?|circumference)\b(?!\s*(?:wall|'s|thickness)))",
            r"\1 of total ",
        ),
        # "S1-S6", "S3,4,9", "4 10 15 scar"
        (rf"(?<!')\b(?:s\s?|segs?|segments?)(?={_NUMBER}(?:\s*[,/&+]\s*{_NUMBER})+)", "segments "),
        (rf"\b(?:s|segs?|segments?)\s?({_NUMBER})\s*(?:[-–]|to|through)\s*(?:s|seg|segment)\s?({_NUMBER})", r"segments \1 to \2"),
        (
            rf"^{_NUMBER}(?:\s+{_NUMBER}){{1,16}}(?=\s+(?:lge|{_FOUND})\b)",
            lambda found: "segments " + ", ".join(found[0].split()),
        ),
        # numbers: "#7", "segments 2 and 3 but not 9", "segments other than 4", "scar in 5 and 11"
        (r"#\s*(?=\d)", " segment "),
        (
            r"(?<=\d)(\s*[,(]?\s*(?:but\s+)?(?:not|except(?:\s+for)?|excluding|without|minus))\s+(?=\d{1,2}\b(?!\s*(?:%|mm|percent)))",
            r"\1 segment ",
        ),
        (r"\b(segments?|segs?)\s+(other than|except|excluding|outside|apart from|not)\s+(?=\d)", r"\2 \1 "),
        (r"\bin\s+(?=\d{1,2}(?:\s*(?:,|and|or|to|[-&+/])\s*\d{1,2})*\s*(?:[?.!]|$|,?\s*(?:but\s+)?(?:not|except|excluding|without|minus)\s+segment\b))", "in segment "),
        (r"\b(except(?:\s+for)?|excluding|not)\s+(?=\d{1,2}(?:\s*(?:,|and|or|to|[-&+/])\s*\d{1,2})*\s*(?:[?.!]|$))", r"\1 segment "),
        (r"[?!]+(?=\s|$)", " ? "),
    )
)  # fmt: skip


def spelt_out(text: str) -> str:
    """The prompt without tags and with its signs, ellipses, contractions and bare numbers spelt out."""
    ends = {end.start() - 1 for end in sentence_ends(text) if not text[end.end() : end.end() + 1].isdigit()}
    text = "".join(" ; " if k in ends and c == "." else c for k, c in enumerate(text))
    text = _ELLIPSIS.sub(_whole_statement, _SIGNED_NUMBERS.sub(_judged_segments, text))
    for pattern, said in _REWORDED:
        text = pattern.sub(said, text)
    text = _NUMBER_LIST.sub(lambda found: found[0] if found[1] else f"segments {found[0]}", text)
    return _NUMBER_WORDS.sub(lambda found: re.sub(r"[a-z]+", _digits, found[0], flags=re.I), text)


def _whole_statement(found: re.Match[str]) -> str:
    """'The septum has no scar, the lateral wall does': a lone verb says again, or denies, what was said before."""
    before = found.string[max(found.start() - _RECALLED, 0) : found.start()]
    scarless = list(_NOT_SCARLESS.finditer(before))
    denies = bool(found[2] or found[3]) != bool(scarless and not scarless[-1][1])
    return found[1] + ("spared" if denies else "present")


def _judged_segments(found: re.Match[str]) -> str:
    """'4+' is segment 4 with enhancement, '4-' without."""
    return f"segment {found[1]} {'positive' if found[2] == '+' else 'negative'}"


def _digits(word: re.Match[str]) -> str:
    lower = word[0].lower()
    return str(_NUMBERS.index(lower) + 1) if lower in _NUMBERS else word[0]
