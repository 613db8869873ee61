"""The one reader of configuration: `serve_config.yaml` and the environment, as typed settings.

The file is Ray Serve's own; Ditto's part of it are the `args` of the application. `DITTO_CONFIG` names the file,
`./serve_config.yaml` is taken where it stands, and without either the defaults hold. A variable `DITTO_STORE`,
`DITTO_RUNTIME__SPARES` and so on overrides the file. Whatever is wrong is one line with its path.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import yaml
from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from ditto.domain.spec import StrategyName
from ditto.domain.tenants import Allowance, is_name
from ditto.errors import ConfigurationError
from ditto.settings.cores import usable_cores
from ditto.settings.endpoints import KNOWN, Endpoint, split
from ditto.settings.rates import CircuitRule, RateLimit
from ditto.settings.stores import Store, store_at
from ditto.sim.catalog import DEFAULT_PANEL

CONFIG_ENV = "DITTO_CONFIG"
CONFIG_FILE = "serve_config.yaml"
SIMULATED = "sim"
"""The provider whose models are simulated."""


class Ensemble(BaseModel):
    """A named panel and how its answers are combined."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: Annotated[tuple[str, ...], Field(min_length=1)]
    strategy: StrategyName = StrategyName.CONSENSUS


class Defaults(BaseModel):
    """What a request gets where it says nothing; times in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_retries: Annotated[int, Field(ge=0, le=10)] = 2
    timeout_s: Annotated[float, Field(gt=0)] = 300.0
    deadline_s: Annotated[float, Field(gt=0)] = 1800.0
    review_threshold: Annotated[float, Field(ge=0, le=1)] = 0.7


class Traces(BaseModel):
    """Where traces go; nowhere unless a collector is named.

    Attributes:
        endpoint: An OpenTelemetry collector that takes OTLP over HTTP, as `http://127.0.0.1:4318`.
        content: Whether they hold what was asked and answered.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint: Annotated[str, Field(pattern=r"^https?://[^\s]+$")] | None = None
    content: bool = False

    @field_validator("endpoint")
    @classmethod
    def _can_be_told(cls, endpoint: str | None) -> str | None:
        if endpoint is not None and find_spec("opentelemetry") is None:
            raise ValueError("OpenTelemetry is not installed: pip install 'ditto-llm[otel]'")
        return endpoint


class Limits(BaseModel):
    """What is refused.

    Attributes:
        body_bytes: Of one request.
        reply_bytes: Of one model's reply.
        job_bytes: Of all replies of one job.
        running_jobs: That one shared host works on at once; what comes then waits.
        waiting_jobs: At one shared host; above it a request is refused as rate limited.
        dedicated_jobs: Actors that are begun because a request says `dedicated`, and spares, all together.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    body_bytes: Annotated[int, Field(ge=1024)] = 16 * 2**20
    reply_bytes: Annotated[int, Field(ge=1024)] = 8 * 2**20
    job_bytes: Annotated[int, Field(ge=1024)] = 64 * 2**20
    running_jobs: Annotated[int, Field(ge=1)] = 1000
    waiting_jobs: Annotated[int, Field(ge=0)] = 10_000
    dedicated_jobs: Annotated[int, Field(ge=0)] = 50


def _one_for(cores: int) -> int:
    """Returns one process for so many of the cores that this process may use, at least one, at most eight."""
    return min(8, max(1, usable_cores() // cores))


class Runtime(BaseModel):
    """How many processes hold jobs and call models.

    Where nothing is said of hosts, callers and replicas, there are as many as can keep the cores found here busy: about
    two fifths of a job's work are its host's, and a quarter each its caller's and its replica's.

    Attributes:
        spares: Job actors kept ready, each under the id of a job that does not exist yet.
        hosts: Actors that hold the jobs for which no spare was left.
        callers: Processes that do the model calls.
        replicas: Processes that answer HTTP.
        near: Whether a job that finds no spare stays on one node: replicas give jobs to hosts of their own node, and
            hosts ask callers of theirs, where there are some that can be reached. That saves messages between nodes.
            Meant for a PostgreSQL journal, `http_options.host` an address that the other nodes reach, and as many
            hosts, callers and replicas as nodes, or a multiple: Ray spreads them evenly when they are first begun, and
            a node without a replica is given no jobs.
        linger_s: How long a job's own actor stays reachable after its job has ended.
        linger_limit: How many such actors stay at most.
        lease_s: How long a holder that is not heard of keeps its jobs.
        drain_s: How long running jobs may go on when the service is told to stop.
        retention_s: How long a job that has ended is kept.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    spares: Annotated[int, Field(ge=0, le=100)] = 2
    hosts: int = Field(default_factory=lambda: _one_for(3), ge=1, le=100)
    callers: int = Field(default_factory=lambda: _one_for(4), ge=1, le=100)
    replicas: int = Field(default_factory=lambda: _one_for(4), ge=1, le=100)
    near: bool = False
    linger_s: Annotated[float, Field(ge=0)] = 30.0
    linger_limit: Annotated[int, Field(ge=0)] = 8
    lease_s: Annotated[float, Field(ge=2)] = 10.0
    drain_s: Annotated[float, Field(ge=0)] = 10.0
    retention_s: Annotated[float, Field(gt=0)] = 30 * 86400.0


class Settings(BaseSettings):
    """Everything that can be set.

    Attributes:
        providers: By the prefix of their models' names; the known ones are there without being named.
        ensembles: Named panels; `default_ensemble` is asked where a request names neither models nor ensemble.
        rate_limits: What a provider (`openai`) or a model (`openai/gpt-x`) allows, over all jobs and callers.
        circuit: When a model that only fails is left alone.
        sim_url: A server of simulated models that runs already; without it Ditto starts one when it is asked for.
        store: The journal's file, or `postgresql://user:password@host/database`.
        cors_origins: Whose pages a browser lets use the service, each as `https://host`; none unless they are named.
        tenants: What each may do, by name; counts before what was said when its key was made.
    """

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="DITTO_", env_nested_delimiter="__", env_ignore_empty=True
    )

    providers: dict[str, Endpoint] = Field(default_factory=dict, validate_default=True)
    ensembles: dict[str, Ensemble] = Field(default_factory=dict, validate_default=True)
    default_ensemble: str = "default"
    rate_limits: dict[str, RateLimit] = {}
    circuit: CircuitRule = CircuitRule()
    sim_url: Annotated[str, Field(pattern=r"^https?://")] | None = None
    store: Annotated[Store, PlainValidator(store_at), NoDecode] = Field(
        default_factory=lambda: user_data_path("ditto") / "journal.db"
    )
    cors_origins: tuple[Annotated[str, Field(pattern=r"^https?://[^/?#\s*]+$")], ...] = ()
    defaults: Defaults = Defaults()
    limits: Limits = Limits()
    runtime: Runtime = Field(default_factory=Runtime)
    tenants: dict[str, Allowance] = Field(default_factory=dict)
    traces: Traces = Traces()

    def where_unsaid(self, *, hosts: int, callers: int) -> Settings:
        """Returns these settings with so many hosts and callers, where nothing was said of them.

        All processes of a cluster must mean the same ones, whatever cores each of them finds.
        """
        given = {"hosts": hosts, "callers": callers}
        unsaid = given.keys() - self.runtime.model_fields_set
        runtime = self.runtime.model_copy(update={name: given[name] for name in unsaid})
        return self.model_copy(update={"runtime": runtime})

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings

    @field_validator("providers", mode="before")
    @classmethod
    def _known_providers(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        merged: dict[str, Any] = dict(KNOWN)
        for name, endpoint in given.items():
            known = KNOWN.get(name)
            if known is not None and isinstance(endpoint, Mapping):
                endpoint = {**known.model_dump(exclude_unset=True), **endpoint}
            merged[name] = endpoint
        return merged

    @field_validator("ensembles", mode="before")
    @classmethod
    def _shipped_ensemble(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        return {"default": {"models": [f"{SIMULATED}/{persona}" for persona in DEFAULT_PANEL]}, **given}

    @field_validator("tenants")
    @classmethod
    def _named_as_tenants_are(cls, given: dict[str, Allowance]) -> dict[str, Allowance]:
        for name in given:
            if not is_name(name):
                raise ValueError(f"{name!r} is no name of a tenant: small letters, digits, - and _")
        return given

    @model_validator(mode="after")
    def _default_exists(self) -> Settings:
        if self.default_ensemble not in self.ensembles:
            named = ", ".join(self.ensembles)
            raise ValueError(f"default_ensemble: there is no ensemble {self.default_ensemble!r}; there are {named}")
        return self

    @model_validator(mode="after")
    def _limited_exist(self) -> Settings:
        for name in self.rate_limits:
            if split(name)[0] not in {SIMULATED, *self.providers}:
                raise ValueError(f"rate_limits.{name}: there is no such provider, nor a model of one")
        return self

    @property
    def store_is_file(self) -> bool:
        """Whether the journal is a file, which only the processes of one machine can open."""
        return isinstance(self.store, Path)

    @property
    def stays_near(self) -> bool:
        """Whether jobs stay on one node; beside a file all of them are on one anyway."""
        return self.runtime.near and not self.store_is_file

    def with_sim(self, url: str) -> Settings:
        """Returns these settings with the simulated models at this address."""
        sim = Endpoint(base_url=f"{url.rstrip('/')}/v1")
        return self.model_copy(update={"providers": {**self.providers, SIMULATED: sim}})


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Returns the settings in a file, or where none is named, in the one that the environment or the folder offers.

    Raises:
        ConfigurationError: The file cannot be read, or a value in it is wrong.
    """
    if path is None:
        named = environ.get(CONFIG_ENV)
        local = Path(CONFIG_FILE)
        path = Path(named) if named else local if local.is_file() else None
    if path is None:
        return from_args({}, source="the environment")
    return from_args(_args_in(path), source=str(path), prefix="applications.0.args.")


def from_args(args: Mapping[str, Any], source: str, prefix: str = "") -> Settings:
    """Returns the settings in the `args` of a Serve application.

    Raises:
        ConfigurationError: One line that names the source and the path of everything that is wrong.
    """
    try:
        settings = Settings(**args)
    except ValidationError as error:
        raise ConfigurationError(f"{source}: {'; '.join(_wrong(error, prefix))}") from None
    return settings.with_sim(settings.sim_url) if settings.sim_url is not None else settings


def _wrong(error: ValidationError, prefix: str) -> list[str]:
    found = []
    for item in error.errors(include_url=False, include_input=False):
        path = ".".join(str(part) for part in item["loc"])
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = "there is no such setting"
        found.append(f"{prefix}{path}: {message}" if path else message)
    return found


def _args_in(path: Path) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: no YAML: {' '.join(str(error).split())}") from None
    applications = content.get("applications") if isinstance(content, dict) else None
    if not isinstance(applications, list) or not applications or not isinstance(applications[0], dict):
        raise ConfigurationError(f"{path}: applications: must list one application, as Ray Serve's files do")
    args = applications[0].get("args") or {}
    if not isinstance(args, dict):
        raise ConfigurationError(f"{path}: applications.0.args: must be a mapping")
    return args
