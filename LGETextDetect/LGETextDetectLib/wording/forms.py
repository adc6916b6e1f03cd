"""What a report leaves to signs and short forms, spelt out before it is read: tick boxes, '-' behind a wall, 'does not'."""

from __future__ import annotations

import re

_TICKED = re.compile(r"[☒☑✓✔]|\[[xX]\]")
_UNTICKED = re.compile(r"(?:[☐□❏]|\[ ?\])[^☐□❏☒☑✓✔\[\]\n;]{1,60}")
_UNTICKED_BEHIND = re.compile(r"[^☐□❏☒☑✓✔\[\]\n;:]{1,60}(?:[☐□❏]|\[ ?\])")
_BOX_BEHIND = re.compile(r"[☐□❏☒☑✓✔\]]\s*$")
_BOX_BEFORE = re.compile(r"\s*(?:[^:\n]{0,40}:)?\s*(?:[☐□❏☒☑✓✔]|\[[xX ]?\])")
_FIRST_POINT = re.compile(r"(?:^|\s)1\)\s")  # "1) EF 45 2) no scar"
_NEXT_POINT = re.compile(r"(?<=[^\s.])\s[2-9]\)\s(?=[=A-Za-z])")
_WALL = r"(?:antero|infero|postero)?(?:septum|septal|lateral|anterior|inferior|posterior)|apex|apical|basal|mid|wall|lad|rca|lcx"
_ABOVE = r"(?:sup|superior|ant|anterior)\.?"
_LATE = r"(?:lge|(?:late|delayed)\s(?:gadolinium\s)?enhancement)"
_BRIGHT = r"bright\w*|hyperintens\w*|(?:high|increased)\ssignal|signal"
_BUT = r"apart\sfrom|except(?:\s(?:for|in|at))?|other\sthan|with\sthe\sexception\sof"
_BINS = r"(?:[01]\s?[-–]\s?25|2[56]\s?[-–]\s?50|5[01]\s?[-–]\s?75|7[56]\s?[-–]\s?100)"
_SCARRED = (  # a scar whose depth may follow without its sign
    r"\b(?:scar|lge|infarct\w*|subendo\w*|enhancement|transmural\w*)\b"
    r"(?:(?!\b(?:l?v?ef|rvef|t1|t2|ecv|mass|segments?|aha)\b)[^.\n;]){0,80}?"
)
_REWORDED = tuple(
    (re.compile(pattern, re.I), said)
    for pattern, said in (
        # "basal septum +, apex -"
        (rf"\b({_WALL}|inflammation|o?edema)\s[-−–](?=\s?(?:[,;.\n]|$))", r"\1 negative"),
        (rf"\b({_WALL})\s\+(?=\s?(?:[,;.\n]|$))", r"\1 positive"),
        # "LGE+, EF 45 %", "seg 4/17"
        (rf"\b({_LATE}|scar|fibrosis)\s?[:=]?\s?\+(?=\s?(?:[,;.)\n]|$))", r"\1 positive"),
        (r"\b(seg(?:ment)?\.?\s?(?:1[0-2]|[1-9]))\s?/\s?17\b", r"\1"),
        # "Scar? Yes.", "Q: any LGE? A: no"
        (
            r"(?:\bq(?:uestion)?\s?[:.]\s?)?(?:\b(?:is|are|was|were)\s(?:there|it)\s)?(?:\bany\s)?([^.:;?\n]{2,60}?)(?:\s(?:present|seen))?\s?\?\s*[-–=>]{0,2}\s?"
            r"(?:a(?:nswer)?\s?[:.]\s?)?(?=(?:yes|no|none|nil|ja|nein|oui|non|si|absent|present|positive|negative|[ny])\s?(?:[,.;\n]|$))",
            r"\1: ",
        ),
        # "the septum enhances, the lateral wall does not"
        (
            r"(\b(?:enhances?|enhancing|hyperenhances?)\b[^.\n]{0,120}?)\b(?:does|do|did)(?:\snot|n't)(?=\s?(?:[,;.\n]|$))",
            r"\1does not enhance",
        ),
        # "scar - no viability": the sign is a comma
        (r"(?<=\w)\s[-−–]\s(?=(?:no|not|without|non)\b)", ", "),
        (r"\beverywhere(?=,?\s(?:apart|except|save|bar)\b)", "in all walls"),
        (r"\bin\s(?:none|zero)\sof\sthe\s(?:1[67]\s)?segments\b(?=\s?(?:[.;\n]|$))", "nowhere"),
        # "none of the 17 segments shows LGE", "0/17 segments"
        (
            r"\b(?:none|0|zero)\s?(?:/|of|out\sof)\s?(?:the\s)?(?:1[67]\s)?(?:(?:myocardial|lv|aha)\s)?segments?\b",
            "no ",
        ),
        # "no scar could be found" is no doubt
        (r"\b(?:could|can)\sbe\s(?=(?:found|seen|identified|detected|demonstrated|discerned|appreciated)\b)", "was "),
        # "at the junctions, both anteriorly and inferiorly"
        (r"\bboth\s(?=(?:anterior|inferior|superior)(?:ly)?\sand\s)", ""),
        # "in the territory of the occluded right coronary artery"
        (
            r"\b(territory\sof\s(?:the\s|an?\s)?)(?:(?:occluded|stented|dominant|culprit|diseased|known|chronically)\s){1,2}",
            r"\1",
        ),
        (r"\bchagasic\b", "chagas"),
        # "LAD territory including the apex", "base a l'apex", "inferior b+m"
        (
            r"\b(territor\w+|region|wall|septum)\s?,?\s(?:incl\.?|including|inklusive|einschliesslich|y\scompris|incluyendo)\s(?!no\b)",
            r"\1 and ",
        ),
        (r"\bbase?(?:al)?\s(?:a|al)\s(?=(?:l'|la\s|el\s)?(?:apex|apical|pointe|punta|med|moy))", "base to "),
        (r"\bb\s?[+/&,]\s?m\s?[+/&,]\s?a\b", "basal to apical"),
        (r"\bb\s?[+/&,]\s?m\b", "basal and mid"),
        (r"\bm\s?[+/&,]\s?a\b", "mid and apical"),
        (r"\b(bas(?:e|al))-(?:to-)?(?=ap(?:ex\b|i[ck]al))", r"\1 to "),
        (r"\bV\.\s?a\.", "Verdacht auf"),
        # "nicht mehr nachweisbar", "n'est plus visible", "ya no se observa"
        (r"\bnicht\smehr\b|\b(?:n'est|ne\ssont)\splus\b|\bya\sno\b", "no longer"),
        (r"\b(intra|medio)-(?=mur|myo)", r"\1"),
        (r"\bfine\s(?=bande|line|linear|stripe|rim|lisere)", ""),  # nothing that is fine
        (r"\b(bas(?:al|e)\s?(?:,|and|&|/|to)\s?)middle(?=\s(?:third|segment|level|part|portion))", r"\1mid"),
        # "basal und medial", "segments medians de la paroi" is no mid-wall, "no obstructiva" denies nothing
        (r"\b(basal\w*\s?(?:,|und|and|et|y|bis|to|/|-|\+|&)\s?)medial\w{0,2}(?!\w|\s(?:papill|part|wall))", r"\1mid"),
        (
            r"\b(median\w*|moyen\w*|medi[oa]s?|mittler\w+)\s(?=(?:de\s(?:la|las|los)?|des|du|del|der)\s?(?:paroi|pared|cara|wand))",
            r"\1 level ",
        ),
        (r"\b(?:no|non|not|nicht)[\s-](?=obstru[ck]tiv|dilat)", "non"),
        (r"\bDDx?:?\s(?=arte?i?fa[ck]t)", "versus "),
        (r"\bat\s(?:the\s)?apex,?\s(?=(?:involving|affecting)\b[^.;\n]{0,80}\bapical\b)", ""),
        (
            r"\bRT(?=\s(?:trans|sous|intra|endo|epi|ant|inf|lat|sept|basal|apical|mid|med))",
            "LGE",
        ),  # rehaussement tardif
        # "Mid level - inferior scar", "apical segments: 0"
        (r"(^|[.;\n]\s?)(basal|mid|apical)(?:\s(?:level|third))?\s[-–]\s", r"\1\2 level: "),
        (r"(^|[.;\n]\s?)apex\s[-–]\s", r"\1apex: "),
        (r"\b((?:basal|mid|apical)\s(?:segments?|level|third)):\s?0(?=\s?(?:[,;]|\.(?!\d)|\n|$))", r"\1: none"),
        # "50 % and 25 % respectively" is no range
        (r"(\d\s?%)\sand\s(?=[<>]?\s?\d{1,3}\s?%[^.\n]{0,80}\brespectively\b)", r"\1, "),
        # "no late gad."
        (
            r"\b(no\s(?:evidence\sof\s)?)late\s(?:gad|gadolinium|gd)(?=\s?(?:[.,;)\n]|$)|\s(?:in|at|of|within|anywhere|elsewhere|seen|present|identified)\b)",
            r"\1LGE",
        ),
        # "in the septum at the apex"
        (r"\b(septum|(?:anterior|inferior|lateral|septal)(?:\swall)?)\sat\sthe\sapex\b", r"apical \1"),
        # "inf wall basal 50%, apical 0", "basal → mid", "Fabry's disease"
        (rf"\b({_WALL}|ant|lat|inf|sept)\s(?:[-–:=]\s)?0(?=\s?(?:[,;]|\.(?!\d)|\n|$))", r"\1 negative"),
        (r"\b(bas(?:al|e)|mid\w*)\s?(?:→|->|>)\s?(?=mid|ap(?:ical|ex)?\b)", r"\1 to "),
        (r"\b(fabry|chagas|duchenne|becker|danon|loeffler|friedreich|anderson)'s?\b", r"\1"),
        # "RV insertion points (sup + inf)" are both
        (
            rf"\b((?:insertion|hinge|junction\w*)\s(?:points?|sites?)|rvips?)\s?\({_ABOVE}\s?(?:\+|/|&|and)\s?inf(?:erior)?\.?\)",
            r"\1",
        ),
        # "a previously unrecognised infarct"
        (
            r"\b(?:not\spreviously\s|previously\s(?:un|not\s)|hitherto\s(?:un|not\s))(?:recogni[sz]ed|known|diagnosed|suspected|reported|described|detected|documented|noted|seen)\b",
            "new",
        ),
        # "no contrast-enhanced images due to ..."
        (
            r"\bno\s(?:post[- ]?)?(?:contrast|gadolinium)(?:[- ]enhanced)?\s(?:images|imaging|sequences)\b(?!\s(?:show|demonstr|reveal))",
            "contrast not given",
        ),
        # "in the territory of the LAD distal to the second diagonal"
        (
            r"\s(?:beyond|distal\sto|below)\s(?:the\s)?(?:(?:first|second|third|1st|2nd|3rd)\s(?:major\s)?(?:diagonal|septal|marginal)(?:\s(?:branch|perforator))?|[ds][1-3])\b",
            "",
        ),
        # "4 75 %; 5 50 %; 10 25 %"
        (r"(?<=[;:,\n]\s)(1[0-7]|[1-9])\s(?=\d{1,3}\s?%\s?(?:[;,.\n]|$))", r"\1: "),
        # "the septum enhances, as does the lateral wall"
        (r",?\sas\s(?:does|do|is|are)\s(?=the\s|basal|mid|apical|ante|infe|late|sept)", " and "),
        # "the LCx as the infarct-related artery"
        (r"\binfarct[- ]related\s(?:artery|vessel)\b", "culprit"),
        # "LGE neither in the left nor in the right ventricle"
        (
            r"\bneither\s(?:in\s|of\s)?(?:the\s)?(?:left|lv)\b[^.;,\n]{0,14}?\snor\s(?:in\s|of\s)?(?:the\s)?(?:right|rv)\b(?:\sventric\w{1,4})?",
            "not seen in the left ventricle",
        ),
        # "diffuse enhancement, most pronounced at the base"
        (
            r"(\b(?:diffuse\w{0,2}|global\w{0,2}|circumferential\w{0,2}|throughout|all\s(?:walls|segments))\b[^.;\n]{0,100}?),?\s(?:and\s|but\s)?(?:being\s)?(?:most|more)\s(?:pronounced|marked|prominent|severe|evident|extensive|intense|dense)(?:ly)?\s(?:in|at|on|along|over|towards?)\s[^.,;()\n]{3,60}",
            r"\1",
        ),
        # "a tiny patch of LGE" is no surgical one
        (
            r"\b(tiny|small|large|faint|subtle|single|discrete|focal|dense|ill-defined|\d\s?mm)\spatch(?:es)?\b",
            r"\1 patchy area",
        ),
        # "medial and basal segments" of the LV's length, "transmurality 50"
        (r"\bmedial(?=\s(?:and|&|/|to|,)\s(?:basal|apical))", "mid"),
        (r"\b(transmurality\s?[:=]?\s?(?:of\s)?)(25|50|75|100)(?=\s?(?:[,.;)\n]|$))(?!\.\d)", r"\1\2 %"),
        # "a previously viable wall that now shows scar"
        (r"\b(?:previously|formerly)\s(?:viable|normal|unaffected|uninvolved|healthy)\s(?=[^.;\n]{3,50}\bnow\b)", ""),
        # "segments with LGE: 0/17"
        (r"(?<=[:=\s])0\s?(?:/|of|out\sof)\s?(?:the\s)?1[67]\b(?!\s?\w)", "none"),
        # "infarct w/ MVO", "basal and medium segments"
        (r"\bw/(?!o\b)\s?(?=\w)", "with "),
        (r"\bmedium(?=\s(?:segments?|third|levels?|portions?|slices?)\b)", "mid"),
        # "bright on LGE" may yet turn out an artefact
        (
            rf"\b({_BRIGHT})\b([^.\n;]{{0,40}}?)\bon\s(?:the\s)?{_LATE}\b(?!\s(?:images|imaging|sequences))",
            r"\1\2on late images",
        ),
        # "less than 50 % in all segments apart from the apical septum where it is greater than 75 %"
        (
            rf"\b({_BUT})\s([^.,;()\n]{{3,60}}?),?\s(?:where\s(?:it|this|lge|scar)\s(?:is|was|reaches|exceeds|involves)|which\s(?:is|are|has|have|shows?))\s(?=[<>\d]|less|more|great|only|sub|trans|mid)",
            r"\1 \2; it \2 ",
        ),
        # "subendocardial scar of the inferior wall, 25-50", "LGE lateral <50"
        (rf"{_SCARRED}\s(?:[<>]\s?(?:25|50|75)|{_BINS})(?=\s?(?:[,.;)\n]|$|transm|tm\b))(?!\.\d)", r"\g<0> %"),
        # "a stripe along the middle of the septum"
        (
            r"(\b(?:stripe|line|linear|streak|band)\b[^.;\n]{0,40}?)\b(?:in|along|through|down|within)\s(?:the\s)?(?:middle|cent(?:re|er))\sof\sthe\s(?=(?:interventricular\s)?sept)",
            r"\1midwall of the ",
        ),
        # "LGE presence: 0", "Depth: full", "LGE is seen but only in ..."
        (
            r"(\b(?:presen(?:ce|t)|lge|scar|fibrosis|mvo|no[- ]?reflow|microvascular obstruction)(?:\s(?:score|grade))?\s?[:=]\s?)(?:0|n)(?=\s?(?:[,;]|\.(?!\d)|\n|$))",
            r"\1none",
        ),
        (r"(\bpresen(?:ce|t)\s?[:=]\s?)(?:1|y)(?=\s?(?:[,;]|\.(?!\d)|\n|$))", r"\1yes"),
        (
            r"(\b(?:depth|thickness|transmurality|extent)\s?:\s?)(?:full|complete|whole)(?=\s?(?:[,.;\n]|$))",
            r"\1transmural",
        ),
        (
            r"(^|[.\n]\s?)((?:(?!\b(?:no|not|without|nil|absent)\b)[^.\n;]){3,80}?),?\sbut\s(?=(?:only|solely|confined|limited|restricted)\b)",
            r"\1\2 ",
        ),
        # "50 % (basal) to 100 % (apical)"
        (
            r"(\d\s?%)\s\((?:bas|mid|api)\w*\)\s(to|[-–])\s(\d{1,3}\s?%)\s\((?:bas|mid|api)\w*\)",
            r"\1 \2 \3",
        ),
        # "anterior N, septum N, inferior scar 100 %"
        (rf"\b({_WALL})\sN(?=\s?(?:[/,;\n]|\.\s|$))", r"\1 negative"),
        (rf"(\bnegative)\s?/\s?(?=(?:{_WALL})\b)", r"\1; "),
        (rf"\s/\s(?=(?:{_WALL})\snegative\b)", "; "),
        # "transmural inferobasal scar with border zone to mid level"
        (
            r",?\s(?:with|and)\s(?:an?\s)?(?:border|gr[ae]y)[- ]zone\s(?:(?:extending|reaching)\s)?(?:up\s)?to\s(?:the\s)?\w+(?:\s(?:level|third|wall|segments?|ventricle))?",
            "",
        ),
        # "entirely normal CMR, including LGE and mapping"
        (
            r"\bnormal\s(?:cmr|mri|scan|study|examination)\s?,?\s(?:incl\.?|including|with)\s(?:the\s)?(?=lge\b|late\b)",
            "normal ",
        ),
        # "LGE not typical for infarction"
        (
            r"\b(?:not\s(?:really\s|very\s)?typical|(?:a|un)typical)\s(?:for|of)\s(?:an?\s)?(?:myocardial\s)?(?:infarct\w*|MI\b|isch?a?emic(?:\s(?:scar|injury|damage|origin|disease))?|CAD\b|coronary\s(?:artery\s)?disease)",
            "non-ischaemic",
        ),
        # "Scar? Inferolateral." answers; "no LGE (only at the hinge point)" excepts
        (r"\b(scar|lge|fibrosis|infarct(?:ion)?|late enhancement)\s?\?\s(?=[A-Z][^.?;\n]{2,60}[.;\n])", r"\1: "),
        (r"(\bno\b[^.;()\n]{3,60})\s\((?:only|just)\s([^()\n]{3,60})\)", r"\1 except \2"),
        # "the inferior wall however shows ..."
        (r"\b(wall|septum|apex|segments?),?\s(?:however|though|by contrast|on the other hand),?\s(?=\w)", r"\1 "),
        # "max. transm.: 75 %"
        (r"\b(?:transm|tm)\.?\s?[:=]\s?(?=[<>]?\s?\d)", "transmurality "),
        # "I favour artefact over true LGE"
        (r"\b(art[ei]fact\w*)\sover\s(?=(?:true|real|genuine)\b)", r"\1 rather than "),
        # "MRI on 4/5/23 showed ..." was another
        (
            r"\b(?:mri|cmr|scan)\s(?:on|of|dated|from|in)\s(?=\d{1,2}[./-]\d{1,2}[./-](?:\d\d)?\d\d\s(?:showed|had|demonstrated|revealed|reported)\b)",
            "previous scan ",
        ),
        # "... which does not extend beyond the basal level"
        (
            r"\b(?:does|do|did)\snot\s(?:extend|reach|go)\s(?:beyond|past)\s(?:the\s)?bas\w+\b",
            "is limited to the basal",
        ),
        (
            r"\b(?:does|do|did)\snot\s(?:extend|reach|go)\s(?:beyond|past)\s(?:the\s)?mid[- ]?(?:ventric\w+|cavity)?",
            "is limited to the basal and mid ",
        ),
        # "MVO=NA"
        (
            r"\b(?:mvo|microvascular obstruction|no[- ]?reflow)\s?[:=]\s?(?:na|n/a|n\.a\.|not (?:assessed|applicable|evaluated))(?!\w)",
            "",
        ),
        # "Layer: mid"
        (r"(\blayer\s?:\s{0,4})mid(?=\s*(?:[,;./\n]|$|and\b|wall\b))", r"\1midwall"),
        # "transmurality 3" of the scores 1-4
        *(
            (
                rf"(\btransmurality\s(?:score\s|grade\s)?(?:of\s|is\s)?[:=]?\s?){score}(?=\s?(?:[,;)\n]|\.(?!\d)|$))",
                rf"\g<1>{25 * score} %",
            )
            for score in (1, 2, 3, 4)
        ),
        # "mid 1/3", "basal 2/3"
        (r"\b(basal|mid|middle|apical|distal)\s1/3\b", r"\1 third"),
        (r"\b(?:basal|upper)\s(?:2/3|two[- ]thirds)\b", "basal and mid"),
        (r"\b(?:apical|distal|lower)\s(?:2/3|two[- ]thirds)\b", "mid and apical"),
        # "had an MRI in June which showed ..."
        (r"\bhad\s(?:an?|his|her)\s(?:\w+\s)?(?:mri|cmr|scan)\s(?=in|on|at|last|elsewhere|\d)", "previous scan "),
        # "high lateral"
        (
            r"\bhigh\s(?=(?:antero|infero|postero)?-?(?:lateral|septal|septum)\b(?!\s(?:leads?|t1|t2|native|signal|ecv)))",
            "basal ",
        ),
        # "focal fibrosis: 0 segments"
        (r"(?<=[:=\s])0\s(?=(?:of\s\d\d\s)?(?:segments?|foci|lesions?|areas?)\b)", "none "),
    )
)


_MILLIMETRES = re.compile(  # "scar of 5 mm of the 8 mm wall", "4 mm rim in a 9 mm inferior wall"
    rf"(?P<scar>{_SCARRED}|\b(?=\d{{1,2}}\s?mm\s[^.\n;]{{0,40}}\b(?:subendo\w*|scar|lge|enhancement|rim)\b))"
    r"(?P<deep>\d{1,2})\s?(?:mm\b)?(?P<kind>(?:\s[a-z]+){0,5}?)\s?(?:of|out\sof|in|/)\s(?:the\s|an?\s)?(?P<wall>(?:wall\s(?:thickness\s)?(?:of\s)?)?)(?P<thick>\d{1,2})\s?mm\b",
    re.I,
)


def _as_share(found: re.Match[str]) -> str:
    """A depth and a wall's thickness in millimetres as a percentage."""
    deep, thick = int(found["deep"]), int(found["thick"])
    if not 0 < deep <= thick:
        return found[0]
    return f"{found['scar']}{found['kind']} {100 * deep // thick} % of "


def _ticked_alone(line: str) -> str:
    """A line without the options not ticked; the boxes stand before the options ('[x] yes') or behind them ('yes [x]')."""
    behind = _BOX_BEHIND.search(line) and not _BOX_BEFORE.match(line)
    return _TICKED.sub(" ", (_UNTICKED_BEHIND if behind else _UNTICKED).sub(" ", line))


def filled_in(text: str) -> str:
    """The text of a form with the ticked options alone, its signs and elliptic verbs as words."""
    if _TICKED.search(text):
        text = "\n".join(_ticked_alone(line) for line in text.split("\n"))
    if _FIRST_POINT.search(text):
        text = _NEXT_POINT.sub(". ", text)
    for pattern, said in _REWORDED:
        text = pattern.sub(said, text)
    return _MILLIMETRES.sub(_as_share, text) if "mm" in text else text
