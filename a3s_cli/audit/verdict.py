"""The verdict on one stream: is it complete, is it genuine, did it follow the policy?

It is made while the stream is read, in bounded memory: of each kind of finding, the
first few are kept and the rest are counted. The file of a session holds several runs;
limits apply to each of them, totals to all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePath, PurePosixPath
from typing import Literal

from ..errors import ExitStatus
from ..events import TERMINAL, Event, Start, ToolEnd, ToolStart
from ..stream.reader import INTERRUPTED, Checker, Line, Problem
from ..values import State, Value, field
from .calls import CallJudge, ExecutedCall, WriteJudge, call_of, lexical, written
from .chain import Chain
from .policy_file import AuditRule

#: Most problems of a stream, and breaches of a rule, to list.
LISTED = 50

Outcome = Literal["clean", "violations", "invalid"]


class Breach(Value):
    """One breach of a rule. `quoted` comes from the stream, the other fields are ours."""

    line: int
    what: str
    tool: str = ""
    call: str = ""
    quoted: str = ""
    why: str = ""


class RuleVerdict(State):
    """The breaches of one rule."""

    rule: AuditRule
    breaches: list[Breach] = field(default_factory=list)
    count: int = 0

    def add(self, breach: Breach) -> None:
        """Count a breach, and list it up to the limit; a call is counted once."""
        if breach.call and any(breach.call == other.call for other in self.breaches):
            return
        self.count += 1
        if len(self.breaches) < LISTED:
            self.breaches.append(breach)


class Totals(State):
    """What a run did, counted from its events; None if unknown."""

    run_id: str | None = None
    model: str | None = None
    policy_sha256: str | None = None
    #: `end`, or the code of `error`.
    end: str | None = None
    turns: int = 0
    tool_calls: int = 0
    tokens: int = 0
    cost_usd: float | None = None
    duration_ms: int = 0
    denied: int = 0
    rejected: int = 0
    #: The number of runs, if there is more than one.
    runs: int | None = None

    def add(self, run: Totals) -> None:
        """Add the totals of one more run."""
        first = self.runs == 0
        self.runs = (self.runs or 0) + 1
        self.run_id, self.model, self.end = run.run_id, run.model, run.end
        self.policy_sha256 = run.policy_sha256
        known = first or self.cost_usd is not None
        if known and run.cost_usd is not None:
            self.cost_usd = (self.cost_usd or 0) + run.cost_usd
        else:
            self.cost_usd = None
        for name in ("turns", "tool_calls", "tokens", "duration_ms", "denied", "rejected"):
            setattr(self, name, getattr(self, name) + getattr(run, name))


class Verdict(State):
    """The verdict on one stream, with its findings."""

    name: str
    totals: Totals
    rules: list[RuleVerdict]
    problems: list[Problem] = field(default_factory=list)
    problem_count: int = 0
    lines: int = 0
    #: The digest of the last line, if this is a recording.
    head: str | None = None
    #: Whether the chain was verified: without it, an edit is not found.
    verified: bool = False
    #: Whether there was a head to compare: without it, a chain written anew is not found.
    head_given: bool = False

    @property
    def outcome(self) -> Outcome:
        """The worst finding. Only rules of severity `error` are violations."""
        if self.problem_count:
            return "invalid"
        broken = any(one.count and one.rule.severity == "error" for one in self.rules)
        return "violations" if broken else "clean"


_STATUS = {
    "clean": ExitStatus.OK,
    "violations": ExitStatus.POLICY,
    "invalid": ExitStatus.DATA,
}


def exit_status(verdicts: Sequence[Verdict]) -> int:
    """Return the worst status. An incomplete stream proves nothing, not even a violation."""
    return max((_STATUS[one.outcome] for one in verdicts), default=ExitStatus.OK)


def judge(
    lines: Iterable[bytes],
    name: str,
    rules: Sequence[AuditRule],
    *,
    verify: bool | None = None,
    head: str | None = None,
    interrupted: bool = False,
) -> Verdict:
    """Read a stream to its end and return the verdict.

    A run that is known to have been `interrupted` need not have an end.
    """
    auditor = Auditor(name, rules, verify)
    for data in lines:
        auditor.take(data)
    return auditor.finish(head, interrupted=interrupted)


class Auditor:
    """Judges one stream, line by line."""

    def __init__(self, name: str, rules: Sequence[AuditRule], verify: bool | None) -> None:
        self._run = Totals()
        self._verdict = Verdict(name, Totals(runs=0), [RuleVerdict(rule) for rule in rules])
        self._verify = verify
        self._calls = [CallJudge(rule.must_not, rule.must_only) for rule in rules]
        self._writes = [WriteJudge(rule.must_not_write) for rule in rules]
        self._checker = Checker()
        self._chain = Chain()
        self._root: PurePath | None = None
        self._open: dict[str, ExecutedCall] = {}
        self._first_ts: int | None = None

    def take(self, data: bytes) -> None:
        """Judge the next line, whatever came before."""
        line = self._checker.take(data)
        self._verdict.lines = line.number
        self._add(line.problems)
        problems = self._chain.take(line)
        if self._verify is not False:
            self._add(problems)
        if line.event is None:
            if line.value is not None and line.value["type"] == INTERRUPTED and not self._run.end:
                self._run.end = "interrupted"
        else:
            if line.event.type == "start" and self._run.end:
                self._close_run(line.number - 1)
            self._count(line.event)
            self._judge(line, line.event)

    def finish(self, head: str | None, *, interrupted: bool = False) -> Verdict:
        """Judge what only the end of the stream shows, and return the verdict."""
        if not interrupted:
            self._add(self._checker.finish())
        if self._verify or (self._verify is None and self._chain.recorded):
            self._verdict.verified, self._verdict.head_given = True, head is not None
            self._add(self._chain.finish(head))
        if self._chain.recorded:
            self._verdict.head = self._chain.head
        self._close_run(self._verdict.lines)
        totals = self._verdict.totals
        totals.runs = totals.runs if totals.runs != 1 else None
        return self._verdict

    def _close_run(self, last: int) -> None:
        """Judge what only the end of a run shows; `last` is the number of its last line."""
        for call in self._open.values():
            self._judge_written(call, None, call.line)
        for found in self._verdict.rules:
            self._judge_totals(found, last)
        self._verdict.totals.add(self._run)
        self._run, self._open, self._first_ts = Totals(), {}, None

    def _add(self, problems: list[Problem]) -> None:
        room = LISTED - len(self._verdict.problems)
        self._verdict.problems += problems[: max(room, 0)]
        self._verdict.problem_count += len(problems)

    # -- what happened ---------------------------------------------------------------

    def _count(self, event: Event) -> None:
        totals = self._run
        self._first_ts = event.ts if self._first_ts is None else self._first_ts
        totals.duration_ms = max(totals.duration_ms, event.ts - self._first_ts)
        if isinstance(event, Start):
            totals.run_id, totals.model = event.run_id, event.model
            totals.policy_sha256 = event.policy_sha256
            self._root = PurePosixPath(event.cwd) if event.cwd else None
        elif event.type == "tool_start":
            totals.tool_calls += event.turn != 0
        elif event.type == "permission_denied":
            totals.denied += 1
        elif event.type == "tool_rejected":
            totals.rejected += 1
        elif event.type == "turn_end":
            totals.turns += 1
            totals.tokens += event.total_tokens
        elif event.type in TERMINAL:
            totals.end = "end" if event.type == "end" else event.code
            totals.turns = max(totals.turns, event.turns)
            totals.tokens = max(totals.tokens, event.total_tokens)
            totals.duration_ms = event.duration_ms
            totals.cost_usd = event.cost_usd

    # -- what must not have happened -------------------------------------------------

    def _judge(self, line: Line, event: Event) -> None:
        if isinstance(event, ToolStart):
            call = call_of(event, line.number, self._root)
            self._open[call.id] = call
            self._judge_call(call, lexical(call))
        elif isinstance(event, ToolEnd) and event.tool_id in self._open:
            call = self._open.pop(event.tool_id)
            path = PurePosixPath(event.path) if event.path else None
            if path is not None and path != lexical(call):
                # A symlink led elsewhere.
                self._judge_call(call, path)
            self._judge_written(call, event, line.number)

    def _judge_call(self, call: ExecutedCall, path: PurePath | None) -> None:
        for found, judge in zip(self._verdict.rules, self._calls, strict=True):
            if breach := judge.breach(call, path):
                what, why = breach
                quoted = call.subject.value if call.subject else ""
                found.add(Breach(call.line, what, call.tool, call.id, quoted, why))

    def _judge_written(self, call: ExecutedCall, end: ToolEnd | None, line: int) -> None:
        path = written(call, end)
        if path is None:
            return
        for found, judge in zip(self._verdict.rules, self._writes, strict=True):
            if what := judge.breach(path, self._root):
                found.add(Breach(line, what, call.tool, call.id, str(path)))

    def _judge_totals(self, found: RuleVerdict, last: int) -> None:
        totals = self._run
        reached = {
            "max_turns": totals.turns,
            "max_tool_calls": totals.tool_calls,
            "max_tokens": totals.tokens,
            "max_cost_usd": totals.cost_usd if totals.tokens else 0,
            "max_duration": totals.duration_ms / 1000,
        }
        for key, limit in found.rule.limits.items():
            value = reached[key]
            if value is None:
                found.add(Breach(last, f"{key} is {limit:g}, but the stream does not say the cost"))
            elif value > limit:
                found.add(Breach(last, f"{key} is {limit:g}, the run reached {value:g}"))
        ends = found.rule.must_end
        if ends and totals.end not in ends:
            how = f"the run ended in {totals.end}" if totals.end else "the run has no end"
            found.add(Breach(last, f"{how}, not in {' or '.join(ends)}"))
