"""What a report leaves to signs and short forms, spelt out before it is read: tick boxes, '-' behind a wall, 'does not'."""

from __future__ import annotations

import re

_TICKED = re.compile(r"[☒☑✓✔]|\[[xX]\]")
_UNTICKED = re.compile(r"(?:[☐□❏]|\[ ?\])[^☐□❏☒☑✓✔\[\]\n;]{1,60}")
_FIRST_POINT = re.compile(r"(?:^|\s)1\)\s")  # "1) EF 45 2) no scar"
_NEXT_POINT = re.compile(r"(?<=[^\s.])\s[2-9]\)\s(?=[=A-Za-z])")
_WALL = r"(?:antero|infero|postero)?(?:septum|septal|lateral|anterior|inferior|posterior)|apex|apical|basal|mid|wall|lad|rca|lcx"
_REWORDED = tuple(
    (re.compile(pattern, re.I), said)
    for pattern, said in (
        # "basal septum +, apex -"
        (rf"\b({_WALL})\s[-−–](?=\s?(?:[,;.\n]|$))", r"\1 negative"),
        (rf"\b({_WALL})\s\+(?=\s?(?:[,;.\n]|$))", r"\1 positive"),
        # "the septum enhances, the lateral wall does not"
        (
            r"(\b(?:enhances?|enhancing|hyperenhances?)\b[^.\n]{0,120}?)\b(?:does|do|did)(?:\snot|n't)(?=\s?(?:[,;.\n]|$))",
            r"\1does not enhance",
        ),
        # "scar - no viability": the sign is a comma
        (r"(?<=\w)\s[-−–]\s(?=(?:no|not|without|non)\b)", ", "),
        (r"\beverywhere(?=,?\s(?:apart|except|save|bar)\b)", "in all walls"),
        # "none of the 17 segments shows LGE", "0/17 segments"
        (
            r"\b(?:none|0|zero)\s?(?:/|of|out\sof)\s?(?:the\s)?(?:1[67]\s)?(?:(?:myocardial|lv|aha)\s)?segments?\b",
            "no ",
        ),
        # "no scar could be found" is no doubt
        (r"\b(?:could|can)\sbe\s(?=(?:found|seen|identified|detected|demonstrated|discerned|appreciated)\b)", "was "),
        # "at the junctions, both anteriorly and inferiorly"
        (r"\bboth\s(?=(?:anterior|inferior|superior)(?:ly)?\sand\s)", ""),
        # "focal fibrosis: 0 segments"
        (r"(?<=[:=\s])0\s(?=(?:of\s\d\d\s)?(?:segments?|foci|lesions?|areas?)\b)", "none "),
    )
)


def filled_in(text: str) -> str:
    """The text of a form with the ticked options alone, its signs and elliptic verbs as words."""
    if _TICKED.search(text):
        text = _TICKED.sub(" ", _UNTICKED.sub(" ", text))
    if _FIRST_POINT.search(text):
        text = _NEXT_POINT.sub(". ", text)
    for pattern, said in _REWORDED:
        text = pattern.sub(said, text)
    return text
