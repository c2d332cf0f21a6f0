"""The outcome of a run, from its events: a result, or the typed error of its failure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import A3SError, Cancelled
from ..events import End, Error, Event, TextDelta, TurnStart
from ..messages import Usage
from ..values import Value


class Result(Value):
    """The result of a successful run.

    text: the text of the last turn.
    object: for a run with a schema, the validated value; an instance if the schema was a
        pydantic model; else None.
    usage: the tokens of all turns and nested requests; None if the provider reports none.
    total_tokens: the total of these tokens.
    turns: the number of model responses of the main loop.
    tool_calls: the number of calls that were executed.
    cost_usd: the cost in US dollars; None if the model's price is not known.
    events: every event of the run, in order.
    """

    text: str
    object: Any
    usage: Usage | None
    total_tokens: int
    turns: int
    tool_calls: int
    cost_usd: float | None
    events: tuple[Event, ...]


def result_of(events: tuple[Event, ...], instance: Callable[[Any], Any]) -> Result:
    """Return the result of a complete run. Raises the failure that its `error` event reports.

    `instance` converts the run's object to its schema's type.
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
    """Return the whole text of the last turn; `end` cuts it if it is very long."""
    texts: list[str] = []
    for event in reversed(events):
        if isinstance(event, TextDelta):
            texts.append(event.text)
        elif isinstance(event, TurnStart):
            break
    return "".join(reversed(texts))


def failure_of(event: Error, events: tuple[Event, ...]) -> A3SError:
    """Return the typed error that an `error` event reports."""
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
    """Return the class with this code that is nearest to the root, groups excepted."""
    queue: list[type[A3SError]] = [A3SError]
    found = A3SError
    while queue:
        kind = queue.pop(0)
        if kind.code == code:
            # A group has the code of one of its classes: that class is meant.
            found = kind
        # Classes derived elsewhere have no code of their own.
        queue += [one for one in kind.__subclasses__() if one.__module__ == A3SError.__module__]
    return found
