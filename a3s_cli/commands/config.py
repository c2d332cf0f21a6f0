"""What `a3s config` shows: every value in force, where it came from, and no secret.

The text is itself a configuration file, with the origins as comments, so that
what one sees can be pasted into one's own file (masked values aside).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..config import acl
from ..config.layers import load
from ..config.settings import (
    PERMISSION_KEYS,
    RULES,
    Config,
    ModelSettings,
    ProviderSettings,
    Setting,
)
from ..errors import UsageError

_COLUMN = 44


def shown(*, cwd: str | None, config_file: str | None, project: bool, as_json: bool) -> str:
    """Load the configuration for a directory as `a3s run` would, and give it as text or JSON."""
    workspace = Path(cwd or ".")
    if not workspace.is_dir():
        raise UsageError(f"-C: there is no directory {cwd}")
    config = load({}, os.environ, workspace, config_file=config_file, project=project)
    return as_object(config) if as_json else as_text(config)


def as_object(config: Config) -> str:
    """Give the configuration as one JSON object and a newline."""
    from ..jsontext import dumps

    document = {
        "settings": {name: _entry(setting) for name, setting in config.settings.items()},
        "providers": {name: _provider(found) for name, found in config.providers.items()},
        "files": config.files,
        "unused": [{"key": key.value, "origin": key.origin} for key in config.unused],
        "notices": [
            {"code": notice.code, "text": notice.text, **notice.fields} for notice in config.notices
        ],
    }
    return dumps(document).decode() + "\n"


def as_text(config: Config) -> str:
    """Give the configuration in its own language, with origins as comments."""
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
    lines += [f"# {key.origin}: {key.value} is for other programs" for key in config.unused]
    lines += [f"# {notice.code}: {_plain(notice.text)}" for notice in config.notices]
    return "\n".join(lines) + "\n"


_PERMISSIONS = (*PERMISSION_KEYS, *RULES)


def _lines(name: str, setting: Setting, indent: str = "") -> Iterator[str]:
    """Give a setting; of a list, each entry with its own origin."""
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
    """Keep a terminal from obeying what a file says."""
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
    """Give a value with its origin; of a list, each entry with its own."""
    value = setting.value
    if isinstance(value, tuple):
        value = [{"value": entry.value, "origin": entry.origin} for entry in value]
    return {"value": value, "origin": setting.origin}


def _masked(name: str, setting: Setting) -> Setting:
    if name == "api_key":
        return Setting(mask(setting.value), setting.origin)
    if name == "base_url":
        return Setting(_without_secrets(setting.value), setting.origin)
    return setting


def mask(secret: str) -> str:
    """Give as much of a secret as tells it from another one, and no more."""
    return f"{secret[:3]}…{secret[-2:]}" if len(secret) >= 20 else "****"


def _without_secrets(url: str) -> str:
    """Mask what a URL may hold besides an address: a user, a query."""
    head, question, _ = url.partition("?")
    scheme, separator, rest = head.partition("://")
    authority, slash, path = rest.partition("/")
    user, at, place = authority.rpartition("@")
    user = "****" if at else user
    return (
        f"{scheme}{separator}{user}{at}{place}{slash}{path}{question}{'****' if question else ''}"
    )
