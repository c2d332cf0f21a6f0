"""One attempt at an item, on a worker: a run like any other, opened by `run/opening`.

Its lines get the item's name and place as they leave, its session and its recording lie
in the directory of the batch, and its requests pass the gate. What it came to is one
small value, which the driver turns into the item's result.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import A3SError, Cancelled, ExitStatus, UsageError, internal
from ..events import Event
from ..jsontext import LINE_LIMIT, dumps
from ..run.kept import Kept, keep
from ..run.opening import Opening
from ..run.plan import Plan
from ..stream.redacted import EventRedactor
from ..values import replace
from .brief import Brief
from .engine import Port
from .item import BadItem, Item, file_name
from .items import read_item
from .run_gate import RunGate

#: Bytes that a run's line may have before the batch adds its fields.
ROOM = LINE_LIMIT - 4096
_RETRY = b'{"type":"retry",'
#: What of a terminal event the driver needs.
OUTCOME = (
    "exitCode", "code", "error", "text", "object", "usage", "durationMs", "totalTokens", "turns",
    "toolCalls", "retryAfterMs",
)  # fmt: skip


class Attempt:
    """One run of one item. `cancel` may be called at any time."""

    def __init__(
        self, brief: Brief, request: bytes, port: Port, worker: str, send: Callable[[bytes], None]
    ) -> None:
        """`request` is a line of JSON with the attempt's number, then the line of the item."""
        head, _, line = request.partition(b"\n")
        told = _loads(head)
        self._number: int = told["attempt"]
        self._estimate: int = told["tokens"]
        self._line = line
        self._brief = brief
        self._port = port
        self._worker = worker
        self._send = send
        self._opening: Opening | None = None
        self._why: A3SError | None = None

    async def run(self, drain: Callable[[], Any]) -> bytes:
        """Do the run and return its outcome as JSON. Raises nothing but a cancellation."""
        try:
            item = read_item(self._line)
            outcome = await self._run(item, drain)
        except BadItem as error:
            outcome = failed(UsageError(str(error)))
        except A3SError as error:
            outcome = failed(error)
        except Exception as error:  # noqa: BLE001  # a bug of ours fails the item, not the worker
            outcome = failed(internal(error))
        return dumps(outcome)

    def cancel(self, why: bytes) -> None:
        """Cancel the run; `why` is the name of a signal, or empty."""
        name = why.decode()
        number = signal.Signals[name].value if name else None
        said = f"cancelled by {name}" if name else "the batch was cancelled"
        self._why = Cancelled(said, signal=number)
        if self._opening is not None:
            self._opening.cancel(self._why)

    async def _run(self, item: Item, drain: Callable[[], Any]) -> dict[str, Any]:
        depot = self._brief.depot
        if depot is None:
            return await self._run_in(None, item, drain)
        async with depot.copy() as copy:
            outcome = await self._run_in(copy.root, item, drain)
            # An attempt that will be repeated begins with another copy.
            if self._why is None and outcome["exitCode"] != ExitStatus.TEMPORARY:
                from ..shipping.patch import changes

                outcome |= await changes(copy, depot.git, self._brief.plan().redactor.finds)
            return outcome

    async def _run_in(
        self, copy: Path | None, item: Item, drain: Callable[[], Any]
    ) -> dict[str, Any]:
        """Run an item, in a workspace of its own if there is one."""
        brief = self._brief
        gate = RunGate(self._port, self._estimate)
        request, plan = brief.prepared(item, copy)
        name = file_name(item.id, self._number)
        record = self._recording(name) if brief.record else None
        request = replace(request, prompt=item.prompt, record=record, gate=gate)
        opening = self._opening = Opening(request)
        opening.use(replace(plan, gate=gate, record=record))
        opening.emitter.limit = ROOM
        if self._why is not None:
            opening.cancel(self._why)
        if brief.keep_sessions:
            opening.keep(lambda plan: _kept(brief.directory, name, plan))
        if brief.events:
            opening.emitter.add_line_sink(self._stamped(item.id), drain)
        try:
            opening.begin()
            terminal = await opening.execute()
        finally:
            opening.kept.release()
        return outcome_of(opening, terminal, gate)

    def _recording(self, name: str) -> Path:
        path = self._brief.directory / "runs" / f"{name}.ndjson"
        path.parent.mkdir(mode=0o700, exist_ok=True)
        # Of an attempt that the journal lost, because the machine failed.
        path.unlink(missing_ok=True)
        return path

    def _stamped(self, item: str) -> Callable[[bytes], None]:
        named = {"item": item, "attempt": self._number, "worker": self._worker}
        end, send = b"," + dumps(named)[1:] + b"\n", self._send
        del named["attempt"]
        end_of_retry = b"," + dumps(named)[1:] + b"\n"

        def stamp(lines: bytes) -> None:
            if _RETRY not in lines:
                # A line feed inside of a string is escaped, so this is the end of each line.
                send(lines.replace(b"}\n", end))
                return
            # `retry` counts attempts of its own, at a request.
            send(
                b"".join(
                    line[:-2] + (end_of_retry if line.startswith(_RETRY) else end)
                    for line in lines.splitlines(keepends=True)
                )
            )

        return stamp


def _kept(directory: Path, name: str, plan: Plan) -> Kept:
    kept = keep(
        os.environ,
        plan.workspace,
        plan.redactor.whole,
        named=name,
        directory=directory / "sessions",
    )
    # The journal says what counts; what a machine that fails takes with it is run again.
    kept.force_by(lambda _: None)
    return kept


def outcome_of(opening: Opening, terminal: Event, gate: RunGate) -> dict[str, Any]:
    """Return what the driver needs of a run that has ended."""
    plan = opening.plan
    if plan is not None:
        # `end` has the whole text here, and is not redacted yet.
        terminal = EventRedactor(plan.redactor).events(terminal)[-1]
    account = opening.account
    said = terminal.to_dict()
    outcome = {name: said[name] for name in OUTCOME if name in said}
    if "object" in outcome:
        outcome.pop("text", None)
    if account is not None:
        if account.cost_usd is not None:
            outcome["costUsd"] = account.cost_usd
        if "usage" not in outcome and account.usage is not None:
            outcome["usage"] = _usage(account.usage)
    if opening.recording is not None and opening.recording.complete:
        # `end` itself gets it only on its way out.
        outcome["recordHead"] = opening.recording.head
    if gate.refused_by:
        outcome["gate"] = gate.refused_by
    return outcome


def failed(error: A3SError) -> dict[str, Any]:
    """Return the outcome of an attempt that could not begin."""
    return {
        "exitCode": int(error.exit_status),
        "code": error.code,
        "error": str(error),
        "durationMs": 0,
        "totalTokens": 0,
        "turns": 0,
        "toolCalls": 0,
    }


def _usage(usage: Any) -> Mapping[str, int]:
    from ..events.event import _plain

    plain: Mapping[str, int] = _plain(usage)
    return plain


def _loads(data: bytes) -> Any:
    import orjson

    return orjson.loads(data)
