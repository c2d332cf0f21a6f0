"""Ways to shorten a conversation that leave it valid.

Whatever is left out, every call keeps a result, a prompt is answered before the next
one, and a turn is kept whole or not at all, because vendors refuse half a turn and a
turn's signatures go with it. Pure; sizes are in bytes, which `compaction` converts to
tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..jsontext import cut, size
from ..messages import File, Message, Part, Text, ToolCall, ToolResult
from ..model import FRAME, conversation_bytes, part_bytes
from ..values import replace

#: An output up to this size is not worth leaving out.
SHORT = 256
#: The least that remains of an output that is cut.
LEAST_OUTPUT = 1024
#: How much of a text, and of an output or a call, goes into a transcript.
SHOWN_TEXT, SHOWN_OUTPUT = 8192, 2048

SUMMARISED = (
    "[Earlier turns were left out to save room, also of the work on the message that follows. "
    "A summary of them:]"
)
DROPPED = (
    "[Earlier turns were left out to save room, also of the work on the message that follows. "
    "There is no summary of them: look again at what you need to know.]"
)
GO_ON = Message("user", (Text("Go on with the task from there."),))


def without_old_outputs(messages: Sequence[Message], room: int) -> list[Message]:
    """Leave out tool outputs and files, oldest first, until the rest fits; keep the last turn's."""
    shorter = list(messages)
    excess = conversation_bytes(messages) - room
    prompt = max(index for index, one in enumerate(messages) if one.role == "user")
    for index, message in enumerate(messages[:-1]):
        if excess <= 0:
            break
        if message.role == "tool" or (message.files and index < prompt):
            shorter[index] = Message(message.role, tuple(map(_without_output, message.parts)))
            excess -= conversation_bytes([message]) - conversation_bytes([shorter[index]])
    return shorter


def last_turns(messages: Sequence[Message], room: int) -> int:
    """Return the index of the first of the last turns that fit; at least one is kept."""
    begin = len(messages)
    for index in range(len(messages) - 1, 0, -1):
        if messages[index].role == "tool":
            continue
        if begin < len(messages) and conversation_bytes(messages[index:]) > room:
            break
        begin = index
    return begin


def retold(messages: Sequence[Message], begin: int, told: str) -> list[Message]:
    """Replace everything between the first prompt and `begin` by `told`.

    The current prompt is kept, too: it is the user's own words.
    """
    first, last = messages[0], messages[begin:]
    opening = [first, Message("assistant", (Text(told),))]
    if not last or last[0].role != "user":
        asked = [message for message in messages[:begin] if message.role == "user"][-1]
        opening.append(GO_ON if asked is first else asked)
    return [*opening, *last]


def dropped(older: Sequence[Message], room: int) -> str:
    """Return a note that turns are missing, with the summary of still older ones, if any."""
    told = older[0].text
    if told.startswith(DROPPED):
        return cut_to(told, room)
    return f"{DROPPED}\n\n{cut_to(told, room)}" if told.startswith(SUMMARISED) else DROPPED


def with_last_outputs_cut(messages: Sequence[Message], room: int) -> list[Message]:
    """Cut the tool outputs of the last turn until everything fits, longest first."""
    excess = conversation_bytes(messages) - room
    if excess <= 0 or messages[-1].role != "tool":
        return list(messages)
    results = [part for part in messages[-1].parts if isinstance(part, ToolResult)]
    sizes = sorted(size(result.output) for result in results)
    left, level = sum(sizes) - excess, 0
    for number, taken in enumerate(sizes):
        level = left // (len(sizes) - number)
        if taken > level:
            break
        left -= taken
    # The line that counts what is missing needs room, too.
    level = max(level - SHORT // 2, LEAST_OUTPUT)
    outputs = tuple(replace(result, output=cut_to(result.output, level)) for result in results)
    return [*messages[:-1], Message("tool", outputs)]


def transcript(messages: Iterable[Message], room: int) -> str:
    """Return turns as text, to be summarised."""
    lines = [_line(message.role, part) for message in messages for part in message.parts]
    return cut_to("\n\n".join(filter(None, lines)), room)


def cut_to(text: str, room: int) -> str:
    """Return a text, or its head and tail if it is too long."""
    return cut(text, room * 2 // 3, room // 3)


def _line(speaker: str, part: Part) -> str:
    if isinstance(part, Text):
        return f"{speaker}: {cut_to(part.text, SHOWN_TEXT)}"
    if isinstance(part, ToolCall):
        return f"{speaker} calls {part.name}: {cut_to(part.arguments, SHOWN_OUTPUT)}"
    if isinstance(part, File):
        return f"{speaker} shows {part}"
    if isinstance(part, ToolResult):
        verb = "failed" if part.failed else "gave"
        return f"{part.name} {verb}: {cut_to(part.output, SHOWN_OUTPUT)}"
    return ""


def _without_output(part: Part) -> Part:
    if isinstance(part, File):
        return Text(f"[{part} was left out to save room]\n\n")
    if not isinstance(part, ToolResult):
        return part
    if not part.files and size(part.output) <= SHORT:
        return part
    whole = part_bytes(part) - FRAME
    told = f"[{whole} bytes left out to save room; call the tool again if they are needed]"
    return replace(part, output=told, files=())
