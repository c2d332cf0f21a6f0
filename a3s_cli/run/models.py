"""The models that may follow `-m`: configured ones, those with a key, and the embedded ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..config.endpoints import endpoint
from ..config.layers import load as load_config
from ..config.model_names import LOCAL, model_name
from ..config.settings import Config
from ..errors import A3SError, AuthError


def models(
    environment: Mapping[str, str],
    config_file: str | None,
    settings: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Return a row for each configured model, each provider with a key, and each local model."""
    config = load_config(settings or {}, environment, Path.cwd(), config_file=config_file)
    rows = [_configured(config, name, environment) for name in _names(config)]
    return rows + _local(environment)


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
        "state": f"{where.wire} at {where.base_url}",
    }


def _local(environment: Mapping[str, str]) -> list[dict[str, Any]]:
    from ..local.catalogue import MODELS
    from ..local.weights import installed, runtime_installed

    runtime = runtime_installed()
    rows = []
    for name, model in MODELS.items():
        here = installed(name, environment) is not None
        if not runtime:
            state = "needs pip install 'a3s-cli[local]'"
        elif here:
            state = "ready"
        else:
            state = f"{model.size / 1e9:.2f} GB: a3s models pull {name}"
        rows.append(
            {
                "model": f"{LOCAL}/{name}",
                "ready": runtime and here,
                "bytes": model.size,
                "state": state,
            }
        )
    return rows
