"""The blocks of an editor's prompt to the words and files that a model gets, and back; pure."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from ..events import Event
from ..input.attachments import ALONE, Given, given_in_json
from ..jsonrpc import INVALID_PARAMS, RpcError
from ..jsontext import clean
from ..messages import framed


def prompt_of(blocks: object) -> tuple[str, tuple[Given, ...]]:
    """Return the words and the files of a `session/prompt`; raises RpcError."""
    if not isinstance(blocks, list) or not blocks:
        raise _invalid("`prompt` must be a list of at least one content block")
    files, words = list[Given](), list[str]()
    for block in blocks:
        if (file := _file(block)) is not None:
            files.append(file)
        else:
            words.append(_words(block))
    text = "\n\n".join(filter(None, words))
    if not text.strip() and files:
        text = ALONE
    if not text.strip():
        raise _invalid("the prompt is blank: there is nothing to do")
    return clean(text), tuple(files)


def _file(block: object) -> Given | None:
    """Return the image, or the binary resource, that a block embeds; None for any other."""
    if not isinstance(block, dict):
        return None
    if block.get("type") == "image":
        data, where = _string(block, "data"), block.get("uri")
        kind, name = _string(block, "mimeType"), "image"
    else:
        resource = block.get("resource") if block.get("type") == "resource" else None
        if not isinstance(resource, dict) or not isinstance(resource.get("blob"), str):
            return None
        data, where = resource["blob"], _string(resource, "uri")
        kind, name = resource.get("mimeType") or "", "resource"
    if isinstance(where, str):
        name = place(where).rpartition("/")[2] or name
    try:
        (given,) = given_in_json([{"data": data, "name": name, "mediaType": kind}])
    except ValueError as error:
        raise _invalid(str(error).replace("attachments[0].", "")) from None
    if not given.content:
        raise _invalid(f"the {block['type']} block has no content")
    return given


def _words(block: object) -> str:
    if not isinstance(block, dict):
        raise _invalid("a content block must be an object")
    kind = block.get("type")
    if kind == "text":
        return _string(block, "text")
    if kind == "resource_link":
        return f"[{_string(block, 'name')}]({place(_string(block, 'uri'))})"
    if kind == "resource":
        resource = block.get("resource")
        if isinstance(resource, dict) and isinstance(resource.get("text"), str):
            where = place(_string(resource, "uri"))
            return framed("file", resource["text"], path=where)
        raise _invalid("an embedded resource needs a `text` or a `blob`")
    raise _invalid(f"content blocks of type {str(kind)[:40]!r} are not supported")


def blocks_of(start: Event, content_of: Callable[[object], bytes]) -> Iterator[dict[str, Any]]:
    """Yield the blocks of a kept prompt.

    `content_of` returns the content of a file by its digest, or raises ValueError: then a line
    of text says that the file is gone.
    """
    for file in start.attachments or ():
        name, kind = str(file.get("name")), str(file.get("mediaType"))
        try:
            data = b64encode(content_of(file.get("sha256"))).decode()
        except ValueError:
            yield {"type": "text", "text": f"[{name}, {kind}: no longer kept]"}
            continue
        if kind.startswith("image/"):
            yield {"type": "image", "data": data, "mimeType": kind}
        else:
            resource = {"uri": quote(name), "mimeType": kind, "blob": data}
            yield {"type": "resource", "resource": resource}
    if start.prompt:
        yield {"type": "text", "text": start.prompt}


def place(uri: str) -> str:
    """Return the path of a `file:` URI, and any other URI as it is."""
    parts = urlsplit(uri)
    return unquote(parts.path) if parts.scheme == "file" else uri


def _string(block: Mapping[str, Any], name: str) -> str:
    found = block.get(name)
    if not isinstance(found, str):
        raise _invalid(f"`{name}` of a {block.get('type', 'resource')} block must be a string")
    return found


def _invalid(why: str) -> RpcError:
    return RpcError(INVALID_PARAMS, why)
