"""`ditto deploy systemd|cluster|kubernetes`: writes the files with which Ditto is put on other machines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Write the files to run Ditto on machines of your own.", no_args_is_help=True)

Folder = Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Where the files are written.")]
Force = Annotated[bool, typer.Option(help="Write over files that are there.")]


@app.command()
def systemd(
    folder: Annotated[str, typer.Option(help="Where `.venv` and `serve_config.yaml` are.")] = "/srv/ditto",
    user: Annotated[str, typer.Option(help="As whom it runs.")] = "ditto",
    to: Folder = Path(),
    force: Force = False,
) -> None:
    """A unit for one machine: started again after anything, drained when it is told to stop."""
    from ditto.cli.ending import reported
    from ditto.deploying import systemd_file

    with reported():
        _write(systemd_file(folder=folder, user=user), to, force=force)


@app.command()
def cluster(
    head: Annotated[str | None, typer.Option(metavar="ADDRESS", help="The machine's.")] = None,
    user: Annotated[str | None, typer.Option(help="Who logs in there.")] = None,
    to: Folder = Path(),
    force: Force = False,
) -> None:
    """What `ray up` takes: a machine reached over ssh, or one of Amazon's."""
    from ditto.cli.ending import reported
    from ditto.deploying import cluster_file

    with reported():
        _write(cluster_file(head=head, user=user), to, force=force)


@app.command()
def kubernetes(
    image: Annotated[str, typer.Option(help="As the cluster pulls it: REGISTRY/ditto:VERSION.")],
    name: Annotated[str, typer.Option(help="Of the RayService, and of its secret.")] = "ditto",
    workers: Annotated[int, typer.Option(min=1, help="Pods beside the head's.")] = 2,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="Settings.")] = None,
    to: Folder = Path(),
    force: Force = False,
) -> None:
    """A RayService for KubeRay, and the file from which its image is built."""
    from ditto.cli.ending import reported
    from ditto.deploying import kubernetes_files

    with reported():
        _write(kubernetes_files(name=name, image=image, workers=workers, config=config), to, force=force)


def _write(files: Mapping[str, str], folder: Path, *, force: bool) -> None:
    """Writes all of the files or none."""
    from ditto.cli.options import wrong

    for name in files:
        if (folder / name).exists() and not force:
            raise wrong("to", f"{folder / name} is there already; --force writes over it")
    try:
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
            print(folder / name)
    except OSError as error:
        raise wrong("to", f"{error.filename}: {error.strerror}") from error
