"""What a call of a server's tool returned, in words for the model.

Text is passed on as it is. What is no text is named in a line, with its type and size;
an image is also shown to a model that can see, whatever type the server says it has.
"""

from __future__ import annotations

import contextlib
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any

from ..files.media import TELLING, media_type
from ..jsontext import clean, dumps
from ..messages import File
from ..tool_protocol import ToolReturn

#: Bytes of an image that is shown, where nothing else is said.
LARGEST = 8 * 1024 * 1024
#: Characters of a name or an address that are shown.
_LONGEST = 300


def returned(result: Mapping[str, Any], most: int = LARGEST) -> ToolReturn:
    """Return the result of a call as our tools return theirs; never raises.

    Images of at most `most` bytes are shown.
    """
    content, structured = result.get("content"), result.get("structuredContent")
    blocks = [one for one in content if isinstance(one, dict)] if isinstance(content, list) else []
    text = "\n".join(_words(blocks))
    if not text and structured is not None:
        text = dumps(structured).decode()
    failed = result.get("isError") is True
    return ToolReturn(
        clean(text),
        exit_code=1 if failed else 0,
        files=tuple(_files(blocks, most)),
        structured=structured if isinstance(structured, dict | list) else None,
    )


def _files(blocks: list[dict[str, Any]], most: int) -> Iterator[File]:
    """Yield the images of a result; what is none, or too large, is only named."""
    for number, block in enumerate(blocks, 1):
        data = block.get("data")
        if block.get("type") != "image" or not isinstance(data, str) or _bytes(data) > most:
            continue
        with contextlib.suppress(ValueError):
            content = b64decode(data, validate=True)
            if kind := media_type(content[:TELLING]):
                yield File.of(f"image-{number}", kind, content)


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
