"""The configuration: layers of settings, merged key by key.

From the strongest to the weakest:

1. flags
2. the environment: `A3S_MODEL`, and for each provider `OPENAI_API_KEY`, `OPENAI_BASE_URL`, …
3. the file of `--config`, `A3S_CONFIG` or `A3S_CONFIG_FILE`
4. the project's `.a3s/config.acl`, in the workspace or above it
5. the user's `$XDG_CONFIG_HOME/a3s/config.acl`, or else `~/.a3s/config.acl`
6. defaults

Rules and other lists add up over all layers. `--permissions FILE` is the exception:
it replaces the allow and ask rules of the user's files (3, 5, and 4 if it is trusted),
and a default of `allow`. Their deny rules always apply, and so does everything that an
untrusted project tightens.

The project's file comes with a repository, so it can only tighten: add deny and ask
rules, lower limits, choose a model among the providers that the user's own files or
environment define. Anything else in it has no effect and is reported in one notice,
`config_untrusted`.

Directories in `trust = [...]` of the user's own files, which `a3s trust` writes, are
exempt. Their real paths are compared exactly: a symlink put in the place of a trusted
directory leads to another path, which is not trusted. Projects below a trusted
directory are not trusted either: they may be clones from anywhere. An entry that
`a3s trust` wrote covers a hash of what may act (`trusted`): after a change the project
is untrusted. A project's file that is also one of the user's files counts as the
user's.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..values import replace
from .places import (
    Found,
    explicit_file,
    first_file,
    named_file,
    project_file,
    project_of,
    user_paths,
)
from .settings import (
    KEYS,
    LISTS,
    MAX_NOTICES,
    MODEL_VARIABLE,
    PERMISSION_KEYS,
    RULES,
    Check,
    Config,
    ConfigNotice,
    McpSources,
    ProviderSettings,
    Setting,
)
from .vendors import ALIASES, VENDORS, key_variables, token_variables, url_variables

if TYPE_CHECKING:
    from pathlib import Path

    from .file import ConfigFile
    from .items import Standing

_ALL_KEYS = {**KEYS, **PERMISSION_KEYS}


def load(  # noqa: PLR0913
    flags: Mapping[str, Any],
    environment: Mapping[str, str],
    workspace: Path,
    *,
    config_file: str | None = None,
    config_text: str | None = None,
    permissions: str | Mapping[str, Any] | None = None,
    project: bool = True,
    mcp: McpSources | None = None,
) -> Config:
    """Merge all layers. A flag that is None or an empty list was not given.

    Relative paths are relative to the workspace. Without `mcp`, no JSON file of servers is
    read. `config_text` is the content of a
    `config_file`, `permissions` the path of a permissions file or its content. Unless
    `project` is set, the project's file is not read. Raises ConfigError for a wrong
    file, UsageError for a wrong flag.
    """
    config = Config()
    config.settings = _defaults()
    text = None if config_text is None else Found("<text>", config_text, (-1, -1))
    explicit = text or explicit_file(config_file, environment, workspace)
    found = project_file(workspace, environment) if project else None
    files = _files(config, environment, explicit, found, flags.get("env") or ())
    if project:
        _find_trusted(config, files, found, workspace)
    for file in files:
        if file.trusted:
            _merge_providers(config, file.providers)
            config.aliases.update(file.aliases)
    _merge_environment_providers(config, environment)

    replaced = () if permissions is None else ("allow", "ask")
    for file in files:
        if file.trusted:
            config.settings.update(file.settings)
            _add_lists(config, {name: file.lists[name] for name in LISTS if name not in replaced})
        else:
            _tighten(config, file)
        _tell_refused(config, file)
    if permissions is not None:
        _permit(config, environment, workspace, permissions)
    sources = mcp or McpSources()
    listing = project_file(workspace, environment, ".mcp.json") if mcp and project else None
    if listing or sources.files or sources.servers or any(file.mcp_servers for file in files):
        from .mcp_files import merge_servers

        own = [file for file in files if file.own]
        sources = replace(sources, env=listed_variables(own, flags.get("env") or ()))
        # Asked once more, now that its file was read: what is in force is what was hashed.
        trusted = listing is not None and _is_trusted(config, own, os.path.split(listing.path)[0])
        merge_servers(config, files, sources, environment, workspace, listing, trusted=trusted)
    if model := environment.get(MODEL_VARIABLE):
        config.settings["default_model"] = Setting(model, MODEL_VARIABLE)
    _merge_flags(config, flags)
    if config.foreign_rules and not config.get("plugins"):
        raise config.foreign_rules[0][1]
    return config


def _defaults() -> dict[str, Setting]:
    settings = {name: Setting(key.default, "default") for name, key in _ALL_KEYS.items()}
    return {**settings, **{name: Setting((), "default") for name in LISTS}}


def _files(
    config: Config,
    environment: Mapping[str, str],
    explicit: Found | None,
    found: Found | None,
    env: Sequence[str],
) -> list[ConfigFile]:
    """Parse all existing files; return them from the weakest to the strongest."""
    user = first_file(user_paths(environment))
    if explicit and user and explicit.identity == user.identity:
        user = None
    own = [_parse(file, environment, config) for file in (user, explicit) if file]
    if found is None or found.identity in {file.identity for file in (user, explicit) if file}:
        return own
    standing: Standing = "untrusted"
    if any(file.lists["trust"] for file in own):
        standing = _standing(config, own, project_of(found.path), found.text)
    place = 1 if user else 0
    listed = listed_variables(own, env)
    project = _parse(found, environment, config, standing, listed=listed)
    return [*own[:place], project, *own[place:]]


def listed_variables(own: Sequence[ConfigFile], env: Sequence[str]) -> set[str]:
    """Return the variables that a project's servers may see: those that the user passes on."""
    return {*env, *(entry.value for file in own for entry in file.lists["env"])}


def _standing(
    config: Config, own: Sequence[ConfigFile], project: str, text: str | None = None
) -> Standing:
    """Return whether the user's files trust a project as it is now; `text` is its file's."""
    from . import trusted

    entries = [one.value for file in own for one in file.lists["trust"]]
    try:
        return "trusted" if trusted.trusts(entries, project, text) else "untrusted"
    except trusted.Changed as why:
        _tell_changed(config, project, why)
        return "untrusted"


def _is_trusted(config: Config, own: Sequence[ConfigFile], directory: str) -> bool:
    return config.trusted_project == directory and (_standing(config, own, directory) == "trusted")


def _find_trusted(
    config: Config, files: Sequence[ConfigFile], found: Found | None, workspace: Path
) -> None:
    """Set `config.trusted_project`: the project of the workspace, if it is trusted.

    A project without a configuration is the nearest trusted directory, from the workspace
    up.
    """
    own = [file for file in files if file.own]
    if len(own) < len(files):
        if found is not None and all(file.trusted for file in files):
            config.trusted_project = project_of(found.path)
        return
    entries = [one.value for file in own for one in file.lists["trust"]]
    if not entries:
        return
    from .trusted import nearest

    directory = nearest(entries, os.path.realpath(workspace))
    if directory is not None and _standing(config, own, directory) == "trusted":
        config.trusted_project = directory


def _parse(
    found: Found,
    environment: Mapping[str, str],
    config: Config,
    standing: Standing = "own",
    *,
    permissions: bool = False,
    listed: Collection[str] = (),
) -> ConfigFile:
    from .file import ConfigFile

    file = ConfigFile(found.path, environment, standing, listed)
    (file.read_permissions if permissions else file.read)(found.text)
    config.files.append(found.path)
    config.notices += file.notices
    config.unused += file.unused
    config.foreign_rules += file.foreign_rules
    return file


def _merge_providers(config: Config, providers: Mapping[str, ProviderSettings]) -> None:
    for name, provider in providers.items():
        config.providers.setdefault(name, ProviderSettings(name)).update(provider)


def _merge_environment_providers(config: Config, environment: Mapping[str, str]) -> None:
    """Apply the environment variables of every known or configured provider."""
    configured = {ALIASES.get(name, name) for name in config.providers}
    for name in (*config.providers, *(name for name in VENDORS if name not in configured)):
        provider = provider_from(environment, name)
        if provider.settings or provider.headers:
            config.providers.setdefault(name, ProviderSettings(name)).update(provider)


def provider_from(environment: Mapping[str, str], name: str) -> ProviderSettings:
    """Return a provider's settings from the environment alone."""
    provider = ProviderSettings(name)
    for key, variables in (("api_key", key_variables(name)), ("base_url", url_variables(name))):
        variable = next((variable for variable in variables if environment.get(variable)), None)
        if variable:
            provider.settings[key] = Setting(_read(variable, environment[variable]), variable)
    if "api_key" not in provider.settings:
        for variable in token_variables(name):
            if token := environment.get(variable):
                provider.headers["authorization"] = Setting(f"Bearer {token.strip()}", variable)
                break
    return provider


def _read(variable: str, value: str) -> str:
    if variable != "OLLAMA_HOST":
        return value
    from .base_urls import listening

    return listening(value, 11434)


def _tighten(config: Config, file: ConfigFile) -> None:
    """Apply what makes a run stricter in a project's file; refuse the rest."""
    _add_lists(config, file.lists)
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


def _tell_changed(config: Config, project: str, why: Exception) -> None:
    from shlex import quote

    text = (
        f"{project} is no longer trusted: {why}; to trust its configuration, servers and"
        f" skills as they are:  a3s trust {quote(project)}"
    )
    config.notices.append(ConfigNotice("config_untrusted", text, {"file": project, "keys": []}))


def _tell_refused(config: Config, file: ConfigFile) -> None:
    """Report the keys that a project's file may not set."""
    if not file.refused:
        return
    from shlex import quote

    names = list(file.refused)[:MAX_NOTICES]
    text = f"{file.path}: no effect, because "
    if file.trusted:
        text += "only your own file says which projects to trust and which program answers:"
        text += f" {', '.join(names)}"
    else:
        text += (
            "an untrusted project can only add deny and ask rules, lower limits and choose"
            f" among your providers: {', '.join(names)}; to trust it:"
            f"  a3s trust {quote(project_of(file.path))}"
        )
    fields = {"file": file.path, "keys": names}
    config.notices.append(ConfigNotice("config_untrusted", text, fields))


def _permit(
    config: Config,
    environment: Mapping[str, str],
    workspace: Path,
    permissions: str | Mapping[str, Any],
) -> None:
    """Replace the user's allow and ask rules by these permissions."""
    if config.get("default_decision") == "allow":
        config.settings["default_decision"] = _defaults()["default_decision"]
    if not isinstance(permissions, str):
        _merge_flags(config, permissions)
        return
    found = named_file(permissions, "--permissions", workspace)
    file = _parse(found, environment, config, permissions=True)
    config.settings.update(file.settings)
    _add_lists(config, file.lists)


def _merge_flags(config: Config, flags: Mapping[str, Any]) -> None:
    for name, key in _ALL_KEYS.items():
        flag = key.flag or name
        value = flags.get(flag)
        if value is None:
            continue
        config.settings[name] = Setting(_checked(key.check, value, flag), _flag(flag))
    for name, check in LISTS.items():
        values = flags.get(name) or ()
        if name not in RULES:  # a rule may name a user's own tool; the policy checks it
            values = [_checked(check, value, name) for value in values]
        _add_lists(config, {name: [Setting(value, _flag(name)) for value in values]})


def _checked(check: Check, value: Any, flag: str) -> Any:
    try:
        return check(value)
    except ValueError as error:
        raise UsageError(f"{_flag(flag)}: expected {error.args[0]}") from None


def _add_lists(config: Config, lists: Mapping[str, list[Setting]]) -> None:
    for name, added in lists.items():
        if added:
            earlier = config.settings[name].value
            config.settings[name] = Setting((*earlier, *added), added[-1].origin)


def _flag(name: str) -> str:
    name = "plugin" if name == "plugins" else name
    return "--" + name.replace("_", "-")
