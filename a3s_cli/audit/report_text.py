"""The report for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .verdict import RuleVerdict, Verdict
from .wording import breach_text, facts, headline, omitted, problem_text, rule_text, shown


def report(verdicts: Sequence[Verdict], *, content: bool) -> str:
    """Return every verdict, with the findings behind it."""
    lines = [line for verdict in verdicts for line in _verdict(verdict, content)]
    return "\n".join(lines) + "\n"


def _verdict(verdict: Verdict, content: bool) -> Iterator[str]:
    # Sanitize the joined line, too: a name ending in a colon could start a CI command.
    yield shown(f"{shown(verdict.name, 200)}: {headline(verdict)}")
    yield "  " + ", ".join(_fact(name, value) for name, value in facts(verdict))
    for problem in verdict.problems:
        yield f"  ✗ {problem_text(problem, content)}"
    if more := omitted(verdict.problem_count, len(verdict.problems)):
        yield f"    {more}"
    for found in verdict.rules:
        yield from _rule(found, content)


def _fact(name: str, value: str) -> str:
    return f"{name}: {value}" if name in ("chain", "head") else f"{name} {value}"


def _rule(found: RuleVerdict, content: bool) -> Iterator[str]:
    if not found.count:
        yield f"  ✓ {rule_text(found)}"
        return
    yield f"  ✗ {found.rule.severity} {rule_text(found)}"
    for breach in found.breaches:
        yield f"      {breach_text(breach, content)}"
    if more := omitted(found.count, len(found.breaches)):
        yield f"      {more}"
