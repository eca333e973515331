"""`samantha eval fairness`: whether it matters of whom the same thing is said.

The same sentences are said of different people (`fairness_sentences`). Between two of them
the change is the mean absolute difference of the seven groups' calibrated probabilities.
Any word changes a network's output a little, so changes are compared with a floor: that of
swapping a name for another one of the same gender and origin.

Keys of the document (`--json`):
    floor: names of the same gender and origin
    swaps.<kind>: "names, gender", "names, origin", "gender", "ethnicity", "religion", "age",
        "disability", "nationality"
        each of these: mean_change, changed_labels (share of swaps after which another group
            is the most probable), n_swaps, ratio_to_floor
    terms: worst first: {term, kind, mean_change (swapped for the others of its set),
        mean_change_unmarked (against the same without the term; null for gender, where
        there is no such), group, shift (the group that it moves most, and how far)}
    mean_change: over all kinds; ratio_to_floor
    bars: {ratio_to_floor, term}
    n_templates, n_sentences, model, device, version
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from samantha_desktop import __version__
from samantha_desktop.core.emotions import GROUPS
from samantha_desktop.core.ports import EmotionClassifier
from samantha_desktop.engines.emotion.model_folder import EmotionModelConfig
from samantha_desktop.evaluation.fairness_sentences import (
    NAMES,
    TEMPLATES,
    TERM_SETS,
    UNMARKED,
    sentence,
)

BARS = {"ratio_to_floor": 1.5, "term": 0.02}

ByPerson = dict[str, NDArray[np.float32]]
"""Of each person: (n_templates, n_groups)."""

_Pairs = list[tuple[str, str]]


def run(
    classifier: EmotionClassifier,
    config: EmotionModelConfig,
    *,
    templates: Sequence[str] = TEMPLATES,
    on_done: Callable[[int, int], None] = lambda _done, _all: None,
) -> dict[str, Any]:
    """Measure.

    Args:
        classifier: loaded.
        config: of its model: calibration.
        templates: with `{x}` for the person.
        on_done: told how many people are done, of how many.
    """
    read = _read(classifier, config, templates, on_done)
    floor = _swaps(read, list(_same_names()), None)
    base = floor["mean_change"]
    swaps = {
        "names, gender": _swaps(read, list(_names_across(0)), base),
        "names, origin": _swaps(read, list(_names_across(1)), base),
    }
    for kind, sets in TERM_SETS.items():
        pairs = [(a, b) for terms in sets for (_, a), (_, b) in combinations(terms, 2)]
        swaps[kind] = _swaps(read, pairs, base)
    mean_change = round(float(np.mean([figures["mean_change"] for figures in swaps.values()])), 4)
    info = classifier.info()
    return {
        "floor": floor,
        "swaps": swaps,
        "terms": sorted(_terms(read), key=lambda term: -float(term["mean_change"])),
        "mean_change": mean_change,
        "ratio_to_floor": _ratio(mean_change, base),
        "bars": BARS,
        "n_templates": len(templates),
        "n_sentences": len(templates) * len(read),
        "model": info.model,
        "device": info.device,
        "version": __version__,
    }


def as_table(document: dict[str, Any]) -> str:
    """The document's figures for people, in plain text."""
    bar = document["bars"]["ratio_to_floor"]
    lines = [
        f"{document['model']} on {document['device']}: {document['n_sentences']} sentences",
        f"{'swapped':<24}{'mean change':>12}{'to floor':>10}{'other label':>13}",
        _row("names of the same kind", document["floor"]),
        *(_row(kind, figures) for kind, figures in document["swaps"].items()),
        "",
    ]
    worst = [kind for kind, f in document["swaps"].items() if (f["ratio_to_floor"] or 0) > bar]
    lines.append(
        f"More than {bar:g} times the floor: {', '.join(worst)}."
        if worst
        else f"No kind changes more than {bar:g} times the floor."
    )
    cap = document["bars"]["term"]
    over = [term for term in document["terms"] if term["mean_change"] > cap]
    lines.append(
        f"Terms that change more than {cap:g}: "
        + ", ".join(f"{term['term']} {term['mean_change']:.3f}" for term in over)
        + "."
        if over
        else f"No term changes more than {cap:g}; most: "
        + ", ".join(f"{t['term']} {t['mean_change']:.3f}" for t in document["terms"][:3])
        + "."
    )
    return "\n".join(lines)


def _row(kind: str, figures: dict[str, Any]) -> str:
    ratio = figures["ratio_to_floor"]
    shown = "" if ratio is None else f"{ratio:.2f}x"
    return f"{kind:<24}{figures['mean_change']:>12.4f}{shown:>10}{figures['changed_labels']:>13.1%}"


def _read(
    classifier: EmotionClassifier,
    config: EmotionModelConfig,
    templates: Sequence[str],
    on_done: Callable[[int, int], None],
) -> ByPerson:
    people = [name for names in NAMES.values() for name in names]
    people += [phrase for sets in TERM_SETS.values() for terms in sets for _, phrase in terms]
    people.append(UNMARKED)
    read: ByPerson = {}
    for person in people:
        rows = classifier.classify([sentence(template, person) for template in templates])
        read[person] = config.groups["dialogue"].probabilities(rows)
        on_done(len(read), len(people))
    return read


def _same_names() -> Iterator[tuple[str, str]]:
    for names in NAMES.values():
        yield from combinations(names, 2)


def _names_across(position: int) -> Iterator[tuple[str, str]]:
    """Pairs of names whose groups differ in that position of their key, and in no other."""
    for (key, names), (other_key, others) in combinations(NAMES.items(), 2):
        if key[position] != other_key[position] and key[1 - position] == other_key[1 - position]:
            yield from ((name, other) for name in names for other in others)


def _swaps(read: ByPerson, pairs: _Pairs, floor: float | None) -> dict[str, Any]:
    first = np.concatenate([read[a] for a, _ in pairs])
    second = np.concatenate([read[b] for _, b in pairs])
    mean_change = round(float(np.abs(first - second).mean()), 4)
    return {
        "mean_change": mean_change,
        "changed_labels": round(float((first.argmax(1) != second.argmax(1)).mean()), 4),
        "n_swaps": len(first),
        "ratio_to_floor": None if floor is None else _ratio(mean_change, floor),
    }


def _terms(read: ByPerson) -> Iterator[dict[str, Any]]:
    for kind, sets in TERM_SETS.items():
        for terms in sets:
            for term, phrase in terms:
                others = np.stack([read[other] for _, other in terms if other != phrase])
                shifts = (read[phrase] - others.mean(axis=0)).mean(axis=0)
                most = int(np.abs(shifts).argmax())
                unmarked = float(np.abs(read[phrase] - read[UNMARKED]).mean())
                yield {
                    "term": term,
                    "kind": kind,
                    "mean_change": round(float(np.abs(read[phrase] - others).mean()), 4),
                    "mean_change_unmarked": None if kind == "gender" else round(unmarked, 4),
                    "group": GROUPS[most],
                    "shift": round(float(shifts[most]), 4),
                }


def _ratio(mean_change: float, floor: float) -> float | None:
    return round(mean_change / floor, 3) if floor else None
