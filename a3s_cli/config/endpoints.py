"""From a model's name and the configuration to its endpoint and credentials.

A URL or key that must be wrong is rejected here, before any request, with a message
that suggests the correction and never quotes the secret. Settings of a model
(`models "x" { apiKey … }`) override those of its provider, from any layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import AuthError, ConfigError
from ..model import Endpoint, Quirks
from .base_urls import BaseUrl, host, is_loopback, normalise
from .layers import provider_from
from .model_names import LOCAL, REPLAY, unknown_provider
from .settings import Config, ModelSettings, ProviderSettings, Setting, unquoted
from .vendors import Vendor, key_variables, url_variables, vendor

DEFAULT_LOCAL_MODEL = "qwen2.5-coder-1.5b"

#: What is configured of a model besides the deviations of its server from the protocol.
NOT_QUIRKS = frozenset(
    ("api", "api_key", "base_url", "reasoning", "max_tokens", "context_tokens", "cost")
)
#: What a model is taken to be capable of anyway.
_CAPABILITIES = frozenset(("tool_call", "temperature"))
_AUTHORISATION = frozenset(("authorization", "x-api-key", "api-key", "x-goog-api-key"))


def endpoint(config: Config, model: str, environment: Mapping[str, str]) -> Endpoint:
    """Return the endpoint of `provider/model`. Raises ConfigError, or AuthError without a key."""
    name, _, identifier = model.partition("/")
    if name in (LOCAL, REPLAY) and name not in config.providers:
        if name == LOCAL:
            identifier = identifier or DEFAULT_LOCAL_MODEL
        return Endpoint(provider=name, model=identifier, wire=name, base_url="")
    known = vendor(name)
    provider = config.provider(name) or provider_from(environment, name)
    require_provider(config, model, environment)
    settings = provider.models.get(identifier) or ModelSettings(identifier)
    wire = _pick("api", settings, provider)
    wire_name = wire.value if wire else known.wire if known else "openai-chat"
    base = _base_url(name, wire_name, known, _pick("base_url", settings, provider))
    own = _configured(provider, settings)
    headers = {
        header: setting.value
        for header, setting in {**provider.headers, **settings.headers}.items()
    }
    return Endpoint(
        provider=name,
        model=identifier,
        wire=wire_name,
        base_url=base.url,
        api_key=_api_key(name, base.url, settings, provider, headers),
        unset_key=_unset_key(settings, provider),
        headers=headers,
        quirks=_quirks(known, base.url, base.query, own),
        max_output_tokens=settings.get("max_tokens"),
        context_tokens=settings.get("context_tokens"),
    )


def require_provider(config: Config, model: str, environment: Mapping[str, str]) -> None:
    """Raise ConfigError for a model of a provider that there is not."""
    name, _, identifier = model.partition("/")
    if name in (LOCAL, REPLAY) or name in config.providers or vendor(name) is not None:
        return
    if not provider_from(environment, name).settings:
        raise unknown_provider(config, name, identifier)


def quoted_key(config: Config, model: str) -> str | None:
    """Return where the key of `provider/model` comes from if it has quotes around it."""
    name, _, identifier = model.partition("/")
    provider = config.provider(name)
    if provider is None:
        return None
    scopes = (provider.models.get(identifier), provider)
    setting = _pick("api_key", *[scope for scope in scopes if scope])
    return setting.origin if setting and unquoted(setting.value) != setting.value else None


def configured_cost(config: Config, model: str) -> dict[str, float] | None:
    """Return a model's `cost` in dollars per million tokens; None if none is configured."""
    name, _, identity = model.partition("/")
    provider = config.provider(name)
    found = provider.models.get(identity) if provider else None
    cost: dict[str, float] | None = found.get("cost") if found else None
    return cost


def _pick(name: str, *scopes: ModelSettings) -> Setting | None:
    """Return a setting of the model, or else of its provider."""
    found = (scope.settings.get(name) for scope in scopes)
    return next((setting for setting in found if setting and setting.value), None)


def _base_url(name: str, wire: str, known: Vendor | None, setting: Setting | None) -> BaseUrl:
    if setting:
        try:
            return normalise(setting.value, wire)
        except ValueError as error:
            raise ConfigError(f"{setting.origin}: expected {error}") from None
    if known and known.base_url:
        return BaseUrl(known.base_url)
    raise ConfigError(
        f"the provider {name} has no base URL",
        hint=f"export {url_variables(name)[0]}=https://…/v1, or set baseUrl in"
        f' providers "{name}" {{ … }}',
    )


def _api_key(
    name: str,
    url: str,
    model: ModelSettings,
    provider: ProviderSettings,
    headers: Mapping[str, str],
) -> str | None:
    setting = _pick("api_key", model, provider)
    if setting:
        return _checked_key(setting)
    known = vendor(name)
    if is_loopback(url) or not _AUTHORISATION.isdisjoint(headers) or (known and known.keyless):
        return None
    unset = _unset_key(model, provider)
    why = f': env("{unset}") has no value' if unset else ""
    hint = f"export {unset or key_variables(name)[0]}=…"
    raise AuthError(f"no API key for {name}{why}", hint=hint, provider=name)


def _unset_key(*scopes: ModelSettings) -> str | None:
    """Return the variable without a value that was to hold the credentials, if any."""
    names = (scope.unset.get(key) for scope in scopes for key in ("api_key", *_AUTHORISATION))
    return next(filter(None, names), None)


def _checked_key(setting: Setting) -> str:
    key = unquoted(setting.value)
    if _is_key(key):
        return key
    if _is_key(key.strip()):
        correction = "remove the space or line break around it"
    elif key.lower().startswith("bearer "):
        correction = "leave out the word Bearer"
    else:
        correction = "copy it again"
    expected = "an API key of printable ASCII, without space or line break"
    raise ConfigError(f"{setting.origin}: expected {expected}; {correction}")


def _is_key(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


def _quirks(known: Vendor | None, url: str, query: str, own: Mapping[str, Any]) -> Quirks:
    quirks = Quirks()
    if known and not (known.generic and host(url) != host(known.base_url)):
        quirks.update(known.quirks)
    if query:
        quirks["query"] = query
    quirks.update(own)
    quirks.settled = frozenset(own)
    return quirks


def _configured(*scopes: ModelSettings) -> dict[str, Any]:
    """Return what is configured of the server's protocol; later scopes are stronger."""
    return {
        name: setting.value
        for scope in scopes
        for name, setting in scope.settings.items()
        if name not in NOT_QUIRKS and not (name in _CAPABILITIES and setting.value)
    }
