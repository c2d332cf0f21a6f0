"""The known vendors: data, no code.

A Python table and not TOML, because every run reads it before its first request: as
bytecode it loads in a tenth of a millisecond, while importing `tomllib` and parsing
the same lines takes several.

`base_url` has no trailing slash and includes the version (`/v1`), if the vendor has
one; a wire appends `/chat/completions`, `/responses`, `/messages` or `/models/…`. A
vendor on a loopback address needs no key.

`quirks` are a vendor's deviations from its wire, by the names that the wires read:

- `max_tokens_field`: the name of the output limit, if it is not `max_tokens`
- `stream_options`: False if the request must not have that field (usage comes anyway)
- `reasoning_replay`: the field that earlier reasoning must be sent back in
- `done_ends`: True if `[DONE]` alone may end a response
- `auth_header`: the header that carries the bare key, instead of the wire's own
- `object_modes`: how it can be held to a schema, best first (`providers.object_modes`)
- `tool_files`: where files of a call's result go: "inline" or "user" (`providers.attached`)
- `document_url`: True if a PDF is a `document_url` part

and, from the configuration rather than from here:

- `query`: what follows `?` in every URL (Azure's `api-version=…`)
- `tool_call`: False if the model cannot call tools, so that none are offered
- `temperature`: False if the model rejects that field
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ..values import Value

_NO_QUIRKS: Mapping[str, Any] = MappingProxyType({})


class Vendor(Value):
    """One vendor. `PREFIX_API_KEY` and `PREFIX_BASE_URL` work without being listed."""

    base_url: str
    wire: str = "openai-chat"
    #: Environment variables for the key, best first.
    keys: tuple[str, ...] = ()
    #: Environment variables for the base URL, besides `PREFIX_BASE_URL`.
    urls: tuple[str, ...] = ()
    #: Prefixes of its models' names, only for "did you mean".
    families: tuple[str, ...] = ()
    quirks: Mapping[str, Any] = _NO_QUIRKS
    #: True if the name is used for any compatible server: quirks then apply to its own host only.
    generic: bool = False
    #: True where servers want no key as a rule, wherever they run.
    keyless: bool = False
    #: Environment variables that hold a token that is sent as `Authorization: Bearer`.
    tokens: tuple[str, ...] = ()


_COMPLETION_TOKENS = {"max_tokens_field": "max_completion_tokens"}
_REASONING_CONTENT = {"reasoning_replay": "reasoning_content"}
#: Where the response format excludes streaming, or knows JSON but no schema.
_CALLS_FIRST = {"object_modes": ("tool", "json", "prompt")}
_JSON_FIRST = {"object_modes": ("json", "tool", "prompt")}

VENDORS: dict[str, Vendor] = {
    "anthropic": Vendor(
        "https://api.anthropic.com/v1",
        wire="anthropic",
        keys=("ANTHROPIC_API_KEY",),
        tokens=("ANTHROPIC_AUTH_TOKEN",),
        families=("claude-",),
    ),
    "openai": Vendor(
        "https://api.openai.com/v1",
        keys=("OPENAI_API_KEY",),
        urls=("OPENAI_API_BASE",),
        families=("gpt-", "chatgpt-", "codex-", "o1", "o3", "o4"),
        quirks=_COMPLETION_TOKENS,
        generic=True,
    ),
    "azure": Vendor(
        "",  # https://RESOURCE.openai.azure.com/openai/v1
        keys=("AZURE_OPENAI_API_KEY", "AZURE_API_KEY"),
        urls=("AZURE_OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT"),
        quirks={"auth_header": "api-key", **_COMPLETION_TOKENS},
    ),
    "gemini": Vendor(
        "https://generativelanguage.googleapis.com/v1beta",
        wire="gemini",
        keys=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        families=("gemini-", "gemma-"),
    ),
    "openrouter": Vendor(
        "https://openrouter.ai/api/v1",
        keys=("OPENROUTER_API_KEY",),
        quirks={"reasoning_replay": "reasoning_details"},
    ),
    "groq": Vendor("https://api.groq.com/openai/v1", keys=("GROQ_API_KEY",), quirks=_CALLS_FIRST),
    "mistral": Vendor(
        "https://api.mistral.ai/v1",
        keys=("MISTRAL_API_KEY",),
        families=("mistral-", "ministral-", "magistral-", "codestral-", "devstral-", "pixtral-"),
        quirks={"stream_options": False, "tool_files": "inline", "document_url": True},
    ),
    "deepseek": Vendor(
        "https://api.deepseek.com/v1",
        keys=("DEEPSEEK_API_KEY",),
        families=("deepseek-",),
        quirks={**_REASONING_CONTENT, **_CALLS_FIRST},
    ),
    "xai": Vendor("https://api.x.ai/v1", keys=("XAI_API_KEY",), families=("grok-",)),
    "together": Vendor("https://api.together.xyz/v1", keys=("TOGETHER_API_KEY",)),
    "fireworks": Vendor("https://api.fireworks.ai/inference/v1", keys=("FIREWORKS_API_KEY",)),
    "cerebras": Vendor("https://api.cerebras.ai/v1", keys=("CEREBRAS_API_KEY",)),
    "perplexity": Vendor(
        "https://api.perplexity.ai",
        keys=("PERPLEXITY_API_KEY", "PPLX_API_KEY"),
        families=("sonar",),
    ),
    "moonshot": Vendor(
        "https://api.moonshot.ai/v1",
        keys=("MOONSHOT_API_KEY",),
        families=("kimi-", "moonshot-"),
        quirks={**_REASONING_CONTENT, **_JSON_FIRST},
    ),
    "zai": Vendor(
        "https://api.z.ai/api/paas/v4",
        keys=("ZAI_API_KEY",),
        families=("glm-",),
        quirks={**_REASONING_CONTENT, **_JSON_FIRST},
    ),
    "zhipu": Vendor(
        "https://open.bigmodel.cn/api/paas/v4",
        keys=("ZHIPU_API_KEY", "ZHIPUAI_API_KEY"),
        quirks={**_REASONING_CONTENT, **_JSON_FIRST},
    ),
    "alibaba": Vendor(
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        keys=("DASHSCOPE_API_KEY",),
        families=("qwen-",),
        quirks=_JSON_FIRST,
    ),
    "nvidia": Vendor("https://integrate.api.nvidia.com/v1", keys=("NVIDIA_API_KEY",)),
    "huggingface": Vendor(
        "https://router.huggingface.co/v1", keys=("HF_TOKEN", "HUGGINGFACE_API_KEY")
    ),
    "snowflake": Vendor("", keys=("SNOWFLAKE_TOKEN",), quirks={"done_ends": True}),
    "vercel": Vendor("https://ai-gateway.vercel.sh/v1", keys=("AI_GATEWAY_API_KEY",)),
    "ollama": Vendor(
        "http://127.0.0.1:11434/v1", keys=("OLLAMA_API_KEY",), urls=("OLLAMA_HOST",), keyless=True
    ),
    "vllm": Vendor("http://127.0.0.1:8000/v1", keys=("VLLM_API_KEY",), keyless=True),
    "llamacpp": Vendor("http://127.0.0.1:8080/v1", keys=("LLAMACPP_API_KEY",), keyless=True),
    "lmstudio": Vendor("http://127.0.0.1:1234/v1", keys=("LMSTUDIO_API_KEY",), keyless=True),
}

#: Other names of a vendor. Settings and variables are found under either name.
ALIASES = {
    "azure-openai": "azure",
    "bigmodel": "zhipu",
    "claude": "anthropic",
    "dashscope": "alibaba",
    "glm": "zhipu",
    "google": "gemini",
    "gpt": "openai",
    "grok": "xai",
    "hf": "huggingface",
    "kimi": "moonshot",
    "llama.cpp": "llamacpp",
    "lm-studio": "lmstudio",
}


def vendor(provider: str) -> Vendor | None:
    """Return the vendor of a provider's name; None if it is unknown."""
    return VENDORS.get(ALIASES.get(provider, provider))


def key_variables(provider: str) -> tuple[str, ...]:
    """Return the environment variables for a provider's key, best first."""
    known = vendor(provider)
    return _unique(*(known.keys if known else ()), f"{_prefix(provider)}_API_KEY")


def url_variables(provider: str) -> tuple[str, ...]:
    """Return the environment variables for a provider's base URL, best first."""
    known = vendor(provider)
    return _unique(f"{_prefix(provider)}_BASE_URL", *(known.urls if known else ()))


def token_variables(provider: str) -> tuple[str, ...]:
    """Return the environment variables that may hold a provider's bearer token."""
    known = vendor(provider)
    return known.tokens if known else ()


def _prefix(provider: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in provider.upper())


def _unique(*names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
