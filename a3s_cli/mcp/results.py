"""What a call of a server's tool returned, in words for the model.

Text is passed on as it is. What is no text is named in a line, with its type and size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..jsontext import clean, dumps
from ..tool_protocol import ToolReturn

#: Characters of a name or an address that are shown.
_LONGEST = 300


def returned(result: Mapping[str, Any]) -> ToolReturn:
    """Return the result of a call as our tools return theirs; never raises."""
    content, structured = result.get("content"), result.get("structuredContent")
    blocks = [one for one in content if isinstance(one, dict)] if isinstance(content, list) else []
    text = "\n".join(_words(blocks))
    if not text and structured is not None:
        text = dumps(structured).decode()
    failed = result.get("isError") is True
    return ToolReturn(
        clean(text),
        exit_code=1 if failed else 0,
        structured=structured if isinstance(structured, dict | list) else None,
    )


def _words(blocks: list[dict[str, Any]]) -> Iterator[str]:
    for block in blocks:
        kind = block.get("type")
        if kind == "text":
            yield str(block.get("text", ""))
        elif kind in ("image", "audio"):
            yield f"[{kind}: {_short(block.get('mimeType'))}, {_bytes(block.get('data'))} bytes]"
        elif kind == "resource_link":
            about = (block.get("title") or block.get("name"), block.get("description"))
            words = " ".join(_short(one) for one in about if one)
            yield f"[link: {_short(block.get('uri'))}] {words}".rstrip()
        elif kind == "resource":
            yield from _resource(block.get("resource"))
        else:
            yield f"[{_short(kind)}: a3s does not know this kind of content]"


def _resource(resource: Any) -> Iterator[str]:
    if not isinstance(resource, dict):
        return
    where = _short(resource.get("uri"))
    if isinstance(resource.get("text"), str):
        yield f"[{where}]\n{resource['text']}"
    else:
        size = _bytes(resource.get("blob"))
        yield f"[{where}: {_short(resource.get('mimeType'))}, {size} bytes]"


def _bytes(data: Any) -> int:
    """Return how many bytes a base64 text is."""
    return len(data.rstrip("=")) * 3 // 4 if isinstance(data, str) else 0


def _short(value: Any) -> str:
    return " ".join(str(value or "unknown")[:_LONGEST].split())
