"""Who plays the model that a request names: a persona, a recorded model, or the stand-in, and how it behaves now."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ditto.sim import catalog
from ditto.sim.asked import Asked, Fault, Refused, share
from ditto.sim.catalog import Behaviour
from ditto.sim.replay import Replay

_PREFIX = re.compile(r"^(?:@[ch]f/)?sim/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """Who answers.

    Attributes:
        persona: Blank where `recorded` is given.
        recorded: What was once replied to this prompt.
        behaviours: Of the model's name, of the header, of the body, in this order.
    """

    persona: str
    behaviours: tuple[Behaviour, ...] = ()
    recorded: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Attributes:
    stand_in: The persona that plays models of unknown names; None: they get a 404.
    latency_s: Instead of the personas' own latencies.
    """

    replay: Replay | None = None
    stand_in: str | None = None
    latency_s: float | None = None

    def role(self, asked: Asked, header: str) -> Role:
        """Returns who answers this request.

        Raises:
            Refused: There is no such model or behaviour, or no recorded reply.
        """
        name = _PREFIX.sub("", asked.model)
        try:
            extra = catalog.parse_behaviours(header) + catalog.parse_behaviours(asked.behaviours)
        except ValueError as error:
            raise Refused(Fault.BAD_REQUEST, f"sim: {error}", "sim") from None
        if self.replay is not None:
            base, behaviours = self._recorded_name(name, self.replay)
            if base:
                return Role(persona="", behaviours=behaviours + extra, recorded=self.replay.reply(base, asked))
        try:
            model = catalog.parse(name)
        except ValueError as error:
            if self.stand_in is None:
                raise Refused(
                    Fault.NO_MODEL, f"The model '{asked.model}' does not exist: {error}", asked.model
                ) from None
            return Role(persona=self.stand_in, behaviours=extra)
        return Role(persona=model.persona, behaviours=model.behaviours + extra)

    def pause_s(self, role: Role, slow: Behaviour | None, key: str) -> float:
        """Returns the seconds before the first byte; `key` decides where in its range it lies."""
        lot = share("pause", key)
        if slow is not None:
            return slow.amount + (slow.upto - slow.amount) * lot
        if self.latency_s is not None:
            return self.latency_s
        return catalog.LATENCY_S.get(role.persona, 0.0) * (2 + lot) / 3

    def _recorded_name(self, name: str, replay: Replay) -> tuple[str, tuple[Behaviour, ...]]:
        if name in replay.models:
            return name, ()
        base, _, rest = name.partition("+")
        if base not in replay.models:
            return "", ()
        try:
            return base, catalog.parse_behaviours(rest)
        except ValueError as error:
            raise Refused(Fault.NO_MODEL, f"The model '{name}' does not exist: {error}", name) from None
