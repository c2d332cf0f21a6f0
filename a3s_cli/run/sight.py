"""Which files the model of a run can see, and notes in place of those that it cannot.

Whether it can see a file is said by the configuration, else by the table of models, else
by the provider's refusal; if it is unknown, a3s tries. A file that the model cannot see,
or that its provider has refused, is replaced by a note, so that it does not make the
following requests fail as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Container, Sequence
from typing import TYPE_CHECKING

from ..config.model_names import LOCAL
from ..errors import A3SError, ProviderError
from ..messages import File, Message, Part, Text, ToolResult
from ..model import Endpoint, Request
from ..values import replace
from .cost import Listed

if TYPE_CHECKING:
    from .conversation import Conversation

#: Returns whether a model can see files of a media type; None if that is unknown.
Sees = Callable[[str], bool | None]
#: The statuses with which a provider refuses a request for what is in it.
_REFUSALS = (400, 404, 405, 413, 415, 422, 500, 501)
#: How providers name what they refuse.
_NAMED = (
    r"(?i)\bimages?\b|image_?url|input_image|input_file|vision|multi-?modal|modalit|\bpdf\b"
    r"|document|inline_?data|media[ _]?type|mime|\bfiles?\b|base64|attachment"
    r"|content.{0,60}(must be|should be|expected|valid).{0,20}string|expected.{0,20}string"
    r"|unknown variant"
)


def sees(where: Endpoint, media_type: str, listed: Listed | None = None) -> bool | None:
    """Return whether a model can see files of a media type; None if that is unknown."""
    if where.wire == LOCAL:
        return False
    configured: bool | None = where.quirks.get("attachment")
    inputs: Collection[str] | None = where.quirks.get("modalities")
    if inputs is not None and configured is not False:
        return ("image" if media_type.startswith("image/") else "pdf") in inputs
    if configured is not None:
        return configured
    model = (listed or Listed(where)).model
    if model is None:
        return None
    return model.sees_images if media_type.startswith("image/") else model.sees_pdf


def visible(request: Request, sees: Sees) -> Request:
    """Return the request without the files that its model cannot see."""
    unseen = {
        file.sha256
        for message in request.messages
        for file in message.files
        if sees(file.media_type) is False
    }
    if not unseen:
        return request
    messages = without(request.messages, unseen, "this model cannot see it")
    return replace(request, messages=tuple(messages))


def unseen_hint(media_type: str) -> str:
    """Return what helps where a model cannot see a file."""
    what = "images" if media_type.startswith("image/") else "PDF files"
    return f"choose a model that can see {what}, or attach their text"


def leave_out(error: A3SError, conversation: Conversation) -> tuple[list[File], bool]:
    """Leave out of a conversation the files that a provider may have refused.

    Return them, and whether the user's last prompt came with one of them: its answer
    would be worth little without. A file that was accepted before is left out only if
    there is no other.
    """
    if not _refused(error):
        return [], False
    files = {file.sha256: file for one in conversation.messages for file in one.files}
    doubted = {name: one for name, one in files.items() if name not in conversation.accepted}
    doubted = doubted or files
    if doubted:
        why = "the provider refused it"
        conversation.replace(without(conversation.messages, doubted, why))
    return list(doubted.values()), not conversation.asked_with.isdisjoint(doubted)


def _refused(error: A3SError) -> bool:
    """Return whether a provider may have refused a request for the files in it."""
    if not isinstance(error, ProviderError) or error.status not in (None, *_REFUSALS):
        return False
    return error.status in (413, 415) or re.search(_NAMED, str(error)) is not None


def without(messages: Sequence[Message], files: Container[str], why: str) -> list[Message]:
    """Return the messages with notes in place of these files, which are named by digest."""
    return [
        Message(one.role, tuple(_noted(part, files, why) for part in one.parts))
        if any(file.sha256 in files for file in one.files)
        else one
        for one in messages
    ]


def _noted(part: Part, files: Container[str], why: str) -> Part:
    if isinstance(part, File) and part.sha256 in files:
        return Text(f"[{part} is not shown: {why}]\n\n")
    if not isinstance(part, ToolResult):
        return part
    notes = [f"[{one} is not shown: {why}]" for one in part.files if one.sha256 in files]
    kept = tuple(one for one in part.files if one.sha256 not in files)
    return replace(part, output="\n".join((part.output, *notes)), files=kept)
