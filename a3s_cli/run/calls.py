"""The calls of one turn: each is rejected, denied, or executed.

Every call has exactly one of these fates, and every fate has its events. Nothing
runs before its `tool_start`, which carries the validated arguments; arguments that
violate the tool's schema never get there. Calls of one turn run in parallel, except
those of tools that change files, which run alone, in the model's order. Questions
are asked one at a time, before any call of their group runs. Results are in the
order of the calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from .. import jsontext
from ..errors import ApprovalRequired, MaxToolCalls
from ..events import Denial, PermissionDenied, ToolRejected
from ..messages import ToolCall, ToolResult
from ..permissions.policy import Decision
from ..tool_protocol import Tool
from ..values import State, field
from .execution import Execution, Prepared, Surroundings
from .request import OnAsk

if TYPE_CHECKING:
    from ..permissions.approval import Approver
    from ..permissions.approvals import Approvals
    from .judge import Judge, Judged

#: Identical failing calls in a row after which the model counts as stuck.
STUCK = 3
#: Calls that are judged before other tasks get a turn.
AT_A_TIME = 64


class Calls(State):
    """Executes the calls of one run, and counts them."""

    around: Surroundings
    #: On offer by name; they may be others from turn to turn.
    tools: dict[str, Tool]
    #: What happens to a call that needs approval if no one can be asked.
    on_ask: OnAsk = "deny"
    approver: Approver | None = None
    #: What was approved before; None where nothing was.
    approvals: Approvals | None = None
    #: How many calls were executed.
    executed: int = 0
    denials: list[Denial] = field(default_factory=list)
    #: Whether the model keeps repeating a failing call.
    stuck: bool = False
    _last_failure: tuple[str, str] = ("", "")
    _repeats: int = 0
    _turn: int = 0
    #: Made for the first call: many runs have none.
    _judge: Judge | None = None
    #: The calls of this turn whose fate is open, by id.
    _unsettled: dict[str, ToolCall] = field(default_factory=dict)

    async def run(self, calls: Sequence[ToolCall], turn: int) -> list[ToolResult]:
        """Settle every call of a turn; return the results for the model, in call order."""
        self._turn = turn
        self._unsettled = {call.id: call for call in calls}
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
        """Reject calls that cannot be executed because their response was cut."""
        for call in calls:
            self._reject(call, "invalid_arguments", error)

    def _batches(self, calls: Sequence[ToolCall]) -> list[list[ToolCall]]:
        """Group adjacent calls that may run at the same time."""
        batches: list[list[ToolCall]] = []
        alone = True
        for call in calls:
            tool = self.tools.get(call.name)
            writes = tool is not None and tool.writes
            if alone or writes:
                batches.append([])
            batches[-1].append(call)
            alone = writes
        return batches

    async def _run_batch(self, batch: list[ToolCall]) -> list[ToolResult]:
        slots = asyncio.Semaphore(self.around.limits.max_parallel)
        prepared = await self._prepared(batch)
        async with asyncio.TaskGroup() as group:
            settled = [
                one if isinstance(one, ToolResult) else group.create_task(self._execute(one, slots))
                for one in prepared
            ]
        if len(prepared) < len(batch):
            raise MaxToolCalls(
                f"the model asked for more than {self.around.limits.max_tool_calls} tool calls",
                hint="--max-tool-calls sets the limit",
            )
        return [one if isinstance(one, ToolResult) else one.result() for one in settled]

    async def _prepared(self, batch: list[ToolCall]) -> list[ToolResult | Prepared]:
        """Decide the fate of each call of a batch, up to the first beyond the limit."""
        fates: list[ToolResult | Prepared] = []
        room = self.around.limits.max_tool_calls
        for number, call in enumerate(batch):
            if number % AT_A_TIME == AT_A_TIME - 1:
                # The model may ask for thousands, and signals must still be handled.
                await asyncio.sleep(0)
                await self.around.emitter.drain()
            full = room is not None and self.executed + _running(fates) >= room
            fate = await self._fate(call, full)
            if fate is None:
                break
            fates.append(fate)
        return fates

    async def _fate(self, call: ToolCall, full: bool) -> ToolResult | Prepared | None:
        """Decide a call's fate; None if it is beyond the limit. Executes nothing."""
        from .judge import Judge, Rejected

        judge = self._judge or Judge(self.around, self.tools, self.approver, self.approvals)
        self._judge = judge
        try:
            judged = judge.judge(call)
        except Rejected as rejected:
            return self._reject(call, rejected.reason, str(rejected))
        decision = judged.decision
        asks = judge.can_ask(decision)
        if full and (asks or decision.decision == "allow"):
            return None
        if asks:
            decision = await judge.ask(judged)
        if decision.decision != "allow":
            return self._deny(judged, decision)
        return Prepared(call, judged.tool, judged.arguments, decision.rule, judged.path, asked=asks)

    def _deny(self, judged: Judged, decision: Decision) -> ToolResult:
        call = judged.call
        self._settled(call)
        result = self._told(call, f"Permission denied: {decision.reason}")
        self._tell_denied(call, judged.arguments, decision)
        if decision.decision == "ask" and self.on_ask == "fail":
            raise ApprovalRequired(
                f"{call.name} needs approval, and no one can be asked: {decision.reason}",
                hint=decision.hint or None,
            )
        return result

    def _tell_denied(self, call: ToolCall, arguments: dict[str, Any], decision: Decision) -> None:
        self.denials.append(Denial(call.id, call.name, decision.rule))
        self.around.emitter.emit(
            PermissionDenied(
                tool_name=call.name,
                tool_id=call.id,
                tool_input=arguments,
                decision="deny" if decision.decision == "deny" else "ask",
                rule=decision.rule,
                reason=decision.reason,
                hint=decision.hint,
            )
        )

    def _reject(
        self, call: ToolCall, reason: Literal["unknown_tool", "invalid_arguments"], error: str
    ) -> ToolResult:
        self._settled(call)
        result = self._told(call, error)
        self.around.emitter.emit(
            ToolRejected(
                tool_name=call.name,
                tool_id=call.id,
                raw_input=jsontext.clean(call.arguments),
                reason=reason,
                error=error,
            )
        )
        return result

    def _told(self, call: ToolCall, why: str) -> ToolResult:
        """Add the result of a call that does not run to the conversation."""
        result = ToolResult(call.id, call.name, why, failed=True, provider_id=call.provider_id)
        self.around.remember(result)
        return result

    async def _execute(self, prepared: Prepared, slots: asyncio.Semaphore) -> ToolResult:
        async with slots:
            self._settled(prepared.call)
            self.executed += 1
            return await Execution(self.around, prepared, self._turn).run()

    def _settled(self, call: ToolCall) -> None:
        self._unsettled.pop(call.id, None)

    def _settle_rest(self) -> None:
        """Report the calls that never ran because the run ended."""
        if not self._unsettled:
            return
        from .judge import parsed

        overtaken = Decision("deny", "run_ended", "the run ended before this call began")
        for call in self._unsettled.values():
            try:
                arguments = parsed(call.arguments)
            except ValueError:
                arguments = {}
            self._told(call, _not_executed())
            self._tell_denied(call, arguments, overtaken)
        self._unsettled = {}

    def _watch(self, call: ToolCall, result: ToolResult) -> None:
        """Detect a model that keeps repeating a failing call."""
        failure = (call.name, _canonical(call.arguments))
        if not result.failed:
            self._last_failure, self._repeats = ("", ""), 0
        elif failure == self._last_failure:
            self._repeats += 1
        else:
            self._last_failure, self._repeats = failure, 1
        self.stuck = self.stuck or self._repeats >= STUCK


def _not_executed() -> str:
    from ..sessions.interruption import NOT_EXECUTED

    return NOT_EXECUTED


def _running(fates: list[ToolResult | Prepared]) -> int:
    return sum(isinstance(one, Prepared) for one in fates)


def _canonical(arguments: str) -> str:
    try:
        return jsontext.dumps(jsontext.loads(arguments)).decode()
    except ValueError:
        return arguments
