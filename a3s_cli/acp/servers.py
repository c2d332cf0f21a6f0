"""The MCP servers that an editor hands over, as the configuration has them; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..jsonrpc import INVALID_PARAMS, RpcError


def servers(given: Any) -> Mapping[str, Mapping[str, Any]]:
    """Return the entries of `mcpServers`, by their names. Raises RpcError."""
    if given is None:
        return {}
    if not isinstance(given, list):
        raise RpcError(INVALID_PARAMS, "`mcpServers` must be a list")
    return dict(map(_entry, given))


def _entry(one: Any) -> tuple[str, Mapping[str, Any]]:
    name = one.get("name") if isinstance(one, dict) else None
    if not isinstance(name, str):
        raise RpcError(INVALID_PARAMS, "each of `mcpServers` must be an object with a `name`")
    entry = {key: one[key] for key in ("type", "command", "args", "url") if key in one}
    for key in ("env", "headers"):
        pairs = one.get(key, [])
        if not isinstance(pairs, list) or not all(map(_is_pair, pairs)):
            raise RpcError(
                INVALID_PARAMS, f"`{key}` of the MCP server {name[:64]!r} must be a list"
            )
        if pairs:
            entry[key] = {pair["name"]: pair["value"] for pair in pairs}
    return name, entry


def _is_pair(one: Any) -> bool:
    return isinstance(one, dict) and all(isinstance(one.get(key), str) for key in ("name", "value"))
