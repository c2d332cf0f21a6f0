"""A recorded run as the model: for demonstrations, tests and reports of bugs.

`-m replay/RUN.ndjson` gives, request by request, what the recording's turns
say: the same deltas, the same calls, the same figures, with no network and no
clock. A turn that the recording does not finish ends as the recording did. Who
asks for an object gets the next one that the recording holds.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence

from ..errors import (
    A3SError,
    ExitStatus,
    InvalidObject,
    InvalidResponse,
    InvalidStream,
    TruncatedStream,
)
from ..events import Event
from ..jsontext import dumps, loads
from ..model import CallChunk, Chunk, ReasoningChunk, Request, StopChunk, UsageChunk, Way
from ..stream.reader import Line, lines_of, read
from ..values import State, field

#: How a run ends when its model fails. Any other end (a signal, a deadline) was the recorded
#: run's own: of the model's answer it is a cut.
MODELS_FAULT = (ExitStatus.FAILED, ExitStatus.TEMPORARY, ExitStatus.AUTH)


class Turn(State):
    """What one request gets: chunks, and the failure that follows them, if any."""

    chunks: list[Chunk] = field(default_factory=list)
    calls: list[Chunk] = field(default_factory=list)
    stop: list[Chunk] = field(default_factory=list)
    failure: A3SError | None = None


class ReplayProvider:
    """Plays the turns of one recording, one for each request."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._turns: Sequence[Turn] | None = None
        self._objects: list[Turn] = []
        self._played = 0

    @property
    def ways(self) -> Sequence[Way]:
        """There is one way to ask a recording."""
        return (Way("prompt"),)

    async def stream(self, request: Request) -> AsyncGenerator[list[Chunk], None]:
        """Yield the next turn; see `Provider.stream`."""
        if self._turns is None:
            self._turns, self._objects = _turns(self._path)
        if request.shape and self._objects:
            turn = self._objects.pop(0)
        elif self._played >= len(self._turns):
            raise InvalidResponse(f"{self._path} holds no further turn to replay")
        else:
            turn = self._turns[self._played]
            self._played += 1
        for chunk in (*turn.chunks, *turn.calls, *turn.stop):
            yield [chunk]
        if turn.failure:
            raise turn.failure

    async def close(self) -> None:
        """Nothing is open."""


def _turns(path: str) -> tuple[list[Turn], list[Turn]]:
    try:
        with open(path, "rb") as file:
            lines = list(read(lines_of(file), path))
            return _played(lines, path), _objects(lines)
    except OSError as error:
        raise InvalidStream(f"{path}: {error.strerror}") from None


def _played(lines: Iterable[Line], path: str) -> list[Turn]:
    turns: list[Turn] = []
    for line in lines:
        event = line.event
        if event is None or (not turns and event.type != "turn_start"):
            continue
        if event.type == "turn_start":
            turns.append(Turn())
        elif event.type == "error" and not turns[-1].stop:
            turns[-1].failure = _failure(event)
        else:
            _take(turns[-1], event, f"{path}: line {line.number}")
    return turns


def _objects(lines: Iterable[Line]) -> list[Turn]:
    """Return the answers to the calls of generate_object, in the order of the calls."""
    answers: dict[str, Turn] = {}
    for event in (line.event for line in lines if line.event is not None):
        if event.tool_name != "generate_object":
            continue
        if event.type == "tool_start":
            answers[event.tool_id] = Turn(failure=TruncatedStream("the recorded call has no end"))
        elif event.type == "tool_end":
            answers[event.tool_id] = _answer(event)
    return list(answers.values())


def _answer(end: Event) -> Turn:
    told = loads(end.tool_output)
    if end.exit_code:
        return Turn(failure=InvalidObject(f"the recorded call failed: {told['error']}"))
    return Turn([dumps(told["object"]).decode()], stop=[StopChunk("end_turn")])


def _take(turn: Turn, event: Event, place: str) -> None:
    if event.type == "text_delta":
        turn.chunks.append(event.text)
    elif event.type == "reasoning_delta":
        turn.chunks.append(ReasoningChunk(event.text))
    elif event.type == "retry" and event.tool_id is None:
        turn.chunks.clear()  # What a failed attempt showed is void.
    elif event.type == "turn_end":
        if event.usage:
            turn.stop.append(UsageChunk(event.usage))
        turn.stop.append(StopChunk(event.stop_reason))
    elif event.type in ("tool_start", "permission_denied", "tool_rejected") and event.turn != 0:
        turn.calls.append(_call(event, len(turn.calls), place))


def _call(event: Event, key: int, place: str) -> CallChunk:
    if event.input_truncated or event.truncated:
        raise InvalidStream(f"{place}: toolInput: it was cut, so the call cannot be replayed")
    arguments = event.raw_input if event.tool_input is None else dumps(event.tool_input).decode()
    return CallChunk(key, event.tool_id, event.tool_name, arguments)


def _failure(event: Event) -> A3SError:
    if event.exit_code not in MODELS_FAULT:
        return TruncatedStream(f"the recorded run ended here: {event.error}", resend=False)
    error = A3SError(
        event.error,
        hint=event.hint,
        provider=event.provider,
        status=event.status,
        retry_after_ms=event.retry_after_ms,
        resend=False,
    )
    error.code, error.exit_status = event.code, event.exit_code
    error.retryable = event.retryable
    return error
