"""What a run has come to, out of its events: a result, or the typed error of its failure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import A3SError, Cancelled
from ..events import End, Error, Event, TextDelta, TurnStart
from ..messages import Usage
from ..values import Value


class Result(Value):
    """What a successful run has come to."""

    text: str
    #: The validated object of a run with a schema; an instance where that was a pydantic model.
    object: Any
    usage: Usage | None
    total_tokens: int
    turns: int
    tool_calls: int
    cost_usd: float | None
    #: Every event of the run, in order.
    events: tuple[Event, ...]


def result_of(events: tuple[Event, ...], instance: Callable[[Any], Any]) -> Result:
    """Give what a whole run has come to; raises what its `error` event tells of.

    `instance` gives the run's object as its schema's own type.
    """
    last = events[-1]
    if isinstance(last, Error):
        raise failure_of(last, events)
    assert isinstance(last, End)
    return Result(
        text=_last_text(events),
        object=instance(last.object),
        usage=last.usage,
        total_tokens=last.total_tokens,
        turns=last.turns,
        tool_calls=last.tool_calls,
        cost_usd=last.cost_usd,
        events=events,
    )


def _last_text(events: tuple[Event, ...]) -> str:
    """Give the last turn's text, whole; `end` has it too, cut where it is very long."""
    texts: list[str] = []
    for event in reversed(events):
        if isinstance(event, TextDelta):
            texts.append(event.text)
        elif isinstance(event, TurnStart):
            break
    return "".join(reversed(texts))


def failure_of(event: Error, events: tuple[Event, ...]) -> A3SError:
    """Give the typed error that an `error` event stands for."""
    failure = _error_class(event.code)(event.error)
    if isinstance(failure, Cancelled) and event.signal is not None:
        failure.signal = event.exit_code - 128
    failure.hint = event.hint
    failure.provider = event.provider
    failure.status = event.status
    failure.retry_after_ms = event.retry_after_ms
    failure.exit_status = event.exit_code
    failure.events = events
    return failure


def _error_class(code: str) -> type[A3SError]:
    """Give the nearest class to the root, below the group, that has this code."""
    queue: list[type[A3SError]] = [A3SError]
    found = A3SError
    while queue:
        kind = queue.pop(0)
        if kind.code == code:
            # A group has a code as well, of which the class below is the real owner.
            found = kind
        # What other modules derive is not told by a code.
        queue += [one for one in kind.__subclasses__() if one.__module__ == A3SError.__module__]
    return found
