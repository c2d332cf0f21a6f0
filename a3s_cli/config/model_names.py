"""The names of models: `provider/model`, split at the first slash.

A wrong name is answered with the nearest right one. Two providers are not configured
servers: `local`, the embedded model, and `replay`, a recorded run that plays the
model.

Nothing here knows how to reach a model, so that a run can emit `start` before that
code is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..errors import ConfigError
from .settings import MODEL_VARIABLE, Config, Setting
from .vendors import ALIASES, VENDORS, url_variables, vendor

LOCAL = "local"
REPLAY = "replay"


def model_name(config: Config) -> str | None:
    """Return the model in force: `provider/model`, `local` or None. Raises ConfigError."""
    setting = config.settings["default_model"]
    return None if setting.value is None else resolved_name(config, setting)


def resolved_name(config: Config, setting: Setting) -> str:
    """Return the model that a setting names, by itself or by an alias. Raises ConfigError."""
    name: str = config.aliases.get(setting.value, setting).value
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


#: A model of a vendor, for a line that can be copied.
_EXAMPLES = {
    "anthropic": "claude-sonnet-4-5",
    "openai": "gpt-5-mini",
    "gemini": "gemini-2.5-flash",
    "openrouter": "openai/gpt-5-mini",
    "groq": "llama-3.3-70b-versatile",
    "mistral": "mistral-large-latest",
    "deepseek": "deepseek-chat",
    "xai": "grok-4",
    "cerebras": "gpt-oss-120b",
    "perplexity": "sonar",
}


def no_model(local_installed: bool, environment: Mapping[str, str] | None = None) -> ConfigError:
    """Return the error for a run without a model.

    With a vendor's key in the environment, the hint is a line for one of its models; else
    it lists the three ways to choose one.
    """
    if keys := _vendors_with_a_key(environment or {}):
        name, variable = keys[0]
        model = f"{name}/{_EXAMPLES.get(name, 'MODEL')}"
        return ConfigError(
            "no model is configured",
            hint=f"{variable} is set, so:  export {MODEL_VARIABLE}={model}  (or pass -m {model};"
            f" a3s models {name} lists what there is)",
        )
    pull = "a3s models pull"
    if not local_installed:
        from .installation import how_to_add

        pull = f"{how_to_add('local')} && {pull}"
    return ConfigError(
        "no model is configured",
        hint=(
            "(1) export ANTHROPIC_API_KEY=… (or OPENAI_API_KEY, …) and pass -m anthropic/MODEL;"
            f" (2) use the embedded model, without a key: {pull};"
            f" (3) a3s config set default_model PROVIDER/MODEL, or export {MODEL_VARIABLE}"
        ),
    )


def _vendors_with_a_key(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the vendors whose own key is set, and its variable."""
    return [
        (name, variable)
        for name, known in VENDORS.items()
        for variable in (*known.keys, *known.tokens)[:1]
        if environment.get(variable) and not known.keyless
    ]


def unknown_provider(config: Config, name: str, model: str) -> ConfigError:
    """Return the error for an unknown provider; its hint lists the known ones, nearest first."""
    known = _nearest(name, (*config.providers, LOCAL, REPLAY, *VENDORS, *ALIASES))
    # Of no model, as in `a3s models opnai`, the provider alone is what was meant.
    right = known[0] if model == "MODEL" else f"{known[0]}/{model}"
    meant = f'; did you mean "{right}"?' if _resembles(name, known[0]) else ""
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

    return bool(get_close_matches(name.lower(), [candidate], cutoff=0.65))


def _qualified(config: Config, name: str) -> str:
    """Return a suggestion for a model without its provider, or a provider without a model."""
    if near := next((one for one in config.aliases if _resembles(name, one)), None):
        return f"did you mean {near}?"
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
