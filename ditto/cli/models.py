"""`ditto models`: what can be asked, and whether its key is there."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ditto.cli.options import Where

if TYPE_CHECKING:
    from ditto.settings import Settings

_NOTE = 'Set a provider\'s variable, then: ditto run -m PROVIDER/MODEL -m PROVIDER/MODEL "…"'


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="Settings.")] = None,
    skills: Annotated[bool, typer.Option("--skills", help="Show what the store's own jobs have taught.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="With --skills: have it forgotten.")] = False,
) -> None:
    """Show the providers, whether their keys are there, the panels, and the simulated models."""
    from ditto import settings as configuration
    from ditto.cli.ending import reported

    with reported():
        if skills or forget:
            _show_skills(config, forget=forget, json_wanted=as_json)
            return
        shown = overview(configuration.load(config), os.environ)
        if as_json:
            print(json.dumps(shown, ensure_ascii=False, indent=2))
        else:
            _print(shown)


def _show_skills(config: Path | None, *, forget: bool, json_wanted: bool) -> None:
    from ditto.cli import learned
    from ditto.cli.ending import run_async

    found = run_async(learned.learned(Where(config=config), forget=forget))
    if json_wanted:
        print(json.dumps(learned.as_json(found), ensure_ascii=False, indent=2))
        return
    if not found.skills.kinds:
        print(
            f"nothing is known of any model yet (version {found.skills.version}): thirty complete jobs teach something"
        )
        return
    _section(
        f"Skills, version {found.skills.version}: right where the question is of average ease", learned.rows(found)
    )
    if found.skills.families:
        _section("Relatives: what they say together counts less", learned.relatives(found))


def overview(settings: Settings, environ: Mapping[str, str]) -> dict[str, Any]:
    """Returns what is configured, as decoded JSON; of keys only whether they are there."""
    from ditto.settings import SIMULATED
    from ditto.sim.catalog import PERSONAS

    providers = {
        name: {
            "dialect": endpoint.dialect,
            "address": endpoint.base_url,
            "variables": {
                variable: bool(environ.get(variable))
                for variable in (endpoint.key_env, endpoint.account_env)
                if variable is not None
            },
            "keyOptional": endpoint.key_optional,
            "models": list(endpoint.models) if endpoint.models is not None else None,
        }
        for name, endpoint in settings.providers.items()
        if name != SIMULATED
    }
    ensembles = {
        name: {
            "models": list(panel.models),
            "strategy": str(panel.strategy),
            "default": name == settings.default_ensemble,
        }
        for name, panel in settings.ensembles.items()
    }
    simulated = {f"{SIMULATED}/{persona}": does for persona, does in PERSONAS.items()}
    return {
        "providers": providers,
        "ensembles": ensembles,
        "simulated": simulated,
        "limits": {name: limit.words for name, limit in settings.rate_limits.items()},
        "simUrl": settings.sim_url,
    }


def _print(shown: dict[str, Any]) -> None:
    _section("Providers", [_provider(name, it) for name, it in shown["providers"].items()])
    _section("Ensembles", [_ensemble(name, it) for name, it in shown["ensembles"].items()])
    if shown["limits"]:
        _section("Rate limits, over all jobs and callers", list(shown["limits"].items()))
    _section("Simulated models (no language models)", list(shown["simulated"].items()))
    print(f"\n{_NOTE}")


def _provider(name: str, provider: dict[str, Any]) -> tuple[str, ...]:
    return name, _keys(provider), provider["dialect"], provider["address"]


def _keys(provider: dict[str, Any]) -> str:
    if not provider["variables"]:
        return "needs no key"
    missing = "not set, not needed" if provider["keyOptional"] else "not set"
    return ", ".join(f"{name} {'is set' if there else missing}" for name, there in provider["variables"].items())


def _ensemble(name: str, ensemble: dict[str, Any]) -> tuple[str, ...]:
    default = " (default)" if ensemble["default"] else ""
    return f"{name}{default}", ensemble["strategy"], ", ".join(ensemble["models"])


def _section(title: str, rows: list[tuple[str, ...]]) -> None:
    if not sys.stdout.isatty():
        print(f"\n{title}")
        print("\n".join("  " + "\t".join(row) for row in rows))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for _ in rows[0]:
        table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, style=_style(cell)) for cell in row))
    console = Console(highlight=False)
    console.print(Text(f"\n{title}", style="bold"))
    console.print(table)


def _style(cell: str) -> str:
    if cell.endswith("not set"):
        return "yellow"
    return "green" if cell.endswith("is set") else ""
