"""What a seed stands for: who asks what, how the models answer, and what goes wrong how often. All of it is data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from random import Random
from types import MappingProxyType
from typing import Any

from ditto.domain.events import Failure, Reply
from ditto.domain.request import Request, parse
from ditto.runtime.held import Capacity

MODELS = tuple(f"ollama/{letter}" for letter in "abcde")
JUDGE = "ollama/judge"
POISON = "poison"
"""Is in the tag of a job whose merging kills the process that does it."""
INTEGER = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}


class Fault(StrEnum):
    """What is injected."""

    HOST_CRASH = "host crash"
    CALLER_CRASH = "caller crash"
    KEEPER_CRASH = "keeper crash"
    CLIENT_CRASH = "client crash"
    ALL_CRASH = "crash of everything"
    RESTART = "drained and begun again"
    FREEZE = "freeze"
    FREEZE_REPLACED = "freeze, replaced, thawed"
    OUTAGE = "store outage"
    REQUEST_LOST = "request lost"
    REPLY_LOST = "reply lost"
    DOUBLED = "request doubled"
    SLOW = "message slow"
    COMMIT_FAILED = "commit failed"
    COMMIT_ANSWER_LOST = "commit's answer lost"


PROCESS_FAULTS = (
    Fault.HOST_CRASH,
    Fault.CALLER_CRASH,
    Fault.KEEPER_CRASH,
    Fault.CLIENT_CRASH,
    Fault.ALL_CRASH,
    Fault.RESTART,
    Fault.FREEZE,
    Fault.FREEZE_REPLACED,
    Fault.OUTAGE,
)
"""These strike between two steps; the others strike a message or a commit."""

_WEIGHTS: Mapping[Fault, float] = MappingProxyType(
    {
        Fault.HOST_CRASH: 5,
        Fault.CALLER_CRASH: 2,
        Fault.KEEPER_CRASH: 0.5,
        Fault.CLIENT_CRASH: 1,
        Fault.ALL_CRASH: 0.5,
        Fault.RESTART: 0.5,
        Fault.FREEZE: 2,
        Fault.FREEZE_REPLACED: 2,
        Fault.OUTAGE: 1,
    }
)
_RATES: Mapping[Fault, float] = MappingProxyType(
    {
        Fault.REQUEST_LOST: 0.06,
        Fault.REPLY_LOST: 0.06,
        Fault.DOUBLED: 0.06,
        Fault.SLOW: 0.1,
        Fault.COMMIT_FAILED: 0.1,
        Fault.COMMIT_ANSWER_LOST: 0.1,
    }
)


class Then(StrEnum):
    """What a client does once its job is accepted."""

    WAIT = "wait"
    FOLLOW = "follow its events"
    LOOK = "look now and then"
    CANCEL = "cancel"
    RETRY = "wait and ask the failed models again"
    FEEDBACK = "wait and say whether the result is right"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientPlan:
    """One client. Clients with the same `tag` send the same request, under one key.

    Attributes:
        keyed: The request has an idempotency key, so that a client that fails comes back with it.
        cancel_after_s: Only for who cancels.
    """

    tag: str
    keyed: bool
    request: Request
    begins_at_s: float
    then: tuple[Then, ...]
    cancel_after_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run.

    Attributes:
        weights: Of each fault that strikes between two steps; `gap` steps lie between two of them on average.
        rates: How likely each fault of a message or a commit is.
        process_faults: How many strike at most.
        capacity: Of each host.
        calm_at_s: From here on nothing goes wrong any more.
        longest_delay_s: Of a message that is not slow.
    """

    seed: int
    hosts: int
    callers: int
    spares: int
    clients: tuple[ClientPlan, ...]
    capacity: Capacity
    weights: Mapping[Fault, float] = field(default_factory=dict)
    rates: Mapping[Fault, float] = field(default_factory=dict)
    process_faults: int = 0
    gap: int = 60
    calm_at_s: float = 25.0
    longest_delay_s: float = 0.01

    @property
    def calm(self) -> bool:
        """Nothing goes wrong."""
        return not self.process_faults and not self.rates and not any(POISON in client.tag for client in self.clients)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """How a model answers one order: after how long, and what."""

    delay_s: float
    result: Reply | Failure


def plan(seed: int) -> Plan:
    """Returns what this seed stands for."""
    dice = Random(f"plan {seed}")
    clients = _clients(dice, jobs=dice.choices((1, 2, 3), (5, 3, 2))[0])
    shape: dict[str, Any] = {
        "seed": seed,
        "hosts": dice.choice((1, 2)),
        "callers": dice.choice((1, 1, 2)),
        "spares": dice.choice((0, 0, 0, 1)),
        "capacity": Capacity(running=dice.choice((1, 1000)), waiting=dice.choice((1, 10, 10))),
        "clients": clients,
        "longest_delay_s": dice.choice((0.002, 0.02, 0.3)),
    }
    kind = dice.random()
    if kind < 0.05:
        return Plan(**shape)
    if kind < 0.12:
        return _crowded(dice, shape)
    if kind < 0.18:
        return _dedicated(dice, shape)
    if kind < 0.34:
        return _overtaken(dice, shape)
    weights = {fault: weight for fault, weight in _WEIGHTS.items() if dice.random() < 0.5}
    rates = {fault: rate * dice.random() for fault, rate in _RATES.items() if dice.random() < 0.4}
    return Plan(
        **shape,
        weights=weights,
        rates=rates,
        process_faults=dice.choice((1, 2, 4, 8)) if weights else 0,
        gap=dice.choice((15, 40, 100)),
    )


def _crowded(dice: Random, shape: dict[str, Any]) -> Plan:
    """Returns two hosts on which most jobs wait for their turn, and which now and then stop for a while."""
    weights = {Fault.FREEZE: 4.0, Fault.HOST_CRASH: 1.0, Fault.FREEZE_REPLACED: 1.0}
    crowd = {
        "hosts": 2,
        "capacity": Capacity(running=1, waiting=10),
        "clients": _clients(dice, jobs=4, placement="shared"),
    }
    return Plan(**{**shape, **crowd}, weights=weights, process_faults=dice.choice((1, 2, 4)), gap=dice.choice((20, 60)))


def _dedicated(dice: Random, shape: dict[str, Any]) -> Plan:
    """Returns jobs that come one after the other to actors of their own, which die, as does who keeps them."""
    weights = {Fault.HOST_CRASH: 3.0, Fault.KEEPER_CRASH: 3.0, Fault.FREEZE: 1.0}
    clients = _clients(dice, jobs=4, placement="auto", within_s=12.0)
    faults = {"process_faults": dice.choice((2, 4, 8)), "gap": dice.choice((30, 100))}
    return Plan(**{**shape, "spares": dice.choice((1, 2)), "clients": clients}, weights=weights, **faults)


def _overtaken(dice: Random, shape: dict[str, Any]) -> Plan:
    """Returns two hosts that stop for longer than their leases, while the one caller, who knows what is over, dies."""
    weights = {Fault.CALLER_CRASH: 5.0, Fault.FREEZE: 3.0, Fault.FREEZE_REPLACED: 1.0}
    pair = {"hosts": 2, "callers": 1, "spares": 0, "clients": _clients(dice, jobs=4, placement="shared", within_s=8.0)}
    return Plan(**{**shape, **pair}, weights=weights, process_faults=dice.choice((16, 24)), gap=dice.choice((10, 30)))


def undisturbed(given: Plan) -> Plan:
    """Returns the same jobs on machines where nothing goes wrong."""
    calm = {"weights": {}, "rates": {}, "process_faults": 0}
    return replace(given, **calm)


def answering(seed: int, tag: str, call: str, order_id: str) -> Answering:
    """Returns how this order is answered: in every run of this seed the same.

    Args:
        order_id: Only what follows the job's id in it counts: a job's id is another one in each run.
    """
    tried = order_id.partition("/")[2]
    dice = Random(f"answer {seed} {tag} {call} {tried}")
    delay_s = dice.choices((0.05, 1.0, 6.0, 1000.0), (3, 6, 2, 0.3))[0] * dice.random()
    return Answering(delay_s=delay_s, result=_result(dice, tag, call))


def _result(dice: Random, tag: str, call: str) -> Reply | Failure:
    luck = dice.random()
    if luck < 0.12:
        return Failure(type="Overloaded", message="503", attempts=3, elapsed_s=0.5)
    if call == JUDGE:
        texts: tuple[str, ...] = (_BEST.format(1), _BEST.format(2), "I cannot decide.")
    elif "schema" in tag:
        texts = ('{"n": 3}', '{"n": 3}', '{"n": 4}', '```json\n{"n": 3}\n```', '{"n": "many"}', '{"m": 3}', "three")
    else:
        texts = ("42", "It is 42.", "41", "The answer is 42.", "I cannot say.")
    finish = "length" if luck > 0.96 else "stop"
    return Reply(text=dice.choice(texts), finish=finish, input_tokens=3, output_tokens=2, elapsed_s=0.5)


_BEST = '{{"reason": "it is right", "best": {}, "confidence": 0.9}}'


def _clients(dice: Random, jobs: int, *, placement: str | None = None, within_s: float = 3.0) -> tuple[ClientPlan, ...]:
    clients: list[ClientPlan] = []
    for number in range(jobs):
        keyed = dice.random() < 0.5
        schema = dice.random() < 0.3
        tag = f"{number}{'-schema' if schema else ''}{f'-{POISON}' if dice.random() < 0.06 else ''}"
        body = _body(dice)
        if placement is not None:
            body["placement"] = placement
        begins_at_s = dice.choice((0.0, dice.random() * within_s))
        clients += [
            ClientPlan(
                tag=tag,
                keyed=keyed,
                request=_request(tuple(body.items()), schema=schema, key=f"key {tag}" if keyed else None, tag=tag),
                begins_at_s=begins_at_s + dice.choice((0.0, 0.0, dice.random())),
                then=_then(dice),
                cancel_after_s=dice.random() * 4,
            )
            for _ in range(dice.choice((1, 1, 3)) if keyed else 1)
        ]
    return tuple(clients)


def _body(dice: Random) -> dict[str, Any]:
    count = dice.choices((1, 2, 3, 4, 5), (2, 3, 4, 1, 1))[0]
    body: dict[str, Any] = {
        "prompt": "What is 6 * 7?",
        "models": MODELS[:count],
        "timeout": dice.choice((5_000, 8_000, 20_000)),
        "deadline": dice.choice((4_000, 30_000, 60_000, 60_000)),
    }
    if dice.random() < 0.25:
        body["strategy"] = "cooperative"
    elif dice.random() < 0.2:
        body["judge"] = JUDGE
    elif dice.random() < 0.15:
        body |= {"settle": "decided", "answer": "number"}
    if dice.random() < 0.3:
        body["grace"] = dice.choice((200, 1_500))
    if dice.random() < 0.3:
        body["minResponses"] = dice.randint(1, count)
    body["placement"] = dice.choice(("shared", "shared", "dedicated", "auto"))
    return body


@lru_cache(maxsize=4096)
def _parsed(body: tuple[tuple[str, Any], ...]) -> Request:
    return parse({name: list(value) if isinstance(value, tuple) else value for name, value in body})


@lru_cache
def _schema() -> dict[str, Any] | None:
    return parse({"prompt": "?", "schema": INTEGER}).schema_


def _request(body: tuple[tuple[str, Any], ...], *, schema: bool, key: str | None, tag: str) -> Request:
    update: dict[str, Any] = {"metadata": {"tag": tag}}
    if schema:
        update["schema_"] = _schema()
    if key is not None:
        update["idempotency_key"] = key
    return _parsed(body).model_copy(update=update)


def _then(dice: Random) -> tuple[Then, ...]:
    deeds = [then for then, odds in _DEEDS if dice.random() < odds]
    return tuple(deeds) or (Then.LEAVE,)


_DEEDS: tuple[tuple[Then, float], ...] = (
    (Then.WAIT, 0.6),
    (Then.FOLLOW, 0.3),
    (Then.LOOK, 0.3),
    (Then.CANCEL, 0.1),
    (Then.RETRY, 0.15),
    (Then.FEEDBACK, 0.08),
)
