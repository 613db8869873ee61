"""The options that several commands share, as groups: a command takes a group as one parameter.

Times are seconds on the command line; milliseconds stand only on the wire.
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from ditto.domain.spec import AnswerKind, Placement, StrategyName
from ditto.errors import BadRequest

_DAY_S = 86_400.0
_ASK, _LIMITS, _WHERE = "What is asked", "Limits", "Where"

FLAGS = {
    "prompt": "the prompt",
    "messages": "the prompt",
    "models": "--model",
    "weights": "--weight",
    "template": "--prompt",
}
"""What a request's field is called here, where that is not its own name with dashes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request says besides its prompt."""

    models: Annotated[
        list[str] | None,
        typer.Option("--model", "-m", metavar="NAME", help="Ask this model; repeatable.", rich_help_panel=_ASK),
    ] = None
    ensemble: Annotated[
        str | None, typer.Option(metavar="NAME", help="Ask this configured panel.", rich_help_panel=_ASK)
    ] = None
    strategy: Annotated[StrategyName | None, typer.Option(help="How the answers become one.", rich_help_panel=_ASK)] = (
        None
    )
    schema: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="JSON Schema that the result must satisfy.", rich_help_panel=_ASK),
    ] = None
    answer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND",
            help=f"What is compared: {', '.join(AnswerKind)}; or the allowed answers: yes,no or repeated.",
            rich_help_panel=_ASK,
        ),
    ] = None
    system: Annotated[str | None, typer.Option(metavar="TEXT", help="System prompt.", rich_help_panel=_ASK)] = None
    temperature: Annotated[float | None, typer.Option(metavar="0..2", help="Passed on.", rich_help_panel=_ASK)] = None
    top_p: Annotated[float | None, typer.Option(metavar="0..1", help="Passed on.", rich_help_panel=_ASK)] = None
    max_tokens: Annotated[int | None, typer.Option(metavar="N", help="Passed on.", rich_help_panel=_ASK)] = None
    stop: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="Ends a reply; repeatable.", rich_help_panel=_ASK)
    ] = None
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", help="Passed on; a model's second call gets N + 1.", rich_help_panel=_ASK),
    ] = None
    samples: Annotated[int | None, typer.Option(metavar="N", help="Calls per model.", rich_help_panel=_ASK)] = None
    weights: Annotated[
        list[str] | None,
        typer.Option(
            "--weight", metavar="NAME=W", help="How much a model's reply counts; repeatable.", rich_help_panel=_ASK
        ),
    ] = None
    judge: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Ask this model where the vote cannot decide.", rich_help_panel=_ASK),
    ] = None
    metadata: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Kept with the job; repeatable.", rich_help_panel=_ASK),
    ] = None
    timeout: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS", min=0.001, max=_DAY_S, help="For each model, tries included.", rich_help_panel=_LIMITS
        ),
    ] = None
    grace: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=0,
            max=_DAY_S,
            help="How long the others are waited for once enough have answered.",
            rich_help_panel=_LIMITS,
        ),
    ] = None
    deadline: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", min=0.001, max=7 * _DAY_S, help="For the whole job.", rich_help_panel=_LIMITS),
    ] = None
    settle: Annotated[
        str | None,
        typer.Option(
            metavar="RULE",
            help="When to stop waiting: all, decided, or a confidence such as 0.95.",
            rich_help_panel=_LIMITS,
        ),
    ] = None
    min_responses: Annotated[
        int | None, typer.Option(metavar="N", help="With fewer replies the job fails.", rich_help_panel=_LIMITS)
    ] = None
    max_retries: Annotated[
        int | None, typer.Option(metavar="N", help="Tries again per model.", rich_help_panel=_LIMITS)
    ] = None
    placement: Annotated[
        Placement | None, typer.Option(help="An actor of its own, or a shared one.", rich_help_panel=_LIMITS)
    ] = None

    def body(self) -> dict[str, Any]:
        """Returns the request's fields in the wire's spelling, those alone that were given.

        Raises:
            BadRequest: A file or a pair is wrong.
        """
        asked: dict[str, Any] = {
            "models": self.models,
            "ensemble": self.ensemble,
            "strategy": self.strategy,
            "schema": schema_of(self.schema),
            "answer": answer_of(self.answer),
            "system": self.system,
            "temperature": self.temperature,
            "topP": self.top_p,
            "maxTokens": self.max_tokens,
            "stop": self.stop,
            "seed": self.seed,
            "samples": self.samples,
            "weights": weights_of(self.weights),
            "judge": self.judge,
            "settle": _settle(self.settle),
            "metadata": pairs(self.metadata, "metadata"),
            "timeout": _ms(self.timeout),
            "grace": _ms(self.grace),
            "deadline": _ms(self.deadline),
            "minResponses": self.min_responses,
            "maxRetries": self.max_retries,
            "placement": self.placement,
        }
        return {name: value for name, value in asked.items() if value is not None and value != []}


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Which service is used."""

    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="A running service, http://127.0.0.1:8000. Its key is read from DITTO_API_KEY.",
            rich_help_panel=_WHERE,
        ),
    ] = None
    address: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="A Ray cluster: host:port, or auto. Without: RAY_ADDRESS, else one that ends with this command.",
            rich_help_panel=_WHERE,
        ),
    ] = None
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Settings. Without: DITTO_CONFIG, else ./serve_config.yaml, else the defaults.",
            rich_help_panel=_WHERE,
        ),
    ] = None
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Let Ray and Serve speak.", rich_help_panel=_WHERE)
    ] = False


def with_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Returns the command with every parameter that is a group of options replaced by those options."""
    signature = inspect.signature(command, eval_str=True)
    groups: dict[str, Any] = {
        name: it.annotation for name, it in signature.parameters.items() if is_dataclass(it.annotation)
    }
    parameters: list[inspect.Parameter] = []
    for name, parameter in signature.parameters.items():
        parameters += _parameters(groups[name]) if name in groups else [parameter]

    @functools.wraps(command)
    def expanded(**given: Any) -> None:
        for name, group in groups.items():
            given[name] = group(**{field.name: given.pop(field.name) for field in fields(group)})
        command(**given)

    keyword = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    expanded.__signature__ = signature.replace(parameters=keyword)  # type: ignore[attr-defined]  # typer reads it
    return expanded


def pairs(given: list[str] | None, field: str) -> dict[str, str] | None:
    """Returns `KEY=VALUE` texts as a mapping, None where there are none.

    Raises:
        BadRequest: One is no pair.
    """
    if not given:
        return None
    found: dict[str, str] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise wrong(field, f"{text!r} is no KEY=VALUE")
        found[key] = value
    return found


def wrong(field: str, message: str) -> BadRequest:
    """Returns the error for one wrong field."""
    return BadRequest("the request is wrong", [{"path": field, "message": message}])


def _parameters(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in fields(group)
    ]


def schema_of(path: Path | None) -> Any:
    """Returns the JSON Schema in a file, None without one."""
    if path is None:
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise wrong("schema", f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise wrong("schema", f"{path} is no JSON: {error}") from error


def answer_of(given: list[str] | None) -> str | list[str] | None:
    """Returns a kind of answer, or the allowed answers, as the wire has them."""
    if not given:
        return None
    if len(given) > 1:
        return given
    choices = [choice.strip() for choice in given[0].split(",")]
    return choices if len(choices) > 1 else given[0]


def weights_of(given: list[str] | None) -> dict[str, float] | None:
    """Returns the weights in `NAME=NUMBER` pairs."""
    if not given:
        return None
    found: dict[str, float] = {}
    for text in given:
        name, equals, value = text.rpartition("=")
        try:
            found[name] = float(value)
        except ValueError:
            equals = ""
        if not equals or not name:
            raise wrong("weights", f"{text!r} is no NAME=NUMBER")
    return found


def _settle(given: str | None) -> str | dict[str, float] | None:
    """Returns the rule as the wire has it: a number is a confidence, anything else is left to the request's checks."""
    try:
        return None if given is None else {"confident": float(given)}
    except ValueError:
        return given


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)
