"""Every block of the README is run, and what it shows is compared with what comes; a block that nothing runs fails.

A fence's first word is its language, and the rest says what the block is: `output` is what the block before it prints,
`output of: …` the same with the program named, `file: NAME` a file that later blocks read, `actors` the picture of the
shape. Where a service is asked, it is one whose journal is as new as a reader's, since a history of the models changes
what a verdict says; it has an address of its own instead of port 8000.
"""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import ray
import yaml

from ditto import settings
from ditto.domain.request import parse
from ditto.domain.view import JobView, StructuredView
from ditto.runtime import cluster
from ditto.settings.resolving import resolve
from tests.acceptance.conftest import Serving, service, simulated_models

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
COPIED = ("README.md", "pyproject.toml", "serve_config.yaml", "cluster.yaml", "ditto", "tests")
HERE = "http://127.0.0.1:8000"
LONG_S = 120
STOP_S = 30
"""What the service needs to end, beyond the time for which it drains."""
COVERED = {"ray job submit": "tests/acceptance/heads.py", "ray submit": "tests/integration/test_packaging.py"}
"""What needs a cluster that is started for it alone: here its parts are run, there it is, or its file is validated."""
_MASKED = {
    r"\b\d+(\.\d+)? s\b": "N s",
    r"\b[0-9A-HJKMNP-TV-Z]{26}\b": "ID",
}
_RAYS_OWN = re.compile(r"^\[\d{4}-\d\d-\d\d ")
_SETUP = "python3 -m venv .venv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block; `line` is that of its fence, `about` what stands there behind the language."""

    line: int
    language: str
    about: str
    text: str

    @property
    def shows_output(self) -> bool:
        return self.about.startswith("output")

    @property
    def file(self) -> str | None:
        return self.about.removeprefix("file: ") if self.about.startswith("file: ") else None


def blocks(text: str) -> list[Block]:
    """Returns the fenced blocks of a Markdown text."""
    found: list[Block] = []
    opened: tuple[int, str] | None = None
    inside: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        assert not re.match(r"\s+```|\s*~~~", line), f"line {number} has a fence that is not read here"
        if not line.startswith("```"):
            inside.append(line)
        elif opened is None:
            opened, inside = (number, line.removeprefix("```")), []
        else:
            language, _, about = opened[1].partition(" ")
            found.append(Block(line=opened[0], language=language, about=about, text="\n".join(inside) + "\n"))
            opened = None
    assert opened is None, f"the block of line {opened} has no end"
    return found


TEXT = README.read_text(encoding="utf-8")
BLOCKS = blocks(TEXT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tour:
    """A folder like a reader's, in which the blocks are run in their order."""

    folder: Path
    serving: Serving
    outputs: dict[int, str] = field(default_factory=dict)

    def environ(self) -> dict[str, str]:
        """Returns a reader's environment in which the cluster of the service is the one that runs."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("RAY_", "DITTO_")) and not name.endswith(("_API_KEY", "_API_TOKEN"))
        }
        path = f"{self.folder / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
        store = str(self.folder / "journal.db")
        return {**kept, "PATH": path, "DITTO_STORE": store, "RAY_ADDRESS": self.serving.ray, "COLUMNS": "100"}

    def run(self, *command: str, environ: dict[str, str] | None = None) -> str:
        """Returns what the command prints, on both streams."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environ() if environ is None else environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=LONG_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        assert "Traceback" not in done.stdout
        return done.stdout

    def shell(self, text: str, environ: dict[str, str] | None = None) -> str:
        return self.run("bash", "-euo", "pipefail", "-c", text.replace(HERE, self.serving.url), environ=environ)


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory, sim: str) -> Iterator[Serving]:
    with service(tmp_path_factory.mktemp("new"), sim) as running:
        yield running


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory, serving: Serving) -> Iterator[Tour]:
    folder = tmp_path_factory.mktemp("reader")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(sys.prefix)
    for block in BLOCKS:
        if block.file is not None:
            (folder / block.file).write_text(block.text, encoding="utf-8")
    return Tour(folder=folder, serving=serving)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"line {block.line} {block.language} {block.about}".strip())
def test_a_block_does_what_the_readme_says(block: Block, tour: Tour) -> None:
    match block.language, block.about:
        case (("sh" | "python"), ""):
            output(block, tour)
        case (("text" | "json"), _) if block.shows_output:
            compare(block, output(before(block), tour))
        case "json", _ if block.file is not None:
            check_file(block, tour)
        case "yaml", "":
            check_settings(block, tour.folder / "real_models.yaml")
        case "ini", _ if block.file == "ditto.service":
            check_unit(block)
        case "text", "actors":
            check_actors(block, tour.serving)
        case _:
            pytest.fail(f"nothing runs this block: ```{block.language} {block.about}")


def test_every_way_of_asking_stands_in_the_readme() -> None:
    shown = "".join(block.text for block in BLOCKS)
    for way in (
        "ditto run",
        "ditto serve",
        "/llm",
        "/jobs",
        "Ditto(",
        "ditto.connect(",
        "OpenAI(",
        "ditto batch",
        *COVERED,
    ):
        assert way in shown


def test_the_fields_that_are_explained_are_those_of_a_result() -> None:
    known = {field.alias for view in (JobView, StructuredView) for field in view.model_fields.values()}
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", section("What a result says"), re.MULTILINE)
    explained = set(re.findall(r"\w+", " ".join(rows)))
    assert explained <= known
    assert explained >= {"result", "responses", "errors", "warnings", "timings", "usage", "host", "structured"}
    assert explained >= {"answer", "confidence", "basis", "agreement", "supportingModels", "dissent", "needsReview"}
    assert "fields" in explained


def test_the_variables_that_are_named_are_those_that_are_read() -> None:
    for name, variables in {
        "openai": ["OPENAI_API_KEY"],
        "anthropic": ["ANTHROPIC_API_KEY"],
        "cloudflare": ["CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_API_TOKEN"],
    }.items():
        endpoint = settings.from_args({}, source="").providers[name]
        assert {endpoint.account_env, endpoint.key_env} - {None} == set(variables)
        assert all(f"`{variable}`" in section("Real models") for variable in variables)


def section(title: str) -> str:
    """Returns the text below a heading, up to the next."""
    return TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def before(block: Block) -> Block:
    """Returns the block whose output this one shows."""
    commands = [other for other in BLOCKS if other.language in ("sh", "python") and other.line < block.line]
    named = block.about.removeprefix("output").removeprefix(" of: ")
    return next(other for other in reversed(commands) if named in other.text)


def output(block: Block, tour: Tour) -> str:
    """Returns what a block prints; it is run once."""
    if block.line not in tour.outputs:
        run = run_python if block.language == "python" else run_shell
        tour.outputs[block.line] = run(block, tour)
    return tour.outputs[block.line]


def run_python(block: Block, tour: Tour) -> str:
    script = tour.folder / f"line_{block.line}.py"
    script.write_text(block.text.replace(HERE, tour.serving.url), encoding="utf-8")
    return tour.run("python", "-P", str(script))  # -P: what is installed is tested, not what lies beside the script


def run_shell(block: Block, tour: Tour) -> str:
    lines = block.text.splitlines()
    if block.text.startswith(_SETUP):
        return set_up(block, tour)
    if lines[-1] == "ditto serve":
        return check_serve(block, tour)
    if lines[0].startswith("export "):
        return ask_real_models(block, tour)
    if all(any(line.startswith(command) for command in COVERED) for line in lines):
        return "".join(submit(line, tour) for line in lines)
    if "curl" in block.text:
        return ask_by_curl(block, tour)
    printed = tour.shell(block.text)
    if lines[-1].startswith("ditto batch "):
        check_answers(tour.folder / "answers.jsonl", tour)
    return printed


def ask_by_curl(block: Block, tour: Tour) -> str:
    if shutil.which("curl") is None:
        assert "CI" not in os.environ, "there is no curl"
        pytest.skip("waits for curl, with which the README asks")
    printed = tour.shell(block.text)
    answer = json.loads(printed)
    assert (answer["state"], answer["errors"]) == ("complete", {})
    return printed


def set_up(block: Block, tour: Tour) -> str:
    """Runs the last part of a set-up command; the installation itself is done by who runs it in a fresh environment."""
    (line,) = block.text.splitlines()
    made, installed, used = line.split(" && ")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = re.fullmatch(r'\.venv/bin/pip install (?:"\.\[(\w+)\]"|\.)', installed)
    assert made == _SETUP
    assert extras is not None
    assert extras[1] is None or extras[1] in project["optional-dependencies"]
    environ = tour.environ()
    if used == ".venv/bin/python -m pytest":
        # Collecting is what can be proved of it from within.
        return tour.shell(f"{used} --collect-only -q tests/acceptance/test_readme.py", environ)
    assert used.startswith(".venv/bin/ditto run ")
    del environ["RAY_ADDRESS"]
    return tour.shell(used, environ)


def check_serve(block: Block, tour: Tour) -> str:
    """Checks that the service that runs here was started as the block does, and answers."""
    activated, _ = block.text.splitlines()
    assert tour.shell(f"{activated} && command -v ditto").strip().endswith("/ditto")
    assert httpx.get(f"{tour.serving.url}/readyz").json() == {"status": "ready"}
    assert httpx.get(f"{tour.serving.url}/docs").status_code == 200
    log = (tour.serving.store.parent / "serve.log").read_text(encoding="utf-8")
    assert str(tour.serving.store) in log
    assert tour.serving.ray in log
    return log


def ask_real_models(block: Block, tour: Tour) -> str:
    """Runs the block with the README's settings, where simulated models play each provider's part at its address."""
    folder = tour.folder / "real"
    folder.mkdir()
    (yaml_block,) = (other for other in BLOCKS if other.language == "yaml")
    write_settings(yaml_block, folder / "serve_config.yaml")
    environ = tour.environ()
    del environ["RAY_ADDRESS"]
    with simulated_models(folder, "--stand-in", "terse") as sim:
        for provider in ("OPENAI", "ANTHROPIC", "LAB"):
            environ[f"DITTO_PROVIDERS__{provider}__BASE_URL"] = f"{sim}/v1"
        environ["DITTO_PROVIDERS__CLOUDFLARE__BASE_URL"] = f"{sim}/client/v4/accounts/{{account}}/ai"
        printed = tour.shell(f"cd real\n{block.text}", environ)
        asked = httpx.get(f"{sim}/sim/counts").json()["total"]
    for variable in re.findall(r"(\w+)=\.\.\.", block.text):
        assert f"{variable} is set" in printed
    shown = yaml.safe_load(yaml_block.text)
    panel = shown["ensembles"][shown["default_ensemble"]]["models"]
    assert f"support     {', '.join(panel)}" in printed
    assert asked == len(panel)
    return printed


def submit(line: str, tour: Tour) -> str:
    """Runs what `ray job submit` or `ray submit` would run on the head, in the cluster of the service."""
    words = shlex.split(line.replace("$PWD", str(tour.folder)))
    covering = (ROOT / COVERED[" ".join(words[: words.index("submit") + 1])]).read_text(encoding="utf-8")
    if "--" in words:
        options, command = words[3 : words.index("--")], words[words.index("--") + 1 :]
        assert options == ["--working-dir", "."]
        assert '"job", "submit"' in covering
        answers = Path(command[-1])
        assert answers.is_absolute(), "the working folder of a Ray job is a copy"
        command[-1] = str(answers.with_stem("of_a_ray_job"))
    else:
        _, _, described, script, *arguments = words
        assert described in covering
        assert (ROOT / described).is_file()
        home = tour.folder / "home"  # the one file is copied to the head's home, and runs there
        home.mkdir()
        shutil.copy(ROOT / script, home)
        command = ["python", str(home / Path(script).name), *arguments[:-1], "of_a_script.jsonl"]
    printed = tour.run(*command)
    assert "2 rows, 2 complete" in printed
    check_answers(tour.folder / command[-1], tour)
    return printed


def check_answers(path: Path, tour: Tour) -> None:
    """Checks that each question of the file that the README shows has its answer."""
    asked, answered = (
        [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        for file in (tour.folder / "questions.jsonl", path)
    )
    assert {row["id"]: row["state"] for row in answered} == {row["id"]: "complete" for row in asked}


def compare(block: Block, printed: str) -> None:
    """Checks that the README shows what was printed, times and ids aside; JSON may be shown in part."""
    if block.language == "json":
        assert part_of(json.loads(block.text), json.loads(printed)), printed
    else:
        assert masked(block.text) == masked(printed)


def masked(text: str) -> list[str]:
    """Returns the lines in some order, since replies come in any."""
    for pattern, mask in _MASKED.items():
        text = re.sub(pattern, mask, text)
    return sorted(line for line in text.splitlines() if not _RAYS_OWN.match(line))


def part_of(shown: Any, whole: Any) -> bool:
    """Tells whether all that is shown is in the whole; lists are shown whole."""
    if isinstance(shown, dict):
        return isinstance(whole, dict) and all(
            name in whole and part_of(value, whole[name]) for name, value in shown.items()
        )
    return bool(shown == whole)


def check_file(block: Block, tour: Tour) -> None:
    """Posts each request in the file."""
    assert block.file is not None
    requests = block.text.splitlines() if block.file.endswith(".jsonl") else [block.text]
    read_by = [other for other in BLOCKS if block.file in other.text and other.language == "sh"]
    assert read_by, f"no block reads {block.file}"
    for request in map(json.loads, requests):
        body = {name: value for name, value in request.items() if name != "id"}
        answer = httpx.post(f"{tour.serving.url}/llm", json=body, timeout=LONG_S).raise_for_status().json()
        assert answer["state"] == "complete"
        assert answer["errors"] == {}


def check_settings(block: Block, path: Path) -> None:
    """Loads the settings with the block in the place that the README gives it, and resolves its panel."""
    loaded = settings.load(write_settings(block, path))
    shown = yaml.safe_load(block.text)
    assert loaded.default_ensemble == shown["default_ensemble"]
    assert set(shown["providers"]) <= set(loaded.providers)
    assert set(shown["rate_limits"]) == set(loaded.rate_limits)
    spec = resolve(parse({"prompt": "any"}), loaded, datetime.now(UTC))
    assert [call.model for call in spec.calls] == shown["ensembles"][shown["default_ensemble"]]["models"]


def write_settings(block: Block, path: Path) -> Path:
    """Writes `serve_config.yaml` with the block under `args`, and returns where."""
    content = yaml.safe_load((ROOT / "serve_config.yaml").read_text(encoding="utf-8"))
    content["applications"][0]["args"] = yaml.safe_load(block.text)
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def check_unit(block: Block) -> None:
    """Checks that systemd would start the service, end it by telling it alone, and wait until it has drained."""
    unit = configparser.ConfigParser()
    unit.optionxform = str  # type: ignore[assignment, method-assign]  # systemd's names have capitals
    unit.read_string(block.text)
    run = unit["Service"]
    program, *arguments = run["ExecStart"].split()
    assert (Path(program).name, arguments) == ("ditto", ["serve"])
    assert (run["Restart"], run["KillMode"]) == ("always", "mixed")
    assert float(run["TimeoutStopSec"]) >= settings.from_args({}, source="").runtime.drain_s + STOP_S


def check_actors(block: Block, serving: Serving) -> None:
    """Finds every actor of the picture, and of the text below it, alive in the cluster."""
    shown = set(re.findall(r"job:<id>|host:\d-|caller:\d|keeper", section("The shape")))
    assert "job:<id>" in block.text
    assert shown == {"job:<id>", "host:0-", "caller:0", "keeper"}
    job = httpx.post(
        f"{serving.url}/llm", json={"prompt": "What is 6 * 7?", "placement": "dedicated"}, timeout=LONG_S
    ).json()
    cluster.join(serving.ray)
    try:
        living = [actor["name"] for actor in ray.util.list_named_actors(all_namespaces=True)]
        for name in shown:
            assert any(each.startswith(name.replace("<id>", job["jobId"])) for each in living), name
    finally:
        cluster.leave()
