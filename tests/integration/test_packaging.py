"""What a user downloads fits together: the files on top, the two configurations, one version, every error."""

from __future__ import annotations

import inspect
import os
import pickle
import re
import subprocess
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from ray import cloudpickle
from ray._common.utils import import_attr
from ray.autoscaler._private.util import prepare_config, validate_config

import ditto
from ditto import errors, settings
from ditto.errors import DittoError

ROOT = Path(__file__).parents[2]
TOP = {"README.md", "cluster.yaml", "ditto", "pyproject.toml", "serve_config.yaml", "tests"}
GIVEN = {
    "message": "it broke",
    "details": [{"path": "prompt", "message": "is blank"}],
    "job_id": "01J",
    "value": {"total": 1},
    "fingerprint": "f",
    "retry_after_s": 1.5,
}
"""An argument for each parameter that an error's constructor has."""


def test_the_top_level_holds_nothing_else():
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode != 0:
        assert "CI" not in os.environ, listing.stderr
        pytest.skip(f"waits for a git checkout: {listing.stderr.strip()}")

    top = {path.partition("/")[0] for path in listing.stdout.split("\0") if path}

    assert {name for name in top if not name.startswith(".")} <= TOP


def test_the_version_stands_in_one_place():
    sources = Path(ditto.__file__).parent.rglob("*.py")

    assert ditto.__version__ == metadata.version("ditto-llm")
    quoted = f'"{ditto.__version__}"'
    assert [path.name for path in sources if quoted in path.read_text(encoding="utf-8")] == ["version.py"]


def cluster(text: str) -> dict[str, Any]:
    """Returns the configuration as Ray completes it, once its own validation has passed."""
    prepared: dict[str, Any] = prepare_config(yaml.safe_load(text))
    validate_config(prepared)
    return prepared


def on_amazon(text: str) -> str:
    """Returns the cluster file with its commented lines taken instead of those that they replace."""
    instead = "\n".join(re.findall(r"^#(\w.*|  .*\S.*)$", text.partition("of Amazon's instead")[2], re.MULTILINE))
    kept = re.sub(r"^(provider|auth):\n(  .*\n)+", "", text, flags=re.MULTILINE)
    return f"{kept}\n{instead}\n"


def test_ray_accepts_the_cluster_file():
    prepared = cluster((ROOT / "cluster.yaml").read_text(encoding="utf-8"))

    assert prepared["provider"]["type"] == "local"
    assert "cd ~/ditto-src && pip install ." in prepared["head_setup_commands"]


def test_ray_accepts_the_cluster_file_for_amazon():
    prepared = cluster(on_amazon((ROOT / "cluster.yaml").read_text(encoding="utf-8")))

    assert prepared["provider"]["type"] == "aws"
    assert list(prepared["available_node_types"]) == ["head"]
    assert "cd ~/ditto-src && pip install ." in prepared["head_setup_commands"]
    assert any("boto3" in command for command in prepared["head_setup_commands"])


def test_a_cluster_gets_what_its_installation_needs_and_demands_a_token():
    prepared = cluster((ROOT / "cluster.yaml").read_text(encoding="utf-8"))

    (start,) = (command for command in prepared["head_start_ray_commands"] if "ray start" in command)

    assert prepared["file_mounts"] == {"~/ditto-src": "."}
    assert not {"ditto", "README.md", "pyproject.toml", "serve_config.yaml"} & set(prepared["rsync_exclude"])
    assert "RAY_AUTH_MODE=token" in start
    assert "--dashboard-host=127.0.0.1" in start


@pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince20")  # Serve's own models, as they are imported
def test_ditto_and_serve_read_the_same_configuration(monkeypatch):
    from ray.serve.schema import ServeDeploySchema

    path = ROOT / "serve_config.yaml"
    for name in ("DITTO_STORE", "DITTO_SIM_URL"):
        monkeypatch.delenv(name, raising=False)

    ours = settings.load(path)
    serves = ServeDeploySchema.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))

    (application,) = serves.applications
    assert ours.default_ensemble in ours.ensembles
    assert application.args["default_ensemble"] == ours.default_ensemble
    assert callable(import_attr(application.import_path))
    assert serves.http_options.host == "127.0.0.1"


def below(kind: type[DittoError]) -> Iterator[type[DittoError]]:
    """Yields a class of errors and all that derive from it."""
    yield kind
    for child in kind.__subclasses__():
        yield from below(child)


OURS = [kind for kind in below(DittoError) if kind.__module__ == errors.__name__]


def example(kind: type[DittoError]) -> DittoError:
    """Returns such an error with every field filled."""
    if kind.__init__ is Exception.__init__:
        return kind(GIVEN["message"])
    return kind(*(GIVEN[name] for name in inspect.signature(kind).parameters))


@pytest.mark.parametrize("pickler", [pickle, cloudpickle], ids=["pickle", "cloudpickle"])
@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_an_error_arrives_as_it_was_sent(kind, pickler):
    sent = example(kind)

    arrived = pickler.loads(pickler.dumps(sent))

    assert type(arrived) is kind
    assert (arrived.args, vars(arrived), str(arrived)) == (sent.args, vars(sent), str(sent))
    assert str(arrived)


def test_every_error_is_a_public_name_and_those_are_sorted():
    kinds = {kind.__name__ for kind in OURS}

    assert errors.__all__ == sorted(errors.__all__)
    assert kinds == {name for name in errors.__all__ if isinstance(getattr(errors, name), type)}


def test_the_tree_of_errors_is_drawn_as_it_is():
    assert errors.__doc__ is not None
    drawn: dict[str, str] = {}
    above = [""] * 9
    for branches, name in re.findall(r"^    ((?:[│├└ ][ ─]{3})*)([A-Z]\w+)", errors.__doc__, re.MULTILINE):
        depth = len(branches) // 4
        above[depth] = name
        drawn[name] = above[depth - 1] if depth else "Exception"

    assert drawn == {kind.__name__: kind.__base__.__name__ for kind in OURS}
