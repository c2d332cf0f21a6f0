"""Hides our secrets from the model, in the one place that everything it is told passes.

The system prompt, the project's AGENTS.md, the user's words, what tools gave,
and the model's own words when they are sent back to it: a vendor keeps what it
gets, and the next vendor of the same session gets it, too.
"""

from __future__ import annotations

from .. import jsontext
from ..messages import File, Message, Part, Reasoning, Text, ToolResult
from ..model import Request
from ..values import replace
from .redaction import Redactor


def redacted_request(request: Request, redactor: Redactor) -> Request:
    """Return the request without secrets; the same object if it has none."""
    if not redactor:
        return request
    system = redactor.whole(request.system)
    messages = [redacted_message(message, redactor) for message in request.messages]
    shape = request.shape
    if shape and (schema := redactor.value(shape.schema)) is not shape.schema:
        shape = replace(shape, schema=schema)
    if (
        system == request.system
        and shape is request.shape
        and all(map(_is, messages, request.messages))
    ):
        return request
    return replace(request, system=system, messages=tuple(messages), shape=shape)


def redacted_message(message: Message, redactor: Redactor) -> Message:
    """Return the message without secrets; the same object if it has none."""
    parts = [_part(part, redactor) for part in message.parts]
    if all(map(_is, parts, message.parts)):
        return message
    return Message(message.role, tuple(part for part in parts if part is not None))


def _part(part: Part, redactor: Redactor) -> Part | None:
    hide = redactor.whole
    if isinstance(part, Text):
        text = hide(part.text)
        return part if text is part.text else Text(text)
    if isinstance(part, File):
        name = hide(part.name)
        return part if name is part.name else replace(part, name=name)
    if isinstance(part, ToolResult):
        # What failed is told in a sentence, which may quote the beginning of a secret.
        output = (redactor.sentence if part.failed else hide)(part.output)
        name = hide(part.name)
        same = output == part.output and name is part.name
        return part if same else replace(part, output=output, name=name)
    if isinstance(part, Reasoning):
        # Signed as it is: it can be sent back whole or not at all.
        same = hide(part.text) is part.text and redactor.value(part.data) is part.data
        return part if same else None
    name, data = hide(part.name), redactor.value(part.data)
    arguments = _arguments(part.arguments, redactor)
    same = arguments is part.arguments and name is part.name and data is part.data
    return part if same else replace(part, name=name, arguments=arguments, data=data)


def _arguments(text: str, redactor: Redactor) -> str:
    """Hide secrets in the JSON text of a call's arguments, so that it stays JSON."""
    if "\\u" not in text and not redactor.finds(text):
        return text
    try:
        value = jsontext.loads(text)
    except ValueError:
        return redactor.whole(text)
    hidden = redactor.value(value)
    return text if hidden is value else jsontext.dumps(hidden).decode()


def _is(one: object, other: object) -> bool:
    return one is other
