"""Which MCP servers are configured: those of every layer, merged by name.

A server is taken whole from the strongest layer that names it: another layer's command
must not meet this one's credentials. From the strongest to the weakest: those that a
program or an editor gave, the files of `--mcp-config`, the user's configuration. A
project's servers come last: none of them can take the place of one of the user's.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError, UsageError
from ..jsontext import Refused, loads
from .mcp_servers import MOST_SERVERS, McpServer, servers_of_entries, servers_of_json
from .places import Found, named_file
from .settings import Config, ConfigNotice

if TYPE_CHECKING:
    from .file import ConfigFile
    from .settings import McpSources

NAME = ".mcp.json"


def merge_servers(
    config: Config,
    files: Sequence[ConfigFile],
    sources: McpSources,
    environment: Mapping[str, str],
    workspace: Path,
    found: Found | None,
    *,
    trusted: bool,
) -> None:
    """Set `config.mcp_servers`; `found` is the project's `.mcp.json`, if there is one.

    Raises ConfigError.
    """
    own = [file for file in files if file.own]
    servers = {name: one for file in own for name, one in file.mcp_servers.items()}
    for path in sources.files:
        read = named_file(path, "--mcp-config", workspace)
        config.files.append(read.path)
        for one in servers_of_json(_json(read), read.path, environment):
            servers[one.name] = one
    for one in servers_of_entries(sources.servers, sources.origin, environment):
        servers[one.name] = one
    for project in (file for file in files if file.trusted and not file.own):
        _add(config, servers, project.mcp_servers.values())
    if found is not None and trusted:
        config.files.append(found.path)
        seen = {name: environment[name] for name in sources.env if name in environment}
        listed = servers_of_json(_json(found), found.path, seen, project=True)
        _add(config, servers, listed)
    elif found is not None:
        _refuse(config, found.path)
    if len(servers) > MOST_SERVERS:
        raise ConfigError(f"more than {MOST_SERVERS} MCP servers are configured")
    config.mcp_servers = servers


def _refuse(config: Config, path: str) -> None:
    from shlex import quote

    text = (
        f"{path}: no effect, because the project is not trusted; to trust it:"
        f"  a3s trust {quote(os.path.split(path)[0])}"
    )
    config.notices.append(
        ConfigNotice("config_untrusted", text, {"file": path, "keys": ["mcpServers"]})
    )


def _add(config: Config, servers: dict[str, McpServer], project: Iterable[McpServer]) -> None:
    for one in project:
        first = servers.setdefault(one.name, one)
        if first is not one:
            text = (
                f"{one.origin}: the project's MCP server {one.name[:64]!r} is not used, because you"
                f" have one of this name, from {first.origin}"
            )
            fields = {"file": one.origin, "keys": [one.name[:64]]}
            config.notices.append(ConfigNotice("config_untrusted", text, fields))


def servers_in(found: Found) -> list[McpServer]:
    """Return the servers of a project's file, without any variables. Raises ConfigError."""
    return list(servers_of_json(_json(found), found.path, {}, project=True))


def _json(found: Found) -> object:
    from json import JSONDecodeError

    try:
        value: object = loads(found.text)
    except Refused as error:
        raise ConfigError(f"{found.path}: this JSON is not read: {error}") from None
    except JSONDecodeError as error:
        place = f"{found.path}:{error.lineno}:{error.colno}"
        raise ConfigError(f"{place}: expected JSON, found: {error.msg}") from None
    return value


def chosen_servers(config: Config, named: Sequence[str] | None) -> list[McpServer]:
    """Return the servers of a run: the enabled ones, or those that were `named`.

    Raises UsageError for a name that is none of the configured ones.
    """
    if named is None:
        return [one for one in config.mcp_servers.values() if one.enabled]
    for name in named:
        if name not in config.mcp_servers:
            raise unknown_server(name, config)
    return [one for one in config.mcp_servers.values() if one.name in named]


def unknown_server(name: str, config: Config) -> UsageError:
    """Return the error for a name that no configured server has, with the nearest one."""
    from difflib import get_close_matches

    near = get_close_matches(name, config.mcp_servers, 1)
    known = ", ".join(config.mcp_servers) or "none"
    return UsageError(
        f"there is no MCP server {name!r} (configured: {known})",
        hint=None
        if config.mcp_servers
        else 'mcp_servers "NAME" { … } configures one, see a3s-mcp(5)',
        correction=(name, near[0]) if near else None,
    )
