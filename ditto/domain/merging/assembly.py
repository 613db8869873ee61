"""One value put together field by field from many: every field is a vote of its own.

Objects and lists are walked together. Whether a field or an element is there at all is voted on first, then what it
says. A list of plain values is one field if most agree on it as a whole, else its elements are voted on one by one.
Where objects disagree on what they are about (`type`, `name`, …), nested parts are taken only from those that agree
with the winner: arguments of one function are no votes on those of another.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from ditto.domain.merging import alignment, values, voting
from ditto.domain.merging.voting import Electorate
from ditto.domain.spec import JSON

ABSENT: Hashable = ("absent",)
"""The key of a reply that has no such field."""

_TELLING = ("type", "kind", "function", "action", "method", "name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of the result, and what each reply has there.

    Attributes:
        key: Of the value in the result.
        keys: By position in the panel; replies without the field are not in it.
        shown: A value by its key.
    """

    key: Hashable
    keys: Mapping[int, Hashable]
    shown: Mapping[Hashable, JSON]


@dataclass(slots=True)
class _Walk:
    voters: Electorate
    fields: dict[str, Field] = field(default_factory=dict)


def assembled(given: Mapping[int, JSON], voters: Electorate) -> tuple[JSON, dict[str, Field]]:
    """Returns the value put together, and its fields by JSON pointer (RFC 6901).

    Args:
        given: The replies' values by position in the panel; at least one with a weight above 0.
        voters: The whole panel.
    """
    walk = _Walk(voters)
    return _node(walk, "", given), walk.fields


def _node(walk: _Walk, pointer: str, given: Mapping[int, JSON]) -> JSON:
    shapes = voting.ranked({voter: _shape(value) for voter, value in given.items()}, walk.voters)
    shape = shapes[0].key
    same = {voter: given[voter] for voter in shapes[0].members}
    if shape == "object" and any(same.values()):
        return _object(walk, pointer, same)
    if shape == "list" and any(same.values()):
        return _list(walk, pointer, same, given)
    return _leaf(walk, pointer, given, {voter: values.key(value) for voter, value in same.items()})


def _object(walk: _Walk, pointer: str, given: Mapping[int, JSON]) -> JSON:
    names = list(dict.fromkeys(name for voter in sorted(given) for name in given[voter]))
    names.sort(key=lambda name: _TELLING.index(name) if name in _TELLING else len(_TELLING))
    parts: dict[str, JSON] = {}
    agreeing = set(given)
    for name in names:
        having = {voter: value[name] for voter, value in given.items() if name in value}
        if not _present(having, given, walk.voters):
            continue
        nested = any(isinstance(value, dict | list) for value in having.values())
        votes = {voter: value for voter, value in having.items() if voter in agreeing} if nested else having
        parts[name] = _node(walk, f"{pointer}/{_escaped(name)}", votes or having)
        if name in _TELLING and not nested:
            winner = values.key(parts[name])
            agreeing &= {voter for voter, value in having.items() if values.key(value) == winner}
    ordered = dict.fromkeys(name for voter in sorted(given) for name in given[voter])
    return {name: parts[name] for name in ordered if name in parts}


def _list(walk: _Walk, pointer: str, given: Mapping[int, JSON], everyone: Mapping[int, JSON]) -> JSON:
    plain = not any(isinstance(element, dict | list) for value in given.values() for element in value)
    whole = voting.ranked({voter: values.key(value) for voter, value in given.items()}, walk.voters)
    if plain and (2 * whole[0].weight > math.fsum(group.weight for group in whole) or not _is_text(given)):
        keys = {voter: values.key(value) for voter, value in given.items()}
        return _leaf(walk, pointer, everyone, keys)
    kept = [place for place in alignment.aligned(given, walk.voters.weights) if _present(place, given, walk.voters)]
    if not kept:
        return _leaf(walk, pointer, everyone, {voter: values.key(value) for voter, value in given.items()})
    return [_node(walk, f"{pointer}/{number}", place) for number, place in enumerate(kept)]


def _leaf(walk: _Walk, pointer: str, given: Mapping[int, JSON], eligible: Mapping[int, Hashable]) -> JSON:
    winner = voting.ranked(eligible, walk.voters)[0]
    keys = {voter: values.key(value) for voter, value in given.items()}
    forms: dict[Hashable, list[JSON]] = {}
    for voter in sorted(given):
        forms.setdefault(keys[voter], []).append(given[voter])
    shown = {key: _usual(alike) for key, alike in forms.items()}
    walk.fields[pointer] = Field(key=winner.key, keys=keys, shown=shown)
    return shown[winner.key]


def _present(having: Mapping[int, JSON], all_of: Mapping[int, JSON], voters: Electorate) -> bool:
    return bool(voting.ranked({voter: voter in having for voter in all_of}, voters)[0].key)


def _usual(forms: Sequence[JSON]) -> JSON:
    """Returns the way of writing that most use, the earliest of those."""
    written = [repr(form) for form in forms]
    counts = Counter(written)
    return forms[written.index(max(counts, key=lambda form: counts[form]))]


def _shape(value: JSON) -> str:
    if isinstance(value, dict):
        return "object"
    return "list" if isinstance(value, list) else "plain"


def _is_text(given: Mapping[int, JSON]) -> bool:
    return all(isinstance(element, str) for value in given.values() for element in value)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
