"""The words of LGE reports and prompts, once, as data: single words made canonical, then phrases with what they say.

Everything is written without accents, hyphens and capitals; foreign words are first turned into English ones.
"""

from __future__ import annotations

ALL_WALLS = tuple(range(1, 17))
LEVEL_SEGMENTS: dict[str, tuple[int, ...]] = {
    "basal": tuple(range(1, 7)),
    "mid": tuple(range(7, 13)),
    "apical": tuple(range(13, 17)),
}
WALLS: dict[str, tuple[int, ...]] = {
    "anterior": (1, 7, 13),
    "anteroseptal": (2, 8),
    "inferoseptal": (3, 9),
    "septal": (2, 3, 8, 9, 14),
    "inferior": (4, 10, 15),
    "inferolateral": (5, 11),
    "anterolateral": (6, 12),
    "lateral": (5, 6, 11, 12, 16),
}
AT_APEX = {"anteroseptal": (14,), "inferoseptal": (14,), "inferolateral": (16,), "anterolateral": (16,)}
TERRITORIES: dict[str, tuple[int, ...]] = {
    "lad": (1, 2, 7, 8, 13, 14, 17),
    "rca": (3, 4, 9, 10, 15),
    "lcx": (5, 6, 11, 12, 16),
}
INSERTION_POINTS: dict[str, tuple[int, ...]] = {"anterior": (2, 8), "inferior": (3, 9), "both": (2, 3, 8, 9)}

# Whole word (pattern) -> canonical words. First match wins; English forms, then German, French, Spanish, Italian.
WORDS: tuple[tuple[str, str], ...] = (
    # layers
    (r"(sub|sous)?endo[ck]ard\w*|(sub)?endo|(sub|sous)endo[ck]?ard\w*", "subendocardial"),
    (r"(sub|sous)?epi[ck]ard\w*|subepi|epi", "subepicardial"),
    (r"mittwand\w*|mid(wall|myocardi\w+|mural|layer)|intram(ural\w*|yo[ck]ardi\w*|iocardi\w*)|mesocardi\w*|mesomyocardi\w*|intramyo", "midwall"),
    (r"transmural(e|er|es|en|em|ly|mente|ment)?|transparietal\w*|tm", "transmural"),
    (r"transmuralit\w+|transmuralidad", "transmurality"),
    (r"patch(y|ily|es)|spotty|speckled|fleckig\w*|parche(s|ado)?", "patchy"),
    (r"diffus(e|ely|er|es|en|a|i|o)?|difus[oa]s?", "diffuse"),
    # levels
    (r"basal(e|er|es|en|ly|is)?|basaux|base", "basal"),
    (r"mid(ventric\w*|cavity|cavitary|ventricle|level|papillary|lv)?|(mittel|mitt|medio)(ventri[ck]ul\w*|ventricul\w*)|medio|media|medi[ao]s|moyen\w*|median\w*|mittler\w+", "mid"),
    (r"api[ck]al(e|er|es|en|ly|i)?|apicaux|apic", "apical"),
    (r"apex|apices|spitze\w*|herzspitze|punta", "apex"),
    # walls
    (r"anter(o|ior|ia)?(sept\w*)|antsept|anteroseptum", "anteroseptal"),
    (r"(infer|poster)(o|ior)?sept\w*|infsept", "inferoseptal"),
    (r"(infer|poster)(o|ior)?lat(eral)?(ly|e|er|es|en|wall)?|inflat|inferolaterally|posterobasal", "inferolateral"),
    (r"anter(o|ior)?lat(eral)?(ly|e|er|es|en)?|antlat", "anterolateral"),
    (r"antero?apical(e|er|en)?", "apical anterior"),
    (r"infero?apical(e|er|en)?", "apical inferior"),
    (r"laterobasal\w*", "basal lateral"),
    (r"infero?basal\w*", "basal inferior"),
    (r"anterior(e|es|er|en|ly)?|anterieur\w*|ant|vorder", "anterior"),
    (r"inferior(e|es|er|en|ly)?|inferieur\w*|inf|hinter|diaphragmati[ck]", "inferior"),
    (r"posterior(e|ly)?|posterieur\w*", "posterior"),
    (r"lateral(e|es|er|en|ly|is)?|laterau?x|lat|seiten", "lateral"),
    (r"sept(um|al|a|e|ale|ales|aux|o|ally|alen|aler|ums)?|setto|interventricular|ivs", "septal"),
    # coronary territories
    (r"lad|riva|ivas?|daa?|riva", "lad"),
    (r"rca|acd|cd", "rca"),
    (r"lcx|cx|rcx|circumflex|circ|acx|circonflexe|circunfleja", "lcx"),
    (r"territor(y|ies|io|ial)|territoires?|bed|distribution|versorgungsgebiet|stromgebiet", "territory"),
    # nouns of enhancement and scar
    (r"lge|lgd|dhe|mde|dce|rtg|demri|demr|lgemri|lgecmr", "lge"),
    (r"(gadolinium|gad|gado|gd|gadolinio)", "gadolinium"),
    (r"late|delayed|tardif|tardive|tardio|tardivo|spat|spate\w*|verzogert\w*|delay", "late"),
    (r"(kontrastmittel)?spat(anreicherung|enhancement|aufnahme)\w*", "late enhancement"),
    (r"enhance?ment(s|e)?|enh|rehaussements?|realce|kontrastmittelanreicherung\w*|kontrastmittelaufnahme|anreicherung\w*|prise|captacion|enhancements?", "enhancement"),
    (r"hyper?enhancement|hyper?enhance(d|s)?|hyper?enhancing|hyperenh", "hyperenhancement"),
    (r"enhanc(es|ing|ed)|enhance|reichert", "enhances"),
    (r"narben?(gewebe|areal|areale|bildung)?|cicatri(ce|z|ces|zacion|z\w+)?|cicatri\w+|scars?|scarring|scarred|cicatrizal|vernarb\w*", "scar"),
    (r"fibros(is|es|e|en|ed)|fibrotic|fibrosi", "fibrosis"),
    (r"infarct(ion|ions|s|ed|us|e|es)?|infarkt(e|es|areal|narbe|typisch\w*)?|infarto|myokardinfarkt\w*|infarzierung", "infarct"),
    (r"mi|stemi|nstemi|ami|omi", "mi"),
    (r"stripes?|streaks?|striae?|streifen|bande?s?|bandes", "stripe"),
    (r"foc(us|i)|fokus|foyers?|foco", "focus"),
    # judgement
    (r"keine?(n|r|s|rlei|m)?|kein|aucun(e)?|pas|sin|ningun\w*|nessun\w*|nul|no|zero|nil|senza|assenza|sans|ohne", "no"),
    (r"without|wo|w/o", "without"),
    (r"absence|ausencia|fehlen\w*|lack(s|ing)?|devoid", "absence"),
    (r"absent\w*|negativ(e|o|es|er)?|neg|unauffallig\w*", "negative"),
    (r"weder|ni|neither|noch|nor", "nor"),
    (r"not|nicht|isn't|doesn't|don't|aren't|wasn't|hasn't|didn't|isnt|doesnt|cannot|can't", "not"),
    (r"auss?er|sauf|excepto|hormis|salvo|excepting|except|barring|bar|tranne|ausgenommen", "except"),
    (r"possibl[ey]|possibly|moglich\w*|posible(s|mente)?|fraglich\w*|questionabl[ey]|equivocal(ly)?|indeterminate|dudos[oa]|douteu(x|se)|verdacht|verdachtig\w*|suspect|sospech\w*|suspicion|suspicious|suspected|doubtful|inconclusive|ambiguous|uncertain|unclear|unsure|borderline|dubious|perhaps|maybe|conceivabl[ey]|nondiagnostic|tentative(ly)?|evtl|eventuell", "possible"),
    (r"may|might|could|konnte|podria|pourrait", "might"),
    (r"und|et|y|e|and|sowie", "and"),
    (r"oder|ou|o|or", "or"),
    (r"bis|to|through|thru|hasta|jusqu'a|till|until|throughout", "to"),
    
    (r"wand|wall(s)?|paroi(s)?|cara|pared(es)?|parete", "wall"),
    (r"seg(ment)?(s|e|en|o|os|i)?|segmento|segmenten|sgs?", "segment"),
    (r"ventri[ck]el|ventricule|ventriculo|ventricle(s)?", "ventricle"),
    (r"links\w*|left|gauche|izquierd[oa]", "left"),
    (r"rechts\w*|right|droite?|derech[oa]", "right"),
    (r"(mio|myo)?cardiopat\w+|[ck]ardiom[iy]opath?[iy]\w*", "cardiomyopathy"),
    (r"dilat(ativ\w*|ada|ee|iert\w*)", "dilated"),
    (r"h[iy]pertro(ph|f)(ique|ica|e|en|er)", "hypertrophic"),
    (r"mio[ck]ardit\w*|myo[ck]ardit\w*", "myocarditis"),
    (r"myo[ck]ard(ium|ial|s|e|ique|ico|io)?|miocardi\w*|heart|muscle|cardiac|herz", "myocardium"),
    (r"mi[ck]rovas[ck]ul\w*", "microvascular"),
    (r"mvos?", "mvo"),
    (r"obstru[ck](t|c)ion|obstruccion", "obstruction"),
    (r"isch?a?emi(c|cally|que|ques)|ischamisch\w*|ischemique|isquemic\w*|ischaemic", "ischaemic"),
    (r"nonisch?a?emi\w*|nichtischamisch\w*", "nonischaemic"),
    (r"insertion\w*|insercion|inserzione|rvips?|rvi|hinge|insertional", "insertion"),
    (r"viab(le|les)|vital(er|es|e)?", "viable"),
    (r"viability|vitalitat|viabilidad|viabilite|vitalita", "viability"),
    (r"spar(es|ed|ing|e)|ausgespart|aussparung|epargn\w+|respet\w+", "spare"),
    (r"free|frei|libre(s)?|clear|clean|unremarkable|narbenfrei|spotless", "free"),
    (r"normal(e|er|es|en|ly)?|normaux|healthy|nad|intact|unaffected|uninvolved|unscarred|gesund\w*|unenhanced|nonenhancing|unenhancing", "normal"),
    (r"circumferential(ly)?|zirkumferent\w*|circonferentiel\w*|circunferencial|annular|ringlike|ringformig", "circumferential"),
    (r"global(ly|e|er)?|generali[sz]ed", "global"),
    (r"thickness|wanddicke|epaisseur|espesor|dicke|depth|spessore", "thickness"),
    (r"percent|prozent|pct|porciento|pc", "%"),
    (r"bekannt\w*|connu\w*|conocid\w*|known|documented", "known"),
    (r"nach|after|following|apres|tras|postinfarct\w*", "after"),
    (r"vorbekannt\w*|vorbeschrieben\w*", "previously"),
    (r"seen|demonstrated|identified|noted|evident|visible|detected|observed|appreciated|nachweisbar|abgrenzbar|visualised|visualized|found|depicted|apparent|nachweis|visuali[sz]e|discernible|recognised|recogni[sz]able|encountered|objectivated", "seen"),
    (r"shows?|demonstrat(es|ing)|reveal(s|ed)?|exhibits?|displays?|zeigt|montre|muestra|showed|showing|shown", "shows"),
    (r"unverandert\w*|unchanged|inchange\w*|stable|stationar|persist\w*|redemonstrat\w*|reidentified|static", "unchanged"),
    )
COMPOUNDS: tuple[tuple[str, str], ...] = (  # German: vorderwandinfarkt, inferolateralwand, lateralwandnarbe
    (r"vorder|anterior", "anterior"),
    (r"hinter|inferior", "inferior"),
    (r"seiten|lateral", "lateral"),
    (r"inferolateral|posterolateral", "inferolateral"),
    (r"anterolateral", "anterolateral"),
    (r"septum", "septal"),
)
# Words without a say of their own; dropped before phrases are sought.
FILLERS = frozenset(
    "the of in a an der die das des den dem du de la le les el los las del della dell d l il von vom im am en dans is are was were be been "
    "being has have had ist sind wird wurde est sont una un une uno einer eine ein einem einen con mit avec its al au aux that which "
    "can do does did ha hay se kann werden lo".split()
)
# Unknown long words are read as the nearest of these.
SPELLABLE: tuple[str, ...] = (
    "enhancement", "hyperenhancement", "gadolinium", "subendocardial", "subepicardial", "transmural", "anterior", "inferior",
    "lateral", "septal", "septum", "anteroseptal", "inferoseptal", "inferolateral", "anterolateral", "apical", "basal", "segment",
    "segments", "infarct", "infarction", "fibrosis", "insertion", "microvascular", "obstruction", "circumferential",
    "myocarditis", "patchy", "diffuse", "territory", "midventricular", "posterolateral", "midwall", "epicardial", "endocardial",
    "intramural", "delayed", "scarring", "amyloidosis", "sarcoidosis", "ischaemic", "ischemic", "circumflex", "viable", "myocardial",
    "myocardium", "ventricle", "ventricular", "evidence", "without", "thickness", "equivocal", "possible", "questionable",
)  # fmt: skip
NOT_MISSPELT = frozenset(
    "inversion assertion interior fibroids fibroid material infant infants septic nasal typical atypical apically baseline basic basically "
    "pericardial pericardium viably interval intervals insert laterals deferral referral thinness unviable possibly evidenced exterior "
    "bilateral collateral unilateral ipsilateral diffusion defuse delay relayed playing ischaemia ischemia endocarditis territorial "
    "obstructive obstructed destruction infection inspection instruction instructions segmental segmentation segmented sentiment "
    "ventricles visible variable liable stable enable patch patches patchily evident within withhold amyloid sarcoid posterior "
    "septum interatrial atrial arterial arteries inferred inserted anteriorly inferiorly laterally".split()
)

# Phrase of canonical words -> (kind, value). The longest phrase wins.
_P: dict[str, tuple[str, object]] = {}


def _add(kind: str, value: object, *phrases: str) -> None:
    for phrase in phrases:
        _P[phrase] = (kind, value)


_add("term", "lge", "lge", "late gadolinium enhancement", "late gadolinium hyperenhancement", "late enhancement", "late hyperenhancement",
     "hyperenhancement", "enhancement", "enhances", "late post contrast enhancement", "late contrast enhancement", "late myocardium enhancement",
     "contrast enhancement", "enhancement late", "enhancement late of gadolinium", "enhancement of gadolinium", "enhancement of contrast late", "gadolinium enhancement",
     "gadolinium uptake", "late uptake", "contrast uptake", "late gadolinium uptake", "gadolinium retention", "gadolinium accumulation",
     "gadolinium deposition", "hyperenhanced", "positive late", "late gadolinium positivity", "lge positivity")
_add("term", "scar", "scar", "fibrosis", "myocardium fibrosis", "replacement fibrosis", "scar tissue", "myocardium scar", "fibrous tissue", "fibrous scar",
     "myocardium damage", "myocardium injury", "damaged myocardium", "dead muscle", "dead tissue", "dead myocardium", "necrosis", "myocardium necrosis", "nonviable", "non viable", "no viable", "not viable", "nonviability",
     "devitalised", "irreversible damage", "irreversibly damaged", "irreversible injury", "fibrofatty replacement", "hyperintense scar", "delayed bright")
_add("term", "damage", "damage", "damaged", "injury", "injured", "destroyed", "dead area", "weak area", "injured area")
_add("term", "stripe", "stripe", "lge stripe")
_add("term", "infarct", "infarct", "myocardium infarct", "myocardial infarct", "infarct scar", "infarct pattern", "infarct scar tissue")
_add("term", "event", "mi", "myocardium attack", "old attack")
_add("term", "bright", "bright", "bright signal", "bright spot", "bright area", "bright focus", "high signal", "hyperintensity", "hyperintense", "hyperintense signal", "increased signal", "signal increase",
     "white area", "lit up", "lights up", "bright patch", "bright region", "brightness", "white", "light up", "hyperintense focus", "bright line", "bright band", "bright rim", "abnormal signal", "signal abnormality")
_add("term", "pattern", "pattern", "lesion", "lesions", "abnormality", "abnormalities", "involvement", "focus")

_add("layer", ("subendocardial",), "subendocardial", "inner layer", "inner third", "inner half", "inner wall", "from the inside", "subendocardial layer", "inside layer", "inner rim", "inner surface", "inner lining",
     "non transmural", "nontransmural", "no transmural extension", "not transmural", "partial thickness", "partially transmural", "subendocardial based", "not fully transmural", "incompletely transmural", "no full thickness")
_add("layer", ("near",), "near transmural", "nearly transmural", "almost transmural", "subtransmural", "almost full thickness", "near full thickness", "nearly full thickness", "nearly fully transmural", "virtually transmural", "close to transmural", "quasi transmural", "nearly whole thickness", "almost whole thickness", "nearly entire thickness", "almost entire thickness", "nearly whole wall thickness", "almost whole wall thickness", "nearly entire wall thickness", "almost entire wall thickness", "nearly whole wall", "most of wall thickness", "most of thickness", "nearly all of wall thickness")
_add("layer", ("mid-wall",), "midwall", "mid wall", "mid myocardium", "middle layer", "mid layer", "middle third", "middle third of wall", "mid third of wall", "central layer", "mid portion of wall", "mid myocardial", "midwall layer", "mid mural", "within wall", "inside wall", "middle layers")
_add("layer", ("subepicardial",), "subepicardial", "outer layer", "outer third", "outer half", "outer wall", "outer surface", "outer rim", "outside layer", "subepicardial layer", "subepicardial half")
_add("layer", ("transmural",), "transmural", "fully transmural", "full thickness", "full wall thickness", "whole thickness", "entire thickness", "entire wall thickness", "whole wall thickness", "whole of wall", "thickness of wall complete", "complete thickness",
     "full of thickness", "full thickness of wall", "all way across wall", "all way to wall", "entire width", "whole width", "whole depth", "full depth", "full width", "right to wall", "complete wall thickness", "all layers", "endo to subepicardial", "subendocardial to subepicardial", "wholly transmural", "completely transmural")
_add("layer", ("diffuse",), "diffuse", "diffusely")
_add("layer", ("patchy",), "patchy", "multifocal patchy")

_add("level", ("basal",), "basal", "basal level", "basal third", "basal slice", "basal slices", "at base", "basal ventricle", "basal ring")
_add("level", ("mid",), "mid", "middle", "middle segments", "mid ventricular", "mid ventricle", "mid cavity", "mid level", "mid third", "mid lv", "mid slice", "mid slices", "papillary level", "level of papillary muscle", "level of papillary muscles", "mid papillary")
_add("level", ("apical",), "apical", "apical level", "apical third", "apical slice", "apical slices", "distal", "distal third")
_add("level", ("basal", "mid", "apical"), "all levels", "every level", "all three levels", "at all levels", "basal mid apical", "whole length", "entire length", "full length", "whole extent of wall")
_add("apex", (17,), "apex", "apical cap", "true apex", "lv apex", "left ventricle apex", "left ventricular apex", "cap", "apical tip", "tip", "tip of myocardium", "segment apex", "cardiac apex", "myocardium apex", "very tip", "apex proper", "tip of ventricle", "true apical cap", "true apex cap")

for _wall, _segments in WALLS.items():
    _add("wall", _segments, _wall, f"{_wall} wall", f"{_wall} myocardium")
_add("wall", WALLS["inferolateral"], "posterior", "posterior wall", "back wall", "posterior lateral", "posterior lateral wall", "inferior lateral", "inferior lateral wall", "posterolateral", "rear wall")
_add("wall", WALLS["anterolateral"], "anterior lateral", "anterior lateral wall", "antero lateral", "antero lateral wall")
_add("wall", WALLS["inferolateral"], "infero lateral", "infero lateral wall", "postero lateral", "postero lateral wall")
_add("wall", WALLS["anteroseptal"], "anterior septal", "antero septal", "antero septal wall", "anterior part of septal", "anterior septal wall", "anterior half of septal", "anterior portion of septal", "septal anterior part")
_add("wall", WALLS["inferoseptal"], "inferior septal", "infero septal", "postero septal", "posterior septal", "infero septal wall", "inferior septal wall", "inferior part of septal", "inferior half of septal", "inferior portion of septal", "posterior septal wall")
_add("wall", WALLS["lateral"], "lateral free wall", "free wall", "lv free wall", "left ventricular free wall", "side wall", "free lateral wall", "left free wall", "outer side wall", "left side wall")
_add("wall", WALLS["anterior"], "front wall", "front", "front of myocardium", "front of of myocardium", "front side", "superior wall")
_add("wall", WALLS["inferior"], "bottom wall", "underside", "lower wall", "inferior surface", "bottom of myocardium", "bottom", "underside of myocardium", "floor")
_add("wall", WALLS["septal"], "septal wall", "septal septal", "partition", "dividing wall", "wall between ventricle", "wall between of ventricle", "wall between of two ventricle", "wall between of chambers", "wall between chambers", "wall between of two chambers", "middle wall", "septal myocardium")
_add("wall", ALL_WALLS, "circumferential", "global", "all walls", "all segment", "every segment", "entire left ventricle", "whole left ventricle", "whole ventricle", "entire lv", "entire ventricle", "to left ventricle", "to of left ventricle", "to lv",
     "to myocardium", "to of myocardium", "entire myocardium", "whole myocardium", "all over myocardium", "all over", "all myocardial segment", "all lv segment", "all 16 segment", "all left ventricular segment", "entire left ventricular myocardium", "to left ventricular myocardium", "to lv myocardium", "to of lv", "to of lv myocardium")
_add("wall", tuple(range(1, 18)), "all 17 segment", "17 segment")
for _name, _alone in (("lad", ("left anterior descending", "left anterior descending artery", "left descending artery")), ("rca", ("right coronary artery", "right coronary", "pda", "posterior descending", "posterior descending artery")), ("lcx", ("circumflex artery", "left circumflex", "left lcx", "lcx artery", "om1", "om2", "om", "obtuse marginal"))):
    for _form in (_name, *_alone, f"distal {_name}", f"proximal {_name}", f"mid {_name}", f"{_name} artery", f"dominant {_name}"):
        _add("vessel", _name, _form)
        _add("territory", TERRITORIES[_name], f"{_form} territory", f"{_form} coronary territory", f"{_form} coronary artery territory", f"{_form} artery territory", f"{_form} region", f"{_form} area", f"territory of {_form}", f"territory of of {_form}", f"territory {_form}")
_add("vessel", "multi", "multi vessel", "multivessel")
for _where, _segments in INSERTION_POINTS.items():
    for _form in ("insertion", "rv insertion", "insertion point", "insertion points", "rv insertion point", "rv insertion points", "right ventricle insertion point", "right ventricular insertion point", "right ventricular insertion points", "right ventricle insertion points", "insertion site", "insertion sites",
                  "rv insertion site", "rv insertion sites", "right insertion points", "insertion region", "rv junction", "rv lv junction", "points of insertion", "point of insertion", "rv attachment", "rv lv junctions", "septal insertion point", "septal insertion points", "rv septal insertion points", "right ventricular septal insertion points", "rv septal junction", "ventricular insertion points", "insertion of rv", "insertion points of rv", "insertion point of rv", "insertion points of right ventricle", "insertion points of of right ventricle", "insertion points of of rv", "points of insertion of right ventricle", "points insertion", "insertionspunkte", "insertion zones", "junctional points", "junction points"):
        _add("rvip", _segments, _form if _where == "both" else f"{_where} {_form}")
        if _where != "both":
            _add("rvip", _segments, f"rv {_where} {_form}" if not _form.startswith("r") else f"{_where} {_form}", f"{_form} {_where}", f"{'posterior' if _where == 'inferior' else 'superior'} {_form}")
        else:
            _add("rvip", _segments, f"anterior and inferior {_form}", f"inferior and anterior {_form}", f"both {_form}", f"superior and inferior {_form}", f"anterior and posterior {_form}", f"anterior / inferior {_form}", f"anterior + inferior {_form}", f"anterior & inferior {_form}")

_add("neg", None, "no", "without", "absence", "absence of", "negative for", "no evidence of", "no evidence for", "no convincing", "not", "never", "nothing", "nor", "fails to", "failed to", "free from", "devoid of", "rather than", "no signs of", "no sign of", "no trace of", "nowhere", "neither", "no longer", "lacks", "not a single", "not any", "scant", "hardly any")
_add("negpost", "negative", "negative", "unlikely", "improbable", "very unlikely", "aborted", "none", "not seen", "no seen", "not present", "excluded", "is excluded", "ruled out", "was excluded", "has resolved", "resolved", "completely resolved", "not involved", "not affected", "ve", "disappeared", "not found", "not noted", "not detected", "not identified", "gone", "not visible",
     "not demonstrable", "not evident", "not observed", "no longer seen", "no longer present", "no longer visible", "no longer evident", "vanished", "not apparent", "not demonstrated", "not detectable", "not detected", "can be excluded", "not be seen", "not be identified", "not appreciated", "not confirmed", "not seen seen", "- ve", "fehlt", "nihil")
_add("negpost", "normal", "normal", "viable", "free", "fully viable", "preserved", "completely viable", "nulls normally", "nulled normally", "well nulled", "wholly viable", "entirely viable", "fine", "ok", "okay", "undamaged", "not damaged", "unharmed", "alive", "nulls", "good", "unscathed", "uninjured", "remains viable", "scarless")
_add("notstated", None, "not reported", "not mentioned", "not commented on", "not commented", "not assessed", "not evaluated", "not assessable", "not assessed on")
_add("scarfree", None, "scar free", "infarct free", "fibrosis free", "enhancement free", "lge free", "lge negative", "free of scar", "scarless")
_add("spare", None, "spare", "spare of", "relative spare", "spare of of", "not involving", "not reaching", "not extending to", "not extend to", "not reach", "not affecting", "respecting", "not including")
_add("except", None, "except", "except for", "other than", "apart from", "with exception of", "with of exception of", "exception of", "aside from", "excluding", "bar", "but for", "save for", "beyond", "outside", "outside of", "away from", "anywhere but", "everywhere but", "not counting", "besides", "only", "barring", "elsewhere than", "exclusive of", "with sole exception of", "with single exception of", "with of sole exception of", "with of only exception of")
_add("other", None, "other", "elsewhere", "otherwise", "further", "additional", "new", "rest", "remaining", "remainder", "anywhere else", "others", "remote", "additionally", "residual segment", "other areas", "large", "extensive", "ubrig", "sonst", "neue", "neuen", "neues", "recent", "acute", "ailleurs", "autre", "otro", "otra", "resto", "ubrigen", "convincing large", "nuevo")
_add("maybe", None, "possible", "might be", "might represent", "might reflect", "might", "not be excluded", "not exclude", "not fully exclude", "not be entirely excluded", "not be ruled out", "not be fully excluded", "not be confidently excluded", "not be completely excluded", "not excluded", "hard to exclude", "difficult to exclude", "not certain", "suggestion of", "impression of", "not be judged", "queried", "raises possibility", "raises of possibility", "low confidence", "hint of", "not definite", "not definitely", "not conclusive",
     "of doubtful", "not sure", "versus", "vs", "not be determined", "not be reliably excluded", "artefact or", "not clear", "not definitive", "not be differentiated", "not be distinguished", "not reliably excluded", "insufficient", "arguable", "not entirely excluded", "limited confidence", "possible that", "not sicher", "not sicher auszuschliessen", "not auszuschliessen", "not ausgeschlossen", "probable artefact", "ne peut etre exclu", "no se puede descartar", "no puede descartarse", "not be safely excluded")
_add("notmaybe", None, "uncertain significance", "of uncertain significance", "of uncertain aetiology", "of uncertain etiology", "possible aetiology", "unclear significance", "unclear aetiology", "unclear etiology", "of unclear aetiology", "uncertain aetiology", "uncertain etiology", "significance uncertain", "significance unclear", "significance possible", "possible significance", "of possible significance", "of of possible significance", "of possible etiology", "of possible aetiology", "possible clinical significance", "of possible clinical significance", "possible prognostic significance", "possible relevance", "of possible relevance", "possible cause", "aetiology possible", "cause possible")
_add("artefact", None, "artefact", "artifact", "artefacts", "artifacts", "artefactual", "artifactual", "partial volume", "partial voluming", "ghosting", "partial volume effect", "subepicardial fat", "fat", "vessel", "crossing fibres", "noise", "poor nulling", "imperfect nulling", "suboptimal nulling", "inadequate nulling", "suboptimal inversion time")
_add("organ", None, *(f"{_o}{_n}" for _o in ("rv", "right ventricle", "right ventricular", "of rv") for _n in ("", " free wall", " wall", " myocardium", " apex", " lateral wall", " anterior wall", " inferior wall", " infarct", " side of septal", " side", " outflow tract", " fibrosis")),
     "right septal side", "anterior rv wall", "inferior rv wall", "anterior rv", "rvot", "papillary", "papillary muscle", "papillary muscles", "posteromedial papillary muscle", "anterolateral papillary muscle", "anterior papillary muscle", "anterior lateral papillary muscle", "inferolateral papillary muscle", "posterior papillary muscle", "papillary muscle tip",
     "atrial", "atrium", "atria", "left atrial", "left atrium", "right atrium", "la", "ra", "biatrial", "interatrial septal", "atrial septal", "atrial wall", "pulmonary vein", "pulmonary veins", "pericardial", "pericardium", "perikard", "pericarde", "pericardio", "pericardiaque", "pericardiac", "pericardico", "liver", "hepatic", "hepatico", "leber", "foie", "hepatique", "higado", "lung", "lungs", "pulmonary", "pleural", "kidney", "renal", "spleen", "splenic", "node", "nodes", "hilar", "adenopathy", "lymphadenopathy", "lymph", "nodule", "nodules", "mediastinal", "mediastinum",
     "breast", "bone", "vertebral", "thyroid", "adrenal", "brain", "cerebral", "spinal", "pancreas", "pancreatic", "aorta", "aortic", "valve", "valves", "leaflet", "leaflets", "valvular", "mitral", "tricuspid", "mass", "within of mass", "tumour", "tumor", "myxoma", "cyst", "thymus", "bowel", "muscle of chest", "chest wall", "oesophagus", "esophagus", "esophageal", "oesophageal", "prostate", "prostatic", "knee", "uterus", "skin", "gut", "stomach", "gastric", "colon", "thrombus", "clot", "graft", "conduit", "patch", "meningeal", "hippocampal", "pituitary", "bladder", "cystic", "retinal", "tumoral", "ovary", "ovarian", "wrist", "joint", "synovial", "intramural thrombus", "mural thrombus", "midwall thrombus", "gallbladder", "lumbar", "white matter", "optic")
_add("topic", None, "perfusion", "hypoperfusion", "hypoperfused", "perfused", "defect", "defects", "ischaemia", "inducible", "stress", "rest perfusion", "oedema", "edema", "oedematous", "edematous", "odem", "edeme", "oedeme", "edema", "stir", "t2", "t2 *", "t2*", "t1", "t1 map", "t1 mapping", "t2 mapping", "native", "ecv", "mapping", "maps", "map", "hypokinesis", "hypokinesia", "hypokinetic", "akinesis", "akinesia", "akinetic", "dyskinesis", "dyskinesia", "dyskinetic", "dyssynchrony", "wall motion", "wall motion abnormality", "rwma", "contracts", "contraction", "contractility", "thinning", "thinned", "thin", "thickening", "thickened", "hypertrophy", "hypertrophied", "hypertrophic wall", "aneurysm", "aneurysmal", "apical aneurysm", "ballooning", "apical ballooning", "stenosis", "occlusion", "occluded", "stent", "stented", "pci", "cabg", "angioplasty", "culprit", "bypass", "angiography", "angiogram", "mm", "ml", "lvef", "ef", "ejection", "fraction", "strain", "volume", "volumes", "haemorrhage", "hemorrhage", "midwall haemorrhage", "midwall hemorrhage", "imh", "fatty", "lipomatous", "metaplasia", "diffuse fibrosis", "interstitial fibrosis", "diffuse interstitial fibrosis", "diffuse myocardium fibrosis", "interstitial", "peri infarct ischaemia", "peri infarct", "hypoperfusion", "wave", "st elevation", "st segment", "q waves", "q wave", "ecg", "trabeculation", "noncompaction", "non compaction", "ratio", "septal bounce", "septal shift", "septal flattening", "septal motion", "septal hypertrophy", "first pass", "dark rim", "early enhancement", "early gadolinium enhancement", "ege", "first pass enhancement", "reperfusion", "rest", "blood pool", "regional wall motion", "hibernating", "stunned", "stunning", "function", "systolic", "diastolic", "filling", "gradient", "obliteration", "sam", "bundle", "leads", "lead", "myocardial salvage", "salvage", "area at risk", "mass index", "fever", "weather", "troponin", "kinetik", "kinetics", "contusion", "wandbewegungsstorung", "hypokinesie", "akinesie", "acinesia", "hipocinesia", "hypocinesie", "akinesie", "septal defect", "ventricular septal defect", "septal ablation", "pr interval", "mitral regurgitation", "thickness mm", "water", "velocity", "diameter")
_add("noreflow", None, "microvascular obstruction", "obstruction microvascular", "mvo", "no reflow", "no reflow zone", "no reflow phenomenon", "no reflow area", "reflow", "dark core", "hypoenhanced core", "hypoenhancing core", "hypointense core", "hypoenhancement", "dark central zone", "dark centre", "dark center", "central hypoenhancement", "hypoenhanced area", "hypoenhanced zone", "hypo enhanced core", "non enhancing core", "nonenhancing core", "black core", "central dark zone", "dark zone", "microvascular occlusion", "hypointense centre", "hypointense center", "hypoenhanced centre", "hypoenhanced center", "low signal core", "dark area within scar", "dark area within infarct", "microvascular damage", "microvascular injury", "unenhanced core", "core of low signal", "core hypoenhancement", "dark core within", "central core of hypoenhancement", "no reflow region", "noreflow", "hypoenhanced", "hypo enhancement", "non perfused core", "core without enhancement", "normal core", "dark hypoenhanced core", "dark spot in middle", "dark middle", "dark central core", "hypo intense core", "central dark core", "microvascular obstruction zone", "dark central area", "signal void core", "dark heart of scar")
_add("vote", "ischaemic", "ischaemic", "ischaemic pattern", "ischaemic aetiology", "coronary disease", "coronary artery disease", "embolic", "ischaemic cardiomyopathy", "icm", "ihd", "coronary pattern", "atherosclerotic", "coronary origin", "coronary cause", "coronary distribution", "ischaemic heart disease", "ischaemic myocardium disease")
_add("vote", "non-ischaemic", "nonischaemic", "non ischaemic", "no ischaemic scar pattern", "nicm", "myocarditis", "myocarditis like", "dcm", "idcm", "nidcm", "idiopathic cardiomyopathy", "cardiomyopathy no ischaemic", "dilated cardiomyopathy no ischaemic", "cardiomyopathy dilated", "cardiomyopathy dilated no ischaemic", "cardiomyopathy hypertrophic", "cardiomyopathy dilated not ischaemic", "dilated cardiomyopathy not ischaemic", "scar no ischaemic", "lge no ischaemic", "pattern no ischaemic", "dilated cardiomyopathy", "hcm", "apical hcm", "hocm", "hypertrophic cardiomyopathy", "hypertrophic obstructive cardiomyopathy", "sarcoid", "sarcoidosis", "amyloid", "amyloidosis", "attr", "fabry", "anderson fabry", "duchenne", "becker", "dystrophy", "muscular dystrophy", "danon", "chagas", "lmna", "laminopathy", "arvc", "acm", "alvc", "arrhythmogenic cardiomyopathy", "arrhythmogenic", "endomyocardial fibrosis", "loeffler", "eosinophilic", "takotsubo", "inflammatory", "myopericarditis", "perimyocarditis", "amyloidose", "sarkoidose", "sarcoidose", "amiloidosis", "non coronary", "noncoronary", "not ischaemic", "not coronary", "not due to coronary disease", "not due to coronary artery disease", "not due to ischaemic", "not caused by coronary disease", "not of ischaemic", "not of coronary origin", "not caused by infarct", "not due to infarct", "not an infarct", "non infarct", "noninfarct", "lvnc", "inflammation", "phospholamban", "desmoplakin", "friedreich", "hypertensive heart disease", "iron overload cardiomyopathy", "tako tsubo", "peripartum cardiomyopathy", "cardiotoxicity", "phenocopy", "storage disease", "infiltrative", "infiltrative disease", "infiltration", "infiltrative cardiomyopathy", "covid myocarditis", "post myocarditis", "viral", "lupus", "vasculitis", "egpa", "systemic sclerosis", "scleroderma")
_add("history", None, "previous cmr", "prior cmr", "previous study", "prior study", "previous scan", "prior scan", "previous examination", "prior examination", "previous exam", "prior exam", "previous mri", "prior mri", "previous imaging", "prior imaging", "last cmr", "last scan", "last study", "earlier cmr", "earlier scan", "earlier study", "earlier mri", "old cmr", "old mri", "baseline", "known", "history of", "history", "outside hospital", "elsewhere reported", "referral states", "referral letter", "was reported", "then", "previously", "years ago", "months ago", "year ago", "weeks ago", "formerly", "hx", "h/o", "pmh", "family history", "initial scan", "first scan", "initial study", "index scan", "initial cmr", "at that time", "used to", "background of", "diagnosed with", "voruntersuchung", "vorbefund", "vor-mrt", "anamnestisch", "reportedly", "index cmr", "external cmr", "outside cmr", "outside mri", "outside study", "original scan", "antecedent", "antecedentes", "antecedents", "atcd", "remote history", "referred with", "referred for", "referred after", "referred because", "previous report", "prior report", "acute scan", "acute study", "baseline scan", "on echo", "by ecg", "on ecg", "carries a diagnosis", "told", "presented with", "presenting with", "admitted with", "estudio previo", "irm previa", "irm precedente")
_add("after", None, "after", "post", "status post", "s p", "z n", "z . n", "secondary prevention")
_add("now", None, "now", "today", "current", "currently", "residual", "on this study", "present study", "this study", "this examination", "todays", "today's", "current study", "presently", "this scan", "at present", "aktuell", "heute", "actual", "actuel", "actualmente", "actuellement", "jetzt", "new", "newly")
_add("again", None, "again seen", "again", "unchanged", "as before", "still", "remains", "as previously", "no change", "similar to", "known and unchanged", "as described previously", "as on prior", "comparable to", "comparable with", "compared with", "compared to", "same as", "previously described and unchanged", "continues to", "remain", "in keeping with known", "stable appearance", "no interval change", "corresponding to known", "consistent with known", "confirms", "confirm", "confirmed", "progression", "progressed", "increased since", "larger than", "smaller than", "grown", "regressed", "persisting", "has shrunk", "improved", "decreased", "less than on", "increase", "reduction", "than on", "than in", "than at", "since", "in comparison with", "corresponding to previous", "in line with known", "reflecting known", "redemonstration", "matching known", "wie vorbeschrieben")
_add("explain", None, "in keeping with", "consistent with", "compatible with", "suggestive of", "suggesting", "suggests", "corresponding to", "indicating", "indicates", "represents", "representing", "reflecting", "due to", "related to", "caused by", "likely", "most likely", "probably", "probable", "typical for", "concerning for", "suspicious for", "possible for", "highly suggestive of", "characteristic of", "secondary to", "attributable to", "attributed to", "consequent to", "matching", "=", "favouring", "favoring", "vereinbar with", "vereinbar mit", "passend zu", "hinweisend auf", "evocateur of", "evocateur", "sugestivo of", "compatible avec", "compatible con", "sugestivo", "in line with", "raising suspicion of", "as in", "as seen in", "bei", "might represent scar", "in context of", "in of context of", "in context", "context of", "as part of", "in setting of", "keeping with", "in of setting of", "reminiscent of", "diagnostic of", "so called", "raising", "argues for", "points to", "pointing to", "pointing towards", "evidence for a", "confirming", "supports", "supporting", "denoting", "equals", "explained by", "stemming from", "arising from", "resulting from")
_add("tech", None, "sequences", "sequence", "min after", "minutes after", "mins after", "mmol", "mmol / kg", "acquired", "performed", "protocol", "technique", "inversion time", "ti", "was obtained", "were obtained", "obtained", "gadobutrol", "gadoterate", "dotarem", "gadovist", "gadobenate", "psir", "single shot", "nulling", "administered", "administration", "injection", "not given", "declined", "not performed", "not acquired", "not available", "unavailable", "not done", "could not be acquired", "non contrast", "wideband", "kontrastmittelgabe", "breath hold", "quality", "nondiagnostic images", "not administered", "not obtained", "not possible", "slices", "planned", "scheduled", "recommend", "recommended", "suggest repeat", "was planned", "awaited", "pending", "requested", "please", "if clinically", "would be", "motion degraded")
_add("asked", None, "rule out", "to exclude", "to look for", "to evaluate", "to assess", "assessment of", "assess for", "for assessment", "evaluate for", "for evaluation of", "referral", "question", "query", "looking for", "work up for", "workup for", "evaluation for")
_add("assert", None, "present", "seen", "shows", "positive", "+", "yes", "involving", "involves", "involvement", "located", "extending", "extends", "extend", "affecting", "affects", "confined", "limited", "small", "tiny", "minor", "subtle", "faint", "focal", "linear", "dense", "extensive", "widespread", "confluent", "large", "mild", "moderate", "severe", "chronic", "old", "marked", "intense", "multifocal", "multiple", "established", "completed", "some", "subacute", "healed", "vorhanden", "demonstrates", "discrete", "definite", "area of", "areas of", "region of", "occupies", "occupying", "continues", "evidence of", "typical", "abnormal", "significant", "there", "rim", "underlying", "ja", "oui", "si", "xx", "minimal", "replacement", "convincing", "clear cut", "burden", "healing", "mature", "wrap around")
_add("coref", None, "it", "this", "these", "latter", "former", "also", "additional", "additionally", "similar", "same", "likewise", "second", "another", "further", "in addition", "furthermore", "moreover", "plus", "separate", "first", "third", "smaller", "ebenso", "zusatzlich", "they", "what persists", "including", "both")
_add("break", None, ";", "but", "while", "whereas", "although", "though", "however", "whilst", "despite", "aber", "mais", "pero", "yet", "wahrend", "together with", "on other hand")
_add("plus", None, "plus", "as well as", "with additional", "in addition", "also", "accompanied by", "with a", "along with", "and to", "combined with", "with")
_add("sep", ",", ",")
_add("sep", "and", "and", "&", "+", "and of", "and of of", "or", "/", "and/or", "and / or", "and in", "and at", "and also", "and of also")
_add("sep", "to", "to", "-", "–", "—", "to of", "down to", "up to of", "extending to", "- to -", "->", "into", "all way to")
_add("colon", None, ":", "=>", "→", "->")
_add("all", None, "all", "every", "each", "only", "entire", "whole")
_add("segword", None, "segment", "aha", "aha segment", "level", "levels")
_add("lv", None, "left ventricle", "left ventricular", "myocardium", "main pumping chamber", "pumping chamber", "left ventricle myocardium", "left ventricular myocardium", "lv myocardium", "in lv")
_add("thick", None, "thickness", "transmurality", "wall thickness", "transmural extent", "transmural extension", "thickness of wall", "wall depth", "transmural involvement", "transmural thickness", "transmural spread", "through wall", "of its thickness", "of thickness", "transmural depth", "extent of transmurality")
_add("notthick", None, "of lv mass", "lv mass", "of left ventricular mass", "of myocardial mass", "total extent", "lge mass", "scar mass", "infarct size", "scar burden", "lge extent", "lge burden", "of total", "of total lv mass", "of total myocardium", "lge volume", "scar size", "g", "of lv volume", "lge quantification", "scar volume", "infarct mass", "of total myocardial mass", "of total left ventricular mass", "lge amount", "lge quantity", "extent of lge", "total scar burden", "total lge")
_add("viab", None, "viability")
_add("tokens", None, "late images", "late imaging", "late phase", "late gadolinium images", "late gadolinium imaging", "lge images", "lge imaging", "late gadolinium", "lge sequences", "late gadolinium sequences", "on late images", "lge sequence", "late contrast images", "post contrast", "late post contrast images", "gadolinium", "late enhancement images", "late enhancement imaging", "late enhancement sequences", "late gadolinium enhancement images", "late gadolinium enhancement imaging", "late gadolinium enhancement sequences", "late acquisitions", "late sequences", "late series", "psir images", "lge series", "lge stack", "late scan", "lge study", "delayed images", "late pictures", "lge acquisitions", "late phase images", "lge cmr", "lge mri", "late gadolinium mri", "delayed enhancement mri", "delayed enhancement cmr", "delayed enhancement images", "delayed enhancement imaging", "hyperenhancement imaging", "late enhancement mri", "late enhancement cmr")
PHRASES: dict[str, tuple[str, object]] = _P
del _wall, _segments, _name, _alone, _form, _where

# Heading (canonical words before a colon or alone on a line) -> section.
HEADINGS: dict[str, str] = {
    **dict.fromkeys(
        ("indication", "indications", "history", "clinical", "clinical history", "clinical details", "clinical information", "clinical indication", "clinical question", "clinical context", "clinical data", "background",
         "reason for study", "reason for of study", "reason for exam", "reason for examination", "reason for referral", "referral", "question", "referring question", "referral question", "request", "comparison", "comparisons", "baseline", "prior", "previous",
         "previous cmr", "prior cmr", "prior studies", "previous imaging", "past medical history", "pmh", "hx", "anamnese", "fragestellung", "klinik", "klinische angaben", "klinische fragestellung", "renseignements cliniques", "motivo", "antecedentes", "indicacion", "indikation", "clinical summary", "clin", "clinical info", "relevant history", "details", "previous mri", "prior mri", "known", "previous study", "prior study", "contexte", "motif", "datos clinicos", "voruntersuchung", "question to answer", "reason", "hpi", "previous examinations", "clinical notes", "risk factors", "ecg", "echo", "angio", "angiography", "coronary angiography", "cath", "previous findings", "prior findings"),
        "history",
    ),
    **dict.fromkeys(("technique", "protocol", "sequences", "method", "methods", "procedure", "scan details", "technik", "contrast", "scanner", "acquisition", "tecnica", "imaging protocol", "exam", "examination", "study", "protokoll", "sequenzen", "methode", "medication", "contrast agent", "sequences acquired", "kontrastmittel", "limitations", "image quality", "quality"), "technique"),
    **dict.fromkeys(("conclusion", "conclusions", "impression", "opinion", "summary", "assessment", "diagnosis", "interpretation", "beurteilung", "fazit", "conclusion", "zusammenfassung", "comment", "comments", "advice", "final", "overall", "verdict", "key findings", "bottom line", "imp", "conc", "synthese", "diagnostico", "opinion", "concl", "in summary", "in conclusion", "conclusion and recommendations", "final diagnosis", "final impression", "summary of findings"), "conclusion"),
    **dict.fromkeys(("findings", "finding", "befund", "resultats", "hallazgos", "results", "report", "cmr findings", "description", "cine", "cines", "body", "ergebnis", "mri findings", "reporte", "observations", "today", "current", "now", "current study", "result", "compte rendu"), "findings"),
    **dict.fromkeys(
        ("lge", "late gadolinium enhancement", "late enhancement", "late gadolinium", "late gadolinium enhancement of", "delayed enhancement", "scar", "viability", "viability assessment", "viability study", "viability imaging", "delayed enhancement imaging", "late enhancement sequences", "lge assessment", "lge sequences", "myocardial viability", "late gadolinium enhancement images", "scar burden", "delayed hyperenhancement", "late gadolinium enhancement assessment", "delayed imaging", "delayed images", "post gadolinium", "after contrast", "after gadolinium", "contrast images", "late contrast images", "delayed postcontrast", "delayed post contrast", "delayed post contrast imaging", "tissue characterisation", "tissue characterization", "late imaging", "late images", "fibrosis", "gadolinium", "hyperenhancement", "late hyperenhancement", "post contrast", "lge findings", "lge imaging", "scar assessment",
         "myocardial scar", "infarct", "scar imaging", "late contrast enhancement", "enhancement", "lge images", "viable", "myocardium viable", "myocardium scar", "late phase", "late gadolinium imaging", "contrast", "lge psir", "psir", "psir lge", "scar / fibrosis", "late enhancement imaging", "enhancement late", "realce tardio", "lge result", "scar pattern", "scar fibrosis", "lge viable", "late gad", "de", "tissue", "late gadolinium images", "scar and fibrosis", "late enhancement findings", "late gadolinium enhancement imaging", "lge present", "midwall fibrosis", "myocardium tissue characterisation", "myocardial tissue characterisation", "late gadolinium enhancement lge", "late gadolinium enhancement ( lge )", "infarct imaging", "myocardium enhancement", "lge series"),
        "lge",
    ),
    **dict.fromkeys(("location", "locations", "myocardium distribution", "myocardial distribution", "myocardium territory", "distribution", "pattern", "extent", "transmurality", "territory", "layer", "transmural extent", "lge location", "lge pattern", "lge extent", "lge distribution", "lge territory", "segment", "segments", "location of lge", "pattern of lge", "extent of lge", "myocardium layer", "wall layer", "site", "where", "how deep", "depth", "segments involved", "segment involved", "lokalisation", "verteilung", "ausdehnung", "localisation", "localizacion", "thickness", "involved segment", "affected segment"), "scmr"),
    **dict.fromkeys(
        ("valves", "valve", "aortic valve", "mitral valve", "tricuspid valve", "other valves", "atria", "atrium", "left atrium", "right atrium", "la", "ra", "pericardium", "perikard", "pericardial", "pleura", "lungs", "extracardiac", "extra cardiac", "extracardiac findings", "non cardiac", "noncardiac", "incidental", "incidental findings", "perfusion", "stress perfusion", "rest perfusion", "stress", "stress rest perfusion", "first pass", "first pass perfusion", "mapping", "t1 mapping",
         "t2 mapping", "t1", "t2", "t2 *", "t2*", "t2 map", "t2 maps", "t1 map", "t1 maps", "t1 t2 mapping", "t1 and t2 mapping", "native t1", "stir", "t2 stir", "oedema", "edema", "ecv", "rv", "right ventricle", "rvef", "haemodynamics", "hemodynamics", "thrombus", "aorta", "great vessels", "flow", "quantification", "haemodynamic", "wall motion", "rwma", "regional wall motion", "t2 star", "fat imaging", "ege", "early gadolinium", "early gadolinium enhancement", "vessels", "other", "volumes", "lymph nodes", "strain", "dimensions", "hypokinesia", "function", "rv function", "lv function", "right ventricular function"),
        "other",
    ),
    **dict.fromkeys(("lv", "left ventricle", "left ventricular", "ventricle", "heart", "myocardium", "cardiac"), "lv"),
    **dict.fromkeys(("mvo", "microvascular obstruction", "no reflow", "obstruction microvascular"), "noreflow"),
}
HEADINGS["interpretation"] = "conclusion"
