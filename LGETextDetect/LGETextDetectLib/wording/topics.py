"""What the chunks of a report's clause are about: late enhancement of the LV, something else, or what was spoken of before."""

from __future__ import annotations

import re

from .marks import Mark
from .reading import STRONG, place_of

_MOTION = re.compile(r"thin|aneurysm|akine|dyskin|hypokin|calcif|mm$")
_OF_WALL = re.compile(r"hypertrophied|thinned|(?:a|hypo|dys)kinetic|o?edematous")
_PLACES_IT = re.compile(
    r"confined|limited|located|involving|affecting|involves|seen"
)  # "..., confined to the thinned wall"
_MATCHED = re.compile(r"correspond|match")  # "perfusion defect of the inferior wall, matching transmural scar"
_NULLED = re.compile(r"(?:\w+ )?(?:viable|null\w*)\b", re.I)


def topics_of(chunks: list[list[Mark]], topic: str | None, section: str, has: set[str]) -> list[str | None]:
    """What each chunk of a clause is about: 'lge', 'other' or None.

    ``topic``: what was spoken of before; ``has``: the kinds of all marks of the sentence.
    """
    topics: list[str | None] = []
    for chunk in chunks:
        own = _own_topic(chunk, section, has)
        topic = own or topic
        topics.append(topic)
    for k in range(len(chunks) - 2, -1, -1):
        kinds = {m.kind for m in chunks[k]}
        nxt = {m.kind for m in chunks[k + 1]}
        own = _own_topic(chunks[k], section, has)
        if (
            (own is None or _tells_where(chunks[k], chunks[k + 1]))
            and topics[k] != "lge"
            and topics[k + 1] == "lge"
            and (
                kinds & {"layer"}
                or ("place" in kinds and "place" not in nxt)
                or (kinds & {"place"} and "neg" in nxt | kinds)
            )
        ):
            topics[k] = "lge"
    return topics


def _own_topic(chunk: list[Mark], section: str, has: set[str]) -> str | None:
    """What a chunk is about by its own words."""
    kinds = {m.kind for m in chunk}
    values = {m.value for m in chunk if m.kind == "term"}
    other = kinds & {"topic", "organ", "noreflow"}
    numbered = any(m.kind == "place" and place_of(m).kind == "numbers" for m in chunk)
    if "layer" in kinds and all(m.words.lower() == "thin" for m in chunk if m.kind == "topic"):
        other = other - {"topic"}  # "a thin subepicardial line"
    confined = bool(chunk) and chunk[0].kind == "assert" and bool(_PLACES_IT.fullmatch(chunk[0].words.lower()))
    if (section == "lge" or confined) and _only_describes_walls(chunk):
        other = other - {"topic"}
    elsewhere = bool(other) or section == "other"
    if numbered and kinds & {"layer", "extent"} and not (elsewhere or "notthick" in kinds):
        return "lge"  # "Transmural: 7, 8, 13", "Segment 4: > 75 %"
    if {"place", "extent"} <= kinds and "thick" in has and not elsewhere:
        return "lge"  # "mid inferior 75 % (transmurality of LGE)"
    if section == "lge" and "lv" in kinds and not other:
        return "lge"  # "LGE: RV none, LV none"
    spared = any(m.kind == "lv" and "myocard" in m.words.lower() for m in chunk) and bool(kinds & {"negpost", "spare"})
    if spared and {"organ", "term"} <= has and not other:
        return "lge"  # "LGE of the papillary muscles only; the myocardium itself is normal"
    if kinds == {"topic"} and all(m.words.lower() in ("mm", "ml") for m in chunk):
        return None  # a size: "LGE, 8 mm, mid anteroseptum"
    if values & STRONG:
        return "lge"
    if not elsewhere and any(m.kind == "negpost" and (_NULLED.match(m.words) or "viab" in kinds) for m in chunk):
        return "lge"  # "all segments are viable", "the myocardium nulls"
    if "scarfree" in kinds or any(m.kind == "notthick" and re.search("scar|lge|infarct", m.words) for m in chunk):
        return "lge"
    lit = "bright" in values and section != "other"
    if lit and not kinds & {"topic"} and (kinds & {"place", "layer"}) and "topic" not in has:
        return "lge"
    if values & {"pattern"} and "layer" in kinds and not other:
        return "lge"
    if "tokens" in has and not other and ("bright" in values or (values & {"pattern"} and kinds & {"place", "neg"})):
        return "lge"  # "the late images show no bright areas"
    if values & {"event"} and "tokens" in has and not other:
        return "lge"  # "no evidence of prior MI on the late images"
    if values & {"event"} and "layer" in has and not other - {"noreflow"}:
        return "lge"
    if values & {"event"} and section == "conclusion" and not other:
        return "lge"
    if other == {"noreflow"} and "layer" in kinds:
        return None
    return "other" if other else None


def _only_describes_walls(chunk: list[Mark]) -> bool:
    """'LGE: ... in the hypertrophied mid anteroseptal segment': whether all other findings are adjectives of a wall."""
    return all(
        _OF_WALL.fullmatch(m.words.lower()) and following.kind == "place" and following.start == m.end
        for m, following in zip(chunk, [*chunk[1:], chunk[0]], strict=True)
        if m.kind == "topic"
    )


def _tells_where(chunk: list[Mark], following: list[Mark]) -> bool:
    """'Thinned apical aneurysm, transmural scar': the wall that moves badly is where the scar without a place is."""
    topics = [m for m in chunk if m.kind == "topic"]
    matched = bool(following) and bool(_MATCHED.match(following[0].words.lower()))
    return (
        (matched or all(_MOTION.match(m.words.lower()) for m in topics))
        and not {m.kind for m in chunk} & {"organ", "noreflow", "neg", "negpost"}
        and any(m.kind == "layer" or (m.kind == "term" and m.value in STRONG) for m in following)
        and not any(m.kind == "neg" for m in following)
    )
