"""The execution of one allowed call: its `tool_start`, its output, its `tool_end`.

Whatever happens to the tool (an error, a bug, a timeout, a cancelled run), the pair
of events is complete, its deltas lie between them, and the model is told the same
output as the event, or a shorter cut of it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from .. import jsontext
from ..errors import A3SError
from ..events import Event, Notice, ToolEnd, ToolInputDelta, ToolOutputDelta, ToolStart
from ..files.workspace import Workspace
from ..messages import ToolCall, ToolResult
from ..permissions.policy import Policy
from ..processes.time_limit import TimeLimit
from ..secrets.masking import mask
from ..secrets.redaction import NOTHING, Redactor
from ..stream.emitter import Emitter
from ..stream.line import fit
from ..tool_protocol import (
    Buffers,
    Model,
    Sandbox,
    Subject,
    Tool,
    ToolContext,
    ToolError,
    ToolReturn,
)
from ..values import Value, field, replace
from .capture import Capture

if TYPE_CHECKING:
    from ..guard.report import Report

log = logging.getLogger(__name__)

#: Files of one call that the model is shown.
MOST_FILES = 64


class SpilledFile(Protocol):
    """A file that holds a whole output."""

    @property
    def path(self) -> Path:
        """The path of the file."""

    @property
    def sha256(self) -> str:
        """The digest of its content."""


class Spill(Protocol):
    """Writes a long output to a file, piece by piece. Never raises: a failed one is dropped."""

    def write(self, data: bytes) -> None:
        """Write the next piece."""

    def finish(self) -> SpilledFile | None:
        """Return the finished file; None if it could not be written."""


class Remember(Protocol):
    """Adds the result of a call to the conversation."""

    def __call__(self, result: ToolResult, *, interrupted: bool = False) -> None:
        """Add it; `interrupted` is true for a call that the run has ended."""


class CallLimits(Value):
    """The limits of a run's calls: seconds, bytes of live output, and numbers of calls."""

    tool_timeout: float = 120.0
    output_bytes: int = 16 * 1024 * 1024
    max_parallel: int = 8
    max_tool_calls: int | None = None
    #: Of one file that the model is shown.
    attachment_bytes: int = 20_000_000


class Prepared(Value):
    """A call to execute: valid, and allowed by `rule`."""

    call: ToolCall
    tool: Tool
    arguments: dict[str, Any]
    rule: str
    #: The path that was judged, resolved.
    path: Path | None = None
    #: Whether there was a question, which has shown its input whole.
    asked: bool = False


class Surroundings(Value):
    """What all executions of a run share."""

    emitter: Emitter
    policy: Policy
    workspace: Workspace
    environment: Mapping[str, str] = field(repr=False)
    limits: CallLimits
    redactor: Redactor = NOTHING
    sandbox: Sandbox | None = None
    #: Files that no tool may change, and places that no tool may show.
    off_limits: Collection[Path] = ()
    withheld: Collection[Path] = ()
    model: Model | None = None
    #: Hides this process's secrets from commands; called before each tool.
    conceal: Callable[[], None] = lambda: None
    #: Returns a file for an output that is too long for an event; None if none is saved.
    spill: Callable[[], Spill | None] = lambda: None
    #: Adds a result to the conversation; called before the event that ends the call.
    remember: Remember = lambda result, *, interrupted=False: None
    #: Files as the front end has them; None where the disk has them.
    buffers: Buffers | None = None
    #: Returns whether the model can see files of a media type; None if that is unknown.
    sees: Callable[[str], bool | None] = lambda _: None

    def emit_with_input(self, event: Event, call: ToolCall) -> None:
        """Emit an event of a call; what of the input it would have to cut goes before it, whole."""
        # No character takes more than six bytes of a line.
        if len(call.arguments) * 6 > jsontext.LINE_LIMIT // 2:
            shown = event.replace(tool_input=self.redactor.value(event.tool_input))
            if fit(shown)[0].input_truncated:
                text = jsontext.dumps(shown.tool_input).decode()
                self.emitter.emit(ToolInputDelta(tool_id=call.id, tool_name=call.name, text=text))
        self.emitter.emit(event)


class Execution:
    """One call, from its `tool_start` to its `tool_end`."""

    def __init__(self, around: Surroundings, prepared: Prepared, turn: int) -> None:
        self._around = around
        self._emitter = around.emitter
        self._prepared = prepared
        self._turn = turn
        self._captured = Capture()
        # Redact before cutting: a cut could split a secret.
        self._hidden = around.redactor.stream()
        self._redacted = False
        self._shown = 0
        self._capped = False
        self._spilled: Spill | None = None
        #: What the guard did because of this call.
        self._reports: list[Report] = []
        self._names: dict[str, Any] = {
            "tool_name": prepared.call.name,
            "tool_id": prepared.call.id,
        }

    async def run(self) -> ToolResult:
        """Execute the call, always end with `tool_end`, and return the result for the model."""
        prepared, call = self._prepared, self._prepared.call
        begun = time.monotonic()
        start = ToolStart(
            **self._names, tool_input=prepared.arguments, turn=self._turn, rule=prepared.rule
        )
        if prepared.asked:
            self._emitter.emit(start)
        else:
            self._around.emit_with_input(start, call)
        try:
            result = await self._result()
        except asyncio.CancelledError:
            self._end(prepared.tool.ended("the call was cancelled", 130, "cancelled"), begun)
            raise
        return self._end(result, begun)

    async def _result(self) -> ToolReturn:
        tool = self._prepared.tool
        if self._emitter.unrecorded:
            # The run is being cancelled. What is not recorded is not executed.
            return tool.ended("the call was cancelled", 130, "cancelled")
        self._around.conceal()
        sandbox = self._around.sandbox
        if self._prepared.rule == "reading" and sandbox is not None:
            sandbox = sandbox.reading(self._prepared.arguments["command"])
        context = ToolContext(
            workspace=self._around.workspace,
            output=self._output,
            drain=self._emitter.drain,
            show=self._show,
            redactor=self._around.redactor,
            sandbox=sandbox,
            report=self._reports.append,
            judged=self._judged,
            tool_id=self._prepared.call.id,
            run_id=self._emitter.run_id,
            model=self._around.model,
            timeout=self._around.limits.tool_timeout,
            environment=self._around.environment,
            allow_url=self._allow_url,
            buffers=self._around.buffers,
            sees=self._around.sees,
            most_shown=self._around.limits.attachment_bytes,
        )
        try:
            seconds = tool.deadline(context)
            async with TimeLimit(seconds):
                return await tool.run(self._prepared.arguments, context)
        except ToolError as error:
            return tool.ended(self._told_of(str(error)), 1)
        except TimeoutError:
            return tool.ended(f"timed out after {seconds or context.timeout:g} s", 124, "timeout")
        except A3SError as error:
            return tool.ended(self._told_of(str(error)), 1)
        except Exception as error:  # The model can work around a broken tool.
            log.debug("tool %s raised", tool.name, exc_info=True)
            said = self._told_of(f"{type(error).__name__}: {error}")
            return tool.ended(f"{tool.name} failed: {said}", 1)

    def _told_of(self, failure: str) -> str:
        """Return a failure's message without secrets and without what looks like one."""
        told = mask(self._around.redactor.sentence(failure))
        self._redacted = told != failure
        return told

    def _judged(self, path: str) -> Path:
        """Resolve a path argument; judge it again if it leads elsewhere now."""
        around, prepared = self._around, self._prepared
        found = around.workspace.resolve(path)
        if not (found.inside or (found.readable and prepared.tool.reads_skills)):
            raise ToolError(f"{path} is outside the workspace {around.workspace.root}")
        if found.path != prepared.path:
            from ..permissions.calls import decide

            verdict = decide(
                around.policy, prepared.tool, prepared.arguments, around.workspace,
                around.off_limits, around.withheld,
            )  # fmt: skip
            if verdict.decision.decision != "allow" or verdict.path not in (None, found.path):
                reason = verdict.decision.reason
                raise ToolError(
                    f"{path} no longer leads to where it led when it was judged: {reason}"
                )
        return found.path

    def _allow_url(self, url: str) -> str | None:
        name = self._prepared.tool.name
        decision = self._around.policy.decide(name, Subject("url", url))
        return None if decision.decision == "allow" else decision.reason

    def _show(self, text: str) -> None:
        self._emitter.emit(ToolOutputDelta(**self._names, text=text))

    def _output(self, text: str) -> None:
        before = self._hidden.replaced
        self._keep(self._hidden.feed(text), before)

    def _keep(self, text: str, before: int) -> None:
        """Capture and emit a piece, marked if more than `before` secrets have been hidden."""
        self._add(text)
        limit = self._around.limits.output_bytes
        if self._shown < limit:
            text = _within(text, limit - self._shown)
            self._shown += jsontext.size(text)
            if text:
                delta = ToolOutputDelta(**self._names, text=jsontext.clean(text))
                redacted = self._hidden.replaced > before
                self._emitter.emit(delta.replace(redacted=True) if redacted else delta)
        if self._captured.bytes > limit and not self._capped:
            self._capped = True
            self._shown = limit
            self._emitter.emit(
                Notice(
                    code="output_capped",
                    text=f"the call printed more than {limit} bytes: the rest is not shown",
                    tool_id=self._prepared.call.id,
                    limit_bytes=limit,
                )
            )

    def _add(self, text: str) -> None:
        """Capture a piece. An output that will be cut is also written to a file, whole."""
        captured, limit = self._captured, self._around.limits.output_bytes
        data = jsontext.clean(text).encode()
        if captured.bytes <= jsontext.HEAD + jsontext.TAIL < captured.bytes + len(data):
            self._spilled = self._around.spill()
            if self._spilled:
                self._spilled.write(captured.text().encode())
        if self._spilled and captured.bytes < limit:
            self._spilled.write(data[: limit - captured.bytes])
        captured.add(text)

    def _end(self, result: ToolReturn, begun: float) -> ToolResult:
        """Remember what the model is told, then emit `tool_end`; return the former."""
        before = self._hidden.replaced
        self._keep(self._hidden.finish(), before)
        if self._reports:
            result = self._reported(result)
        redacted = self._redacted or self._hidden.replaced > 0
        whole = self._around.redactor.whole(result.output or "")
        if result.output is not None:
            redacted = self._redacted or whole != result.output
            self._captured, self._spilled = Capture(), None
            self._add(whole)
        output = self._captured.text() if result.told is None else whole
        truncated = result.told is None and self._captured.truncated
        kept = self._spilled.finish() if self._spilled and truncated else None
        end: Event = ToolEnd(
            **self._names,
            tool_output=output,
            exit_code=result.exit_code,
            reason=result.reason,
            duration_ms=round((time.monotonic() - begun) * 1000),
            truncated=truncated or None,
            output_bytes=self._captured.bytes if truncated else None,
            output_file=str(kept.path) if kept else None,
            output_sha256=kept.sha256 if kept else None,
            path=result.path or (str(self._prepared.path) if self._prepared.path else None),
            sha256=result.sha256,
            images=[file.facts for file in result.files[:MOST_FILES]] or None,
            changed=None if result.changed is None else list(result.changed),
            structured=result.structured,
        )
        told = self._told(output, result, time.monotonic() - begun)
        self._around.remember(told, interrupted=result.reason == "cancelled")
        self._emitter.emit(end.replace(redacted=True) if redacted else end)
        return told

    def _told(self, output: str, result: ToolReturn, seconds: float) -> ToolResult:
        call = self._prepared.call
        if result.told is not None:
            told = self._around.redactor.whole(result.told)
        else:
            told = _told(output, result, seconds)
            told = f"{told.rstrip()}\n{result.remark}" if result.remark else told
        failed, files = result.exit_code != 0, result.files[:MOST_FILES]
        return ToolResult(call.id, call.name, told, failed, call.provider_id, files)

    def _reported(self, result: ToolReturn) -> ToolReturn:
        """Report what the guard did, in events and to the model."""
        from .guarded import notices, remark

        for notice in notices(self._reports, self._prepared.call.id):
            self._emitter.emit(notice)
        put_back = any(one.kind == "put_back" for one in self._reports)
        reason = result.reason or ("protected" if put_back else None)
        return replace(
            result, reason=reason, remark=remark(self._reports, self._around.workspace.root)
        )


def _within(text: str, room: int) -> str:
    data = jsontext.clean(text).encode()
    return text if len(data) <= room else data[:room].decode(errors="ignore")


def _told(output: str, result: ToolReturn, seconds: float) -> str:
    """Return the output for the model, with a note of what it does not show."""
    if result.reason == "cancelled":
        from ..sessions.interruption import INTERRUPTED as note
    elif result.reason == "timeout" and result.output is None:
        note = f"[timed out after {seconds:.1f} s]"
    elif result.output is None and result.exit_code:
        note = f"[exit status {result.exit_code}]"
    elif not output:
        note = "[no output]"
    else:
        return output
    return f"{output}\n{note}" if output and not output.endswith("\n") else f"{output}{note}"
