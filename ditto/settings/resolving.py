"""From a request to what its job is asked: names become models, and every default is filled in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from rapidfuzz import process

from ditto.domain.labels import task_of
from ditto.domain.request import Request, RequestConfident
from ditto.domain.skills.sheet import NOTHING, Skills
from ditto.domain.spec import AnswerKind, Call, Confident, JobSpec, Message, Sampling, SettleRule, StrategyName
from ditto.domain.tenants import OPERATOR, Tenant
from ditto.errors import BadRequest, Forbidden
from ditto.settings import SIMULATED, Settings
from ditto.settings.endpoints import split
from ditto.sim import catalog

_MAX_CALLS = 1000
_NEAREST = 3
_NEAR_ENOUGH = 60


def resolve(
    request: Request,
    settings: Settings,
    now: datetime,
    skills: Skills = NOTHING,
    tenant: Tenant = OPERATOR,
) -> JobSpec:
    """Returns what the job is asked.

    Args:
        now: The moment of acceptance.
        skills: What is known of the models at that moment; the job keeps what it needs of it.
        tenant: Who asks.

    Raises:
        BadRequest: A model, an ensemble or a weight names nothing, the strategy has no vote for a settle rule or a
            judge, or too many calls are asked for; `details` lists every such field.
        Forbidden: The tenant may not ask a model; `details` likewise.
    """
    names, strategy, path = _panel(request, settings)
    wrong = [
        {"path": f"{path}.{place}" if path == "models" else path, "message": message}
        for place, name in enumerate(names)
        if (message := unknown(name, settings)) is not None
    ]
    wrong += [
        {"path": f"weights.{name}", "message": f"no such model is asked; asked are {', '.join(dict.fromkeys(names))}"}
        for name in request.weights or {}
        if name not in names
    ]
    wrong += _about_the_vote(request, settings, strategy)
    if wrong:
        raise BadRequest("the request is wrong", wrong)
    _check_permitted([(path, name) for name in names], tenant)
    if request.judge is not None:
        _check_permitted([("judge", request.judge)], tenant)
    samples = request.samples or 1
    if len(names) * samples > _MAX_CALLS:
        message = f"{len(names)} models with {samples} samples each are more than {_MAX_CALLS} calls"
        raise BadRequest("the request is wrong", [{"path": "samples" if samples > 1 else path, "message": message}])
    calls = tuple(_seats(names, request))
    if request.min_responses is not None and request.min_responses > len(calls):
        message = f"{request.min_responses} responses cannot come from {len(calls)} calls"
        raise BadRequest("the request is wrong", [{"path": "minResponses", "message": message}])
    return _spec(request, settings, strategy, calls, now, skills, tenant)


def known_names(settings: Settings) -> list[str]:
    """Returns every model that the settings name: of ensembles, of providers with a list, simulated ones."""
    names = [model for ensemble in settings.ensembles.values() for model in ensemble.models]
    for provider, endpoint in settings.providers.items():
        names += [f"{provider}/{model}" for model in endpoint.models or ()]
    names += [f"{SIMULATED}/{persona}" for persona in catalog.PERSONAS]
    return list(dict.fromkeys(names))


def _panel(request: Request, settings: Settings) -> tuple[list[str], StrategyName, str]:
    if request.models is not None:
        return request.models, request.strategy or StrategyName.CONSENSUS, "models"
    name = request.ensemble or settings.default_ensemble
    ensemble = settings.ensembles.get(name)
    if ensemble is None:
        message = f"there is no ensemble {name!r}{_suggested(name, settings.ensembles)}"
        raise BadRequest("the request is wrong", [{"path": "ensemble", "message": message}])
    return list(ensemble.models), request.strategy or ensemble.strategy, "ensemble"


def _check_permitted(asked: Iterable[tuple[str, str]], tenant: Tenant) -> None:
    """Raises `Forbidden` where one of the models, each with its field, is none that the tenant may ask."""
    if tenant.allowance.models is None:
        return
    refused = [(path, name) for path, name in dict.fromkeys(asked) if not tenant.allowance.permits(name)]
    if refused:
        details = [
            {"path": path, "message": f"{name} is none of the models that may be asked"} for path, name in refused
        ]
        raise Forbidden(f"this key may not ask {', '.join(name for _, name in refused)}", details)


def _about_the_vote(request: Request, settings: Settings, strategy: StrategyName) -> list[dict[str, str]]:
    """Returns what is wrong with the fields that concern a vote: only a consensus has one."""
    wrong = []
    if request.judge is not None and (message := unknown(request.judge, settings)) is not None:
        wrong.append({"path": "judge", "message": message})
    if strategy is StrategyName.COOPERATIVE:
        if request.settle not in (None, SettleRule.ALL):
            message = "a cooperative job asks one model after the other and needs them all: give all, or leave it out"
            wrong.append({"path": "settle", "message": message})
        if request.judge is not None:
            message = "the answer of a cooperative job is its last one: there is no vote for a judge to decide"
            wrong.append({"path": "judge", "message": message})
    return wrong


def unknown(name: str, settings: Settings) -> str | None:
    """Returns why there is no model of this name, None where there may be one."""
    provider, model = split(name)
    if provider == SIMULATED:
        return _unknown_simulated(name, model, settings)
    endpoint = settings.providers.get(provider)
    if endpoint is None or not model:
        known = [*known_names(settings), *(f"{prefix}/{model or name}" for prefix in settings.providers)]
        return f"unknown model {name!r}{_suggested(name, known)}"
    if endpoint.models is not None and model not in endpoint.models:
        return f"unknown model {name!r}{_suggested(name, known_names(settings))}"
    return None


def _unknown_simulated(name: str, model: str, settings: Settings) -> str | None:
    if settings.sim_url is not None:
        return None
    try:
        catalog.parse(model)
    except ValueError as error:
        return f"unknown model {name!r}: {error}{_suggested(name, known_names(settings))}"
    return None


def _suggested(name: str, known: Iterable[str]) -> str:
    near = process.extract(name, list(known), limit=_NEAREST, score_cutoff=_NEAR_ENOUGH)
    return f"; nearest: {', '.join(match[0] for match in near)}" if near else ""


def _seats(names: list[str], request: Request) -> Iterable[Call]:
    seen: Counter[str] = Counter()
    for name in names:
        for _ in range(request.samples or 1):
            seen[name] += 1
            number = seen[name]
            yield Call(
                name=name if number == 1 else f"{name}#{number}",
                model=name,
                weight=(request.weights or {}).get(name, 1.0),
                seed=None if request.seed is None else request.seed + number - 1,
            )


def _spec(
    request: Request,
    settings: Settings,
    strategy: StrategyName,
    calls: tuple[Call, ...],
    now: datetime,
    skills: Skills,
    tenant: Tenant,
) -> JobSpec:
    defaults = settings.defaults
    metadata = request.metadata or {}
    sheet = skills.sheet(call.model for call in calls)
    messages = [Message(role=m.role, content=m.content) for m in request.messages or []]
    system = "\n\n".join(m.content for m in messages if m.role == "system") or request.system
    turns = [m for m in messages if m.role != "system"] or [Message(role="user", content=request.prompt or "")]
    deadline_s = request.deadline / 1000 if request.deadline is not None else defaults.deadline_s
    return JobSpec(
        strategy=strategy,
        calls=calls,
        messages=tuple(turns),
        system=system,
        sampling=Sampling(
            temperature=request.temperature,
            top_p=request.top_p,
            max_tokens=request.max_tokens,
            stop=tuple(request.stop or ()),
        ),
        schema=request.schema_ or None,
        answer=request.answer
        if request.answer is None or isinstance(request.answer, AnswerKind)
        else tuple(request.answer),
        min_responses=request.min_responses or 1,
        settle=Confident(confident=request.settle.confident)
        if isinstance(request.settle, RequestConfident)
        else request.settle or SettleRule.ALL,
        judge=request.judge,
        max_retries=defaults.max_retries if request.max_retries is None else request.max_retries,
        timeout_s=defaults.timeout_s if request.timeout is None else request.timeout / 1000,
        grace_s=None if request.grace is None else request.grace / 1000,
        deadline_at=now + timedelta(seconds=deadline_s),
        skills=sheet if sheet.skills or sheet.families else None,
        calibration=skills.calibrations.get(task_of(metadata, tenant.name) or ""),
        replies_limit_bytes=settings.limits.job_bytes,
        review_threshold=defaults.review_threshold,
        metadata=metadata,
        tenant=tenant.name,
        metered=tenant.allowance.metered,
    )
