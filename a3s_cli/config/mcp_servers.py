"""MCP servers as they are configured: `mcp_servers "NAME" { … }`, and the JSON of others.

The JSON is what other programs read, `{"mcpServers": {"NAME": {…}}}`: `${VAR}` and
`${VAR:-default}` are expanded in its strings, a number as `timeout` is milliseconds, and
what only we know stands in an object `a3s`. Keys that we do not know are others' and are
passed by; none of them can widen what a server's tools may do.

A project's own servers always run in the sandbox, are never taken for reading only, and
see only variables that the user lists (`env = [...]`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import ConfigError
from ..values import Value, field
from .durations import EXPECTED as A_DURATION
from .durations import seconds
from .settings import Check

#: Seconds that a server has to answer.
TIMEOUT = 30.0
#: Servers of one run, and bytes of a JSON file: a hostile file must not exhaust anything.
MOST_SERVERS = 100
#: How a JSON file or a block may spell the way to a server.
TRANSPORTS = {
    "stdio": "stdio",
    "http": "http",
    "streamable-http": "http",
    "streamable_http": "http",
    "streamablehttp": "http",
    "sse": "sse",
}
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e\t]*")
#: Headers that belong to the protocol.
_RESERVED = frozenset(
    ("content-length", "transfer-encoding", "host", "connection", "content-type", "accept")
)


class McpServer(Value):
    """One server, and how its tools are used."""

    name: str
    #: `file:line`, or the option that it came with.
    origin: str
    command: str = ""
    args: Sequence[str] = field(default=(), repr=False)
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    url: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = TIMEOUT
    #: Seconds for one call; None for those that every tool has.
    call_timeout: float | None = None
    cwd: str | None = None
    #: Whether a run may begin without it.
    optional: bool = False
    enabled: bool = True
    #: Patterns for its own names of the tools to offer; none for all.
    tools: Sequence[str] = ()
    #: The tools that only read, says the user: all, none, or those of these patterns.
    read_only: bool | Sequence[str] = False
    sandbox: bool = False
    #: Whether the project names it, and not its user.
    project: bool = False
    #: Why it cannot be used, whatever is tried; empty otherwise.
    obstacle: str = ""

    def described(self) -> list[Any]:
        """Return what identifies it in the digest of a policy: no values of secrets."""
        return [
            self.name, self.command, list(self.args), sorted(self.env), self.url,
            sorted(self.headers), self.cwd, self.optional, list(self.tools),
            self.read_only if isinstance(self.read_only, bool) else list(self.read_only),
            self.sandbox,
        ]  # fmt: skip


class Wrong(ValueError):
    """A key of a server is wrong: the key, what was expected, and what was found."""

    def __init__(self, key: str, expected: str, found: str) -> None:
        super().__init__(f"expected {expected} for {key}, found {found}")
        self.key, self.expected, self.found = key, expected, found


def server_of(
    name: str,
    origin: str,
    given: Mapping[str, Any],
    *,
    project: bool = False,
    unset: Sequence[str] = (),
) -> McpServer:
    """Return the server of a block's evaluated keys; without the `unset` variables it cannot run.

    Raises Wrong.
    """
    known = dict(given)
    transport = known.pop("transport", None)
    kind = TRANSPORTS.get(str(transport).lower()) if transport is not None else None
    if transport is not None and kind is None:
        raise Wrong("transport", 'one of "stdio", "http"', "another value")
    token = known.pop("bearer_token", None)
    if "timeout_ms" in known:
        known.setdefault("timeout", _milliseconds(known.pop("timeout_ms")))
    checked = {key: KEYS[key](known[key]) for key in KEYS if known.get(key) is not None}
    if token is not None:
        checked["headers"] = {
            "authorization": f"Bearer {_header(_string(token))}",
            **checked.get("headers", {}),
        }
    command, url = checked.get("command", ""), checked.get("url", "")
    if unset:
        checked["obstacle"] = _unset(unset[0], project=project)
    elif bool(command) == bool(url):
        found = "both" if command else "neither"
        raise Wrong(f"the server {name!r}", "a command or a url", found)
    if kind is not None and not unset and (kind == "stdio") != bool(command):
        found = "a command" if command else "a url"
        raise Wrong("transport", f"what fits {found}", f"{transport!r}"[:40])
    if kind == "sse":
        checked["obstacle"] = (
            "it uses the old HTTP+SSE transport, which a3s does not support;"
            " most such servers have a URL for streamable HTTP as well"
        )
    if project:
        checked.update(sandbox=True, read_only=False)
    return McpServer(name, origin, project=project, **checked)


def servers_of_json(
    value: Any, where: str, environment: Mapping[str, str], *, project: bool = False
) -> Iterator[McpServer]:
    """Yield the servers of a JSON document that was read from `where`. Raises ConfigError."""
    servers = value.get("mcpServers") if isinstance(value, dict) else None
    if not isinstance(servers, dict):
        raise ConfigError(f'{where}: expected {{"mcpServers": {{"NAME": {{…}}}}}}')
    yield from servers_of_entries(servers, where, environment, project=project)


def servers_of_entries(
    entries: Mapping[str, Any], where: str, environment: Mapping[str, str], *, project: bool = False
) -> Iterator[McpServer]:
    """Yield the servers of `{"NAME": {…}}` as JSON files have them. Raises ConfigError."""
    for name, entry in entries.items():
        place = f"{where}: mcpServers.{str(name)[:64]}"
        if not isinstance(entry, Mapping) or not isinstance(name, str) or not name.strip():
            raise ConfigError(f"{place}: expected an object with a command or a url")
        try:
            unset: list[str] = []
            given = _keys(_expanded(entry, environment, unset))
            yield server_of(name, where, given, project=project, unset=unset)
        except Wrong as wrong:
            raise ConfigError(f"{place}: {wrong}") from None


def _keys(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of a JSON entry under our names."""
    given: dict[str, Any] = {
        key: entry[key] for key in ("command", "args", "env", "url", "headers", "cwd")
        if key in entry
    }  # fmt: skip
    if "serverUrl" in entry or "httpUrl" in entry:
        given.setdefault("url", entry.get("httpUrl", entry.get("serverUrl")))
    if "type" in entry or "transport" in entry:
        given["transport"] = entry.get("type", entry.get("transport"))
    timeout = entry.get("timeout")
    if isinstance(timeout, int | float) and not isinstance(timeout, bool):
        given["timeout_ms"] = timeout
    elif timeout is not None:
        given["timeout"] = timeout
    if entry.get("disabled") is True or entry.get("enabled") is False:
        given["enabled"] = False
    ours = entry.get("a3s", {})
    if not isinstance(ours, Mapping):
        raise Wrong("a3s", "an object", "another value")
    for key, value in ours.items():
        if key not in _OURS:
            from difflib import get_close_matches

            near = get_close_matches(str(key), _OURS, 1)
            raise Wrong("a3s", f"one of {', '.join(near or _OURS)}", f"the key {key!r}"[:80])
        given[_OURS[key]] = value
    return given


#: The keys of the object `a3s` in a JSON file, and what each is called in a block.
_OURS = {
    "optional": "optional",
    "readOnly": "read_only",
    "tools": "tools",
    "enabled": "enabled",
    "sandbox": "sandbox",
    "timeout": "timeout",
    "callTimeout": "call_timeout",
}


def _expanded(value: Any, environment: Mapping[str, str], unset: list[str]) -> Any:
    """Return a JSON value whose strings have their variables; those without a value go to `unset`.

    An unset one has the empty string.
    """
    if isinstance(value, str):

        def variable(match: re.Match[str]) -> str:
            found = environment.get(match[1]) or match[2]
            if found is None:
                unset.append(match[1])
            return found or ""

        return _REFERENCE.sub(variable, value)
    if isinstance(value, Mapping):
        return {key: _expanded(one, environment, unset) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_expanded(one, environment, unset) for one in value]
    return value


def _unset(variable: str, *, project: bool) -> str:
    """Say that a variable has no value, and what to do about it."""
    if project:
        return (
            f"it names the variable {variable}, and a project's servers see only variables that"
            f" you list and that are set: --env {variable}"
        )
    return f"the variable {variable} is not set"


# -- what each key may be ------------------------------------------------------------------


def _kind(data: Any) -> str:
    kinds = {str: "a string", bool: "true or false", list: "a list", tuple: "a list"}
    if isinstance(data, Mapping):
        return "an object"
    return kinds.get(type(data), "a number" if isinstance(data, int | float) else "another value")


def _checked(key: str, expected: str, check: Check) -> Check:
    def checked(data: Any) -> Any:
        try:
            return check(data)
        except (ValueError, TypeError):
            raise Wrong(key, expected, _kind(data)) from None

    return checked


def _word(data: Any) -> str:
    """Return a text that an argument, a variable or a path can hold; raise ValueError for another.

    A lone surrogate cannot be encoded, unless it stands for a byte of the environment.
    """
    if not isinstance(data, str) or b"\0" in os.fsencode(data):
        raise ValueError
    return data


def _string(data: Any) -> str:
    if not _word(data).strip():
        raise ValueError
    return str(data)


def _strings(data: Any) -> tuple[str, ...]:
    if isinstance(data, str):
        data = [data]
    if not isinstance(data, list | tuple):
        raise ValueError
    return tuple(map(_word, data))


def _table(data: Any) -> dict[str, str]:
    if not isinstance(data, Mapping):
        raise ValueError
    for name, value in data.items():
        _word(value)
        if not _word(name) or "=" in name:
            raise ValueError
    return dict(data)


def _headers(data: Any) -> dict[str, str]:
    headers = {name.lower(): _header(value) for name, value in _table(data).items()}
    for name in headers:
        if not _HEADER_NAME.fullmatch(name) or name in _RESERVED or name.startswith("mcp-"):
            raise ValueError
    return headers


def _header(value: str) -> str:
    if not _HEADER_VALUE.fullmatch(value):
        raise ValueError
    return value.strip()


def _url(data: Any) -> str:
    from urllib.parse import urlsplit

    parts = urlsplit(_string(data))
    if parts.scheme not in ("http", "https") or not parts.hostname or not str(data).isprintable():
        raise ValueError
    if parts.port == 0:  # another number that is none raises by itself
        raise ValueError
    return str(data)


def _milliseconds(data: Any) -> float:
    if isinstance(data, bool) or not isinstance(data, int | float) or not 0 < data < 1e10:
        raise Wrong("timeout", "a number of milliseconds above zero", _kind(data))
    return data / 1000


def _duration(data: Any) -> float:
    if isinstance(data, bool) or not isinstance(data, str | int | float):
        raise ValueError
    return seconds(data)


def _flag(data: Any) -> bool:
    if not isinstance(data, bool):
        raise ValueError
    return data


def _flag_or_patterns(data: Any) -> bool | tuple[str, ...]:
    return data if isinstance(data, bool) else _strings(data)


_A_URL = "a URL that begins with https:// or http://, with a port from 1 to 65535 if any"
#: The keys of a server, and what each may be.
KEYS: dict[str, Check] = {
    "command": _checked("command", "the name or path of a program", _string),
    "args": _checked("args", "a list of strings", _strings),
    "env": _checked("env", "an object of strings", _table),
    "url": _checked("url", _A_URL, _url),
    "headers": _checked(
        "headers", "an object of headers that the protocol does not set itself", _headers
    ),
    "timeout": _checked("timeout", A_DURATION, _duration),
    "call_timeout": _checked("call_timeout", A_DURATION, _duration),
    "cwd": _checked("cwd", "the path of a directory", _string),
    "optional": _checked("optional", "true or false", _flag),
    "enabled": _checked("enabled", "true or false", _flag),
    "tools": _checked("tools", "a list of names or patterns", _strings),
    "read_only": _checked("read_only", "true, false or a list of tools", _flag_or_patterns),
    "sandbox": _checked("sandbox", "true or false", _flag),
}
#: The keys of a block that become one of these.
BLOCK_KEYS = (*KEYS, "transport", "timeout_ms", "bearer_token")
