"""The names of models: `provider/model`, split at the first slash.

A wrong name is answered with the nearest right one. Two providers are not configured
servers: `local`, the embedded model, and `replay`, a recorded run that plays the
model.

Nothing here knows how to reach a model, so that a run can emit `start` before that
code is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import ConfigError
from .settings import MODEL_VARIABLE, Config
from .vendors import ALIASES, VENDORS, url_variables, vendor

LOCAL = "local"
REPLAY = "replay"


def model_name(config: Config) -> str | None:
    """Return the model in force: `provider/model`, `local` or None. Raises ConfigError."""
    setting = config.settings["default_model"]
    if setting.value is None:
        return None
    name: str = setting.value
    provider, slash, model = name.partition("/")
    if provider == REPLAY and model:
        return name
    if not name.isprintable() or any(map(str.isspace, name)):
        corrected = "-".join(name.split())
        if not corrected.isprintable() or "/" not in corrected:
            corrected = "PROVIDER/MODEL"
        raise _unexpected(
            setting.origin, "a model's name without spaces", f"did you mean {corrected}?"
        )
    if name != LOCAL and not (provider and slash and model):
        suggestion = _qualified(config, name.strip("/"))
        raise _unexpected(setting.origin, f"PROVIDER/MODEL, found {name or 'nothing'}", suggestion)
    return name


def no_model(local_installed: bool) -> ConfigError:
    """Return the error for a run without a model; its hint lists the three ways to choose one."""
    pull = (
        "a3s models pull" if local_installed else "pip install 'a3s-cli[local]' && a3s models pull"
    )
    return ConfigError(
        "no model is configured",
        hint=(
            "(1) export ANTHROPIC_API_KEY=… (or OPENAI_API_KEY, …) and pass -m anthropic/MODEL;"
            f" (2) use the embedded model, without a key: {pull};"
            f' (3) write default_model = "PROVIDER/MODEL" to ~/.a3s/config.acl, or export'
            f" {MODEL_VARIABLE}"
        ),
    )


def unknown_provider(config: Config, name: str, model: str) -> ConfigError:
    """Return the error for an unknown provider; its hint lists the known ones, nearest first."""
    known = _nearest(name, (*config.providers, LOCAL, REPLAY, *VENDORS, *ALIASES))
    meant = f'; did you mean "{known[0]}/{model}"?' if _resembles(name, known[0]) else ""
    listed = ", ".join(provider for provider in known if provider not in ALIASES)
    return ConfigError(
        f'unknown provider "{name}"{meant}',
        hint=f'known: {listed}; any other: providers "{name}" {{ baseUrl = … }}, or export'
        f" {url_variables(name)[0]}",
    )


def _nearest(name: str, known: Iterable[str]) -> list[str]:
    """Return the names sorted by similarity to a mistyped one."""
    from difflib import SequenceMatcher

    def distance(candidate: str) -> float:
        return -SequenceMatcher(None, name.lower(), candidate).ratio()

    return sorted(dict.fromkeys(known), key=distance)


def _resembles(name: str, candidate: str) -> bool:
    from difflib import get_close_matches

    return bool(get_close_matches(name.lower(), [candidate]))


def _qualified(config: Config, name: str) -> str:
    """Return a suggestion for a model without its provider, or a provider without a model."""
    if name == REPLAY:
        return "add the recording: replay/RUN.ndjson"
    if name in config.providers or vendor(name):
        return f"add the model: {name}/MODEL"
    for provider in config.providers.values():
        if name in provider.models:
            return f"did you mean {provider.name}/{name}?"
    for provider_name, known in VENDORS.items():
        if name.startswith(known.families):
            return f"did you mean {provider_name}/{name}?"
    nearest = _nearest(name, (LOCAL, *config.providers, *VENDORS))[0]
    if not _resembles(name, nearest):
        return "for example openai/gpt-5"
    return f"did you mean {nearest if nearest == LOCAL else f'{nearest}/MODEL'}?"


def _unexpected(origin: str, expected: str, correction: str) -> ConfigError:
    return ConfigError(f"{origin}: expected {expected}; {correction}")
