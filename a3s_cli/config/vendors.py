"""What is known of each vendor before anybody configures anything: data, no code.

A Python table and not TOML because it is read on the way to every first
request: as bytecode it loads in a tenth of a millisecond, while importing
`tomllib` and parsing the same lines takes several.

`base_url` has no slash at its end and includes the version (`/v1`) where the
vendor has one, so that a wire appends `/chat/completions`, `/responses`,
`/messages` or `/models/…` to it. A vendor on a loopback address needs no key.

`quirks` are a vendor's deviations from its wire, by names that the wires read:

- `max_tokens_field`: the name of the limit on output, where it is not `max_tokens`
- `stream_options`: False where the request must not have that field (usage comes anyway)
- `reasoning_replay`: the field in which earlier reasoning must be sent back
- `done_ends`: True where `[DONE]` alone may end a response
- `auth_header`: the header that carries the bare key, instead of the wire's own
- `object_modes`: how it can be held to a schema, the best way first (see `providers.ways`)

and, from a configuration rather than from here:

- `query`: what follows `?` in every URL (Azure's `api-version=…`)
- `tool_call`: False where the model cannot call tools, so none are offered
- `temperature`: False where the model refuses that field
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

WIRES = ("openai-chat", "openai-responses", "anthropic", "gemini")


_NO_QUIRKS: Mapping[str, Any] = MappingProxyType({})


class Vendor(NamedTuple):
    """One vendor; `PREFIX_API_KEY` and `PREFIX_BASE_URL` work for each without being listed."""

    base_url: str
    wire: str = "openai-chat"
    #: Environment variables that hold the key, the best first.
    keys: tuple[str, ...] = ()
    #: Environment variables that hold the base URL, besides `PREFIX_BASE_URL`.
    urls: tuple[str, ...] = ()
    #: How the names of its models begin: for "did you mean", nothing else.
    families: tuple[str, ...] = ()
    quirks: Mapping[str, Any] = _NO_QUIRKS
    #: True where the name is used for any compatible server: quirks hold on its own host only.
    generic: bool = False


_COMPLETION_TOKENS = {"max_tokens_field": "max_completion_tokens"}
_REASONING_CONTENT = {"reasoning_replay": "reasoning_content"}
#: A format of the answer excludes streaming there, or only JSON as such can be asked for.
_CALLS_FIRST = {"object_modes": ("tool", "json", "prompt")}
_JSON_FIRST = {"object_modes": ("json", "tool", "prompt")}

VENDORS: dict[str, Vendor] = {
    "anthropic": Vendor(
        "https://api.anthropic.com/v1",
        wire="anthropic",
        keys=("ANTHROPIC_API_KEY",),
        families=("claude-",),
    ),
    "openai": Vendor(
        "https://api.openai.com/v1",
        keys=("OPENAI_API_KEY",),
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
        quirks={"stream_options": False},
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
    "ollama": Vendor("http://127.0.0.1:11434/v1", keys=("OLLAMA_API_KEY",)),
    "vllm": Vendor("http://127.0.0.1:8000/v1", keys=("VLLM_API_KEY",)),
    "llamacpp": Vendor("http://127.0.0.1:8080/v1", keys=("LLAMACPP_API_KEY",)),
    "lmstudio": Vendor("http://127.0.0.1:1234/v1", keys=("LMSTUDIO_API_KEY",)),
}

#: Other names for the same vendor. What is configured or exported under either name is found.
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
    """Give what is known of a provider, by either of its names."""
    return VENDORS.get(ALIASES.get(provider, provider))


def key_variables(provider: str) -> tuple[str, ...]:
    """Give the environment variables that may hold a provider's key, the best first."""
    known = vendor(provider)
    return _unique(*(known.keys if known else ()), f"{_prefix(provider)}_API_KEY")


def url_variables(provider: str) -> tuple[str, ...]:
    """Give the environment variables that may hold a provider's base URL, the best first."""
    known = vendor(provider)
    return _unique(f"{_prefix(provider)}_BASE_URL", *(known.urls if known else ()))


def _prefix(provider: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in provider.upper())


def _unique(*names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
