"""The blocks of an editor's prompt to the words that the model gets; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from ..jsonrpc import INVALID_PARAMS, RpcError
from ..jsontext import clean


def prompt_text(blocks: object) -> str:
    """Return one prompt of the blocks of a `session/prompt`; raises RpcError."""
    if not isinstance(blocks, list) or not blocks:
        raise _invalid("`prompt` is a list of at least one content block")
    text = "\n\n".join(filter(None, (_words(block) for block in blocks)))
    if not text.strip():
        raise _invalid("the prompt is blank: there is nothing to do")
    return clean(text)


def _words(block: object) -> str:
    if not isinstance(block, dict):
        raise _invalid("a content block is an object")
    kind = block.get("type")
    if kind == "text":
        return _string(block, "text")
    if kind == "resource_link":
        return f"[{_string(block, 'name')}]({place(_string(block, 'uri'))})"
    if kind == "resource":
        resource = block.get("resource")
        if isinstance(resource, dict) and isinstance(resource.get("text"), str):
            where = place(_string(resource, "uri"))
            return f'<file path="{where}">\n{resource["text"]}\n</file>'
        raise _invalid("of embedded resources only those with `text` can be read")
    raise _invalid(f"content blocks of type {str(kind)[:40]!r} are not supported")


def place(uri: str) -> str:
    """Return the path of a `file:` URI, and any other URI as it is."""
    parts = urlsplit(uri)
    return unquote(parts.path) if parts.scheme == "file" else uri


def _string(block: Mapping[str, Any], name: str) -> str:
    found = block.get(name)
    if not isinstance(found, str):
        raise _invalid(f"`{name}` of a {block.get('type', 'resource')} block is a string")
    return found


def _invalid(why: str) -> RpcError:
    return RpcError(INVALID_PARAMS, why)
