"""The verdict over replies in JSON: a plain value is voted on, an object or list is put together field by field.

What is put together must satisfy the schema; where it does not, the object that most replies give is taken whole, and
is then the reply of the one that `choosing` names. The confidence of a whole is that of the replies that give exactly
it; where none does, it is the product of those of its fields, and the replies share what is left. A field is easier to
get right than the object that it is a part of (`confidence.parts`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ditto.domain.confidence import parts
from ditto.domain.confidence.prior import Comparison, comparison
from ditto.domain.merging import assembly, choosing, intents, summary, texts, values, voting
from ditto.domain.merging.assembly import ABSENT, Field
from ditto.domain.merging.voting import Electorate, Group
from ditto.domain.schemas import Validator
from ditto.domain.skills.sheet import SkillSheet
from ditto.domain.spec import JSON, AnswerKind
from ditto.domain.verdict import Ballot, Dissent, FieldVerdict, Intent, Reading, Verdict

_NO_VALUE = "holds no value of the schema"


def verdict(
    ballots: Sequence[Ballot],
    *,
    schema: dict[str, Any],
    review_threshold: float,
    skills: SkillSheet | None = None,
) -> Verdict:
    """Returns the merged verdict of replies that were read by a schema, at least one."""
    validator = Validator(schema)
    intended = [_intent(ballot) for ballot in ballots]
    given = {at: ballot.value for at, ballot in enumerate(ballots) if _votes(ballot, intended[at], validator)}
    kind, options = _kind(given.values(), schema)
    electorate = voting.electorate(ballots, kind, skills)
    how = comparison(kind, options)
    whole = voting.ranked({at: values.key(value) for at, value in given.items()}, electorate, how)
    if not whole:
        return _without_votes(ballots, intended)
    voters = {at: given[at] for group in whole for at in group.members}
    made = _made(voters, whole, ballots, electorate, validator)
    merged = _verdict(ballots, intended, voters, whole, made, electorate, how, review_threshold)
    return replace(merged, kind=kind, options=options, basis=voting.basis(electorate, skills, merged.confidence))


def _intent(ballot: Ballot) -> Intent:
    """A typed reply answers; only bare text where text is asked for may refuse or ask back."""
    if ballot.finish == "content_filter" or isinstance(ballot.value, str) or ballot.value is None:
        return intents.of(ballot.value if isinstance(ballot.value, str) else ballot.text, ballot.finish)
    return Intent.ANSWER


def _votes(ballot: Ballot, intent: Intent, validator: Validator) -> bool:
    if ballot.finish in ("length", "content_filter") or intent in (Intent.REFUSAL, Intent.CLARIFICATION):
        return False
    return ballot.value is not None or validator.accepts(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """The result, its fields, and the position of the reply that it is, None where it was put together."""

    result: JSON
    fields: Mapping[str, Field]
    chosen: int | None


def _made(
    voters: Mapping[int, JSON],
    whole: Sequence[Group],
    ballots: Sequence[Ballot],
    electorate: Electorate,
    validator: Validator,
) -> _Made:
    result, fields = assembly.assembled(voters, electorate)
    if not isinstance(result, dict | list):
        chosen = choosing.one_of(whole[0].members, ballots, electorate.skills)
        return _Made(result=voters[chosen], fields=fields, chosen=chosen)
    if len(voters) > 1 and validator.accepts(result):
        return _Made(result=result, fields=fields, chosen=None)
    chosen = choosing.one_of(whole[0].members, ballots, electorate.skills)
    _, own = assembly.assembled({chosen: voters[chosen]}, electorate)
    compared = {
        pointer: Field(
            key=field.key,
            keys={
                at: values.key(found) for at, value in voters.items() if (found := _at(value, pointer)) is not ABSENT
            },
            shown={
                values.key(found): found for value in voters.values() if (found := _at(value, pointer)) is not ABSENT
            },
        )
        for pointer, field in own.items()
    }
    return _Made(result=voters[chosen], fields=compared, chosen=chosen)


def _verdict(
    ballots: Sequence[Ballot],
    intended: Sequence[Intent],
    voters: Mapping[int, JSON],
    whole: Sequence[Group],
    made: _Made,
    electorate: Electorate,
    how: Comparison,
    review_threshold: float,
) -> Verdict:
    composite = isinstance(made.result, dict | list)
    result_key = values.key(made.result)
    winner = next((group for group in whole if group.key == result_key), None)
    lead = None if winner is None else whole.index(winner)
    chances = voting.probabilities(whole, electorate, how, lead=lead)
    field_verdicts = _fields(made.fields, voters, ballots, electorate)
    chance, by_key = _whole_chances(whole, winner, chances, field_verdicts)
    readings = _readings(ballots, intended, voters, by_key, composite)
    counted = [reading.intent for reading, ballot in zip(readings, ballots, strict=True) if ballot.weight > 0]
    supporting = winner.members if winner else ()
    return Verdict(
        result=made.result,
        summary=summary.of_value(made.result),
        intent=Intent.ANSWER,
        confidence=chance,
        needs_review=chance < review_threshold if chance is not None else len(set(counted)) > 1,
        needs_clarification=2 * counted.count(Intent.CLARIFICATION) > len(counted),
        supporting=tuple(ballots[at].call for at in supporting),
        answer=None if composite else made.result,
        chosen=None if made.chosen is None else ballots[made.chosen].call,
        agreement=len(supporting) / len(voters),
        dissent=_dissent(whole, winner, voters, ballots),
        fields=field_verdicts,
        readings=readings,
    )


_KIND_OF_TYPE = {
    "object": AnswerKind.JSON,
    "array": AnswerKind.JSON,
    "string": AnswerKind.TEXT,
    "number": AnswerKind.NUMBER,
    "integer": AnswerKind.NUMBER,
    "boolean": AnswerKind.BOOLEAN,
}


def fixes_kind(schema: dict[str, Any]) -> bool:
    """Tells whether the schema alone says which kind of answer is compared."""
    return _kind_by(schema) is not None


def _kind(given: Iterable[JSON], schema: dict[str, Any]) -> tuple[AnswerKind, int | None]:
    """Returns the kind of the values, and how many are allowed where they are few."""
    fixed = _kind_by(schema)
    if fixed is not None:
        return fixed
    kinds = Counter(_kind_of(value) for value in given)
    return min(kinds, key=lambda each: (-kinds[each], str(each)), default=AnswerKind.JSON), None


def _kind_by(schema: dict[str, Any]) -> tuple[AnswerKind, int | None] | None:
    allowed = schema.get("enum")
    if isinstance(allowed, list):
        return AnswerKind.CHOICE, len(allowed)
    named = schema.get("type")
    kind = _KIND_OF_TYPE.get(named) if isinstance(named, str) else None
    return None if kind is None else (kind, 2 if kind is AnswerKind.BOOLEAN else None)


def _kind_of(value: JSON) -> AnswerKind:
    if isinstance(value, bool):
        return AnswerKind.BOOLEAN
    if isinstance(value, int | float):
        return AnswerKind.NUMBER
    return AnswerKind.JSON if isinstance(value, dict | list) else AnswerKind.TEXT


def _whole_chances(
    whole: Sequence[Group],
    winner: Group | None,
    chances: Sequence[float] | None,
    fields: Mapping[str, FieldVerdict],
) -> tuple[float | None, dict[Hashable, float]]:
    """Returns the confidence of the result, and that of each reply's object by its key; together at most 1."""
    if chances is None:
        return None, {}
    by_key = {group.key: chance for group, chance in zip(whole, chances, strict=True)}
    if winner is not None:
        return by_key[winner.key], by_key
    product = math.prod(field.confidence for field in fields.values() if field.confidence is not None)
    kept = min(1.0, (1.0 - product) / math.fsum(chances))
    return product, {key: chance * kept for key, chance in by_key.items()}


def _fields(
    fields: Mapping[str, Field], voters: Mapping[int, JSON], ballots: Sequence[Ballot], electorate: Electorate
) -> dict[str, FieldVerdict]:
    """Returns what is said of each field; the skills are those in the whole object."""
    skills = {whole: parts.skill(whole, len(fields)) for whole in set(electorate.skills)}
    in_part = replace(electorate, skills=tuple(skills[whole] for whole in electorate.skills))
    return {pointer: _field(field, voters, ballots, in_part) for pointer, field in fields.items()}


def _field(field: Field, voters: Mapping[int, JSON], ballots: Sequence[Ballot], electorate: Electorate) -> FieldVerdict:
    groups = voting.ranked({at: field.keys.get(at, ABSENT) for at in voters}, electorate)
    chances = voting.probabilities(groups, electorate)
    winner = next((number for number, group in enumerate(groups) if group.key == field.key), None)
    if winner is None:
        return FieldVerdict(confidence=None, supporting=())
    return FieldVerdict(
        confidence=None if chances is None else chances[winner],
        supporting=tuple(ballots[at].call for at in groups[winner].members),
        dissent=tuple(
            Dissent(
                answer=field.shown.get(group.key),
                models=tuple(ballots[at].call for at in group.members),
                share=len(group.members) / len(voters),
            )
            for number, group in enumerate(groups)
            if number != winner
        ),
    )


def _dissent(
    whole: Sequence[Group], winner: Group | None, voters: Mapping[int, JSON], ballots: Sequence[Ballot]
) -> tuple[Dissent, ...]:
    return tuple(
        Dissent(
            answer=voters[group.members[0]],
            models=tuple(ballots[at].call for at in group.members),
            share=len(group.members) / len(voters),
        )
        for group in whole
        if winner is None or group.key != winner.key
    )


def _readings(
    ballots: Sequence[Ballot],
    intended: Sequence[Intent],
    voters: Mapping[int, JSON],
    by_key: Mapping[object, float],
    composite: bool,
) -> tuple[Reading, ...]:
    return tuple(
        Reading(
            call=ballot.call,
            summary=summary.of_value(ballot.value) if at in voters else summary.of(ballot.text),
            intent=intended[at],
            answer=voters[at] if at in voters and not composite else None,
            confidence=by_key.get(values.key(voters[at])) if at in voters else None,
            abstained=None if at in voters else _why_not(ballot, intended[at]),
        )
        for at, ballot in enumerate(ballots)
    )


def _why_not(ballot: Ballot, intent: Intent) -> str:
    if intent in texts.NOT_ANSWERS:
        return texts.NOT_ANSWERS[intent]
    if ballot.finish == "length":
        return texts.CUT_OFF
    return texts.NO_WEIGHT if ballot.weight <= 0 else _NO_VALUE


def _without_votes(ballots: Sequence[Ballot], intended: Sequence[Intent]) -> Verdict:
    """Nobody gives a value that counts: a refusal, or a value of weight 0 or cut off, is given back as it is."""
    valued = [at for at, ballot in enumerate(ballots) if ballot.value is not None and intended[at] is Intent.ANSWER]
    chosen = choosing.one_of(valued or range(len(ballots)), ballots)
    refused = [at for at, intent in enumerate(intended) if intent is Intent.REFUSAL]
    return Verdict(
        result=ballots[chosen].value,
        summary=summary.of(ballots[chosen].text),
        intent=intended[chosen],
        confidence=None,
        needs_review=len(set(intended)) > 1,
        needs_clarification=2 * Counter(intended)[Intent.CLARIFICATION] > len(ballots),
        supporting=tuple(ballots[at].call for at in (refused if not valued and refused else [chosen])),
        chosen=ballots[chosen].call,
        readings=_readings(ballots, intended, {}, {}, composite=True),
    )


def _at(value: JSON, pointer: str) -> JSON:
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return ABSENT
    return value
