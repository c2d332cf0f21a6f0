"""A prompt that arrived over HTTP, whatever its protocol.

Each protocol has its own format; this is the value that all of them produce, and
the checks that they share. A body comes from a program that is probably still
being written, so an error names its place, what was found and what was expected.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import A3SError, UsageError
from ..input.attachments import ALONE, Given
from ..jsontext import dumps

#: The name for the configured model.
DEFAULT_MODEL = "a3s"

_KINDS = {dict: "an object", list: "a list", str: "a string", bool: "true or false"}


@dataclass(frozen=True)
class PromptRequest:
    """One prompt, with its session, its model and the schema of its answer."""

    message: str
    #: The session to continue, created if it does not exist; None for a new one.
    session_id: str | None = None
    #: The model; None for the configured one.
    model: str | None = None
    #: A JSON Schema that the answer must match; None for text.
    schema: Any = None
    #: Whether the client answers permission requests.
    asks: bool = False
    #: The files that come with the prompt.
    attachments: tuple[Given, ...] = ()
    #: The system prompt; None for the configured one.
    system: str | None = None
    #: The user's earlier messages, where the answer replaces everything that followed them.
    branch: tuple[str, ...] | None = None
    #: Where the body has the schema.
    schema_field: str = dataclasses.field(default="schema", compare=False)


@dataclass(frozen=True)
class ClientMessage:
    """One message of a conversation that the client keeps."""

    role: str
    text: str
    files: tuple[Given, ...] = ()


def field(value: Mapping[str, Any], name: str, kind: type, place: str = "") -> Any:
    """Return a field of an object; None if it is absent or null.

    Raises `UsageError` if it is not of this kind.
    """
    found = value.get(name)
    if found is None or (isinstance(found, kind) and not isinstance(found, _unlike(kind))):
        return found
    raise wrong(f"{place}{name}", found, _KINDS.get(kind, kind.__name__))


def element(value: Sequence[Any], number: int, place: str) -> Mapping[str, Any]:
    """Return an object in a list; raise `UsageError` if it is not an object."""
    found = value[number]
    if not isinstance(found, dict):
        raise wrong(f"{place}[{number}]", found, "an object")
    return found


def wrong(place: str, found: Any, expected: str) -> UsageError:
    """Return an error that says what a place of the body holds and what was expected."""
    shown = dumps(found).decode()
    if len(shown) > 60:
        shown = shown[:60] + "…"
    return UsageError(f"`{place}` of the body is {shown}: expected {expected}")


def blamed(place: str, error: A3SError) -> UsageError:
    """Return a failure as an error of the body's field that it is about, and not of a flag."""
    said = str(error).removeprefix(f"--{place}: ")
    return UsageError(f"`{place}` of the body: {said}", hint=error.hint)


def session(body: Mapping[str, Any], *names: str) -> str | None:
    """Return the session named by the first of these fields that is present.

    Raises `UsageError` if it cannot name a session.
    """
    from ..sessions.ids import check

    for name in names:
        if found := field(body, name, str):
            return check(found)
    return None


def model(body: Mapping[str, Any]) -> str | None:
    """Return the requested model; None for the configured one."""
    found: str | None = field(body, "model", str)
    return None if found in (None, "", DEFAULT_MODEL) else found


def prompt(said: Sequence[ClientMessage], *, kept: bool) -> str:
    """Turn a conversation, whose last message is the one to answer, into one prompt.

    If the session keeps the conversation (`kept`), the last message is enough. A
    client that keeps it itself sends everything with each request; the earlier
    messages then precede the last one, one JSON object per line, so that text in
    one message cannot pass for another message.
    """
    if not said:
        raise UsageError(
            "`messages` of the body is empty: expected at least one message from the user"
        )
    last = said[-1]
    words = last.text if last.text.strip() or not last.files else ALONE
    if last.role != "user" or not words.strip():
        found = f"from the {last.role}" if last.text.strip() else "without text"
        raise UsageError(f"the last of `messages` is {found}: expected a message from the user")
    earlier = [one for one in said[:-1] if one.text.strip()]
    if kept or not earlier:
        return words
    lines = [dumps({"role": one.role, "content": one.text}).decode() for one in earlier]
    head = "The conversation so far, one JSON object per line:"
    return "\n".join((head, *lines, "", "The message to answer now:", "", words))


def files(said: Sequence[ClientMessage], *, kept: bool) -> tuple[Given, ...]:
    """Return the files of the message to answer; those of earlier ones if no session has them."""
    told = said[-1:] if kept else said
    return tuple(file for one in told if one.role == "user" for file in one.files)


def file_at(url: Any, place: str, name: str = "", media_type: str = "") -> Given:
    """Return the file in a `data:` URL; raise `UsageError` for any other."""
    from base64 import b64decode

    head, comma, data = url.partition(",") if isinstance(url, str) else ("", "", "")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        raise wrong(place, url, "a data: URL in base64, since the server fetches nothing")
    try:
        content = b64decode(data, validate=True)
    except ValueError:
        raise wrong(place, url, "valid base64") from None
    kind = head.removeprefix("data:").removesuffix(";base64")
    return Given(content=content, name=name or "attachment", media_type=media_type or kind)


def _unlike(kind: type) -> tuple[type, ...]:
    # In Python, True is an int.
    return () if kind is bool else (bool,)
