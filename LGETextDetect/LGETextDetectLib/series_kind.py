"""What a stack of frames shows (late enhancement, cine, scout, ...), in which plane, and whether it is PSIR.

Words of the description decide first, the physics of the header where words are silent. Words are those of the common
vendors' protocols; the reasons name the rule, never the description itself (it may hold a name).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

from .dicom_frames import Frame
from .orientation import BASE_TO_APEX

SHORT_AXIS_DEG = 50.0  # real hearts spread by 10-15 degrees, planning errors included
UNLABELLED_DEG = 65.0  # for the only stack of a folder, when it has many parallel slices
SCAR_TI_MS = (100.0, 700.0)
CAPTURE = "1.2.840.10008.5.1.4.1.1.7"  # Secondary Capture Image Storage; others of its kind begin so

# "DE" is delayed enhancement where a description begins with it or names a view or a reconstruction beside it; in a
# description in a Romance language, elsewhere than at its beginning, it is the preposition.
_ROMANCE_WORDS = (
    r"ejes?|eixos?|asse|axes?|cortos?|curtos?|largos?|longo|lungo|cortes?|coupes?|secci[oó]n|se[cq][uü]\wncias?|se[cq]uenza"
    r"|image[nm]|imagini|vistas?|plan[oi]s?|planes|contraste|contrasto|coraz[oó]n|cora[cç][aã]o|c(o|œ)eur|cuore|el|los|las|les"
    r"|del|dell[ae]|du|des|do|da|con|avec|sans|sin|tras|apr[eè]s|despu[eé]s|depois|dopo|en|y|et"
)
_BESIDE_DE = r"(sax|sa|shax|lax|ps|psir|ir|mag|[234] ?ch|hla|vla|lvot|short|long|axial|view|overview|mri|2d|3d|tfl|tfi|gd|gad|seg|nav)"
_DELAYED = (
    rf"^de\b|^(?!.*\b({_ROMANCE_WORDS})\b).*((?<!ssfp )\bde {_BESIDE_DE}\b"
    rf"|\b{_BESIDE_DE} de( {_BESIDE_DE}\b| \d+ ?min\b| \d+$|$))"
)
# What a series came after is not what it shows ("LGE post stress").
_AFTER = r"\b(post|after|nach|apr[eè]s|tras|dopo|ap[oó]s)( (stress|rest|perf\w*))+"

# Order matters: the first kind whose words occur is taken ("TI scout", "cine post LGE").
_KIND_WORDS: tuple[tuple[str, str], ...] = (
    ("scout-ti", r"\bti ?(scout|loc\w*|test|find\w*|cine)|scout ?ti\b|look ?locker|\bll\b|\bcine ir\b|\btiscout"),
    (
        "localizer",
        r"loc(al\w*)?\b|\blokal|scout|survey|\bplan(ning)?\b(?! (petit|grand) axe)|trufi loc|rep[eé]rage|定位|位置決",
    ),
    (
        "map",
        r"map(s|ping|p?as?|pe|eo|eamento|patura)?\b|t1map|t2map|molli|shmolli|sasha|\becv\b|t2 ?star|\bt2\*|cartogra|\bcartes?\b"
        r"|kart(e|en|ierung)\b|マップ|マッピング",
    ),
    ("cine", r"cin[eé]|\bfunction\b|retro\b|シネ|电影|電影"),
    (
        "perfusion",
        r"perf|first ?pass|dynamic|\bstress\b|\brest\b|\b(primer|premier|primo|primeira) pas|灌注|灌流|首[过過]|パーフ",
    ),
    ("flow", r"\bflow\b|veloc|venc|phase contrast|\bpc\b|\bqflow|\bflu(x|xo|jo|sso|ss)\b"),
    ("early", r"\bearly\b|\bege\b|\bpr[eé]co[zc]|\bfr(ü|ue)h|早期"),
    (
        "other",
        r"\bstir\b|\btirm\b|haste|\bt2w?\b|\b[tf]se\b|dark ?blood|\bblack ?blood|angio|\bmra\b|tagg?ing|\btag\b|dixon fat"
        r"|\bsang(re|ue)? (negr|pret|n[eo]r|noir|o?scur|escur)\w*|\b(schwarz|dunkl)\w* ?blut"
        r"|\bmip\b|\b(sub|sus|sous|sot)tra[cçkz]\w*|\bsub$|\bimaginary\b|\bfat\b(?! ?(s(at|up)|water))|\bdixon\b.* f$|黑血",
    ),
    (
        "lge",
        rf"lge|\blate(?!r|n[tz]|st)|delay|\bdhe\b|enhanc|\bmde\b|\bps ?mde\b|ps ?ir|phase sens|viab|vitalit|\bscar|\bcicatri|fibros|\bce ir\b"
        rf"|\bir\b|\bnarbe|\bsp(ä|ae)t|\bspat(anr|auf)|\btard[ií]|\bretard\b|\brealce\b|\br[eé]haussement\b|\bdel ?enh|\bdemri\b"
        rf"|^le ({_BESIDE_DE}|kurze|lange)\b|遅延|延[迟遲]|지연|瘢痕|{_DELAYED}",
    ),
)
_LONG_WORDS = (
    r"\b(2|3|4|two|three|four) ?(ch|chamber\w*|k|kammer\w*|c[aáâ]m[ae]r\w*|cavit\w*|cv?)\b|\blax\b|^la\b|\bla$|long ?ax\w*|lvot"
    r"|\bvla\b|\bhla\b|\brvot\b|\btra(ns\w*)?\b|\baxial\b|\bcor(onal)?\b|\bsag\w*\b|\brv ?2ch|\b(eje largo|eixo longo|asse lungo|grand axe)\b"
    r"|\blange (achse|as)\b|[长長]軸|[长長]轴|장축|[2-4二两兩三四] ?腔"
)
_SHORT_WORDS = r"\bsax\b|\bsa\b|\bshort\b|short ?ax\w*|\bshax\b|\bkurz\w*|\bsaxs?\b|\b(eje corto|eixo curto|asse corto|petit axe|korte as)\b|短[軸轴]|단축"
_SLICE_WORDS = r"\b(sl(ice)?|pos|bas(e|al)|mid|api(x|cal|ces)|apex)\d*\b"
_REPEAT_WORDS = r"\b(rep(eat(ed)?)?|rpt|again|redo|wdh|bis)\b"
_EMPTY_WORDS = r"\b(series|stack|slices?|images?|mr|cmr|heart|cardiac|unknown|anon\w*|\d+)\b"
_PSIR_WORDS = r"ps ?ir|ps ?mde|^ps\b|phase ?sens\w*|\breal\b"
_MAGNITUDE_WORDS = r"\bmag(n\w*)?\b|\bmod(ulus)?\b"
_PSIR_TYPES = {"PSIR", "PS", "R", "REAL", "R_IR", "CR", "P", "PHASE", "PHASE CORRECTED", "PS_IR"}
_MAGNITUDE_TYPES = {"M", "M_IR", "MAG", "MAGNITUDE", "M_FFE", "M_SE", "MODULUS"}
_SURE_MAGNITUDE_TYPES = _MAGNITUDE_TYPES - {"M"}  # some scanners write M for every reconstruction
_PHASE_TYPES = {"P", "PHASE"}  # some scanners call the phase-sensitive image so, others a map of the phase
_OTHER_TYPES = {
    "I", "I_IR", "IMAGINARY", "SUBTRACTION", "SUB", "PROJECTION IMAGE", "MIP", "MAX_IP", "MINIP", "MIN_IP", "STD_DEVIATION", "FAT", "F",
}  # fmt: skip
_LOCALIZER_TYPES = {"LOCALIZER"}
_MAP_TYPES = {"T1 MAP", "T1_MAP", "T2 MAP", "T2_MAP", "T2_STAR MAP", "ECV", "R1 MAP", "R2 MAP"}


_EAST = "[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"


def words(frame: Frame) -> str:
    """The frame's description, else its protocol name, as plain lower-case words."""
    text = frame.description.strip() or frame.protocol
    return _plain(re.sub(r"([a-z])([A-Z])", r"\1 \2", text) if not text.isupper() else text)


def _plain(text: str) -> str:
    """Lower-case words; letters of full width are the usual ones, and Chinese, Japanese and Korean end a Latin word."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.sub(rf"[\W_]+|(?<=[a-z\d])(?={_EAST})|(?<={_EAST})(?=[a-z\d])", " ", text).split())


def family(frame: Frame) -> str:
    """The words without what numbers slices or tells a repeat: frames of one acquisition share it."""
    return " ".join(re.sub(rf"{_SLICE_WORDS}|{_REPEAT_WORDS}|\d+\b(?! ?ch)", " ", words(frame)).split())


def component(frame: Frame) -> tuple[str, ...]:
    """What separates the reconstructions of one acquisition: magnitude, real, phase, map, ...; and pictures of the screen."""
    told = set(frame.image_type) & (_PSIR_TYPES | _MAGNITUDE_TYPES | _MAP_TYPES | _OTHER_TYPES | _LOCALIZER_TYPES)
    capture = frame.sop_class == CAPTURE or frame.sop_class.startswith(f"{CAPTURE}.")
    if capture and (frame.orientation is None or frame.position is None):
        told.add("SECONDARY CAPTURE")
    return (image_kind(frame)[0], *sorted(told))


def image_kind(frame: Frame) -> tuple[str, str]:
    """('psir' | 'magnitude' | 'unknown', how sure: 'words', 'type', 'weak', '')."""
    text = words(frame)
    types = set(frame.image_type)
    if re.search(_MAGNITUDE_WORDS, text):
        return "magnitude", "words"
    if types & _SURE_MAGNITUDE_TYPES and not types & _PSIR_TYPES:
        return "magnitude", "type"
    if types & _PSIR_TYPES:
        return "psir", "type"
    if re.search(_PSIR_WORDS, text):
        # A vendor may name both halves of the pair alike; 'M' then tells, if the other half is there.
        return "psir", "weak" if types & _MAGNITUDE_TYPES else "words"
    if types & _MAGNITUDE_TYPES:
        return "magnitude", "type"
    return "unknown", ""


def only_phase(frame: Frame) -> bool:
    """Whether a PSIR image is one by its type 'phase' alone: it may be a map of the phase."""
    types = set(frame.image_type) & _PSIR_TYPES
    return bool(types) and types <= _PHASE_TYPES


def named_psir(frame: Frame) -> bool:
    """Whether the words call the image phase-sensitive; a protocol's name is that of all reconstructions, where they have their own."""
    return bool(re.search(_PSIR_WORDS, words(frame)))


def stack_kind(frames: Sequence[Frame], repeats: int) -> tuple[str, str]:
    """(kind, reason) of frames of one acquisition and orientation; ``repeats``: frames at the same place."""
    first = frames[0]
    if first.modality != "MR":
        return "other-modality", f"modality is {first.modality or 'not given'}, not MR"
    if first.samples != 1:
        return "other", "colour picture"
    types = set(first.image_type)
    if types & _MAP_TYPES:
        return "map", "image type is a map"
    if types & _OTHER_TYPES:
        return "other", "image type is imaginary, fat alone, a projection or computed of others"
    if types & _LOCALIZER_TYPES:
        return "localizer", "image type is localizer"
    for text, source in ((words(first), "description"), (_plain(first.protocol), "protocol")):
        for said in (re.sub(_AFTER, " ", text), text):
            if kind := next((kind for kind, pattern in _KIND_WORDS if re.search(pattern, said)), ""):
                return kind, f"{source} says {kind}"
    return _kind_by_physics(frames, repeats)


def _kind_by_physics(frames: Sequence[Frame], repeats: int) -> tuple[str, str]:
    """Kind from the header alone, for silent descriptions."""
    first = frames[0]
    times = {frame.inversion_ms for frame in frames if frame.inversion_ms}
    flags = {word for frame in frames for word in frame.sequence}
    inversion = bool(times) or bool(flags & {"IR", "IR_GEMS"})
    if repeats > 2:
        if len(times) > 2:
            return "scout-ti", f"{len(times)} inversion times at one place"
        return "cine", f"{repeats} phases at one place"
    if "SE" in flags or (first.echo_ms or 0) > 20:
        return "other", "spin echo or T2 weighting"
    if inversion and (not times or SCAR_TI_MS[0] <= float(np.median(list(times))) <= SCAR_TI_MS[1]):
        return "lge", "inversion recovery" + (" after contrast" if first.contrast else "")
    if first.contrast:
        return "lge", "single-phase series after contrast"
    said = f"{words(first)} {_plain(first.protocol)}"
    if re.search(
        "[a-z]", re.sub(rf"{_SHORT_WORDS}|{_LONG_WORDS}|{_EMPTY_WORDS}", "", said)
    ):  # words of other scripts say nothing
        return "other", "description names nothing that is looked for"
    return "unknown", "nothing tells what it shows"


def _plane_in_words(frame: Frame) -> tuple[str, str]:
    """(plane, 'description' | 'protocol'), empty where neither says one."""
    for text, source in ((words(frame), "description"), (_plain(frame.protocol), "protocol")):
        if re.search(_SHORT_WORDS, text):
            return "short-axis", source
        if re.search(_LONG_WORDS, text):
            return "long-axis", source
    return "", ""


def stack_plane(frames: Sequence[Frame], places: int) -> tuple[str, str]:
    """('short-axis' | 'long-axis' | 'unclear' | 'unknown', reason); ``places``: parallel slice positions.

    'unclear' stacks are taken only when nothing else is in the folder.
    """
    first = frames[0]
    told, source = _plane_in_words(first)
    if first.orientation is None:
        return ("short-axis" if told == "short-axis" else "unknown"), "no orientation"
    along = abs(float(first.normal @ BASE_TO_APEX)) / float(np.linalg.norm(BASE_TO_APEX))
    angle = float(np.degrees(np.arccos(min(1.0, along))))
    at = f"normal {angle:.0f} degrees from a typical heart's axis"
    lost = np.allclose(first.orientation, (1, 0, 0, 0, 1, 0), atol=1e-6)
    if told == "short-axis" and angle > UNLABELLED_DEG and not lost:
        return "unclear", f"{source} says {told}, but {at}"
    if told:
        return told, f"{source} says {told}, {at}"
    if angle <= SHORT_AXIS_DEG:
        return "short-axis", at
    if lost and places >= 3:
        return "unclear", "orientation is the identity, as in files whose geometry was lost"
    if angle <= UNLABELLED_DEG and places >= 5:
        return "unclear", f"{places} parallel slices, {at}"
    return "long-axis", at
