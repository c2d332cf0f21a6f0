"""The report for programs: one JSON object on one line.

Values are those of the stream, except that anything that looks like a key is masked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ..events import camel
from ..jsontext import dumps
from ..secrets.masking import mask_value
from ..stream.reader import Problem
from .verdict import Breach, RuleVerdict, Verdict, exit_status


def report(verdicts: Sequence[Verdict], *, content: bool) -> str:
    """Return every verdict, with the findings behind it."""
    status = exit_status(verdicts)
    document = {
        "verdict": max(verdicts, key=lambda one: exit_status([one])).outcome,
        "exitCode": int(status),
        "streams": [_verdict(verdict, content) for verdict in verdicts],
    }
    return dumps(mask_value(document)).decode() + "\n"


def _verdict(verdict: Verdict, content: bool) -> dict[str, Any]:
    totals = {camel(name): value for name, value in asdict(verdict.totals).items()}
    return _known(
        name=verdict.name,
        verdict=verdict.outcome,
        lines=verdict.lines,
        **totals,
        head=verdict.head,
        verified=verdict.verified,
        headGiven=verdict.head_given if verdict.verified else None,
        problems=[_problem(problem, content) for problem in verdict.problems],
        problemsOmitted=(verdict.problem_count - len(verdict.problems)) or None,
        rules=[_rule(found, content) for found in verdict.rules],
    )


def _problem(problem: Problem, content: bool) -> dict[str, Any]:
    message = problem.message if content else problem.brief or problem.message
    return _known(line=problem.line, field=problem.field or None, message=message)


def _rule(found: RuleVerdict, content: bool) -> dict[str, Any]:
    return _known(
        id=found.rule.id,
        severity=found.rule.severity,
        message=found.rule.message or None,
        kept=not found.count,
        breaches=[_breach(breach, content) for breach in found.breaches],
        breachesOmitted=(found.count - len(found.breaches)) or None,
    )


def _breach(breach: Breach, content: bool) -> dict[str, Any]:
    return _known(
        line=breach.line,
        what=breach.what,
        toolName=breach.tool or None,
        toolId=breach.call or None,
        content=breach.quoted if content and breach.quoted else None,
        reason=breach.why if content and breach.why else None,
    )


def _known(**values: Any) -> dict[str, Any]:
    """Omit what does not apply, as the stream does."""
    return {name: value for name, value in values.items() if value is not None}
