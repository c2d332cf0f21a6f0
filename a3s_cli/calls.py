"""What becomes of the calls of one turn: rejected, denied, or run.

Every call has exactly one fate and every fate has its events. Nothing runs
before its `tool_start`, which carries the validated arguments; arguments that
are no JSON object of the tool's schema never get there. Calls of one turn run
in parallel, except those of tools that change files: they run alone, in the
model's order. What the model is told comes back in the order of its calls.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from . import wire
from .capture import Capture
from .emitter import Emitter
from .errors import A3SError, ApprovalRequired, MaxToolCalls
from .events import (
    Denial,
    Notice,
    PermissionDenied,
    ToolEnd,
    ToolOutputDelta,
    ToolRejected,
    ToolStart,
)
from .messages import ToolCall, ToolResult
from .policy import Decision, Policy
from .tools import base
from .workspace import Workspace

log = logging.getLogger(__name__)

#: Identical failing calls in a row after which a model is taken to be stuck.
STUCK = 3


@dataclass(frozen=True, slots=True)
class CallLimits:
    """What bounds the calls of a run: seconds, bytes of live output, and numbers."""

    tool_timeout: float = 120.0
    output_bytes: int = 16 * 1024 * 1024
    max_parallel: int = 8
    max_tool_calls: int | None = None


@dataclass(slots=True)
class Calls:
    """Runs the calls of one run, and remembers what became of them."""

    emitter: Emitter
    tools: Mapping[str, base.Tool]
    policy: Policy
    workspace: Workspace
    environment: Mapping[str, str]
    limits: CallLimits = field(default_factory=CallLimits)
    on_ask: Literal["deny", "fail"] = "deny"
    #: Calls that were executed.
    executed: int = 0
    denials: list[Denial] = field(default_factory=list)
    #: Whether the model repeats one failing call and will not stop.
    stuck: bool = False
    _last_failure: tuple[str, str] = ("", "")
    _repeats: int = 0
    _turn: int = 0
    _unsettled: list[ToolCall] = field(default_factory=list)

    async def run(self, calls: Sequence[ToolCall], turn: int) -> list[ToolResult]:
        """Settle every call of a turn and give what the model is told, in call order."""
        self._turn = turn
        self._unsettled = list(calls)
        results: dict[str, ToolResult] = {}
        try:
            for batch in self._batches(calls):
                for call, result in zip(batch, await self._run_batch(batch), strict=True):
                    results[call.id] = result
        finally:
            self._settle_rest()
        for call in calls:
            self._watch(call, results[call.id])
        return [results[call.id] for call in calls]

    def reject(self, calls: Iterable[ToolCall], error: str) -> None:
        """Settle calls that cannot be executed because their response was cut."""
        for call in calls:
            self._reject(call, "invalid_arguments", error)

    def _batches(self, calls: Sequence[ToolCall]) -> list[list[ToolCall]]:
        """Group neighbours that may run at the same time."""
        batches: list[list[ToolCall]] = []
        alone = True
        for call in calls:
            tool = self.tools.get(call.name)
            exclusive = tool is not None and tool.exclusive
            if alone or exclusive:
                batches.append([])
            batches[-1].append(call)
            alone = exclusive
        return batches

    async def _run_batch(self, batch: list[ToolCall]) -> list[ToolResult]:
        slots = asyncio.Semaphore(self.limits.max_parallel)
        prepared = self._prepared(batch)
        async with asyncio.TaskGroup() as group:
            settled = [
                one if isinstance(one, ToolResult) else group.create_task(self._execute(one, slots))
                for one in prepared
            ]
        if len(prepared) < len(batch):
            raise MaxToolCalls(
                f"the model asked for more than {self.limits.max_tool_calls} tool calls",
                hint="--max-tool-calls sets the limit",
            )
        return [one if isinstance(one, ToolResult) else one.result() for one in settled]

    def _prepared(self, batch: list[ToolCall]) -> list[ToolResult | _Prepared]:
        """Decide the fate of each call of a batch, up to the first that is one too many."""
        fates: list[ToolResult | _Prepared] = []
        room = self.limits.max_tool_calls
        for call in batch:
            fate = self._prepare(call)
            running = self.executed + _running(fates)
            if isinstance(fate, _Prepared) and room is not None and running >= room:
                break
            fates.append(fate)
        return fates

    def _prepare(self, call: ToolCall) -> ToolResult | _Prepared:
        """Decide a call's fate; nothing is executed here."""
        tool = self.tools.get(call.name)
        if tool is None:
            return self._reject(call, "unknown_tool", _unknown(call.name, self.tools))
        try:
            arguments = validated(call.arguments, tool)
        except ValueError as error:
            return self._reject(call, "invalid_arguments", str(error))
        decision = self._decide(tool, arguments)
        if decision.decision != "allow":
            return self._deny(call, arguments, decision)
        return _Prepared(call, tool, arguments, decision.rule)

    def _decide(self, tool: base.Tool, arguments: dict[str, Any]) -> Decision:
        subject = tool.subject(arguments)
        if subject.kind != "path":
            return self.policy.decide(tool.name, subject, root=self.workspace.root)
        found = self.workspace.resolve(subject.value)
        return self.policy.decide(
            tool.name, subject, path=found.path, inside=found.inside, root=self.workspace.root
        )

    def _deny(self, call: ToolCall, arguments: dict[str, Any], decision: Decision) -> ToolResult:
        verdict: Literal["deny", "ask"] = "deny" if decision.decision == "deny" else "ask"
        self._settled(call)
        self.denials.append(Denial(call.id, call.name, decision.rule))
        self.emitter.emit(
            PermissionDenied(
                tool_name=call.name,
                tool_id=call.id,
                tool_input=arguments,
                decision=verdict,
                rule=decision.rule,
                reason=decision.reason,
                hint=decision.hint,
            )
        )
        if verdict == "ask" and self.on_ask == "fail":
            raise ApprovalRequired(
                f"{call.name} needs approval, and there is nobody to ask: {decision.reason}",
                hint=decision.hint or None,
            )
        told = f"Permission denied: {decision.reason}"
        return ToolResult(call.id, call.name, told, failed=True, provider_id=call.provider_id)

    def _reject(
        self, call: ToolCall, reason: Literal["unknown_tool", "invalid_arguments"], error: str
    ) -> ToolResult:
        self._settled(call)
        self.emitter.emit(
            ToolRejected(
                tool_name=call.name,
                tool_id=call.id,
                raw_input=wire.clean(call.arguments),
                reason=reason,
                error=error,
            )
        )
        return ToolResult(call.id, call.name, error, failed=True, provider_id=call.provider_id)

    async def _execute(self, prepared: _Prepared, slots: asyncio.Semaphore) -> ToolResult:
        async with slots:
            self._settled(prepared.call)
            self.executed += 1
            return await Execution(self, prepared, self._turn).run()

    def _settled(self, call: ToolCall) -> None:
        self._unsettled = [one for one in self._unsettled if one is not call]

    def _settle_rest(self) -> None:
        """Say of calls that the end of the run has overtaken that they never ran."""
        for call in self._unsettled:
            decision = Decision("deny", "run_ended", "the run ended before this call began", "")
            try:
                arguments = wire.loads(call.arguments or "{}")
            except ValueError:
                arguments = None
            self.denials.append(Denial(call.id, call.name, decision.rule))
            self.emitter.emit(
                PermissionDenied(
                    tool_name=call.name,
                    tool_id=call.id,
                    tool_input=arguments if isinstance(arguments, dict) else {},
                    decision="deny",
                    rule=decision.rule,
                    reason=decision.reason,
                    hint=decision.hint,
                )
            )
        self._unsettled = []

    def _watch(self, call: ToolCall, result: ToolResult) -> None:
        """Notice a model that repeats one failing call."""
        failure = (call.name, _canonical(call.arguments))
        if not result.failed:
            self._last_failure, self._repeats = ("", ""), 0
        elif failure == self._last_failure:
            self._repeats += 1
        else:
            self._last_failure, self._repeats = failure, 1
        self.stuck = self.stuck or self._repeats >= STUCK


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A call that will be executed: valid, and allowed by `rule`."""

    call: ToolCall
    tool: base.Tool
    arguments: dict[str, Any]
    rule: str


class Execution:
    """One call, from its `tool_start` to its `tool_end`."""

    def __init__(self, calls: Calls, prepared: _Prepared, turn: int) -> None:
        self._calls = calls
        self._emitter = calls.emitter
        self._prepared = prepared
        self._turn = turn
        self._captured = Capture()
        self._shown = 0
        self._capped = False
        self._names: dict[str, Any] = {
            "tool_name": prepared.call.name,
            "tool_id": prepared.call.id,
        }

    async def run(self) -> ToolResult:
        """Execute, whatever happens end with `tool_end`, and give what the model is told."""
        prepared, call = self._prepared, self._prepared.call
        begun = time.monotonic()
        self._emitter.emit(
            ToolStart(
                **self._names,
                tool_input=prepared.arguments,
                turn=self._turn,
                rule=prepared.rule,
            )
        )
        try:
            result = await self._result()
        except asyncio.CancelledError:
            self._end(base.ToolResult(None, 130, "cancelled"), begun)
            raise
        told = self._end(result, begun)
        failed = result.exit_code != 0
        return ToolResult(call.id, call.name, told, failed=failed, provider_id=call.provider_id)

    async def _result(self) -> base.ToolResult:
        tool = self._prepared.tool
        context = base.ToolContext(
            workspace=self._calls.workspace,
            output=self._output,
            drain=self._emitter.drain,
            timeout=self._calls.limits.tool_timeout,
            environment=self._calls.environment,
        )
        try:
            async with asyncio.timeout(tool.deadline(context)):
                return await tool.run(self._prepared.arguments, context)
        except base.ToolError as error:
            return base.ToolResult(str(error), 1)
        except TimeoutError:
            return base.ToolResult(f"timed out after {context.timeout:g} s", 124, "timeout")
        except A3SError as error:
            return base.ToolResult(str(error), 1)
        except Exception as error:  # A broken tool is the model's to work around.
            log.exception("tool %s raised", tool.name)
            return base.ToolResult(f"{tool.name} failed: {type(error).__name__}: {error}", 1)

    def _output(self, text: str) -> None:
        self._captured.add(text)
        limit = self._calls.limits.output_bytes
        if self._shown < limit:
            text = _within(text, limit - self._shown)
            self._shown += wire.size(text)
            if text:
                self._emitter.emit(ToolOutputDelta(**self._names, text=wire.clean(text)))
        if self._captured.bytes > limit and not self._capped:
            self._capped = True
            self._shown = limit
            self._emitter.emit(
                Notice(
                    code="output_capped",
                    text=f"the call has printed more than {limit} bytes: the rest is not shown",
                    tool_id=self._prepared.call.id,
                    limit_bytes=limit,
                )
            )

    def _end(self, result: base.ToolResult, begun: float) -> str:
        """Emit `tool_end` and give what the model is told."""
        if result.output is not None:
            self._captured = Capture()
            self._captured.add(result.output)
        output = self._captured.text()
        truncated = self._captured.truncated
        self._emitter.emit(
            ToolEnd(
                **self._names,
                tool_output=output,
                exit_code=result.exit_code,
                reason=result.reason,
                duration_ms=round((time.monotonic() - begun) * 1000),
                truncated=truncated or None,
                output_bytes=self._captured.bytes if truncated else None,
                path=result.path,
                sha256=result.sha256,
            )
        )
        return _told(output, result, time.monotonic() - begun)


def _running(fates: list[ToolResult | _Prepared]) -> int:
    return sum(isinstance(one, _Prepared) for one in fates)


def validated(text: str, tool: base.Tool) -> dict[str, Any]:
    """Give the arguments of a call as its schema accepts them, or raise ValueError."""
    try:
        arguments = wire.loads(text) if text.strip() else {}
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the arguments are not complete JSON: {error}") from None
    if not isinstance(arguments, dict):
        raise ValueError("the arguments are not a JSON object")
    if problems := tool.problems(arguments):
        raise ValueError(f"the arguments do not fit {tool.name}: {'; '.join(problems)}")
    return arguments


def _unknown(name: str, tools: Mapping[str, base.Tool]) -> str:
    from difflib import get_close_matches

    nearest = get_close_matches(name, tools, 1)
    meant = f" Did you mean {nearest[0]}?" if nearest else ""
    offered = f"The tools are {', '.join(tools)}." if tools else "No tools are offered."
    return f"There is no tool {wire.clean(name)[:100]!r}.{meant} {offered}"


def _canonical(arguments: str) -> str:
    try:
        return wire.dumps(wire.loads(arguments)).decode()
    except (ValueError, RecursionError):
        return arguments


def _within(text: str, room: int) -> str:
    data = wire.clean(text).encode()
    return text if len(data) <= room else data[:room].decode(errors="ignore")


def _told(output: str, result: base.ToolResult, seconds: float) -> str:
    """Give the model the output, and what it cannot see in it."""
    if result.reason == "timeout" and result.output is None:
        note = f"[timed out after {seconds:.1f} s]"
    elif result.output is None and result.exit_code:
        note = f"[exit status {result.exit_code}]"
    elif not output:
        note = "[no output]"
    else:
        return output
    return f"{output}\n{note}" if output and not output.endswith("\n") else f"{output}{note}"
