"""What a model is to an OpenAI client: an ensemble, a panel named on the spot, or one configured model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ditto.domain.spec import StrategyName
from ditto.domain.tenants import Allowance
from ditto.errors import NotFound
from ditto.settings import Settings
from ditto.settings.endpoints import split
from ditto.settings.resolving import known_names, unknown

PREFIX = "ditto/"
OWNER = "ditto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Who is asked under a model's name.

    Attributes:
        name: As the client gives it.
        owner: Ditto, or the one model's provider.
        fields: What says so in a request of Ditto's own.
    """

    name: str
    owner: str
    models: tuple[str, ...]
    strategy: StrategyName
    fields: dict[str, Any]


class Models:
    """The models that these settings offer."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def panel(self, name: str) -> Panel:
        """Returns who is asked under this name; an ensemble's counts before a model's.

        Raises:
            NotFound: There is no such model.
        """
        ensemble = self._settings.ensembles.get(name)
        if ensemble is not None:
            return Panel(
                name=name,
                owner=OWNER,
                models=ensemble.models,
                strategy=ensemble.strategy,
                fields={"ensemble": name},
            )
        if name.startswith(PREFIX):
            return self._named_on_the_spot(name)
        self._check(name, [name])
        fields = {"models": [name]}
        return Panel(name=name, owner=split(name)[0], models=(name,), strategy=StrategyName.CONSENSUS, fields=fields)

    def listed(self, allowance: Allowance) -> list[Panel]:
        """Returns every ensemble, and every model that the settings name, of those that may be asked."""
        ensembles = self._settings.ensembles
        names = [*ensembles, *(name for name in known_names(self._settings) if name not in ensembles)]
        known = [self.panel(name) for name in names if name in ensembles or unknown(name, self._settings) is None]
        return [panel for panel in known if all(map(allowance.permits, panel.models))]

    def _named_on_the_spot(self, name: str) -> Panel:
        strategy, _, listed = name.removeprefix(PREFIX).partition(":")
        models = listed.split(",")
        if strategy not in list(StrategyName) or not all(models):
            known = ", ".join(f"{PREFIX}{known}:<model>,<model>" for known in StrategyName)
            raise _no_such_model(name, f"a panel is named {known}")
        self._check(name, models)
        return Panel(
            name=name,
            owner=OWNER,
            models=tuple(models),
            strategy=StrategyName(strategy),
            fields={"models": models, "strategy": strategy},
        )

    def _check(self, name: str, models: Iterable[str]) -> None:
        why = [reason for model in models if (reason := unknown(model, self._settings)) is not None]
        if why:
            raise _no_such_model(name, "; ".join(dict.fromkeys(why)))


def _no_such_model(name: str, why: str) -> NotFound:
    return NotFound(f"there is no model {name!r}: {why}", [{"path": "model", "message": why}])
