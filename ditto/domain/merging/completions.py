"""Whether an answer wins in every completion of a vote: whatever the replies that are still missing say.

A missing reply may join any group, open a new one together with others or alone, or be no vote at all. As long as all
skills are equal the heaviest group wins; one more member never makes a group lighter, and adds at most its own weight:
a lead that all missing replies together cannot make up is enough. With unequal skills a reply with a third answer, or
even with the same, can dethrone the leader: there each completion is tried, while the missing replies are few.

Of a structure each field is a vote of its own, in which the replies that give exactly the result stand together and all
others may stand anywhere: if those win wherever the others stand, every field has the result's value in the end. In
which order a list's objects or texts come is no vote: lists of several are left out, but where more than half of all
weight gives exactly the result: then theirs is the order.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence

from ditto.domain.confidence.prior import EXACT, Comparison
from ditto.domain.merging import voting
from ditto.domain.merging.voting import Electorate
from ditto.domain.spec import JSON

MOST_TRIED = 4
"""With more missing replies than that the completions are not counted through: 2,700 of four among five groups."""

_Keys = Mapping[int, Hashable]


def wins(leader: Hashable, keys: _Keys, missing: Sequence[int], voters: Electorate, how: Comparison = EXACT) -> bool:
    """Tells whether this answer wins alone in every completion.

    Args:
        leader: The key of the answer.
        keys: The key of each reply that votes, by its position in the panel.
        missing: The positions of the replies that may still come.
        voters: The whole panel, the missing replies included.
        how: The answers compare.
    """
    open_seats = [at for at in missing if voters.weights[at] > 0]
    counted = [at for at in (*keys, *open_seats) if voters.weights[at] > 0]
    if len({voters.skills[at] for at in counted}) == 1:
        return _lead(leader, keys, voters, how) > math.fsum(voters.weights[at] for at in open_seats)
    if len(open_seats) > MOST_TRIED:
        return False
    return all(voting.sole_winner(each, voters, how) == leader for each in _completions(keys, open_seats))


def wins_every_field(result: JSON, agreeing: Sequence[int], others: Sequence[int], voters: Electorate) -> bool:
    """Tells whether every field keeps its value in every completion.

    Args:
        result: The structure.
        agreeing: The positions of the replies that give exactly it.
        others: The positions of all other replies that vote or may still come.
        voters: The whole panel, the missing replies included.
    """
    if not agreeing or (_has_order(result) and not are_most(agreeing, others, voters)):
        return False
    return wins(True, dict.fromkeys(agreeing, True), others, voters)


def _lead(leader: Hashable, keys: _Keys, voters: Electorate, how: Comparison) -> float:
    weights = {group.key: group.weight for group in voting.ranked(keys, voters, how)}
    return weights.pop(leader, 0.0) - max(weights.values(), default=0.0)


def _completions(keys: _Keys, missing: Sequence[int]) -> Iterator[_Keys]:
    """Yields every completion; those in which the missing replies stand together against the leader come first."""
    present = sorted(set(keys.values()), key=str)

    def completed(done: dict[int, Hashable], left: Sequence[int], fresh: int) -> Iterator[_Keys]:
        if not left:
            yield done
            return
        at, rest = left[0], left[1:]
        for key in present:
            yield from completed({**done, at: key}, rest, fresh)
        for number in range(fresh + 1):
            yield from completed({**done, at: ("new", number)}, rest, max(fresh, number + 1))
        yield from completed(done, rest, fresh)

    yield from completed(dict(keys), missing, 0)


def are_most(agreeing: Sequence[int], others: Sequence[int], voters: Electorate) -> bool:
    """Tells whether these are more than half of all that may vote; relatives, who count less together, never are."""
    models = [voters.models[at] for at in (*agreeing, *others)]
    if voters.families or len(set(models)) < len(models):
        return False
    return math.fsum(voters.weights[at] for at in agreeing) > math.fsum(voters.weights[at] for at in others)


def _has_order(value: JSON) -> bool:
    """Tells whether a list in it holds several parts whose order may be found by alignment."""
    if isinstance(value, dict):
        return any(_has_order(part) for part in value.values())
    if not isinstance(value, list):
        return False
    aligned = any(isinstance(part, dict | list | str) for part in value)
    return (aligned and len(value) > 1) or any(_has_order(part) for part in value)
