"""The files that `ditto deploy` writes, held against what is to read them: Ray, Serve, KubeRay's schema, systemd."""

from __future__ import annotations

import configparser
import re
from importlib import metadata
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from ditto import settings
from ditto.cli import main
from tests.integration.kuberay import RAY_SERVICE

ROOT = Path(__file__).parents[2]
IMAGE = "registry.example.com/ditto:1"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without settings of its own."""
    monkeypatch.chdir(tmp_path)
    for name in ("DITTO_CONFIG", "DITTO_STORE", "DITTO_SIM_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def deploy(*arguments: str) -> int:
    """Returns the exit code of `ditto deploy`."""
    with pytest.raises(SystemExit) as ended:
        main(["deploy", *arguments])
    return int(ended.value.code or 0)


def manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((folder / "rayservice.yaml").read_text(encoding="utf-8"))
    return found


def test_the_cluster_file_is_that_of_the_repository(folder: Path) -> None:
    assert deploy("cluster") == 0

    assert (folder / "cluster.yaml").read_bytes() == (ROOT / "cluster.yaml").read_bytes()


def test_ray_takes_the_cluster_file_with_ones_own_machine(folder: Path) -> None:
    assert deploy("cluster", "--head", "192.0.2.77", "--user", "ada") == 0

    prepared = prepare_config(yaml.safe_load((folder / "cluster.yaml").read_text(encoding="utf-8")))
    validate_config(prepared)
    assert (prepared["provider"]["head_ip"], prepared["auth"]["ssh_user"]) == ("192.0.2.77", "ada")


def test_systemd_gets_a_unit_that_drains_and_begins_again(folder: Path) -> None:
    assert deploy("systemd", "--folder", "/opt/ditto/", "--user", "ada") == 0

    unit = configparser.ConfigParser()
    unit.optionxform = str  # type: ignore[assignment, method-assign]  # systemd's names have capitals
    unit.read(folder / "ditto.service")
    run = unit["Service"]
    assert (run["User"], run["WorkingDirectory"]) == ("ada", "/opt/ditto")
    assert run["ExecStart"] == "/opt/ditto/.venv/bin/ditto serve"
    assert (run["Restart"], run["KillMode"]) == ("always", "mixed")
    assert float(run["TimeoutStopSec"]) > settings.Runtime().drain_s


@pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince20")  # Serve's own models, as they are imported
def test_kuberay_and_serve_take_the_manifest(folder: Path) -> None:
    from ray.serve.schema import ServeDeploySchema

    assert deploy("kubernetes", "--image", IMAGE, "--name", "answers", "--workers", "3") == 0

    written = manifest(folder)
    jsonschema.Draft202012Validator(RAY_SERVICE).validate(written)
    assert written["metadata"]["name"] == "answers"
    cluster = written["spec"]["rayClusterConfig"]
    (workers,) = cluster["workerGroupSpecs"]
    assert (workers["replicas"], workers["minReplicas"], workers["maxReplicas"]) == (3, 3, 3)
    pods = [cluster["headGroupSpec"], workers]
    containers = [container for pod in pods for container in pod["template"]["spec"]["containers"]]
    assert {container["image"] for container in containers} == {IMAGE}
    assert all(container["envFrom"] == [{"secretRef": {"name": "answers"}}] for container in containers)

    serves = ServeDeploySchema.model_validate(yaml.safe_load(written["spec"]["serveConfigV2"]))
    (application,) = serves.applications
    assert (serves.http_options.host, serves.proxy_location, application.import_path) == (
        "0.0.0.0",
        "EveryNode",
        "ditto.serve:app",
    )
    settings.from_args(application.args, source="the manifest")


def test_the_manifest_and_the_image_have_the_ray_that_is_installed_here(folder: Path) -> None:
    assert deploy("kubernetes", "--image", IMAGE) == 0

    ray = metadata.version("ray")
    assert manifest(folder)["spec"]["rayClusterConfig"]["rayVersion"] == ray
    image = (folder / "Containerfile").read_text(encoding="utf-8")
    assert f'"ray[serve]=={ray}"' in image
    copied = [name for line in re.findall(r"^COPY (.+) \S+$", image, re.MULTILINE) for name in line.split()]
    assert {"pyproject.toml", "ditto"} <= set(copied)
    assert all((ROOT / name).exists() for name in copied)


def test_ones_own_settings_are_in_the_manifest(folder: Path) -> None:
    own = yaml.safe_load((ROOT / "serve_config.yaml").read_text(encoding="utf-8"))
    own["applications"][0]["args"]["ensembles"]["mine"] = {"models": ["openai/gpt-4o-mini"]}
    (folder / "serve_config.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")

    assert deploy("kubernetes", "--image", IMAGE) == 0

    (application,) = yaml.safe_load(manifest(folder)["spec"]["serveConfigV2"])["applications"]
    assert application["args"]["ensembles"]["mine"]["models"] == ["openai/gpt-4o-mini"]


def test_a_file_that_is_there_is_written_over_only_when_that_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "Containerfile").write_text("mine", encoding="utf-8")

    assert deploy("kubernetes", "--image", IMAGE) != 0

    assert "Containerfile is there already" in capsys.readouterr().err
    assert (folder / "Containerfile").read_text(encoding="utf-8") == "mine"
    assert not (folder / "rayservice.yaml").exists()
    assert deploy("kubernetes", "--image", IMAGE, "--force") == 0
    assert (folder / "Containerfile").read_text(encoding="utf-8") != "mine"


@pytest.mark.parametrize(
    ("settings_text", "said"), [(None, "No such file"), ("a: [", "no YAML"), ("a: 1", "applications")]
)
def test_settings_that_cannot_be_read_are_told_with_their_file(
    folder: Path, capsys: pytest.CaptureFixture[str], settings_text: str | None, said: str
) -> None:
    if settings_text is not None:
        (folder / "own.yaml").write_text(settings_text, encoding="utf-8")

    assert deploy("kubernetes", "--image", IMAGE, "--config", "own.yaml") != 0

    told = capsys.readouterr().err
    assert "own.yaml" in told
    assert said in told
    assert not (folder / "rayservice.yaml").exists()


def test_a_folder_that_is_not_there_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy("systemd", "--to", "nowhere") != 0

    assert "nowhere" in capsys.readouterr().err
