"""What each kind of deployment needs, as files by name, filled in with what the user has said.

`cluster.yaml` and `serve_config.yaml` are those at the top of the repository: the built package carries copies.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata, resources
from pathlib import Path
from string import Template
from typing import Any

import yaml

from ditto.errors import ConfigurationError
from ditto.settings import CONFIG_FILE
from ditto.version import VERSION

CLUSTER = "cluster.yaml"
_PACKAGE = "ditto.deploying"
_INDENT = "    "


class _Blanks(Template):
    """Text with blanks such as `@@{image}`: `$` and `@` alone mean something in the files themselves."""

    delimiter = "@@"


def systemd_file(*, folder: str, user: str) -> Mapping[str, str]:
    """Returns the unit of a service on one machine.

    Args:
        folder: Where Ditto's virtual environment `.venv` and its `serve_config.yaml` are there.
        user: As whom it runs.
    """
    return {"ditto.service": _filled("ditto.service", folder=folder.rstrip("/"), user=user)}


def cluster_file(*, head: str | None, user: str | None) -> Mapping[str, str]:
    """Returns what `ray up` takes.

    Args:
        head: The address of the machine; None leaves an example's.
        user: Who logs in there; None leaves an example's.

    Raises:
        ConfigurationError: The shipped file does not have the lines that are to be filled in.
    """
    text = _shipped(CLUSTER)
    for line, value in (("  head_ip: ", head), ("  ssh_user: ", user)):
        text = text if value is None else _with_value(text, line, value)
    return {CLUSTER: text}


def kubernetes_files(*, name: str, image: str, workers: int, config: Path | None) -> Mapping[str, str]:
    """Returns the manifest of a RayService of KubeRay, and what its image is built from.

    Args:
        name: Of the RayService, and of the secret with the store's address and the providers' keys.
        image: As the cluster pulls it.
        workers: Pods beside the head's, one or more.
        config: The settings; None: `./serve_config.yaml`, or where there is none, those that Ditto ships.

    Raises:
        ConfigurationError: The settings cannot be read.
    """
    ray = metadata.version("ray")
    application = yaml.safe_dump(_serve_config(config), sort_keys=False, allow_unicode=True)
    return {
        "rayservice.yaml": _filled(
            "rayservice.yaml",
            name=name,
            image=image,
            workers=str(workers),
            ray=ray,
            serve_config=application.rstrip().replace("\n", f"\n{_INDENT}"),
        ),
        "Containerfile": _filled("Containerfile", image=image, ray=ray, version=VERSION),
    }


def _serve_config(config: Path | None) -> dict[str, Any]:
    """Returns the settings for a cluster of many machines: every pod takes requests, on its own address."""
    local = Path(CONFIG_FILE)
    try:
        text = (
            config.read_text("utf-8")
            if config
            else local.read_text("utf-8")
            if local.is_file()
            else _shipped(CONFIG_FILE)
        )
        content = yaml.safe_load(text)
    except OSError as error:
        raise ConfigurationError(f"{config or local}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{config or local}: no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict) or not isinstance(content.get("applications"), list):
        raise ConfigurationError(f"{config or local}: applications: must list one application, as Ray Serve's files do")
    return {**content, "proxy_location": "EveryNode", "http_options": {"host": "0.0.0.0", "port": 8000}}


def _filled(template: str, **blanks: str) -> str:
    text = (resources.files(_PACKAGE) / "templates" / template).read_text(encoding="utf-8")
    return _Blanks(text).substitute(blanks)


def _shipped(name: str) -> str:
    """Returns a file of the repository's top level: in the built package beside this module, in a checkout on top."""
    built = resources.files(_PACKAGE) / name
    found = built if built.is_file() else Path(__file__).parents[2] / name
    return found.read_text(encoding="utf-8")


def _with_value(text: str, line: str, value: str) -> str:
    before, found, after = text.partition(f"\n{line}")
    if not found:
        raise ConfigurationError(f"{CLUSTER}: there is no line {line.strip()}")
    rest = after.partition("\n")[2]
    return f"{before}{found}{value}\n{rest}"
