"""`a3s config path`, `edit` and `set`: the user's own file.

`set` changes one line and leaves the rest as it was written. What it writes is read
again before it replaces the file: a file that would mean something else is not written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..config import acl
from ..config.file import ConfigFile
from ..config.places import read, user_paths
from ..config.settings import KEYS, SYNONYMS, Setting
from ..errors import ConfigError, UsageError

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def path(environment: Mapping[str, str]) -> str:
    """Return the path of the user's file: the one that is read, or that would be."""
    paths = user_paths(environment)
    if not paths:
        raise UsageError("there is no home directory", hint="set HOME to an absolute path")
    return next((one for one in paths if os.path.lexists(one)), paths[0])


def edit(environment: Mapping[str, str]) -> str:
    """Open the user's file in the editor and check it; return its path."""
    import click

    place = path(environment)
    Path(place).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    click.edit(filename=place)
    if found := read(place):
        ConfigFile(place, environment, "own").read(found.text)
    return place


def set_value(environment: Mapping[str, str], key: str, value: str) -> str:
    """Set a key of the user's file; return the line that says so."""
    name = _known(key)
    wanted = _typed(name, value)
    place = os.path.realpath(path(environment))
    found = read(place)
    text = found.text if found else ""
    line = f"{name} = {_literal(wanted)}"
    changed = _changed(text, place, name, line)
    before, after = _settings(text, place, environment), _settings(changed, place, environment)
    before.pop(name, None)
    if after.pop(name, None) != KEYS[name].check(wanted) or before != after:
        raise ConfigError(f"{place}: {key} cannot be set by itself there", hint="a3s config edit")
    if name == "default_model":
        _require_model(str(wanted), changed, environment)
    _write(Path(place), changed)
    return f"{place}: {line}"


def _known(key: str) -> str:
    name = _HUMP.sub("_", key).lower()
    name = SYNONYMS.get(name, name)
    if name in KEYS:
        return name
    from difflib import get_close_matches

    near = get_close_matches(name, KEYS, 1)
    meant = f"; did you mean {near[0]}?" if near else ""
    raise UsageError(
        f"{key} is not a setting with a single value{meant}",
        hint=f"{', '.join(KEYS)}; for rules and providers: a3s config edit",
    )


def _typed(name: str, value: str) -> Any:
    """Return a value as the key's type. Raises UsageError."""
    candidates: list[Any] = [{"true": True, "false": False}.get(value, value)]
    for kind in (int, float):
        try:
            candidates.insert(0, kind(value))
            break
        except ValueError:
            continue
    expected = ""
    for candidate in candidates:
        try:
            KEYS[name].check(candidate)
        except ValueError as error:
            expected = str(error.args[0])
        else:
            return candidate
    raise UsageError(f"{name}: expected {expected}, found {value!r}")


def _require_model(model: str, text: str, environment: Mapping[str, str]) -> None:
    """Refuse a model that a run with this configuration would refuse. Raises UsageError."""
    from ..config.endpoints import require_provider
    from ..config.layers import load
    from ..config.model_names import resolved_name

    config = load({}, environment, Path(), config_text=text, project=False)
    try:
        name = resolved_name(config, Setting(model, "default_model"))
        require_provider(config, name, environment)
    except ConfigError as error:
        raise UsageError(str(error), hint=error.hint) from None


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return acl.quoted(value) if isinstance(value, str) else f"{value}"


def _changed(text: str, place: str, name: str, line: str) -> str:
    """Return the text with the line in place of the key's, or at its end."""
    lines = text.split("\n")
    for item in acl.parse(text, place).items:
        if _HUMP.sub("_", item.name).lower() == name:
            lines[item.line - 1] = line
            return "\n".join(lines)
    at = next((number for number, one in enumerate(lines) if one.rstrip().endswith("{")), None)
    if at is None:
        return text + ("\n" if text and not text.endswith("\n") else "") + line + "\n"
    return "\n".join([*lines[:at], line, "", *lines[at:]])


def _settings(text: str, place: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return what a file sets, without its places."""
    file = ConfigFile(place, environment, "own")
    file.read(text)
    found: dict[str, Any] = {name: one.value for name, one in file.settings.items()}
    found["lists"] = {name: _values(several) for name, several in file.lists.items()}
    found["providers"] = sorted(file.providers)
    found["aliases"] = {name: one.value for name, one in file.aliases.items()}
    return found


def _values(settings: list[Setting]) -> list[Any]:
    return [one.value for one in settings]


def _write(place: Path, text: str) -> None:
    """Replace a file as a whole; its mode stays."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = place.stat().st_mode & 0o777 if place.exists() else 0o600
    new = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        new.replace(place)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise ConfigError(f"{place}: cannot be written: {error.strerror}") from None
