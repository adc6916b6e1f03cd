"""Layers, places and extents in reading order to lesions; all lesions of a report to its finding."""

from __future__ import annotations

from ..finding import Finding, Lesion
from .levels import Place
from .reading import Draft, Item, Reading, place_of


def group_items(items: list[Item]) -> list[Draft]:
    """Layers, places and extents in reading order to lesions: 'layer place place', or 'place layer'."""
    items = _specific(items)
    points = [i.kind == "place" and place_of(i).kind == "rvip" for i in items]  # they name their layer themselves
    grouping = _Grouping([i.kind for i, point in zip(items, points, strict=True) if not point])
    for k, item in enumerate(items):
        if item.kind == "layer":
            grouping.add_layer(item)
        elif item.kind == "place":
            grouping.add_place(item, {i.kind for i in items[k + 1 :]})
        elif item.kind == "extent":
            grouping.add_extent(item)
        elif item.kind == "cut":
            grouping.close()
        grouping.words.append(item.words)
    grouping.close()
    places = [place_of(i) for i in items if i.kind == "place" and not i.minus]
    for draft in grouping.drafts:
        draft.vague = bool(places) and all(p.kind == "wall" and not p.levels for p in places)
        draft.walls = tuple(p.base for p in places if p.kind in ("wall", "territory") and p.base & draft.segments)
        draft.numbered = len(draft.segments) > 1 and all(p.kind == "numbers" for p in places)
        draft.depth_only = not any(i.kind in ("layer", "place") for i in items)
    return grouping.drafts


def drafts_of(items: list[Item], respectively: bool) -> list[Draft]:
    """The lesions that a clause affirms, without the segments that it denies."""
    affirmed = [i for i in items if i.positive]
    drafts = group_items(paired(affirmed) if respectively else affirmed)
    denied = {s for i in items if i.kind == "place" and not i.positive for s in place_of(i).segments}
    for draft in drafts:
        if draft.segments - denied:
            draft.segments -= denied
    return drafts


def paired(items: list[Item]) -> list[Item]:
    """'Mid-wall and subepicardial LGE in the septum and lateral wall respectively': the first layer, or depth, is the first place's."""
    places = [i for i in items if i.kind == "place" and not i.minus]
    if len(places) == 1 and place_of(places[0]).kind == "numbers":  # "segments 1, 7 and 13 with 25, 50 and 100 %"
        numbers = sorted(place_of(places[0]).segments)
        places = [Item("place", Place(frozenset({n}), kind="numbers"), True, places[0].words) for n in numbers]
    for kind, shared in (("extent", "layer"), ("layer", "extent")):
        said = [i for i in items if i.kind == kind]
        if len(said) == len(places) > 1:
            common = [i for i in items if i.kind == shared]
            cut = Item("cut", None, True, "")
            return [i for own, place in zip(said, places, strict=True) for i in (*common, own, place, cut)]
    return items


class _Grouping:
    """Layers, places and an extent gathered until something begins another lesion."""

    def __init__(self, kinds: list[str]) -> None:
        self.drafts: list[Draft] = []
        self.place_first = next((k for k in kinds if k in ("layer", "place", "extent")), "layer") == "place"
        self.extent_first = next((k for k in kinds if k in ("place", "extent")), "place") == "extent"
        self._begin([])

    def _begin(self, layers: list[str]) -> None:
        self.layers = layers
        self.places: list[Item] = []
        self.extent: int | None = None
        self.words: list[str] = []

    def close(self, keep: list[str] | None = None) -> None:
        """Ends the lesion; the next one begins with the layers to keep."""
        if self.layers or self.places or self.extent:
            self.drafts.extend(_drafts(self.layers, self.places, self.extent, self.words))
        self._begin(keep or [])

    def add_layer(self, item: Item) -> None:
        layer = item.value
        assert isinstance(layer, str)
        if layer in self.layers:
            return
        if self.layers and item.ranged and not self.places and layer == "transmural":
            self.layers = ["transmural"]  # "subendocardial to transmural"
            return
        linked = item.linked if self.layers else self.place_first
        if self.places and not linked:
            self.close()
        self.layers.append(layer)

    def add_place(self, item: Item, later: set[str]) -> None:
        if not self.places or item.minus:
            pass
        elif self.place_first and (self.layers or self.extent) and later & {"layer", "extent"}:
            self.close()
        elif self.extent and not (self.place_first or self.extent_first) and "extent" in later:
            self.close(keep=list(self.layers))
        self.places.append(item)

    def add_extent(self, item: Item) -> None:
        assert isinstance(item.value, int)
        if self.places and self.layers == ["transmural"] and item.value < 4:
            self.close()
        elif self.extent and self.places and self.extent_first:
            self.close(keep=[v for v in self.layers if v != "transmural"])
        self.extent = max(self.extent or 0, item.value)


def _specific(items: list[Item]) -> list[Item]:
    """Diffuse and patchy give way to a depth named with them; a territory, or a wall, to the places inside it."""
    items = _without_vague([i for i in items if i.kind in ("layer", "place", "extent", "plus", "cut")])
    result: list[Item] = []
    layers = [k for k, i in enumerate(items) if i.kind == "layer"]
    exact = any(i.kind == "place" and place_of(i).kind not in ("territory", "whole") and not i.minus for i in items)
    levelled = {place_of(i).base for i in items if i.kind == "place" and place_of(i).levels and not i.minus}
    for k, item in enumerate(items):
        if item.kind == "layer" and item.value in ("diffuse", "patchy"):
            nearby = [
                j
                for j in layers
                if j != k
                and items[j].value not in ("diffuse", *(("patchy",) if item.value == "patchy" else ()))
                and (not _places(items[min(j, k) : max(j, k)]) or _added(items, k, j))
                and not any(i.kind == "cut" for i in items[min(j, k) : max(j, k)])
            ]
            if nearby:
                if item.value == "diffuse" and (not any(i.kind == "place" for i in items) or _becomes(items[k + 1 :])):
                    result.append(Item("place", Place(frozenset(range(1, 17)), kind="whole"), True, item.words))
                continue
        territory = item.kind == "place" and place_of(item).kind == "territory"
        if territory and exact and not (item.linked or _adds(item, items[k + 1 : k + 2])):
            continue
        bare = item.kind == "place" and place_of(item).base and not (place_of(item).levels or item.minus)
        bare = bare and place_of(item).kind != "rvip"
        if bare and (place_of(item).base in levelled or (not item.linked and _exact_inside(items, k))):
            continue  # "anterior infarct with scar of the mid anterior segment"
        if item.kind == "place" and place_of(item).only_levels and not item.linked and _exact_inside(items, k):
            continue  # "apical scar involving the apical anterior and septal segments"
        result.append(item)
    result = [i for i in result if i.kind != "plus"]
    for k in range(len(result) - 1):
        here, after = result[k], result[k + 1]
        if (
            here.kind == "place"
            and place_of(here).kind == "whole"
            and after.kind == "layer"
            and not here.minus
            and any(i.kind == "layer" for i in result[:k])
        ):
            result[k], result[k + 1] = after, here
    return result


def _becomes(after: list[Item]) -> bool:
    """'Diffuse subendocardial LGE, becoming transmural in the septum': the place behind is that of another depth."""
    kinds = [i.kind for i in after if i.kind in ("layer", "place")]
    return kinds[:3] == ["layer", "layer", "place"] and not [i for i in after if i.kind == "layer"][1].linked


def _without_vague(items: list[Item]) -> list[Item]:
    """'Patchy LGE: mid anterior (subepicardial), basal septum (mid-wall)': every place has its depth, patchy is a summary."""
    kinds = [i.kind for i in items]
    vague = bool(items) and items[0].kind == "layer" and items[0].value in ("patchy", "diffuse")
    pairs = len(items) >= 5 and kinds[1:] == ["place", "layer"] * (len(items) // 2)
    return items[1:] if vague and pairs else items


def _adds(territory: Item, after: list[Item]) -> bool:
    """'LAD territory and apical lateral segment': what follows lies outside the territory and is joined to it."""
    return any(
        i.kind == "place" and place_of(i).joined and not place_of(i).segments <= place_of(territory).segments
        for i in after
    )


def _places(items: list[Item]) -> list[Item]:
    return [i for i in items if i.kind == "place" and place_of(i).kind != "whole"]


def _exact_inside(items: list[Item], wall: int) -> bool:
    """'Septal infarct, basal anteroseptum': all other places, none joined to the wall by 'and', lie in it and name a level."""
    others = [
        i
        for k, i in enumerate(items)
        if i.kind == "place" and k != wall and place_of(i).kind not in ("territory", "apex")
    ]
    return (place_of(items[wall]).kind in ("wall", "level") and bool(others)) and all(
        place_of(i).levels and place_of(i).segments < place_of(items[wall]).segments and not (i.linked or i.minus)
        for i in others
    )


def _added(items: list[Item], vague: int, layer: int) -> bool:
    """'Patchy LGE in the lateral wall, subepicardial': the depth comes last and has no place of its own."""
    own = items[layer + 1 :]
    return (
        vague < layer
        and not _places(own)
        and not any(i.kind in ("plus", "layer") for i in [*items[vague + 1 : layer], *own])
    )


def _drafts(layers: list[str], places: list[Item], extent: int | None, words: list[str]) -> list[Draft]:
    if layers == ["transmural"] and extent in (1, 2, 3):
        layers = ["subendocardial"]  # "transmural involvement of less than 50 %"
    if "near" in layers:
        layers = ["subendocardial" if v == "near" else v for v in layers]
        extent = extent or 3
    if len(layers) > 1 and "transmural" in layers and "subendocardial" in layers:
        layers = ["transmural"]
    points = [p for p in places if place_of(p).kind == "rvip" and not p.minus]
    rest = [p for p in places if place_of(p).kind != "rvip"]
    if (
        points
        and rest
        and not layers
        and all(place_of(p).segments <= {2, 3, 8, 9} and not p.minus for p in rest)
        and not any(place_of(p).levels for p in points)
    ):
        return [Draft(_segments_of(rest)[0], "insertion-point", words=list(words))]
    drafts: list[Draft] = []
    segments, territory = _segments_of(rest)
    if "diffuse" in layers and not rest and not points:
        segments = set(range(1, 17))
    if rest or not points:
        for layer in [v for v in layers if v != "insertion-point"] or [None]:  # type: ignore[list-item]
            drafts.append(_draft(set(segments), layer, extent, territory, words))
    if points:
        drafts.append(Draft(_segments_of(points)[0], "insertion-point", words=list(words)))
    return drafts


def _draft(segments: set[int], layer: str | None, extent: int | None, territory: bool, words: list[str]) -> Draft:
    if extent == 4 and layer in (None, "subendocardial"):
        layer = "transmural"
    elif extent and layer is None:
        layer = "subendocardial"
    score = 4 if layer == "transmural" else extent if layer == "subendocardial" else None
    return Draft(segments, layer, score, territory=territory, words=list(words))


def _segments_of(places: list[Item]) -> tuple[set[int], bool]:
    added: set[int] = set()
    territory = False
    whole = [p for p in places if place_of(p).kind == "whole" and not place_of(p).levels and not p.minus]
    others = [p for p in places if not p.minus and p not in whole]
    for item in others if any(place_of(p).kind != "apex" for p in others) else [*others, *whole]:
        added |= place_of(item).segments
        territory = territory or place_of(item).kind == "territory"
    for item in places:
        if item.minus and place_of(item).kind != "territory":
            added -= place_of(item).segments
    return added, territory


def finding_of(reading: Reading) -> Finding:
    guessed = reading.not_done and not reading.present  # without contrast, "old infarct" is said of the wall's motion
    drafts = _settled([d for d in reading.drafts if not (guessed and d.infarct and d.layer is None)])
    definite = any(not d.possible for d in drafts) or (
        (reading.present > 0 or (reading.infarct_named > 0 and not (reading.absent or guessed)))
        and not any(d.possible for d in drafts)
    )
    no_reflow = reading.no_reflow[-1] if reading.no_reflow else None
    if any(reading.no_reflow) and not (len(reading.no_reflow) > 1 and not reading.no_reflow[-1]):
        no_reflow = True
    if definite:
        lesions = _lesions(drafts) or (Lesion(),)
        return Finding("present", lesions, _aetiology(reading.votes, 1), no_reflow)
    if drafts or (reading.possible and not guessed):
        if reading.absent and not drafts and not reading.possible:
            return Finding("absent", no_reflow=no_reflow)
        return Finding("uncertain", _lesions(drafts), _aetiology(reading.votes, 2), no_reflow)
    if reading.absent or reading.partly_absent or reading.rest_absent:
        return Finding("absent", no_reflow=no_reflow)
    return Finding(no_reflow=no_reflow)


def _aetiology(votes: list[tuple[int, int, str]], lowest: int) -> str | None:
    for tier in range(3, lowest - 1, -1):
        sums = {"ischaemic": 0, "non-ischaemic": 0}
        for level, weight, value in votes:
            if level == tier:
                sums[value] += weight
        if any(sums.values()):
            if sums["ischaemic"] == sums["non-ischaemic"]:
                return None
            return max(sums, key=lambda k: sums[k])
    return None


def _settled(drafts: list[Draft]) -> list[Draft]:
    """Summaries folded into what they summarise, equal lesions joined."""
    kept: list[Draft] = []
    for draft in drafts:
        if not _folded(draft, kept, drafts):
            kept.append(draft)
    kept = [d for d in kept if not _restated(d, kept)]
    kept = [d for d in kept if not (_coarse(d, kept) or _summarised(d, kept))]
    kept = [d for d in kept if d.segments or d.layer or len(kept) == 1] or kept[:1]
    joined: list[Draft] = []
    for draft in kept:
        same = next(
            (
                d
                for d in joined
                if d.layer == draft.layer
                and d.possible == draft.possible
                and (None in (d.transmurality, draft.transmurality) or d.transmurality == draft.transmurality)
                and bool(d.segments) == bool(draft.segments)
            ),
            None,
        )
        if same:
            same.segments |= draft.segments
            same.transmurality = same.transmurality or draft.transmurality
        else:
            joined.append(draft)
    return joined


def _coarse(draft: Draft, every: list[Draft]) -> bool:
    """A lesion without layer that layered ones describe better ("large anterior infarct ... transmural: mid anterior, apex")."""
    if draft.layer is not None or draft.possible or not draft.segments:
        return False
    better = {s for d in every if d.layer for s in d.segments}
    return 2 * len(better & draft.segments) >= len(draft.segments) or (
        (draft.infarct or draft.territory) and bool(better & draft.segments)
    )


def _restated(draft: Draft, every: list[Draft]) -> bool:
    """'Transmural inferior infarct. Segments 3, 4, 9, 10: > 75 %': the numbers say again, and exactly, where it is."""
    return draft.vague and any(
        d.numbered
        and d.layer == draft.layer
        and d.possible == draft.possible
        and 0 <= d.sentence - draft.sentence <= 2
        and 2 * len(d.segments & draft.segments) >= len(draft.segments)
        for d in every
    )


def _summarised(draft: Draft, every: list[Draft]) -> bool:
    """A lesion without place whose layer a located one has ("Pattern: subendocardial. LGE: basal inferior, 26-50 %")."""
    return not draft.segments and any(
        d.segments and d.layer == draft.layer and d.possible == draft.possible for d in every
    )


def _folded(draft: Draft, kept: list[Draft], every: list[Draft]) -> bool:
    """Whether a draft only repeats (or completes) an earlier one."""
    located = [d for d in kept if d.segments]
    if not located:
        return False
    overlapping = [d for d in located if d.segments & draft.segments]
    if not draft.segments:
        for d in located:
            if d.layer is None and draft.layer:
                d.layer, d.transmurality = draft.layer, draft.transmurality
        return True
    if draft.conclusion and any(not d.conclusion for d in located):
        for d in overlapping:
            if d.layer is None and draft.layer and not d.conclusion:
                d.layer, d.transmurality = draft.layer, draft.transmurality
        return bool(overlapping) or draft.layer is None or draft.territory
    if draft.layer is None and overlapping and not draft.possible:
        return True
    if (
        overlapping
        and all(d.layer is None for d in overlapping)
        and draft.layer
        and draft.sentence != overlapping[-1].sentence
        and draft.segments <= overlapping[-1].segments
    ):
        overlapping[-1].segments = set(draft.segments)
        overlapping[-1].layer, overlapping[-1].transmurality = draft.layer, draft.transmurality
        return True
    if draft.possible and any(d.layer == draft.layer and draft.segments <= d.segments for d in located):
        return True
    return draft.territory and bool(overlapping) and draft.layer in {d.layer for d in overlapping}


def _lesions(drafts: list[Draft]) -> tuple[Lesion, ...]:
    return tuple(
        Lesion(tuple(d.segments), d.layer, d.transmurality, "possible" if d.possible else "definite") for d in drafts
    )
