"""Items in the form of OpenAI's batches, which vLLM and others read as well.

A line is `{"custom_id": …, "method": "POST", "url": …, "body": {…}}`, and its body a
request for chat completions. What of it a run of ours can honour becomes an item; a
field that would change the answer and cannot be honoured is refused by name.
"""

from __future__ import annotations

import re
from typing import Any

from .item import BadItem

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,(.*)", re.DOTALL)

#: What of a line is its envelope.
ENVELOPE = frozenset(("custom_id", "method", "url", "body"))
#: What of a body does not change the answer.
IGNORED = frozenset(("stream", "stream_options", "user", "metadata", "store", "service_tier"))
#: The words of a system prompt and the instructions of a developer are the same to us.
SYSTEM = ("system", "developer")


def item_fields(line: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of the item in a line of this form. Raises BadItem."""
    if unknown := line.keys() - ENVELOPE:
        raise BadItem(f"there is no field {min(unknown)!r} beside custom_id")
    if line.get("method", "POST") != "POST":
        raise BadItem('"method" is not POST')
    if not str(line.get("url", "/v1/chat/completions")).endswith("/chat/completions"):
        raise BadItem('"url" is not that of chat completions')
    body = line.get("body")
    if not isinstance(body, dict):
        raise BadItem('"body" is not an object')
    fields: dict[str, Any] = {"id": line["custom_id"]}
    for key, value in body.items():
        if key == "messages":
            fields |= _conversation(value)
        elif key in ("model", "temperature"):
            fields[key] = value
        elif key in ("max_tokens", "max_completion_tokens"):
            fields["maxTokens"] = value
        elif key == "response_format":
            fields |= _shape(value)
        elif key == "n" and value == 1:
            continue
        elif key not in IGNORED:
            raise BadItem(f'"body.{key}" cannot be honoured by a run')
    return fields


def _conversation(messages: Any) -> dict[str, Any]:
    if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        raise BadItem('"body.messages" is not a list of messages')
    system = [_said(one, []) for one in messages if one.get("role") in SYSTEM]
    rest = [one for one in messages if one.get("role") not in SYSTEM]
    if len(rest) != 1 or rest[0].get("role") != "user":
        raise BadItem(
            '"body.messages" is not a single user message, with or without a system message'
        )
    files: list[dict[str, Any]] = []
    said: dict[str, Any] = {"prompt": _said(rest[0], files)}
    if system:
        said["system"] = "\n\n".join(system)
    return said | ({"attachments": files} if files else {})


def _said(message: dict[str, Any], files: list[dict[str, Any]]) -> str:
    """Return the text of a message; add its images to `files`."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    if not isinstance(content, list) or not all(isinstance(one, dict) for one in content):
        raise BadItem("the content of a message is neither text nor a list of parts")
    texts = []
    for part in content:
        image = part.get("image_url")
        url = image.get("url") if isinstance(image, dict) else None
        if part.get("type") == "text" and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif isinstance(url, str) and (match := _DATA_URL.fullmatch(url)):
            files.append({"mediaType": match[1], "data": match[2]})
        else:
            raise BadItem("a message holds a part that is neither text nor an image as a data: URL")
    return "\n".join(texts)


def _shape(form: Any) -> dict[str, Any]:
    kind = form.get("type") if isinstance(form, dict) else None
    if kind == "text":
        return {}
    if kind == "json_schema" and isinstance(form.get("json_schema"), dict):
        return {"schema": form["json_schema"].get("schema", True)}
    if kind == "json_object":
        return {"schema": {"type": "object"}}
    raise BadItem('"body.response_format" is neither text, json_object nor json_schema')
