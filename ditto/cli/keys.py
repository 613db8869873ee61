"""`ditto keys create|list|revoke`: the keys that requests over HTTP need, and what each tenant may do.

They are kept in the store that the settings name; a service that runs knows of a change within ten seconds.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ditto.domain.access_keys import AccessKey
    from ditto.settings import Settings
    from ditto.store.access import Access, Register

app = typer.Typer(help="Make, list and revoke the keys that requests over HTTP need.", no_args_is_help=True)

_LIMITS = "What the tenant may do; without these, what it could before"
Config = Annotated[Path | None, typer.Option(metavar="FILE", help="Settings; they name the store.")]
Limit = Annotated[int | None, typer.Option(metavar="N", min=1, rich_help_panel=_LIMITS)]


@app.command("create")
def create(
    tenant: Annotated[
        str, typer.Option(metavar="NAME", help="Whose key it is; default is who runs Ditto.")
    ] = "default",
    label: Annotated[str, typer.Option(metavar="TEXT", help="What it is for; shown by list.")] = "",
    model: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="May be asked; a pattern, openai/*; repeatable.", rich_help_panel=_LIMITS),
    ] = None,
    requests_per_minute: Limit = None,
    jobs_per_minute: Limit = None,
    jobs_at_once: Limit = None,
    calls_per_day: Limit = None,
    tokens_per_day: Limit = None,
    config: Config = None,
) -> None:
    """Make a key and print it, this once: only its hash is kept."""
    from ditto.cli.ending import reported, run_async
    from ditto.cli.options import wrong
    from ditto.domain.tenants import is_name

    limits = {
        "models": tuple(model) if model else None,
        "requests_per_minute": requests_per_minute,
        "jobs_per_minute": jobs_per_minute,
        "jobs_at_once": jobs_at_once,
        "calls_per_day": calls_per_day,
        "tokens_per_day": tokens_per_day,
    }
    with reported():
        if not is_name(tenant):
            raise wrong("tenant", f"{tenant!r} is no name of a tenant: small letters, digits, - and _, 63 at most")
        given = {name: limit for name, limit in limits.items() if limit is not None}
        key, shown = run_async(_create(config, tenant, label, given))
        print(shown)
        print(f"key {key.id} of tenant {tenant}; it is not shown again", file=sys.stderr)


@app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: Config = None,
) -> None:
    """Show the keys and what their tenants may do; never a key itself."""
    from ditto.cli.ending import reported, run_async

    with reported():
        register, settings = run_async(_register(config))
        shown = [_shown(key, register, settings) for key in register.keys]
        if as_json:
            print(json.dumps(shown, ensure_ascii=False, indent=2))
            return
        if not shown:
            print("there is no key: only this machine can ask, and needs none", file=sys.stderr)
        for row in shown:
            print("\t".join(_line(row)))


@app.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as list shows it.")], config: Config = None
) -> None:
    """Have a key open nothing any more; its tenant's jobs stay."""
    from ditto.cli.ending import reported, run_async

    with reported():
        run_async(_revoke(config, key_id))
        print(f"key {key_id} is revoked; a service that runs knows it within ten seconds", file=sys.stderr)


async def _create(config: Path | None, tenant: str, label: str, limits: dict[str, Any]) -> tuple[AccessKey, str]:
    from ditto.domain.tenants import Allowance
    from ditto.runtime.keymaking import make_key
    from ditto.runtime.runner import utc_now

    async with _opened(config) as (access, _):
        if limits:
            before = (await access.register()).allowances.get(tenant) or Allowance()
            await access.allow(tenant, before.model_copy(update=limits))
        return await make_key(access, tenant=tenant, label=label, now=utc_now())


async def _register(config: Path | None) -> tuple[Register, Settings]:
    async with _opened(config) as (access, settings):
        return await access.register(), settings


async def _revoke(config: Path | None, key_id: str) -> None:
    from ditto.errors import NotFound
    from ditto.runtime.runner import utc_now

    async with _opened(config) as (access, _):
        if not await access.revoke(key_id, utc_now()):
            raise NotFound(f"there is no key {key_id}; `ditto keys list` shows the ids")


@asynccontextmanager
async def _opened(config: Path | None) -> AsyncIterator[tuple[Access, Settings]]:
    from ditto import settings as configuration
    from ditto.store.opening import open_journal

    settings = configuration.load(config)
    journal = open_journal(settings.store)
    try:
        yield journal.access, settings
    finally:
        await journal.close()


def _shown(key: AccessKey, register: Register, settings: Settings) -> dict[str, Any]:
    allowance = settings.tenants.get(key.tenant) or register.allowances.get(key.tenant)
    return {
        "id": key.id,
        "tenant": key.tenant,
        "label": key.label,
        "createdAt": key.created_at.isoformat(timespec="seconds"),
        "revokedAt": None if key.revoked_at is None else key.revoked_at.isoformat(timespec="seconds"),
        "limits": {} if allowance is None else allowance.model_dump(mode="json", exclude_none=True),
    }


def _line(row: dict[str, Any]) -> tuple[str, ...]:
    from ditto.cli.words import one_line

    limits = ", ".join(f"{name.replace('_', ' ')}: {_limit(value)}" for name, value in row["limits"].items())
    state = "revoked" if row["revokedAt"] else "opens"
    return row["id"], row["tenant"], state, row["createdAt"], one_line(row["label"]), limits


def _limit(value: int | list[str]) -> str:
    return ", ".join(value) if isinstance(value, list) else f"{value:,}"
