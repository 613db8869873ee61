"""Configuration is read in one place, and whatever is wrong is one line with its path."""

from __future__ import annotations

from pathlib import Path

import pytest

from ditto import settings as configuration
from ditto.errors import ConfigurationError
from ditto.settings import from_args, load
from ditto.settings.endpoints import split

SHIPPED = Path(__file__).parents[3] / "serve_config.yaml"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch, tmp_path):
    for name in ("DITTO_CONFIG", "DITTO_STORE", "DITTO_SIM_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def written(tmp_path: Path, args: str) -> Path:
    path = tmp_path / "given.yaml"
    path.write_text(f"applications:\n  - import_path: ditto.serve:app\n    args:\n{args}")
    return path


def test_the_shipped_file_says_what_the_defaults_are():
    shipped, plain = load(SHIPPED), from_args({}, source="nothing")
    assert shipped == plain


def test_a_file_in_the_folder_is_taken(tmp_path):
    written(tmp_path, "      runtime: {spares: 5}\n").rename(tmp_path / "serve_config.yaml")
    assert load().runtime.spares == 5


def test_the_environment_names_the_file_and_overrides_it(tmp_path, monkeypatch):
    path = written(tmp_path, "      runtime: {spares: 5, hosts: 3}\n")
    monkeypatch.setenv("DITTO_RUNTIME__SPARES", "7")
    settings = load(environ={"DITTO_CONFIG": str(path)})
    assert (settings.runtime.spares, settings.runtime.hosts) == (7, 3)


@pytest.mark.parametrize(("cores", "processes"), [(1, (1, 1, 1)), (2, (1, 1, 1)), (8, (2, 2, 2)), (64, (8, 8, 8))])
def test_there_are_as_many_processes_as_the_cores_can_use(monkeypatch, cores, processes):
    monkeypatch.setattr(configuration, "usable_cores", lambda: cores)
    runtime = from_args({}, source="nothing").runtime
    assert (runtime.hosts, runtime.callers, runtime.replicas) == processes


def test_who_joins_a_cluster_means_its_hosts_and_callers_unless_something_was_said_of_them():
    unsaid = from_args({}, source="nothing").where_unsaid(hosts=5, callers=3).runtime
    said = from_args({"runtime": {"callers": 2}}, source="a file").where_unsaid(hosts=5, callers=3).runtime
    assert (unsaid.hosts, unsaid.callers) == (5, 3)
    assert (said.hosts, said.callers) == (5, 2)


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        ("      providrs: {}\n", "applications.0.args.providrs: there is no such setting"),
        (
            "      defaults: {timeout_s: soon}\n",
            "applications.0.args.defaults.timeout_s: Input should be a valid number, "
            "unable to parse string as a number",
        ),
        ("      providers: {mine: {base_url: ftp://x}}\n", "applications.0.args.providers.mine.base_url"),
        ("      rate_limits: {opnai: {calls_at_once: 2}}\n", "rate_limits.opnai: there is no such provider"),
        ("      rate_limits: {openai: {calls_at_once: 0}}\n", "args.rate_limits.openai.calls_at_once"),
        (
            "      rate_limits: {openai: {requests_per_second: 1, requests_per_minute: 60}}\n",
            "requests_per_second or requests_per_minute, not both",
        ),
        ("      tenants: {acme: {jobs_at_once: 0}}\n", "applications.0.args.tenants.acme.jobs_at_once"),
        ("      tenants: {Acme: {}}\n", "applications.0.args.tenants: 'Acme' is no name of a tenant"),
        ("      default_ensemble: fast\n", "there is no ensemble 'fast'; there are default"),
    ],
)
def test_a_wrong_key_or_type_is_one_line_with_its_path(tmp_path, args, complaint):
    path = written(tmp_path, args)
    with pytest.raises(ConfigurationError) as refused:
        load(path)
    message = str(refused.value)
    assert message.startswith(f"{path}: ")
    assert complaint in message
    assert "\n" not in message


def test_limits_are_set_for_providers_and_models(tmp_path):
    path = written(
        tmp_path,
        "      rate_limits:\n"
        "        openai: {requests_per_minute: 500, tokens_per_minute: 60000}\n"
        "        sim/terse: {requests_per_second: 50}\n"
        "        '@cf/meta/llama-3.1-8b-instruct': {calls_at_once: 2}\n",
    )
    limits = load(path).rate_limits
    assert (limits["openai"].requests_per_s, limits["openai"].tokens_per_s) == (500 / 60, 1000.0)
    assert limits["sim/terse"].requests_per_s == 50
    assert limits["@cf/meta/llama-3.1-8b-instruct"].calls_at_once == 2


def test_what_the_shipped_file_shows_of_tenants_can_be_said(tmp_path):
    shown = SHIPPED.read_text().partition("      # tenants:\n")[2].partition("\n\n")[0]
    path = written(tmp_path, "      tenants:\n" + shown.replace("      # ", "      ") + "\n")
    allowance = load(path).tenants["acme"]
    assert (allowance.jobs_at_once, allowance.models) == (20, ("openai/*",))
    assert None not in allowance.model_dump().values()


def test_a_missing_file_and_one_that_is_no_yaml_are_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"nowhere\.yaml: No such file"):
        load(tmp_path / "nowhere.yaml")
    (tmp_path / "broken.yaml").write_text("applications: [")
    with pytest.raises(ConfigurationError, match=r"broken\.yaml: no YAML"):
        load(tmp_path / "broken.yaml")
    (tmp_path / "other.yaml").write_text("colour: blue")
    with pytest.raises(ConfigurationError, match="applications: must list one application"):
        load(tmp_path / "other.yaml")


def test_a_known_provider_can_be_pointed_elsewhere_and_keeps_the_rest():
    settings = from_args({"providers": {"openai": {"base_url": "http://127.0.0.1:1/v1"}}}, source="x")
    assert settings.providers["openai"].key_env == "OPENAI_API_KEY"
    assert settings.providers["openai"].base_url == "http://127.0.0.1:1/v1"


def test_any_compatible_endpoint_is_three_lines():
    settings = from_args({"providers": {"mine": {"base_url": "http://m/v1", "key_env": "MINE"}}}, source="x")
    assert settings.providers["mine"].dialect == "openai"


def test_simulated_models_that_run_already_are_asked_at_their_address():
    settings = from_args({"sim_url": "http://127.0.0.1:9/"}, source="x")
    assert settings.providers[configuration.SIMULATED].base_url == "http://127.0.0.1:9/v1"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("openai/gpt-x", ("openai", "gpt-x")),
        ("openrouter/meta/llama", ("openrouter", "meta/llama")),
        ("@cf/meta/llama-3", ("cloudflare", "@cf/meta/llama-3")),
        ("@hf/x/y", ("cloudflare", "@hf/x/y")),
        ("gpt-x", ("gpt-x", "")),
    ],
)
def test_a_models_name_begins_with_its_provider(name, parts):
    assert split(name) == parts
