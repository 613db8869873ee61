"""The verdict over replies in text: the short answers are put to the vote, and the result is a winner's reply verbatim.

Refusals and replies that ask back do not vote, nor does a reply that was cut off or holds no answer. Where nothing
can be voted on (open prose), one of the answering replies is given back by the rule of `choosing`, without a
confidence; only where nobody answers is the result a question back or a refusal.

Models of one panel often give the same short text: what is read out of a text is read once for all who gave it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

from ditto.domain.changing import changed
from ditto.domain.confidence.prior import Comparison, comparison
from ditto.domain.merging import choosing, expectation, intents, reading, summary, voting
from ditto.domain.merging.reading import Answer, Expected, Sheet
from ditto.domain.merging.voting import Electorate, Group
from ditto.domain.skills.sheet import SkillSheet
from ditto.domain.spec import JSON, AnswerKind
from ditto.domain.verdict import Ballot, Dissent, Intent, Reading, Verdict

CUT_OFF = "cut off by its length limit"
_UNREADABLE = "holds no answer of the kind compared"
_NO_VOTE = "open text is not voted on"
NO_WEIGHT = "weight 0"
NOT_ANSWERS = {
    Intent.REFUSAL: "refuses",
    Intent.CLARIFICATION: "asks back",
    Intent.UNKNOWN: "holds nothing readable",
}


def verdict(
    question: str,
    ballots: Sequence[Ballot],
    *,
    answer: AnswerKind | tuple[str, ...] | None,
    review_threshold: float,
    skills: SkillSheet | None = None,
) -> Verdict:
    """Returns the merged verdict of replies in text, at least one."""
    prepared = {text: reading.sheet(text) for text in {ballot.text for ballot in ballots}}
    sheets = [prepared[ballot.text] for ballot in ballots]
    aims = {said: intents.of(*said, question) for said in {(ballot.text, ballot.finish) for ballot in ballots}}
    intended = [aims[ballot.text, ballot.finish] for ballot in ballots]
    expected, found = _read(question, ballots, sheets, intended, answer)
    voters = voting.electorate(ballots, expected.kind, skills)
    how = comparison(expected.kind, expected.count)
    groups = voting.ranked({at: each.key for at, each in found.items()}, voters, how)
    probable = voting.probabilities(groups, voters, how)
    chances = {group.key: chance for group, chance in zip(groups, probable or [], strict=probable is not None)}
    readings = _readings(ballots, intended, found, groups, chances, expected)
    if groups:
        voted = _voted(ballots, readings, groups, chances, found, review_threshold, voters, how)
        basis = voting.basis(voters, skills, voted.confidence)
        return changed(voted, {"kind": expected.kind, "options": how.options, "basis": basis})
    return _unvoted(ballots, readings)


def _read(
    question: str,
    ballots: Sequence[Ballot],
    sheets: Sequence[Sheet],
    intended: list[Intent],
    answer: AnswerKind | tuple[str, ...] | None,
) -> tuple[Expected, Mapping[int, Answer]]:
    """Returns what is compared, and the answers; who marks one answers, however the reply opens (`intended`)."""
    complete = [at for at, ballot in enumerate(ballots) if ballot.finish not in ("length", "content_filter")]
    answering = [at for at in complete if intended[at] is Intent.ANSWER]
    panel = [at for at in answering if ballots[at].weight > 0] or answering
    expected = expectation.of(question, answer, [sheets[at] for at in panel])
    eligible = [
        at for at in complete if intended[at] is Intent.ANSWER or (sheets[at].finals and expected.kind is not None)
    ]
    read = reading.answers(expected, [sheets[at] for at in eligible], question)
    found = {at: each for at, each in zip(eligible, read, strict=True) if each is not None}
    for at in found:
        intended[at] = Intent.ANSWER
    return expected, found


def _readings(
    ballots: Sequence[Ballot],
    intended: Sequence[Intent],
    found: Mapping[int, Answer],
    groups: Sequence[Group],
    chances: Mapping[Hashable, float],
    expected: Expected,
) -> tuple[Reading, ...]:
    voting_positions = {at for group in groups for at in group.members}
    summaries: dict[tuple[str, bool], str] = {}
    readings = []
    for at, ballot in enumerate(ballots):
        given = found.get(at)
        shown = given.shown if given else None
        said = ballot.text, given is None
        if said not in summaries:
            summaries[said] = summary.of(ballot.text, shown)
        readings.append(
            Reading(
                call=ballot.call,
                summary=summaries[said],
                intent=intended[at],
                answer=shown,
                confidence=chances.get(given.key) if given else None,
                abstained=None if at in voting_positions else _why_not(ballot, intended[at], given, expected),
            )
        )
    return tuple(readings)


def _why_not(ballot: Ballot, intent: Intent, given: Answer | None, expected: Expected) -> str:
    if given is not None:
        return NO_WEIGHT
    if intent in NOT_ANSWERS:
        return NOT_ANSWERS[intent]
    if ballot.finish == "length":
        return CUT_OFF
    return _NO_VOTE if expected.kind is None else _UNREADABLE


def _voted(
    ballots: Sequence[Ballot],
    readings: tuple[Reading, ...],
    groups: Sequence[Group],
    chances: Mapping[Hashable, float],
    found: Mapping[int, Answer],
    review_threshold: float,
    voters: Electorate,
    how: Comparison,
) -> Verdict:
    winner = groups[0]
    chosen = choosing.one_of(winner.members, ballots, () if how.lumped else voters.skills)
    chance = chances.get(winner.key)
    votes = sum(len(group.members) for group in groups)
    return Verdict(
        result=ballots[chosen].text,
        summary=readings[chosen].summary,
        intent=Intent.ANSWER,
        confidence=chance,
        needs_review=chance < review_threshold if chance is not None else _differ(ballots, readings),
        needs_clarification=_most_ask_back(ballots, readings),
        supporting=tuple(ballots[at].call for at in winner.members),
        answer=_shown(winner, found),
        chosen=ballots[chosen].call,
        agreement=len(winner.members) / votes,
        dissent=tuple(
            Dissent(
                answer=_shown(group, found),
                models=tuple(ballots[at].call for at in group.members),
                share=len(group.members) / votes,
            )
            for group in groups[1:]
        ),
        readings=readings,
    )


def _unvoted(ballots: Sequence[Ballot], readings: tuple[Reading, ...]) -> Verdict:
    counted = [at for at, ballot in enumerate(ballots) if ballot.weight > 0] or list(range(len(ballots)))
    intent = _leading(Counter(readings[at].intent for at in counted))
    pool = [at for at in counted if readings[at].intent is intent]
    chosen = choosing.one_of(pool, ballots)
    voted = intent is Intent.REFUSAL
    return Verdict(
        result=ballots[chosen].text,
        summary=readings[chosen].summary,
        intent=intent,
        confidence=None,
        needs_review=_differ(ballots, readings),
        needs_clarification=_most_ask_back(ballots, readings),
        supporting=tuple(ballots[at].call for at in pool) if voted else (ballots[chosen].call,),
        chosen=ballots[chosen].call,
        readings=readings,
    )


def _leading(counts: Counter[Intent]) -> Intent:
    """Answers and questions back by majority, refusals only where there is nothing else to give."""
    order = (Intent.ANSWER, Intent.CLARIFICATION)
    best = max(order, key=lambda intent: (counts[intent], -order.index(intent)))
    if counts[best]:
        return best
    return Intent.REFUSAL if counts[Intent.REFUSAL] else Intent.UNKNOWN


def _shown(group: Group, found: Mapping[int, Answer]) -> JSON:
    """Returns the form of a group's answer that most of its members use, then the shortest, then by the alphabet."""
    if len(group.members) == 1:
        return found[group.members[0]].shown
    forms = Counter(str(found[at].shown) for at in group.members)
    best = min(forms, key=lambda form: (-forms[form], len(form), form))
    return next(found[at].shown for at in group.members if str(found[at].shown) == best)


def _differ(ballots: Sequence[Ballot], readings: Sequence[Reading]) -> bool:
    counted = {reading.intent for reading, ballot in zip(readings, ballots, strict=True) if ballot.weight > 0}
    return len(counted) > 1


def _most_ask_back(ballots: Sequence[Ballot], readings: Sequence[Reading]) -> bool:
    counted = [reading.intent for reading, ballot in zip(readings, ballots, strict=True) if ballot.weight > 0]
    return 2 * counted.count(Intent.CLARIFICATION) > len(counted)
