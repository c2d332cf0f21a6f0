"""The vocabulary of the configuration: which settings exist, of what kind, and what they hold.

`config` merges the layers, `config_file` reads one of them; both go by the
tables here. A value is never without its origin, so that every message and
`a3s config` can say where it came from: a flag, a variable, `file:line`, or
`default`. Secrets are kept out of every `repr`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .durations import EXPECTED as A_DURATION
from .durations import seconds
from .vendors import ALIASES, WIRES

FILE_VARIABLES = ("A3S_CONFIG", "A3S_CONFIG_FILE")
MODEL_VARIABLE = "A3S_MODEL"

#: Notices of one kind that one file may cause: a hostile file must not flood a stream.
MAX_NOTICES = 20

#: Gives the value, or raises `ValueError(expected)` or `ValueError(expected, found)`.
Check = Callable[[Any], Any]


class Setting(NamedTuple):
    """A value and where it came from."""

    value: Any
    origin: str

    def __repr__(self) -> str:
        return f"Setting(from {self.origin})"


class ConfigNotice(NamedTuple):
    """What a person should know about their configuration; it changes no verdict."""

    code: str
    text: str
    fields: Mapping[str, Any]


class ModelSettings:
    """What is configured for one model; a key or URL here is stronger than its provider's.

    `unset` names, for a key whose `env("NAME")` had no value, the variable that
    would give it one.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.settings: dict[str, Setting] = {}
        self.headers: dict[str, Setting] = {}
        self.unset: dict[str, str] = {}

    def get(self, name: str) -> Any:
        """Give a value, or None."""
        found = self.settings.get(name)
        return found.value if found else None

    def update(self, other: ModelSettings) -> None:
        """Let a stronger layer win, key by key."""
        self.settings.update(other.settings)
        self.headers.update(other.headers)
        self.unset.update(other.unset)


class ProviderSettings(ModelSettings):
    """What is configured for one provider: `api`, `api_key`, `base_url`, headers, models."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.models: dict[str, ModelSettings] = {}

    def model(self, name: str) -> ModelSettings:
        """Give the settings of a model, empty ones if there are none yet."""
        return self.models.setdefault(name, ModelSettings(name))

    def update(self, other: ModelSettings) -> None:
        """Let a stronger layer win, key by key, in the provider and in each model."""
        super().update(other)
        if isinstance(other, ProviderSettings):
            for name, model in other.models.items():
                self.model(name).update(model)


class Config:
    """What is in force, and where each part of it came from.

    `unused` lists the keys of other programs that share this file format
    (`skills = …`): they are nobody's mistake, so they make no noise in a run,
    and `a3s config` shows them. `files` are the files that were read.
    """

    def __init__(self) -> None:
        self.settings: dict[str, Setting] = {}
        self.providers: dict[str, ProviderSettings] = {}
        self.notices: list[ConfigNotice] = []
        self.unused: list[Setting] = []
        self.files: list[str] = []

    def get(self, name: str) -> Any:
        """Give the value in force; of a list (`deny`, `env`), a tuple of `Setting`."""
        return self.settings[name].value

    def provider(self, name: str) -> ProviderSettings | None:
        """Give what is configured for a provider, under this name or another of the same vendor."""
        if name in self.providers:
            return self.providers[name]
        vendor = ALIASES.get(name, name)
        same = (found for found in self.providers if ALIASES.get(found, found) == vendor)
        return next((self.providers[found] for found in same), None)


def _whole(minimum: int) -> Check:
    def check(data: Any) -> int:
        whole = isinstance(data, int) or (isinstance(data, float) and data.is_integer())
        if isinstance(data, bool) or not whole or not minimum <= data < 2**53:
            raise ValueError(f"a whole number of at least {minimum}")
        return int(data)

    return check


def _number(minimum: float, maximum: float) -> Check:
    def check(data: Any) -> float:
        number = isinstance(data, int | float) and not isinstance(data, bool)
        if not number or not minimum <= data <= maximum:
            raise ValueError(f"a number from {minimum:g} to {maximum:g}")
        return float(data)

    return check


def _text(data: Any) -> str:
    if not isinstance(data, str):
        raise ValueError("a string")
    return data


def _boolean(data: Any) -> bool:
    if not isinstance(data, bool):
        raise ValueError("true or false")
    return data


def _duration(data: Any) -> float:
    if isinstance(data, bool) or not isinstance(data, str | int | float):
        raise ValueError(A_DURATION)
    try:
        return seconds(data)
    except ValueError:
        found = "another string" if isinstance(data, str) else "another number"
        raise ValueError(A_DURATION, found) from None


def _variable(data: Any) -> str:
    if not isinstance(data, str):
        raise ValueError("a string")
    if "=" in data:
        # A value on a command line would be in every list of processes.
        raise ValueError("the NAME of a variable, without its value", "NAME=VALUE")
    if not (data.isidentifier() and data.isascii()):
        raise ValueError("the name of a variable", "another string")
    return data


def _directory(data: Any) -> str:
    if not isinstance(data, str) or not data.startswith("/"):
        raise ValueError("the absolute path of a directory", "another string")
    return data


def _rule(data: Any) -> str:
    """Accept a rule, or raise the `UsageError` that says what is wrong with it."""
    from ..permissions.rules import parse_rule
    from ..registry import TOOLS

    return parse_rule(data, TOOLS).text


def _choice(*choices: str) -> Check:
    def check(data: Any) -> Any:
        if data in choices:
            return data
        if not isinstance(data, str):
            raise ValueError("a string")
        from difflib import get_close_matches

        nearest = get_close_matches(data, choices, n=1)
        ordered = [*nearest, *(choice for choice in choices if choice not in nearest)]
        listed = ", ".join(f'"{choice}"' for choice in ordered)
        raise ValueError(f"one of {listed}", "another string")

    return check


class Key(NamedTuple):
    """One setting: how it is checked, its default, and whether a project may lower it."""

    check: Check
    default: Any = None
    limit: bool = False
    flag: str = ""


#: The settings at the top of a file. A flag has the same name unless it says otherwise.
KEYS: dict[str, Key] = {
    "default_model": Key(_text, flag="model"),
    "system": Key(_text),
    "append_system": Key(_text),
    "max_turns": Key(_whole(1), 50, limit=True),
    "max_tool_calls": Key(_whole(0), limit=True),
    "max_tokens": Key(_whole(1), limit=True),
    "max_retries": Key(_whole(0), 4, limit=True),
    "max_parallel": Key(_whole(1), 8, limit=True),
    "timeout": Key(_duration, limit=True),
    "tool_timeout": Key(_duration, 120.0, limit=True),
    "idle_timeout": Key(_duration, 60.0, limit=True),
    "first_byte_timeout": Key(_duration, 300.0, limit=True),
    "temperature": Key(_number(0, 2)),
    "reasoning": Key(_choice("none", "low", "medium", "high")),
    "max_cost": Key(_number(0, 1e9), limit=True),
    "sandbox": Key(_choice("auto", "require", "off"), "auto"),
    "network": Key(_choice("on", "off"), "on"),
    "read_only": Key(_boolean, False),
}

#: What `permissions { … }` holds besides the lists of rules.
PERMISSION_KEYS: dict[str, Key] = {
    "default_decision": Key(_choice("allow", "ask", "deny"), "ask"),
    #: By default `prompt` where stdin and stdout are terminals, else `deny`.
    "on_ask": Key(_choice("prompt", "deny", "fail")),
}

RULES = ("deny", "ask", "allow")

#: Lists that add up over all layers, and what each of their strings is. Rules are among them.
LISTS: dict[str, Check] = {
    **dict.fromkeys(RULES, _rule),
    "env": _variable,
    "redact_env": _variable,
    "trust": _directory,
}

_CONNECTION_KEYS: dict[str, Check] = {
    "api": _choice(*WIRES),
    "api_key": _text,
    "base_url": _text,
}

PROVIDER_KEYS = _CONNECTION_KEYS

MODEL_KEYS: dict[str, Check] = {
    **_CONNECTION_KEYS,
    "tool_call": _boolean,
    "temperature": _boolean,
    "reasoning": _boolean,
    "max_tokens": _whole(1),
    "context_tokens": _whole(1),
}

#: `limit = { context output }` of a model, by the name of the setting that it becomes.
LIMIT_KEYS = {"context": "context_tokens", "output": "max_tokens"}

#: `cost = { … }` of a model: dollars for a million tokens.
COST_KEYS = ("input", "output", "cache_read", "cache_write")
price = _number(0, 1e6)

#: Other names for the same key.
SYNONYMS = {"max_tool_rounds": "max_turns"}

#: Keys that other programs give a meaning to, in the same file format, and this one does not.
# fmt: off
UNUSED = frozenset((
    "agent_dirs", "api_timeout_ms", "auto_delegation", "auto_parallel", "auto_parallel_enabled",
    "document_parser", "llm_api_timeout_ms", "max_parallel_tasks", "mcp_server", "mcp_servers",
    "memory", "memory_dir", "model_api_timeout_ms", "os", "project_doc_fallback_filenames",
    "project_doc_max_bytes", "queue", "search", "sessions_dir", "skill_dirs", "skills",
    "storage_backend", "storage_url", "task_scheduler", "thinking_budget",
    "user_instructions_dir", "workspace_retrieval",
))
# fmt: on
UNUSED_PROVIDER = frozenset(("session_id_header",))
UNUSED_MODEL = frozenset(
    ("attachment", "family", "modalities", "name", "release_date", "session_id_header")
)
