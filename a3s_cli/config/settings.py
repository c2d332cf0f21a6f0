"""The vocabulary of the configuration: which settings exist, their types and defaults.

`layers` merges the layers and `file` reads one file; both use the tables here. Every
value carries its origin, so that messages and `a3s config` can say where it comes
from: a flag, a variable, `file:line`, or `default`. No `repr` contains a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import ConfigError
from ..registry import TOOLS, WIRES
from ..values import Value
from .durations import EXPECTED as A_DURATION
from .durations import seconds
from .vendors import ALIASES

if TYPE_CHECKING:
    from .mcp_servers import McpServer

FILE_VARIABLES = ("A3S_CONFIG", "A3S_CONFIG_FILE")
MODEL_VARIABLE = "A3S_MODEL"

#: Most notices of one kind per file: a hostile file must not flood the stream.
MAX_NOTICES = 20

#: How an `on_ask` begins that names a program.
EXEC = "exec:"

#: Returns the value, or raises `ValueError(expected)` or `ValueError(expected, found)`.
Check = Callable[[Any], Any]


class Setting(NamedTuple):
    """A value and where it comes from."""

    value: Any
    origin: str

    def __repr__(self) -> str:
        return f"Setting(from {self.origin})"


class ConfigNotice(NamedTuple):
    """A notice about the configuration, as the stream reports it."""

    code: str
    text: str
    fields: Mapping[str, Any]


class McpSources(Value):
    """Where MCP servers come from besides the configuration files.

    `servers` are entries as in a JSON file, which `origin` gave. `env` are the variables
    that a project's servers may see.
    """

    files: Sequence[str] = ()
    servers: Mapping[str, Any] = {}
    origin: str = "mcp_servers"
    env: Collection[str] = ()


def unquoted(key: str) -> str:
    """Return a key without the quotes around it, which docker's env files keep."""
    text = key.strip()
    return text[1:-1] if len(text) > 2 and text[0] == text[-1] and text[0] in "\"'" else key


class ModelSettings:
    """The settings of one model; its key and URL override its provider's.

    `unset` maps a key whose `env("NAME")` has no value to the name of that variable.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.settings: dict[str, Setting] = {}
        self.headers: dict[str, Setting] = {}
        self.unset: dict[str, str] = {}

    def get(self, name: str) -> Any:
        """Return a value, or None."""
        found = self.settings.get(name)
        return found.value if found else None

    def update(self, other: ModelSettings) -> None:
        """Apply a stronger layer, key by key."""
        self.settings.update(other.settings)
        self.headers.update(other.headers)
        self.unset.update(other.unset)


class ProviderSettings(ModelSettings):
    """The settings of one provider: `api`, `api_key`, `base_url`, headers, models."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.models: dict[str, ModelSettings] = {}

    def model(self, name: str) -> ModelSettings:
        """Return the settings of a model, new ones if there are none."""
        return self.models.setdefault(name, ModelSettings(name))

    def update(self, other: ModelSettings) -> None:
        """Apply a stronger layer, key by key, to the provider and to each model."""
        super().update(other)
        if isinstance(other, ProviderSettings):
            for name, model in other.models.items():
                self.model(name).update(model)


class Config:
    """The configuration in force, and where each part of it comes from.

    `unused` lists keys of other programs that share the file format (`skills = …`).
    They are not mistakes, so a run does not report them; `a3s config` shows them.
    `files` are the files that were read. `trusted_project` is the real path of the
    workspace's project if its user trusts what may act in it.
    """

    def __init__(self) -> None:
        self.settings: dict[str, Setting] = {}
        self.providers: dict[str, ProviderSettings] = {}
        #: The user's short names of models.
        self.aliases: dict[str, Setting] = {}
        self.notices: list[ConfigNotice] = []
        self.unused: list[Setting] = []
        self.files: list[str] = []
        self.trusted_project: str | None = None
        #: Rules in files for tools that are not built in, and the error of each unless a
        #: plug-in has the tool.
        self.foreign_rules: list[tuple[str, ConfigError]] = []
        #: The servers of the configuration by name, whether a run uses them or not.
        self.mcp_servers: dict[str, McpServer] = {}

    def get(self, name: str) -> Any:
        """Return the value in force; for a list (`deny`, `env`), a tuple of `Setting`."""
        return self.settings[name].value

    @property
    def reading(self) -> Setting:
        """Whether commands that only read need no rule: not beside a default that was chosen."""
        chosen = self.settings["default_decision"].origin
        if self.get("reading") and chosen != "default":
            return Setting(False, f"default_decision, which is set, turns it off ({chosen})")
        return self.settings["reading"]

    def provider(self, name: str) -> ProviderSettings | None:
        """Return a provider's settings, under this name or another of the same vendor."""
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
        # A value on a command line would show in process lists.
        raise ValueError("the NAME of a variable, without its value", "NAME=VALUE")
    if not (data.isidentifier() and data.isascii()):
        raise ValueError("the name of a variable", "another string")
    return data


def _directory(data: Any) -> str:
    if not isinstance(data, str) or not data.startswith("/"):
        raise ValueError("the absolute path of a directory", "another string")
    return data


def _rule(data: Any) -> str:
    """Return the rule's text. Raises UsageError for an invalid rule."""
    from ..permissions.rules import parse_rule

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


_answering = _choice("prompt", "deny", "fail", "exec:COMMAND")


def _on_ask(data: Any) -> str:
    if not isinstance(data, str) or not data.startswith(EXEC) or data == f"{EXEC}COMMAND":
        return str(_answering(data))
    expected = f"a command after {EXEC}, quoted as in a shell"
    try:
        words = command_of(data)
    except ValueError:
        raise ValueError(expected, "an unclosed quote") from None
    if not words or not words[0]:
        raise ValueError(expected, "none")
    return data


def command_of(on_ask: str) -> list[str]:
    """Return the words of `exec:COMMAND`, split as a shell would, without running one."""
    from shlex import split

    return split(on_ask.removeprefix(EXEC))


class Key(Value):
    """One setting: its check and default, and whether a project may lower it."""

    check: Check
    default: Any = None
    limit: bool = False
    flag: str = ""


#: The settings at the top of a file. A flag has the same name unless `flag` differs.
KEYS: dict[str, Key] = {
    "default_model": Key(_text, flag="model"),
    "system": Key(_text),
    "append_system": Key(_text),
    "max_turns": Key(_whole(1), 50, limit=True),
    "max_tool_calls": Key(_whole(0), limit=True),
    "max_tokens": Key(_whole(1), limit=True),
    "max_retries": Key(_whole(0), 4, limit=True),
    "max_response_bytes": Key(_whole(1), 64 * 1024 * 1024, limit=True),
    "max_attachment_bytes": Key(_whole(1), 20_000_000, limit=True),
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
    "protect": Key(_choice("all", "tracked"), "all"),
    "read_only": Key(_boolean, False),
}

#: The keys of `permissions { … }` besides the lists of rules.
PERMISSION_KEYS: dict[str, Key] = {
    "default_decision": Key(_choice("allow", "ask", "deny"), "ask"),
    #: Whether confined commands that only read need no rule.
    "reading": Key(_boolean, True),
    #: By default `prompt` where stdin and stdout are terminals, else `deny`.
    "on_ask": Key(_on_ask),
    #: Seconds that the program of `on_ask = "exec:…"` has for an answer.
    "approver_timeout": Key(_duration, 60.0),
}

RULES = ("deny", "ask", "allow")

#: Lists that add up over all layers, rules included, and the check of their strings.
LISTS: dict[str, Check] = {
    **dict.fromkeys(RULES, _rule),
    "env": _variable,
    "redact_env": _variable,
    "trust": _directory,
    #: The models that are asked, in this order, when the model is unavailable.
    "fallback_model": _text,
    #: Names of entry points, see `run.plugins`.
    "plugins": _text,
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
    "attachment": _boolean,
    "max_tokens": _whole(1),
    "context_tokens": _whole(1),
}

#: `limit = { context output }` of a model, and the setting that each becomes.
LIMIT_KEYS = {"context": "context_tokens", "output": "max_tokens"}

#: `modalities = { input output }` of a model: what it can be given, and what it answers with.
MODALITY_KEYS = ("input", "output")

#: `cost = { … }` of a model: dollars per million tokens.
COST_KEYS = ("input", "output", "cache_read", "cache_write")
price = _number(0, 1e6)

#: Other names for the same key.
SYNONYMS = {"max_tool_rounds": "max_turns", "mcp_server": "mcp_servers"}

#: Keys that only other programs use, in the same file format.
# fmt: off
UNUSED = frozenset((
    "agent_dirs", "api_timeout_ms", "auto_delegation", "auto_parallel", "auto_parallel_enabled",
    "document_parser", "llm_api_timeout_ms", "max_parallel_tasks",
    "memory", "memory_dir", "model_api_timeout_ms", "os", "project_doc_fallback_filenames",
    "project_doc_max_bytes", "queue", "search", "sessions_dir", "skill_dirs", "skills",
    "storage_backend", "storage_url", "task_scheduler", "thinking_budget",
    "user_instructions_dir", "workspace_retrieval",
))
# fmt: on
UNUSED_PROVIDER = frozenset(("session_id_header",))
UNUSED_MODEL = frozenset(("family", "name", "release_date", "session_id_header"))
