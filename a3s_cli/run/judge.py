"""Judges a call of the model: its arguments, the rules, the user's answer.

Nothing is executed here. A judged call is valid, and it was judged by the very
arguments that will be executed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .. import jsontext
from ..events import PermissionAnswer, PermissionRequest
from ..messages import ToolCall
from ..permissions.approvals import Approvals, rule_of_always, scope
from ..permissions.calls import decide
from ..permissions.policy import Decision
from ..tool_protocol import Subject, Tool
from ..values import Value, replace
from .execution import Surroundings

if TYPE_CHECKING:
    from ..permissions.approval import Approver, Question

#: A number that a float may not hold.
_LONG_NUMBER = r"\d[\d.]{15,}"


class Rejected(Exception):
    """The call cannot be executed; the message for the model says why."""

    def __init__(self, reason: Literal["unknown_tool", "invalid_arguments"], why: str) -> None:
        super().__init__(why)
        self.reason = reason


class Judged(Value):
    """A valid call, and the rules' decision on it."""

    call: ToolCall
    tool: Tool
    arguments: dict[str, Any]
    subject: Subject
    #: The subject's path, resolved.
    path: Path | None
    decision: Decision


class Judge:
    """Judges the calls of one run, and remembers the approvals that last for the run."""

    def __init__(
        self,
        around: Surroundings,
        tools: Mapping[str, Tool],
        approver: Approver | None,
        approvals: Approvals | None = None,
    ) -> None:
        self._around = around
        self._tools = tools
        self._approver = approver
        self._exact = getattr(approver, "exact", False)
        self._approvals = Approvals(around.policy) if approvals is None else approvals

    def judge(self, call: ToolCall) -> Judged:
        """Check a call against its tool's schema and the rules. Raises Rejected."""
        tool = self._tools.get(call.name)
        if tool is None:
            raise Rejected("unknown_tool", _unknown(call.name, self._tools))
        try:
            arguments = validated(call.arguments, tool)
        except ValueError as error:
            raise Rejected("invalid_arguments", str(error)) from None
        around = self._around
        found = decide(
            self._approvals,
            tool,
            arguments,
            around.workspace,
            around.off_limits,
            around.withheld,
            confined=around.sandbox is not None,
        )
        decision = self._approvals.same(tool.name, arguments, found.decision)
        return Judged(call, tool, arguments, found.subject, found.path, decision)

    def can_ask(self, decision: Decision) -> bool:
        """Return whether a user can be asked to change this decision."""
        return decision.decision == "ask" and self._approver is not None

    async def ask(self, judged: Judged) -> Decision:
        """Ask the user about a call; return the decision that follows from the answer."""
        from ..permissions.approval import Unanswered

        assert self._approver
        emit, call, decision = self._around.emitter.emit, judged.call, judged.decision
        request = PermissionRequest(
            tool_name=call.name,
            tool_id=call.id,
            tool_input=judged.arguments,
            path=None if judged.path is None else str(judged.path),
            rule=decision.rule,
            reason=decision.reason,
            always=None if self._exact else rule_of_always(decision),
        )
        self._around.emit_with_input(request, call)
        try:
            reply = await self._approver(self._question(judged))
        except Unanswered as why:
            emit(PermissionAnswer(tool_id=call.id, answer="no", by="nobody"))
            return replace(decision, reason=f"{decision.reason}, and no one could be asked: {why}")
        answer, by = reply.answer, self._approver.by
        who = "the approver" if self._exact else "the user"
        emit(PermissionAnswer(tool_id=call.id, answer=answer, by=by, text=reply.text or None))
        if answer == "no" and reply.failure:
            return replace(decision, reason=f"{decision.reason}, and {reply.failure}", hint="")
        if answer == "no":
            said = f"no: {reply.text}" if reply.text else "no"
            return replace(decision, reason=f"{who} was asked and said {said}", hint="")
        if answer == "always" and self._exact:
            self._approvals.always_same(judged.tool.name, judged.arguments)
        elif answer == "always":
            self._approvals.always(judged.tool.name, judged.subject, decision, judged.path)
        return Decision("allow", "user", f"{who} was asked and said {answer}")

    def _question(self, judged: Judged) -> Question:
        from ..permissions.approval import Question

        return Question(
            tool_name=judged.call.name,
            tool_id=judged.call.id,
            tool_input=judged.arguments,
            cwd=self._around.workspace.root,
            path=judged.path,
            rule=judged.decision.rule,
            reason=judged.decision.reason,
            always=scope(judged.tool.name, judged.subject, judged.decision, judged.path),
        )


def validated(text: str, tool: Tool) -> dict[str, Any]:
    """Return the arguments of a call. Raises ValueError if the schema does not accept them."""
    arguments = parsed(text)
    if problems := tool.problems(arguments):
        raise ValueError(f"the arguments do not fit {tool.name}: {'; '.join(problems)}")
    return arguments


def parsed(text: str) -> dict[str, Any]:
    """Return a call's arguments as every parser reads them. Raises ValueError."""
    try:
        arguments = jsontext.loads(text) if text.strip() else {}
    except ValueError as error:
        raise ValueError(f"the arguments are not complete JSON: {error}") from None
    if not isinstance(arguments, dict):
        raise ValueError("the arguments are not a JSON object")
    if not jsontext.is_plain(arguments):
        # Shown and executed must be the same, and half a character is not a valid name.
        raise ValueError("the arguments contain half a surrogate pair, or a number beyond 64 bits")
    if re.search(_LONG_NUMBER, text):
        written = jsontext.Written(arguments)
        written.text = text
        return written
    return arguments


def _unknown(name: str, tools: Mapping[str, Tool]) -> str:
    from difflib import get_close_matches

    nearest = get_close_matches(name, tools, 1)
    meant = f" Did you mean {nearest[0]}?" if nearest else ""
    offered = f"The tools are {', '.join(tools)}." if tools else "No tools are offered."
    return f"There is no tool {jsontext.clean(name)[:100]!r}.{meant} {offered}"
