"""The providers that Ditto knows by name: their dialects, addresses, and the variables that hold their keys."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Dialect = Literal["openai", "anthropic", "workers-ai"]
StructuredOutput = Literal["json_schema", "json_object", "none"]


class Endpoint(BaseModel):
    """Where a provider is reached and how it is spoken to.

    Attributes:
        dialect: `openai` is the chat-completions dialect that most providers speak.
        base_url: With its version prefix and without the route, `https://api.openai.com/v1`. `{account}` in it is
            replaced by the value of the variable that `account_env` names.
        key_env: The environment variable that holds the key; None where none is needed.
        key_optional: The provider is asked without a key where the variable is not set.
        renames: What this provider calls a parameter of the `openai` dialect: `{"seed": "random_seed"}`.
        lacks: Parameters of the `openai` dialect that it does not take; they are not sent, and a warning says so.
        structured_output: The most that it takes for `response_format`.
        models: If given, no other models are taken from this provider.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dialect: Dialect = "openai"
    base_url: Annotated[str, Field(pattern=r"^https?://")]
    key_env: str | None = None
    key_optional: bool = False
    account_env: str | None = None
    headers: dict[str, str] = {}
    renames: dict[str, str] = {}
    lacks: tuple[str, ...] = ()
    structured_output: StructuredOutput = "json_schema"
    models: tuple[str, ...] | None = None


KNOWN: dict[str, Endpoint] = {
    "openai": Endpoint(base_url="https://api.openai.com/v1", key_env="OPENAI_API_KEY"),
    "anthropic": Endpoint(dialect="anthropic", base_url="https://api.anthropic.com/v1", key_env="ANTHROPIC_API_KEY"),
    "google": Endpoint(base_url="https://generativelanguage.googleapis.com/v1beta/openai", key_env="GEMINI_API_KEY"),
    "mistral": Endpoint(
        base_url="https://api.mistral.ai/v1",
        key_env="MISTRAL_API_KEY",
        renames={"seed": "random_seed"},
        lacks=("stream_options",),  # its streams always count their tokens
    ),
    "groq": Endpoint(base_url="https://api.groq.com/openai/v1", key_env="GROQ_API_KEY"),
    "together": Endpoint(base_url="https://api.together.xyz/v1", key_env="TOGETHER_API_KEY"),
    "deepseek": Endpoint(
        base_url="https://api.deepseek.com/v1",
        key_env="DEEPSEEK_API_KEY",
        lacks=("seed",),
        structured_output="json_object",
    ),
    "openrouter": Endpoint(base_url="https://openrouter.ai/api/v1", key_env="OPENROUTER_API_KEY"),
    "ollama": Endpoint(base_url="http://127.0.0.1:11434/v1"),
    "vllm": Endpoint(base_url="http://127.0.0.1:8000/v1", key_env="VLLM_API_KEY", key_optional=True),
    "cloudflare": Endpoint(
        dialect="workers-ai",
        base_url="https://api.cloudflare.com/client/v4/accounts/{account}/ai",
        key_env="CLOUDFLARE_API_TOKEN",
        account_env="CLOUDFLARE_ACCOUNT_ID",
    ),
}
"""By the prefix of a model's name; `@cf/…` and `@hf/…` names belong to `cloudflare`."""


def split(name: str) -> tuple[str, str]:
    """Returns a model's provider and the provider's own name of it: `openai/gpt-x` is `("openai", "gpt-x")`."""
    if name.startswith(("@cf/", "@hf/")):
        return "cloudflare", name
    provider, _, model = name.partition("/")
    return provider, model
