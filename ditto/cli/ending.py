"""How a command ends: its work is run, what goes wrong is one short text, and nothing is left behind by Ctrl-C."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import typer

from ditto.cli.options import FLAGS
from ditto.cli.words import printable
from ditto.errors import BadRequest, ConfigurationError, DittoError, IdempotencyMismatch

FAILED, WRONG_USAGE, INTERRUPTED, TERMINATED = 1, 2, 130, 143

T = TypeVar("T")


@contextmanager
def reported() -> Iterator[None]:
    """Turns an error into its text on stderr and its exit code, and ends a cluster that was begun for the command.

    Raises:
        typer.Exit: Something went wrong, and has been said.
    """
    try:
        yield
    except BadRequest as error:
        complain(*bad_request(error))
        raise typer.Exit(WRONG_USAGE) from error
    except (ConfigurationError, IdempotencyMismatch) as error:
        complain(str(error))
        raise typer.Exit(WRONG_USAGE) from error
    except DittoError as error:
        complain(str(error))
        raise typer.Exit(FAILED) from error
    except OSError as error:
        about = f"{error.filename}: " if error.filename else ""
        complain(f"{about}{error.strerror or error}")
        raise typer.Exit(FAILED) from error
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except asyncio.CancelledError:
        raise typer.Exit(TERMINATED) from None
    finally:
        if "ray" in sys.modules:
            from ditto.runtime.cluster import leave

            leave()


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Returns what this work returns. SIGINT and SIGTERM cancel it, and it is waited for while it cleans up.

    Raises:
        KeyboardInterrupt, CancelledError: It was stopped by a signal, see `reported`.
    """
    with asyncio.Runner() as runner:
        return runner.run(_until_terminated(work))


def complain(*lines: str) -> None:
    """Says on stderr what is wrong."""
    for line in lines:
        print(f"ditto: {printable(line)}", file=sys.stderr, flush=True)


def bad_request(error: BadRequest) -> list[str]:
    """Returns a line for each wrong field, the field as the command line spells it."""
    if not isinstance(error.details, list) or not error.details:
        return [error.message]
    return [_named(str(item["path"]), str(item["message"])) for item in error.details]


def _named(path: str, message: str) -> str:
    field, _, rest = path.partition(".")
    if not field:
        return message
    flag = FLAGS.get(field) or "--" + re.sub(r"(?<=[a-z])(?=[A-Z])|_", "-", field).lower()
    place = f" ({rest})" if rest and not rest.isdecimal() else ""
    return f"{flag}{place}: {message}"


async def _until_terminated(work: Coroutine[Any, Any, T]) -> T:
    this = asyncio.current_task()
    if this is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    return await work
