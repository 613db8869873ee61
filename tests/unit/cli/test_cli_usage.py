"""What is wrong is said in one short text that names it as the command line spells it; nothing is begun."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ditto.cli import main
from ditto.cli.options import Where

Said = tuple[int, str, str]


@pytest.fixture
def ditto(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Runs the program in this process; gives its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DITTO_STORE", str(tmp_path / "journal.db"))
    for name in ("RAY_ADDRESS", "DITTO_CONFIG", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("ditto.cli.doors.prepare", _refuse_to_start)

    def run(*arguments: str) -> Said:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        said = capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int | None)
        return code or 0, said.out, said.err

    return run


def _refuse_to_start(where: Where) -> None:
    assert where.url is not None, "Ray was about to be started"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", " "], "the prompt: is blank"),
        (["run", "x", "-m", "sim/ters"], "--model: unknown model 'sim/ters'"),
        (["run", "x", "--settle", "soon"], '--settle: must be "all", "decided", or {"confident": p}'),
        (["run", "x", "--settle", "1.5"], "--settle: must be"),
        (["run", "x", "--judge", "sim/carefull"], "--judge: unknown model 'sim/carefull'"),
        (["run", "x", "-m", "sim/terse#2"], "--model: 'sim/terse#2' ends in #"),
        (["run", "x", "--ensemble", "defautl"], "--ensemble: there is no ensemble 'defautl'; nearest: default"),
        (["run", "x", "-m", "sim/terse", "--ensemble", "default"], "give models or ensemble, not both"),
        (["run", "x", "--temperature", "7"], "--temperature: "),
        (["run", "x", "--max-tokens", "0"], "--max-tokens: "),
        (["run", "x", "--min-responses", "9"], "--min-responses: 9 responses cannot come from 5 calls"),
        (["run", "x", "--weight", "sim/terse"], "--weight: 'sim/terse' is no NAME=NUMBER"),
        (["run", "x", "--weight", "sim/nobody=2"], "--weight (sim/nobody): no such model is asked"),
        (["run", "x", "--metadata", "team"], "--metadata: 'team' is no KEY=VALUE"),
        (["run", "x", "--answer", "nombre"], "--answer: "),
        (["run", "x", "--schema", "missing.json"], "--schema: missing.json: No such file"),
        (["run", "x", "--config", "missing.yaml"], "missing.yaml: No such file"),
        (["run", "x", "--url", "http://h", "--address", "auto"], "give --url or --address, not both"),
        (["run", "x", "--url", "ftp://h"], "is no address of a server"),
        (["run", "x", "--strategy", "quorum"], "--strategy"),
        (["run", "x", "--timeout", "-1"], "--timeout"),
        (["run"], "prompt"),
        (["batch", "missing.jsonl", "out.jsonl"], "missing.jsonl: No such file"),
        (["batch", "in.jsonl", "in.jsonl"], "IN and OUT are the same file"),
        (["batch", "in.jsonl", "out.jsonl", "--prompt", "{"], "--prompt: "),
        (["batch", "in.jsonl", "out.jsonl", "-m", "sim/ters"], "--model: unknown model"),
        (["batch", "in.jsonl", "other.txt"], "no batch wrote line 1"),
        (["batch", "in.jsonl", "-", "--merge", "two-pass"], "two passes and labels need files"),
        (
            ["batch", "in.jsonl", "out.jsonl", "--merge", "twice"],
            "--merge: 'twice' is none of auto, one-pass",
        ),
        (["batch", "*.csv", "out.csv"], "*.csv: there is no file of rows"),
        (["sim", "--replay", "missing.jsonl"], "--replay: missing.jsonl: No such file"),
        (["sim", "--stand-in", "nobody"], "nobody"),
        (["serve", "--config", "missing.yaml"], "missing.yaml: No such file"),
    ],
)
def test_wrong_usage_is_one_short_text(
    ditto: Callable[..., Said], tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "in.jsonl").write_text('{"prompt": "x"}\n')
    (tmp_path / "other.txt").write_text("some text\n")

    code, out, err = ditto(*arguments)

    assert code == 2
    assert said in " ".join(err.replace("│", " ").split())
    assert "Traceback" not in err
    assert out == ""
    assert (tmp_path / "other.txt").read_text() == "some text\n"


def test_a_dry_run_says_what_would_be_asked_and_begins_nothing(ditto: Callable[..., Said], tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("id,text\na,One\nb\n")

    code, out, err = ditto("batch", "in.csv", "out.parquet", "--dry-run", "--prompt", "Say: {text}", "-m", "sim/terse")

    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "2 rows, 0 already there, 1 wrong",
        "the first wrong one: line 3: has 1 of the 2 cells that the header names",
        "1 to ask, with 1 call",
        "about 2 tokens in",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv"]


def test_every_wrong_field_is_said_at_once(ditto: Callable[..., Said]) -> None:
    _, _, err = ditto("run", " ", "--temperature", "7", "--samples", "0")

    assert "the prompt:" in err
    assert "--temperature:" in err
    assert "--samples:" in err


def test_a_wrong_setting_is_one_line_with_its_path(ditto: Callable[..., Said], tmp_path: Path) -> None:
    (tmp_path / "serve_config.yaml").write_text("applications:\n- args:\n    runtime: {sparse: 3}\n")

    code, _, err = ditto("run", "x")

    assert code == 2
    assert err == "ditto: serve_config.yaml: applications.0.args.runtime.sparse: there is no such setting\n"


def test_a_schema_that_is_none_is_refused(ditto: Callable[..., Said], tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "wrong.json").write_text('{"type": "objekt"}')

    assert "--schema: broken.json is no JSON" in ditto("run", "x", "--schema", "broken.json")[2]
    assert "--schema:" in ditto("run", "x", "--schema", "wrong.json")[2]


def test_jobs_without_a_store_are_none_and_make_none(ditto: Callable[..., Said], tmp_path: Path) -> None:
    assert ditto("jobs") == (0, "", "no jobs\n")
    assert ditto("jobs", "--json") == (0, "[]\n", "")
    code, out, err = ditto("job", "01JOB")
    assert (code, out) == (1, "")
    assert "there is no store yet" in err
    assert not (tmp_path / "journal.db").exists()


def test_models_tell_whether_a_key_is_there_and_never_the_key(
    ditto: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.delenv("MISTRAL_API_KEY", raising=False)

    _, out, _ = ditto("models")
    _, as_json, _ = ditto("models", "--json")

    assert "OPENAI_API_KEY is set" in out
    assert "MISTRAL_API_KEY not set" in out
    assert "no language models" in out
    assert "sk-secret" not in out + as_json
    shown = json.loads(as_json)
    assert shown["providers"]["openai"]["variables"] == {"OPENAI_API_KEY": True}
    assert shown["ensembles"]["default"]["default"] is True
    assert "sim/terse" in shown["simulated"]


def test_the_version_is_the_packages(ditto: Callable[..., Said]) -> None:
    from ditto import __version__

    assert ditto("--version") == (0, f"ditto {__version__}\n", "")


def test_help_loads_neither_ray_nor_fastapi() -> None:
    script = (
        "import sys\n"
        "from ditto.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('ray', 'fastapi', 'sqlalchemy', 'scipy') if name in sys.modules], file=sys.stderr)\n"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stderr == "[]\n"
    assert "run" in done.stdout
