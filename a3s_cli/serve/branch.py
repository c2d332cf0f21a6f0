"""An earlier answer or message made anew: the conversation goes back to before it.

The client says which of the user's messages stay. What came after the last of them is
taken out of the conversation, so that the model sees one branch; the events of the
session still tell what happened, and files stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..messages import Message
    from ..run.kept import Kept


def go_back(kept: Kept, earlier: Sequence[str]) -> None:
    """Drop what followed the last of the user's `earlier` messages and its answer."""
    conversation = kept.conversation
    end = _end(conversation.messages, earlier)
    if end < len(conversation.messages):
        conversation.replace(conversation.messages[:end])
        conversation.unfinished = ""


def _end(messages: Sequence[Message], earlier: Sequence[str]) -> int:
    """Return the place of the first message to drop."""
    from ..objects.final import AS_JSON

    asked = [
        place
        for place, message in enumerate(messages)
        if message.role == "user" and message.text != AS_JSON
    ]
    ends = [*asked, len(messages)]
    if not earlier:
        return ends[0]
    last = earlier[-1].strip()
    count = len(earlier)
    if count <= len(asked) and messages[asked[count - 1]].text.strip() == last:
        return ends[count]
    # The conversation may have been compacted, or may hold words that the client has not.
    for number, place in reversed(list(enumerate(asked))):
        if messages[place].text.strip() == last:
            return ends[number + 1]
    return len(messages)
