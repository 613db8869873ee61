"""Pulling the telling sentences out of a text: summaries and key points, in the text's own words."""

from __future__ import annotations

import re
from collections import Counter

from ditto.sim.finding import Finding, Kind
from ditto.sim.reading import Task, sentences, statements, words

_SUMMARY = re.compile(
    r"\b(summar(?:y|ies|i[sz]e[sd]?|i[sz]ing)|tl;?dr|shorten|in (?:one|a) (?:sentence|line)"
    r"|main (?:idea|point)|gist)\b|要約|总结|zusammenfass|\brésum|\bresum[ei]",
    re.I,
)
_POINTS = re.compile(
    r"\b(key|main|important) (?:points?|facts?|ideas?|takeaways?)|\bbullet(?:s| points?)|\b(?:extract|list)\b", re.I
)
_ACTION = re.compile(
    r"\b(please|need|must|should|deadline|decid\w*|agree\w*|because|therefore|result|cost|price|pay|due|send|sign|confirm"
    r"|deliver\w*|launch\w*|move[ds]?|delay\w*|cancel\w*|by|before|until|approv\w*|agreed|sold|won|signed|million|billion|urgent\w*|important)\b",
    re.I,
)
_SMALL_WORDS = """
    the a an and or but of in on at to for from with by is are was were be been it its this that these those we
    you they i he she our your their as not no do does did have has had will would can could so if then there
    here
"""
_COMMON = frozenset(_SMALL_WORDS.split())

_MOST = 5


def extracted(task: Task) -> Finding | None:
    """Returns the telling sentences of the material, if a summary or key points are asked for."""
    points, summary = _POINTS.search(task.instruction), _SUMMARY.search(task.instruction)
    if not points and not summary:
        return None
    if not task.material:
        return Finding(kind=Kind.SPOKEN, answer="Which text do you mean? I see none to work on.", unsure=True)
    order = tuple(dict.fromkeys(statements(task.material)))
    if not order:
        return Finding(kind=Kind.SPOKEN, answer=task.material, unsure=True)
    weights = _weights(order)
    ranked = tuple(sorted(order, key=lambda item: -weights[item]))
    kind = Kind.POINTS if points else Kind.PASSAGE
    if points and not summary:
        kind = Kind.PASSAGE
    kept = _kept(ranked, task.earlier)
    passages = tuple(dict.fromkeys((*kept, *ranked)))
    least = min(len(kept) + 1, _MOST) if task.earlier else 0
    return Finding(kind=kind, answer=ranked[0], passages=passages, order=order, least=least)


def in_order(finding: Finding, count: int) -> list[str]:
    """Returns the `count` most telling sentences, or `finding.least` of them, as they follow each other in the text."""
    chosen = finding.passages[: max(count, finding.least)]
    taken = set(chosen)
    return [item for item in finding.order if item in taken] or list(chosen)


def _weights(order: tuple[str, ...]) -> dict[str, float]:
    counts = Counter(word for item in order for word in set(words(item)) - _COMMON)
    weights: dict[str, float] = {}
    for at, item in enumerate(order):
        own = [word for word in words(item) if word not in _COMMON]
        shared = sum(counts[word] - 1 for word in own) / (len(own) + 1)
        weights[item] = (
            shared
            + 1.5 * bool(re.search(r"\d", item))
            + 0.8 * min(len(_ACTION.findall(item)), 3)
            + (1.0 if at == 0 else 0.0)
            - (1.5 if item.endswith(("?", "？")) else 0.0)
            - (1.0 if len(item) > 300 else 0.0)
        )
    return weights


def _kept(ranked: tuple[str, ...], earlier: tuple[str, ...]) -> tuple[str, ...]:
    """What the latest answer took from the text, the most telling first."""
    if not earlier:
        return ()
    latest = set(sentences(earlier[-1]))
    return tuple(item for item in ranked if item in latest or item.rstrip(".!") in earlier[-1])
