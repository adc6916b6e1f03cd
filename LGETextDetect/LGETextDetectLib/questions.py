"""The canonical wording of a question: what a prompt means, said in a small closed vocabulary to the text encoder.

However a prompt is worded, its meaning reaches the network as one affirmative and one negative sentence.
"""

from __future__ import annotations

from .finding import LAYERS, Meaning

_PLACES: tuple[tuple[str, frozenset[int]], ...] = tuple(
    (name, frozenset(numbers))
    for name, numbers in (
        ("the whole ventricle", range(1, 17)),
        ("lad territory", (1, 2, 7, 8, 13, 14, 17)),
        ("rca territory", (3, 4, 9, 10, 15)),
        ("lcx territory", (5, 6, 11, 12, 16)),
        ("basal segments", range(1, 7)),
        ("mid segments", range(7, 13)),
        ("apical segments", range(13, 17)),
        ("septal wall", (2, 3, 8, 9, 14)),
        ("lateral wall", (5, 6, 11, 12, 16)),
        ("anterior wall", (1, 7, 13)),
        ("inferior wall", (4, 10, 15)),
        ("anteroseptal wall", (2, 8)),
        ("inferoseptal wall", (3, 9)),
        ("inferolateral wall", (5, 11)),
        ("anterolateral wall", (6, 12)),
    )
)
_WALLS = ("anterior", "anteroseptal", "inferoseptal", "inferior", "inferolateral", "anterolateral")
_SEGMENTS: dict[int, str] = {
    **{1 + k: f"basal {wall}" for k, wall in enumerate(_WALLS)},
    **{7 + k: f"mid {wall}" for k, wall in enumerate(_WALLS)},
    **{13 + k: f"apical {wall}" for k, wall in enumerate(("anterior", "septal", "inferior", "lateral"))},
    17: "apex",
}
_DEPTH = {1: "any", 2: "quarter", 3: "half", 4: "full"}
PROMPT_VOCABULARY: tuple[str, ...] = tuple(
    sorted(
        set(
            "there is no late enhancement of at least depth with dark core in anywhere or ischaemic non-ischaemic".split()
        )
        | {word for name, _ in _PLACES for word in name.split()}
        | {word for name in _SEGMENTS.values() for word in name.split()}
        | set(LAYERS)
        | set(_DEPTH.values())
        | {","}
    )
)


def prompt_pair(meaning: Meaning) -> tuple[str, str]:
    """Affirmative and negative sentence of a meaning; its ``negated`` flag is left to the caller.

    >>> prompt_pair(Meaning(True, segments=(4, 10, 15), layers=("mid-wall",)))[1]
    'there is no mid-wall late enhancement in inferior wall'
    """
    words = [meaning.aetiology] if meaning.aetiology else []
    if meaning.layers:
        words.append(" or ".join(layer for layer in LAYERS if layer in meaning.layers))
    words.append("late enhancement")
    if meaning.min_transmurality:
        words.append(f"of at least {_DEPTH[meaning.min_transmurality]} depth")
    if meaning.no_reflow:
        words.append("with dark core")
    rest = " ".join([*words, "in", place_words(meaning.segments)])
    return f"there is {rest}", f"there is no {rest}"


def place_words(segments: tuple[int, ...]) -> str:
    """Segments in the fewest names: walls, territories and levels that fit wholly, then single segments."""
    left = set(segments)
    if not left:
        return "anywhere"
    names = []
    while left:
        name, covered = max(_PLACES, key=lambda place: len(place[1]) if place[1] <= left else 0)
        if not covered <= left:
            break
        names.append(name)
        left -= covered
    return " , ".join([*names, *(_SEGMENTS[number] for number in sorted(left))])
