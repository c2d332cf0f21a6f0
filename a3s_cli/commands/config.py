"""What `a3s config` shows: every effective value and its origin, with secrets masked.

The text is itself a configuration file, with the origins as comments, so that
lines of it can be pasted into a file of one's own (except masked values).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config import acl
from ..config.layers import load
from ..config.settings import (
    PERMISSION_KEYS,
    RULES,
    Config,
    McpSources,
    ModelSettings,
    ProviderSettings,
    Setting,
)
from ..errors import UsageError
from ..output.person import readable

if TYPE_CHECKING:
    from ..config.mcp_servers import McpServer

_COLUMN = 44


def shown(*, cwd: str | None, config_file: str | None, project: bool, as_json: bool) -> str:
    """Load the configuration for a directory as `a3s run` would; return it as text or JSON."""
    workspace = Path(cwd or ".")
    if not workspace.is_dir():
        raise UsageError(f"-C: there is no directory {cwd}")
    config = load(
        {}, os.environ, workspace, config_file=config_file, project=project, mcp=McpSources()
    )
    config.settings["reading"] = config.reading
    return as_object(config) if as_json else readable(as_text(config))


def as_object(config: Config) -> str:
    """Return the configuration as one JSON object and a newline."""
    from ..jsontext import dumps

    document = {
        "settings": {name: _entry(setting) for name, setting in config.settings.items()},
        "providers": {name: _provider(found) for name, found in config.providers.items()},
        "mcpServers": {name: _server(found) for name, found in config.mcp_servers.items()},
        "files": config.files,
        "unused": [{"key": key.value, "origin": key.origin} for key in config.unused],
        "notices": [
            {"code": notice.code, "text": notice.text, **notice.fields} for notice in config.notices
        ],
    }
    return dumps(document).decode() + "\n"


def as_text(config: Config) -> str:
    """Return the configuration as a configuration file, with origins as comments."""
    lines: list[str] = []
    for name, setting in config.settings.items():
        if name not in _PERMISSIONS:
            lines += _lines(name, setting)
    lines.append("permissions {")
    for name in _PERMISSIONS:
        lines += _lines(name, config.settings[name], "  ")
    lines.append("}")
    for provider in config.providers.values():
        lines += [f"providers {_quoted(provider.name)} {{", *_scope(provider, "  ")]
        for model in provider.models.values():
            lines += [f"  models {_quoted(model.name)} {{", *_scope(model, "    "), "  }"]
        lines.append("}")
    for server in config.mcp_servers.values():
        lines.append(_commented(f"mcp_servers {_quoted(server.name)} {{", server.origin))
        lines += [f"  {name} = {_literal(value)}" for name, value in _server(server).items()]
        lines.append("}")
    lines += [f"# {key.origin}: {key.value} is not used by a3s" for key in config.unused]
    lines += [f"# {notice.code}: {_plain(notice.text)}" for notice in config.notices]
    return "\n".join(lines) + "\n"


_PERMISSIONS = (*PERMISSION_KEYS, *RULES)


def _lines(name: str, setting: Setting, indent: str = "") -> Iterator[str]:
    """Yield the lines of a setting; each entry of a list has its own origin."""
    if not isinstance(setting.value, tuple) or not setting.value:
        yield _line(name, setting, indent)
        return
    yield f"{indent}{name} = ["
    for entry in setting.value:
        yield _commented(f"{indent}  {_quoted(entry.value)},", entry.origin)
    yield f"{indent}]"


def _scope(scope: ModelSettings, indent: str) -> Iterator[str]:
    for name, setting in scope.settings.items():
        yield _line(name, _masked(name, setting), indent)
    if scope.headers:
        yield f"{indent}headers = {{"
        for name, header in scope.headers.items():
            yield _line(_quoted(name), Setting(mask(header.value), header.origin), indent + "  ")
        yield f"{indent}}}"
    for name, variable in scope.unset.items():
        if name not in scope.settings:
            yield f"{indent}# {name}: the variable {_plain(variable)} is not set"


def _server(server: McpServer) -> dict[str, Any]:
    """Return what differs from the defaults, with the values of secrets masked."""
    plain = {
        name: getattr(server, name)
        for name in ("command", "url", "timeout", "cwd", "optional", "enabled", "sandbox")
    }
    plain["url"] = _without_secrets(server.url)
    for name in ("args", "tools"):
        plain[name] = [*getattr(server, name)]
    said = server.read_only
    plain["read_only"] = said if isinstance(said, bool) else [*said]
    shown = {name: value for name, value in plain.items() if value or name == "enabled"}
    for name in ("env", "headers"):
        if found := getattr(server, name):
            shown[name] = {_quoted(key): mask(value) for key, value in found.items()}
    return shown


def _line(name: str, setting: Setting, indent: str = "") -> str:
    return _commented(f"{indent}{name} = {_literal(setting.value)}", setting.origin)


def _commented(text: str, origin: str) -> str:
    return f"{text:{_COLUMN}}  # {_plain(origin)}"


def _literal(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_literal(one)}" for key, one in value.items()) + " }"
    if isinstance(value, tuple):
        return "[]"
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return (
        f"{value:g}"
        if isinstance(value, float)
        else str(value)
        if isinstance(value, int)
        else _quoted(value)
    )


def _quoted(text: str) -> str:
    return _plain(acl.quoted(text))


def _plain(text: str) -> str:
    """Replace characters that a terminal could interpret."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def _provider(provider: ProviderSettings) -> dict[str, Any]:
    models = {name: _entries(model) for name, model in provider.models.items()}
    return {**_entries(provider), "models": models}


def _entries(scope: ModelSettings) -> dict[str, Any]:
    entries: dict[str, Any] = {
        name: _entry(_masked(name, setting)) for name, setting in scope.settings.items()
    }
    entries["headers"] = {
        name: {"value": mask(setting.value), "origin": setting.origin}
        for name, setting in scope.headers.items()
    }
    entries["unset"] = scope.unset
    return entries


def _entry(setting: Setting) -> Any:
    """Return a value with its origin; each entry of a list has its own."""
    value = setting.value
    if isinstance(value, tuple):
        value = [{"value": entry.value, "origin": entry.origin} for entry in value]
    return {"value": value, "origin": setting.origin}


def _masked(name: str, setting: Setting) -> Setting:
    if name == "api_key":
        return Setting(mask(setting.value), setting.origin)
    if name == "base_url":
        return Setting(_without_secrets(setting.value), setting.origin)
    if name == "extra_body":
        return Setting(_hidden(setting.value), setting.origin)
    return setting


def _hidden(value: Any) -> Any:
    """Mask what came from the environment, wherever it stands in a value."""
    from ..config.wire_keys import FromEnvironment

    if isinstance(value, FromEnvironment):
        return mask(value)
    if isinstance(value, dict):
        return {key: _hidden(inner) for key, inner in value.items()}
    return [_hidden(inner) for inner in value] if isinstance(value, list) else value


def mask(secret: str) -> str:
    """Return just enough of a secret to tell it from another one."""
    return f"{secret[:3]}…{secret[-2:]}" if len(secret) >= 20 else "****"


def _without_secrets(url: str) -> str:
    """Mask the user and the query of a URL."""
    head, question, _ = url.partition("?")
    scheme, separator, rest = head.partition("://")
    authority, slash, path = rest.partition("/")
    user, at, place = authority.rpartition("@")
    user = "****" if at else user
    return (
        f"{scheme}{separator}{user}{at}{place}{slash}{path}{question}{'****' if question else ''}"
    )
