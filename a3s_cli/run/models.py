"""The models that may follow `-m`: configured ones, those with a key, and the embedded ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..config.endpoints import configured_cost, endpoint
from ..config.installation import how_to_add
from ..config.layers import load as load_config
from ..config.model_names import LOCAL, model_name
from ..config.settings import Config
from ..errors import A3SError, AuthError
from ..messages import PDF
from ..model import Endpoint
from .cost import Listed
from .sight import sees


def models(
    environment: Mapping[str, str],
    config_file: str | None,
    settings: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Return a row for each configured model, each provider with a key, and each local model."""
    config = load_config(settings or {}, environment, Path.cwd(), config_file=config_file)
    rows = [_configured(config, name, environment) for name in _names(config)]
    return rows + _aliases(config) + _local(environment)


def _aliases(config: Config) -> list[dict[str, Any]]:
    return [
        {"model": name, "ready": True, "state": f"stands for {setting.value}"}
        for name, setting in config.aliases.items()
    ]


def _names(config: Config) -> list[str]:
    names = [
        f"{provider.name}/{model}"
        for provider in config.providers.values()
        for model in provider.models or ["MODEL"]
    ]
    default = model_name(config)
    if default is not None and default != LOCAL and default not in names:
        names.insert(0, default)
    return names


def _configured(config: Config, name: str, environment: Mapping[str, str]) -> dict[str, Any]:
    row: dict[str, Any] = {"model": name, "default": name == model_name(config)}
    try:
        where = endpoint(config, name, environment)
    except AuthError as error:
        return {**row, "ready": False, "state": error.hint or str(error)}
    except A3SError as error:
        return {**row, "ready": False, "state": str(error)}
    return {
        **row,
        "ready": True,
        "api": where.wire,
        "baseUrl": where.base_url,
        **_facts(config, name, where),
        "state": f"{where.wire} at {where.base_url}",
    }


def _facts(config: Config, name: str, where: Endpoint) -> dict[str, Any]:
    """Return what is known of a model: its price, window, output limit and abilities."""
    listed = Listed(where)
    price, model = listed.price(configured_cost(config, name)), listed.model
    found: dict[str, Any] = {
        "contextTokens": where.context_tokens or (model and model.context_tokens),
        "maxTokens": where.max_output_tokens or (model and model.max_tokens),
        "seesImages": sees(where, "image/png", listed),
        "seesPdf": sees(where, PDF, listed),
        "callsTools": False
        if where.quirks.get("tool_call") is False
        else model and model.calls_tools,
    }
    if price is not None:
        found["costUsd"] = {
            "input": price.input,
            "output": price.output,
            "cacheRead": price.cache_read,
            "cacheWrite": price.cache_write,
        }
        if not configured_cost(config, name):
            from ..prices.table import date

            found["costUsd"]["listed"] = date()
    return {key: value for key, value in found.items() if value is not None}


def _local(environment: Mapping[str, str]) -> list[dict[str, Any]]:
    from ..local.catalogue import MODELS
    from ..local.weights import installed, runtime_installed

    runtime = runtime_installed()
    rows = []
    for name, model in MODELS.items():
        here = installed(name, environment) is not None
        size = f"{model.size / 1e9:.2f} GB"
        if not runtime:
            state = f"{size}: needs the extra local: {how_to_add('local')}"
        elif here:
            state = f"{size}, ready"
        else:
            state = f"{size}: a3s models pull {name}"
        rows.append(
            {
                "model": f"{LOCAL}/{name}",
                "ready": runtime and here,
                "bytes": model.size,
                "state": state,
                "goodAt": model.description,
            }
        )
    return rows
