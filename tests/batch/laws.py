"""The laws of a batch's stream, written down a second time by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..support import laws

Event = dict[str, Any]
OWN = ("batch_start", "item_retry", "limit", "item_end", "batch_end")
ADDED = ("item", "attempt", "worker", "bseq")
FIELDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "batch_start": (
        {"batchId": str, "items": int, "done": int, "engine": str, "jobs": int, "version": str},
        {"policySha256": str, "shippedSha256": str},
    ),
    "item_retry": ({"item": str, "attempt": int, "delayMs": int, "code": str}, {}),
    "limit": ({"reason": str, "delayMs": int}, {}),
    "item_end": (
        {"item": str, "attempts": int, "exitCode": int, "durationMs": int},
        {"code": str, "error": str, "text": str, "object": object, "usage": dict}
        | {"costUsd": float, "truncated": bool, "textBytes": int, "redacted": bool}
        | {"patch": str, "unpatched": str},
    ),
    "batch_end": (
        {"items": int, "succeeded": int, "failed": int, "pending": int, "codes": dict}
        | {"totalTokens": int, "durationMs": int, "exitCode": int},
        {"costUsd": float},
    ),
}


def check_batch(stdout: bytes, status: int | None, *, whole: bool = True) -> list[Event]:
    """Hold a batch's stdout against its laws and return its events.

    A stream that is not `whole` was cut by a kill: it is a prefix of one.
    """
    assert whole is False or stdout.endswith(b"\n")
    lines = stdout[: stdout.rfind(b"\n") + 1].splitlines(keepends=True)
    assert all(len(line) < laws.LINE_LIMIT or b'"object":' in line for line in lines)
    events = laws.whole_lines(stdout)
    assert [event["bseq"] for event in events] == list(range(len(events)))
    assert all(next(iter(event)) == "type" for event in events)
    assert events[0]["type"] == "batch_start"
    for event in events:
        if event["type"] in OWN:
            _check_own(event)
    _check_runs(events)
    _check_ends(events, status, whole=whole)
    return events


def _check_own(event: Event) -> None:
    required, optional = FIELDS[event["type"]]
    fields = {key: value for key, value in event.items() if key not in ("type", "bseq", "ts")}
    assert required.keys() <= fields.keys() <= required.keys() | optional.keys(), event
    for name, value in fields.items():
        assert isinstance(value, (required | optional)[name]), (name, value)
    assert "seq" not in event


def _check_runs(events: Sequence[Event]) -> None:
    """Each run keeps the laws of a run; the runs of an item follow one another."""
    runs: dict[tuple[str, int], list[Event]] = {}
    running: dict[str, int] = {}
    for event in events:
        if event["type"] not in OWN and "item" in event:
            assert {"attempt", "worker", "seq"} <= event.keys(), event
            own = event["type"] == "retry"  # counts the attempts of a request
            attempt = running[event["item"]] if own else event["attempt"]
            running[event["item"]] = attempt
            kept = [key for key in event if key not in ADDED or (own and key == "attempt")]
            run = {key: event[key] for key in kept}
            runs.setdefault((event["item"], attempt), []).append(run)
    for run in runs.values():
        if run[-1]["type"] in ("end", "error"):
            laws.check_stream(run, None)
        else:
            laws.check_prefix(run)


def _check_ends(events: Sequence[Event], status: int | None, *, whole: bool) -> None:
    ends = [event for event in events if event["type"] == "item_end"]
    assert len({event["item"] for event in ends}) == len(ends), "a result came twice"
    over: set[str] = set()
    for event in events:
        if event["type"] == "item_end":
            over.add(event["item"])
        elif "item" in event:
            assert event["item"] not in over, f"after its result: {event}"
    last = events[-1]
    closing = [one for one in events if one["type"] == "batch_end" or _is_own_error(one)]
    assert closing == ([last] if whole else closing[:1])
    if whole and status is not None:
        assert last["exitCode"] == status, (last, status)
    if last["type"] == "batch_end":
        assert last["succeeded"] + last["failed"] + last["pending"] == last["items"]
        assert sum(last["codes"].values()) == last["failed"] + last["pending"]


def _is_own_error(event: Event) -> bool:
    return event["type"] == "error" and "item" not in event
