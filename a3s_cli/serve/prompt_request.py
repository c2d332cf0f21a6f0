"""What a request asks of a run, whichever protocol it came in.

Each protocol spells it in its own way; here are the value that all of them come
down to and the reading that they share. A body comes from a program that
somebody is writing just now, so whatever is wrong gets one sentence: its place,
what was found there, what was expected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import UsageError
from ..jsontext import dumps

#: What stands for the model that the configuration names.
DEFAULT_MODEL = "a3s"

_KINDS = {dict: "an object", list: "a list", str: "a string", bool: "true or false"}


@dataclass(frozen=True)
class PromptRequest:
    """One prompt: what to answer, in which session, by which model, in which shape."""

    message: str
    #: The session to go on with, made where there is none; None for a new one.
    session_id: str | None = None
    #: None for the configured one.
    model: str | None = None
    #: A JSON Schema, where the answer is to be an object.
    schema: Any = None
    #: Whether somebody is there who answers what the rules ask.
    asks: bool = False


@dataclass(frozen=True)
class ClientMessage:
    """One message of a conversation that a client has kept."""

    role: str
    text: str


def field(value: Mapping[str, Any], name: str, kind: type, place: str = "") -> Any:
    """Give a field of an object, None where it is absent or null."""
    found = value.get(name)
    if found is None or (isinstance(found, kind) and not isinstance(found, _unlike(kind))):
        return found
    raise wrong(f"{place}{name}", found, _KINDS.get(kind, kind.__name__))


def element(value: Sequence[Any], number: int, place: str) -> Mapping[str, Any]:
    """Give an object in a list."""
    found = value[number]
    if not isinstance(found, dict):
        raise wrong(f"{place}[{number}]", found, "an object")
    return found


def wrong(place: str, found: Any, expected: str) -> UsageError:
    """Say what a place of the body holds, and what it should."""
    shown = dumps(found).decode()
    if len(shown) > 60:
        shown = shown[:60] + "…"
    return UsageError(f"`{place}` of the body is {shown}: expected {expected}")


def session(body: Mapping[str, Any], *names: str) -> str | None:
    """Give the session that the first of these fields names."""
    from ..sessions.ids import check

    for name in names:
        if found := field(body, name, str):
            return check(found)
    return None


def model(body: Mapping[str, Any]) -> str | None:
    """Give the model that is asked for; None where it is the configured one."""
    found: str | None = field(body, "model", str)
    return None if found in (None, "", DEFAULT_MODEL) else found


def prompt(said: Sequence[ClientMessage], *, kept: bool) -> str:
    """Make one prompt of a conversation, whose last message is the one to answer.

    Where we keep the conversation (`kept`), the session knows what came before.
    A client that keeps it itself sends everything again with each request; then
    the earlier messages go before the last, one JSON object a line, so that no
    text in one of them can pass for another.
    """
    if not said:
        raise UsageError("`messages` of the body is empty: expected at least one from the user")
    last = said[-1]
    if last.role != "user" or not last.text.strip():
        found = f"from the {last.role}" if last.text.strip() else "without any text"
        raise UsageError(f"the last of `messages` is {found}: expected a question of the user")
    earlier = [one for one in said[:-1] if one.text.strip()]
    if kept or not earlier:
        return last.text
    lines = [dumps({"role": one.role, "content": one.text}).decode() for one in earlier]
    head = "What was said before, one JSON object a line:"
    return "\n".join((head, *lines, "", "The message to answer now:", "", last.text))


def _unlike(kind: type) -> tuple[type, ...]:
    # True is an int in Python, and a number nowhere else.
    return () if kind is bool else (bool,)
