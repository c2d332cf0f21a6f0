"""The body of `POST /api/chat`: `{message, sessionId?, model?, schema?}`, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import UsageError
from ..input.attachments import Given, given_in_json
from ..jsontext import clean
from ..run.prompt_source import checked_prompt
from .prompt_request import PromptRequest, field, model, session

FIELDS = ("message", "sessionId", "model", "schema", "attachments")


def asked(body: Mapping[str, Any]) -> PromptRequest:
    """Read the body; raise `UsageError` if it is not valid."""
    for name in body:
        if name not in FIELDS:
            raise UsageError(f"the body has no field {name[:40]!r}{_meant(name)}")
    message = field(body, "message", str)
    if message is None:
        raise UsageError("`message` of the body is missing: expected the prompt, a string")
    return PromptRequest(
        checked_prompt(message, "`message` of the body"),
        session(body, "sessionId"),
        model(body),
        body.get("schema"),
        attachments=_attachments(body),
    )


def _attachments(body: Mapping[str, Any]) -> tuple[Given, ...]:
    given = field(body, "attachments", list)
    if not given:
        return ()
    try:
        return given_in_json(given)
    except ValueError as error:
        raise UsageError(f"the body is wrong: {error}") from None


def steering_text(body: Mapping[str, Any]) -> str:
    """Read a message to the active run; raise `UsageError` if the body is not valid."""
    text = field(body, "text", str)
    if text is None:
        raise UsageError("`text` of the body is missing: expected the message, a string")
    return checked_prompt(clean(text), "`text` of the body")


def _meant(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, FIELDS, 1)
    return f"; did you mean {near[0]!r}?" if near else f": expected {', '.join(FIELDS)}"
