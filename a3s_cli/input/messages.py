"""One line of `--input json` to what it says; no I/O.

The protocol is four messages, and an editor needs no other. A field that is not
known is ignored, as everywhere in this contract; one that is known and wrong
makes the line no message, and nothing of it is obeyed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..jsontext import clean, loads, size
from ..permissions.approval import Reply, given_reply
from ..values import Value

if TYPE_CHECKING:
    from .attachments import Given

#: Bytes of one line.
LONGEST = 16 * 1024 * 1024
#: Characters of an id, which comes back in an event.
_LONGEST_ID = 1000


class Prompt(Value):
    """The next run."""

    text: str
    id: str | int | None = None
    attachments: tuple[Given, ...] = ()

    @property
    def bytes(self) -> int:
        """What it takes of the queue's room."""
        return size(self.text) + sum(len(one.content or b"") for one in self.attachments)


class Steer(Value):
    """Words for the run that goes on; without one they are a prompt."""

    text: str
    id: str | int | None = None


class GivenAnswer(Value):
    """The answer to a `permission_request`."""

    tool_id: str
    reply: Reply


class Cancel(Value):
    """End the run that goes on, and forget those that wait."""


Message = Prompt | Steer | GivenAnswer | Cancel


class NoMessage(Exception):
    """A line cannot be obeyed; the message says why. `id` is the line's own, if it has one."""

    def __init__(self, why: str, id: str | int | None = None) -> None:
        super().__init__(why)
        self.id = id


def message(line: bytes) -> Message:
    """Return what a line says; raises NoMessage."""
    if len(line) > LONGEST:
        raise NoMessage(f"a line has more than {LONGEST >> 20} MiB")
    try:
        # As text: from bytes the parser would guess another encoding than UTF-8.
        value = loads(line.decode())
    except UnicodeDecodeError as error:
        wrong = f"byte {error.start} is {line[error.start]:#04x}"
        raise NoMessage(f"the line is not UTF-8: {wrong}") from None
    except ValueError as error:
        raise NoMessage(f"the line is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise NoMessage("the line is not a JSON object")
    return _message(value, _id(value))


def _message(value: dict[str, Any], id: str | int | None) -> Message:
    kind = value.get("type")
    if kind == "prompt":
        files = _attachments(value["attachments"], id) if value.get("attachments") else ()
        return Prompt(_text(value, id), id, files)
    if kind == "steer":
        if value.get("attachments"):
            raise NoMessage("a steer has no attachments: send them with a prompt", id)
        return Steer(_text(value, id), id)
    if kind == "cancel":
        return Cancel()
    if kind != "answer":
        known = "prompt, steer, answer or cancel"
        raise NoMessage(f"`type` is {known}, not {_shown(kind)}", id)
    if not isinstance(value.get("toolId"), str):
        raise NoMessage("an answer needs the `toolId` of its question, a string", id)
    try:
        return GivenAnswer(value["toolId"], given_reply(value))
    except ValueError as error:
        raise NoMessage(str(error), id) from None


def _attachments(value: Any, id: str | int | None) -> tuple[Given, ...]:
    """Read the files of a prompt: paths, or contents in base64."""
    from .attachments import given_in_json

    try:
        return given_in_json(value)
    except ValueError as error:
        raise NoMessage(str(error), id) from None


def _text(value: dict[str, Any], id: str | int | None) -> str:
    text = value.get("text")
    if not isinstance(text, str):
        raise NoMessage(f"a {value['type']} needs a `text`, a string", id)
    if not text.strip():
        raise NoMessage("the `text` is blank: there is nothing to do", id)
    return clean(text)


def _id(value: dict[str, Any]) -> str | int | None:
    id = value.get("id")
    if id is None or (isinstance(id, int) and not isinstance(id, bool) and abs(id) < 1 << 53):
        return id
    if isinstance(id, str) and len(id) <= _LONGEST_ID:
        return clean(id)
    raise NoMessage(f"an `id` must be a number or a string of at most {_LONGEST_ID} characters")


def _shown(found: object) -> str:
    return "missing" if found is None else f"{clean(str(found))[:100]!r}"
