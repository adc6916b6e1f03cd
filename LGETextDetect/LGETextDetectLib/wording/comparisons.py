"""What a report says of an earlier examination in passing: '..., not seen on the prior study' is said of something new,
and of '25 % vs 50 %' only the first was measured today."""

from __future__ import annotations

import re

_REST = r"(?:(?!\b(?:and|but|with|while|now|und|aber|mit|et|mais|avec|y|pero|con)\b)[^,;.()\n]){0,60}"  # of that clause
_BEGINS = r"(?:[,;(]\s?|\s[-–—]\s|\s(?=(?:which|that)\b))"  # a clause that hangs on what was said
_SEEN = (
    r"(?:seen|present|visible|visuali[sz]ed|described|noted|evident|there|demonstrated|reported|mentioned|apparent|appreciated|identified|documented|found|"
    r"detected|detectable)"
)
_EARLIER = r"(?:previous|prior|earlier|last|preceding|old|older|former|comparison|baseline|initial|first)"
_NOT_THEN = (
    # ", not seen previously", "which was absent on the prior study of 2019"
    rf"(?:(?:which|that|this)\s)?(?:(?:was|were|is|are|has been|had been)\s?)?(?:(?:not|n't|never)\s(?:previously\s)?{_SEEN}|absent)\s"
    rf"(?:before|previously|earlier|(?:on|in|at|during|by)\s(?:(?:the|a|an|his|her|any)\s)?(?:\w+\s)?{_EARLIER}\b)",
    rf"(?:which|that)\s(?:was|were)\snot\spreviously\s{_SEEN}",
    r"(?:die\s|das\s|der\s)?(?:in|auf|bei)\s(?:der|den|einer)\s(?:letzten\s)?(?:Vor(?:untersuchung|aufnahme|bildern)\w*)\s(?:noch\s)?nicht",
    r"(?:noch\s)?nicht\s\w+\s(?:in|auf|bei)\s(?:der|den)\s(?:letzten\s)?(?:Vor(?:untersuchung|aufnahme|bildern)\w*)",
    r"(?:qui\s)?(?:n'etait\spas|non|absente?s?)\s?(?:visibles?|presente?s?|vue?s?|decrite?s?)?\s(?:sur|a|lors de)\s(?:l'|la\s|le\s)?\w+\s(?:precedente?|anterieure?)",
    r"(?:que\s)?(?:no\s(?:era\s|estaba\s)?(?:visibles?|presentes?|descrit[oa]s?|vist[oa]s?)|ausentes?)\sen\s(?:el|la)\s\w+\s(?:previ[oa]|anterior)",
)
_HANGING = re.compile(rf"{_BEGINS}(?:{'|'.join(_NOT_THEN)}){_REST}\)?", re.I)
_AMOUNT = r"(?<![\d.,])(?:[<>~]\s?)?\d{1,3}(?:[.,]\d{1,2})?(?:\s?[-–]\s?\d{1,3})?\s?(?:%|g\b|ml\b|percent\b)"
_SHARED_BY = r"(?:\sof\s(?:the\s)?(?:LV|wall)(?:\s(?:mass|myocardium|volume|thickness))?)?"
_THEN = r"(?:\bvs\.?|\bversus|\bcompared\s(?:to|with)|\b(?:it\s)?(?:was|were)|\bpreviously|\bformerly|\bbefore|\bprior|\bthen)"
_NOW_AND_THEN = re.compile(
    rf"({_AMOUNT}{_SHARED_BY})\s?(?:\(\s?|,\s?)?{_THEN}:?\s(?:(?:a|the|an|previously|previous|prior|earlier)\s)?{_AMOUNT}(?:\s(?:previously|before|earlier|then))?",
    re.I,
)
_CHANGED = re.compile(
    rf"\b((?:fallen|fell|dropped|decreased|declined|regressed|shrunk|reduced|increased|risen|rose|grown|progressed|gone)\s(?:\w{{1,15}}\s){{0,3}}?)from\s(?:\d{{1,3}}|{_AMOUNT})\s(?=to\s)",
    re.I,
)
_WAS_THEN = re.compile(
    rf"\b(?:was|were)\s{_AMOUNT}{_SHARED_BY}\s(?:in\s(?:19|20)\d\d|(?:on|at|in)\s(?:the\s)?{_EARLIER}\s\w{{2,12}}),?\s(?:and|but)\s(?:is\s|it\sis\s)?now\b",
    re.I,
)
_GONE = re.compile(
    rf"\b(?:was|were)\s{_SEEN}\s(?:\w{{1,9}}ly\s|before\s)?(?:but|and)\s(?:has|have|is|are)\s(?:now\s)?(?=(?:completely\s|fully\s)?(?:resolved|gone|disappeared|no\slonger)\b)",
    re.I,
)
_AGAINST_THEN = re.compile(
    rf"\b(?:vs\.?|versus)\s(?=(?:the\s|that\s)?(?:{_EARLIER}|previously|before|then|(?:19|20)\d\d)\b)", re.I
)
_MONTH = r"(?:jan|ene|fe[bv]|mar|apr|avr|abr|ma[iy]|jun|juin|jul|juil|aug|ao?ut|ago|sep|o[ck]t|nov|de[cz])[a-z]{0,7}\.?"
_YEAR = r"(?:19|20)\d\d\b"
_DATE = re.compile(
    rf"(?:\b(?:on|of|dated|from|vom|am|du|del|le)\s)?\b(?P<day>\d{{1,2}}[./-]\d{{1,2}}[./-]{_YEAR}|{_YEAR}[./-]\d\d[./-]\d\d\b"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?\.?\s(?:de\s|of\s)?{_MONTH},?\s(?:de\s)?{_YEAR}|{_MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?,?\s{_YEAR})",
    re.I,
)
_COMPARES = re.compile(  # or tells of an event on that day
    r"\b(?:now|today|current(?:ly)?|compar\w+|unchanged|since|earlier|last|follow-?up|no\slonger|resolv\w+|seit|vor(?:untersuchung|befund|aufnahme)\w*|heute|aktuell\w*|"
    r"aujourd\w*|actuel\w*|actual\w*|hoy|(?:previous|prior)\s(?!(?:\w+\s)?(?:infarct|mi\b|myoc|scar))|n?stemi|pci|cabg|stent\w*|surgery|bypass|ct|echo\w*|tte|biopsy|ablation)\b",
    re.I,
)


def said_of_today(text: str) -> str:
    """The text without the amounts of an earlier time, and with clauses on what was not there then put as 'new'."""
    if len({found["day"] for found in _DATE.finditer(text)}) == 1 and not _COMPARES.search(text):
        text = _DATE.sub(" ", text)  # the day of this examination
    text = _NOW_AND_THEN.sub(r"\1", _CHANGED.sub(r"\1", _WAS_THEN.sub("is now", text)))
    return _HANGING.sub(", new", _AGAINST_THEN.sub("compared with ", _GONE.sub("has ", text)))
