"""`ditto serve` and `ditto sim`, the two servers, and `ditto dashboard`, which shows what the first one counts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ditto.cli.options import wrong


def serve(
    host: Annotated[str, typer.Option(help="0.0.0.0 listens for other machines too.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    address: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Ray cluster; without it RAY_ADDRESS, else a new one.")
    ] = None,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="Settings.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Let Ray and Serve speak.")] = False,
) -> None:
    """Serve Ditto over HTTP until Ctrl-C."""
    from ditto import settings as configuration
    from ditto.cli.ending import reported

    with reported():
        settings = configuration.load(config)
        from ditto.serve import run  # loads Ray

        run(settings, host=host, port=port, address=address, verbose=verbose)


def dashboard() -> None:
    """Print a dashboard for Grafana over the service's metrics, as JSON to import there."""
    import json

    from ditto.http.dashboard import dashboard as described

    print(json.dumps(described(), indent=2))


def sim(
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8001,
    replay: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Recorded replies, JSON lines, gzipped or not.")
    ] = None,
    latency: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0, help="Instead of each persona's own.")
    ] = None,
    stand_in: Annotated[str | None, typer.Option(metavar="PERSONA", help="Plays models of unknown names.")] = None,
    key: Annotated[str | None, typer.Option(help="The only right API key.")] = None,
) -> None:
    """Serve simulated models over HTTP until Ctrl-C; there is no language model behind them."""
    from ditto.cli.ending import reported
    from ditto.sim.server import serve as serve_sim

    def announce(url: str) -> None:
        print(f"Simulated models, no language models, at {url}", flush=True)
        print(f"Ditto asks these with DITTO_SIM_URL={url}", flush=True)

    with reported():
        try:
            serve_sim(
                host,
                port,
                replay=replay,
                default_latency_s=latency,
                stand_in=stand_in,
                api_key=key,
                announce=announce,
            )
        except ValueError as error:
            raise wrong("", str(error)) from error
        except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
            raise wrong("replay", f"{replay}: {error.strerror}") from error
