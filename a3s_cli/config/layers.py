"""The configuration: layers of settings, merged key by key.

From the strongest to the weakest:

1. flags
2. the environment: `A3S_MODEL`, and for each provider `OPENAI_API_KEY`, `OPENAI_BASE_URL`, …
3. the file of `--config`, `A3S_CONFIG` or `A3S_CONFIG_FILE`
4. the project's `.a3s/config.acl`, in the workspace or above it
5. the user's `$XDG_CONFIG_HOME/a3s/config.acl`, or else `~/.a3s/config.acl`
6. defaults

Rules are not replaced but added up, over all layers.

The project's file comes with somebody's repository, so it can only tighten: add
rules that deny or ask, lower a limit, choose a model among the providers that
the user's own files or environment define. What else it holds is told in one
notice, `config_untrusted`, and has no effect. The walk that looks for it ends
before `$HOME`, after a mount point, and before a directory that belongs to
somebody other than the workspace's owner: what lies beyond is not this project.
A file that is also the user's, by another path, is the user's.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import ConfigError, UsageError
from .settings import (
    FILE_VARIABLES,
    KEYS,
    MAX_NOTICES,
    MODEL_VARIABLE,
    PERMISSION_KEYS,
    RULES,
    Config,
    ConfigNotice,
    ProviderSettings,
    Setting,
)
from .vendors import ALIASES, VENDORS, key_variables, url_variables

if TYPE_CHECKING:
    from pathlib import Path

    from .file import ConfigFile

_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.EACCES)
_ALL_KEYS = {**KEYS, **PERMISSION_KEYS}


def load(
    flags: Mapping[str, Any],
    environment: Mapping[str, str],
    workspace: Path,
    *,
    config_file: str | None = None,
    project: bool = True,
) -> Config:
    """Merge all layers. A flag that is None or an empty list was not given.

    A relative `config_file` is relative to the workspace; without `project` the
    project's file is not read.
    """
    explicit = _explicit(config_file, environment, workspace)
    user = _first(_user_paths(environment))
    if explicit and user and explicit.identity == user.identity:
        user = None
    found = _project(workspace, environment) if project else None
    if found and found.identity in {known.identity for known in (explicit, user) if known}:
        found = None

    config = Config()
    config.settings = _defaults()
    user_file = _parse(user, environment, config) if user else None
    explicit_file = _parse(explicit, environment, config) if explicit else None
    for file in (user_file, explicit_file):
        _merge_providers(config, file.providers if file else {})
    _merge_environment_providers(config, environment)

    if user_file:
        config.settings.update(user_file.settings)
        _add_rules(config, user_file.rules)
    if found:
        _tighten(config, _parse(found, environment, config, trusted=False))
    if explicit_file:
        config.settings.update(explicit_file.settings)
        _add_rules(config, explicit_file.rules)
    if model := environment.get(MODEL_VARIABLE):
        config.settings["default_model"] = Setting(model, MODEL_VARIABLE)
    _merge_flags(config, flags)
    return config


def _defaults() -> dict[str, Setting]:
    settings = {name: Setting(key.default, "default") for name, key in _ALL_KEYS.items()}
    return {**settings, **{name: Setting((), "default") for name in RULES}}


class _Found(NamedTuple):
    """A file that is there: its text, and what tells it apart from every other file."""

    path: str
    text: str
    identity: tuple[int, int]


def _explicit(
    config_file: str | None, environment: Mapping[str, str], workspace: Path
) -> _Found | None:
    """Read the file that somebody named; it may be a pipe, as in `--config <(…)`."""
    origin, name = "--config", config_file
    for variable in FILE_VARIABLES:
        if name is None and environment.get(variable):
            origin, name = variable, environment[variable]
    if name is None:
        return None
    found = _read(os.path.join(workspace, name), any_kind=True)
    if found is None:
        raise ConfigError(f"{origin}: expected a readable file, found none at {name}")
    return found


def _user_paths(environment: Mapping[str, str]) -> list[str]:
    """Give where the user's file may be, the best place first; none without a home."""
    home = environment.get("HOME", "")
    configured = environment.get("XDG_CONFIG_HOME", "")
    paths = []
    if configured.startswith("/"):
        paths.append(os.path.join(configured, "a3s", "config.acl"))
    elif home.startswith("/"):
        paths.append(os.path.join(home, ".config", "a3s", "config.acl"))
    if home.startswith("/"):
        paths.append(os.path.join(home, ".a3s", "config.acl"))
    return paths


def _project(workspace: Path, environment: Mapping[str, str]) -> _Found | None:
    """Walk up from the workspace to the nearest project file."""
    directory = os.path.realpath(workspace)
    home = environment.get("HOME", "")
    home = os.path.realpath(home) if home.startswith("/") else ""
    try:
        owner = os.stat(directory).st_uid
        while directory != home and os.stat(directory).st_uid == owner:
            found = _read(os.path.join(directory, ".a3s", "config.acl"))
            if found or os.path.ismount(directory):
                return found
            directory = os.path.split(directory)[0]
    except OSError:
        return None
    return None


def _first(paths: Iterable[str]) -> _Found | None:
    for path in paths:
        if found := _read(path):
            return found
    return None


def _read(path: str, *, any_kind: bool = False) -> _Found | None:
    """Read a file; None if it is not there or lies where nobody may look.

    A file that is there and cannot be read is an error: its denials would be
    lost. Only a file that was named may be a device or a pipe, and only such a
    one is waited for.
    """
    try:
        wait = 0 if any_kind else os.O_NONBLOCK
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | wait)
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) in _ABSENT and not os.path.exists(path):
            return None
        raise ConfigError(f"{path}: expected a readable file, found: {_reason(error)}") from None
    # Without any file there is nothing to parse, and no reason to load what parses.
    from . import acl

    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode) or not (any_kind or stat.S_ISREG(status.st_mode)):
            raise ConfigError(f"{path}: expected a regular file, found another kind")
        data = bytearray()
        while len(data) <= acl.MAX_BYTES and (piece := os.read(descriptor, acl.MAX_BYTES)):
            data += piece
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {_reason(error)}") from None
    finally:
        os.close(descriptor)
    return _Found(path, acl.decode(bytes(data), path), (status.st_dev, status.st_ino))


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)


def _parse(
    found: _Found, environment: Mapping[str, str], config: Config, *, trusted: bool = True
) -> ConfigFile:
    from .file import ConfigFile

    file = ConfigFile(found.path, environment, trusted=trusted)
    file.read(found.text)
    config.files.append(found.path)
    config.notices += file.notices
    config.unused += file.unused
    return file


def _merge_providers(config: Config, providers: Mapping[str, ProviderSettings]) -> None:
    for name, provider in providers.items():
        config.providers.setdefault(name, ProviderSettings(name)).update(provider)


def _merge_environment_providers(config: Config, environment: Mapping[str, str]) -> None:
    """Let the variables of every known or configured provider define it, too."""
    configured = {ALIASES.get(name, name) for name in config.providers}
    for name in (*config.providers, *(name for name in VENDORS if name not in configured)):
        provider = provider_from(environment, name)
        if provider.settings:
            config.providers.setdefault(name, ProviderSettings(name)).update(provider)


def provider_from(environment: Mapping[str, str], name: str) -> ProviderSettings:
    """Give what the environment alone says of a provider."""
    provider = ProviderSettings(name)
    for key, variables in (("api_key", key_variables(name)), ("base_url", url_variables(name))):
        variable = next((variable for variable in variables if environment.get(variable)), None)
        if variable:
            provider.settings[key] = Setting(environment[variable], variable)
    return provider


def _tighten(config: Config, file: ConfigFile) -> None:
    """Apply as much of a project's file as makes a run stricter, and tell of the rest."""
    _add_rules(config, file.rules)
    for name, setting in file.settings.items():
        current = config.settings[name].value
        if name == "default_model":
            allowed = config.provider(setting.value.partition("/")[0]) is not None
        else:
            allowed = current is None or setting.value <= current
        if not allowed:
            file.refused[name] = None
        elif setting.value != current:
            config.settings[name] = setting
    if not file.refused:
        return
    names = list(file.refused)
    text = (
        f"{file.path}: no effect, because a project may only add denials and asks, lower limits"
        f" and choose among your providers: {', '.join(names[:MAX_NOTICES])}"
    )
    fields = {"file": file.path, "keys": names[:MAX_NOTICES]}
    config.notices.append(ConfigNotice("config_untrusted", text, fields))


def _merge_flags(config: Config, flags: Mapping[str, Any]) -> None:
    for name, key in _ALL_KEYS.items():
        flag = key.flag or name
        value = flags.get(flag)
        if value is None:
            continue
        origin = _flag(flag)
        try:
            config.settings[name] = Setting(key.check(value), origin)
        except ValueError as error:
            raise UsageError(f"{origin}: expected {error.args[0]}") from None
    _add_rules(
        config,
        {name: [Setting(rule, _flag(name)) for rule in flags.get(name) or ()] for name in RULES},
    )


def _add_rules(config: Config, rules: Mapping[str, list[Setting]]) -> None:
    for name, added in rules.items():
        if added:
            earlier = config.settings[name].value
            config.settings[name] = Setting((*earlier, *added), added[-1].origin)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
