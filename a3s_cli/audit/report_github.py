"""The report for a GitHub workflow: annotations on stdout, and a step summary.

GitHub interprets text in both. An annotation is one line, escaped the way the runner
unescapes it, so that nothing in it can start another command. In the summary, foreign
text is in code spans of character references, which Markdown never takes for
structure, and content is in a fence that is longer than any in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..secrets.masking import mask
from .verdict import RuleVerdict, Verdict
from .wording import (
    LONGEST,
    breach_text,
    facts,
    headline,
    omitted,
    plural,
    problem_text,
    rule_text,
    shown,
)

#: GitHub accepts 1 MiB per step, and other programs may write to it, too.
SUMMARY_LIMIT = 256 * 1024
#: Annotations of one kind that GitHub shows per step.
ANNOTATIONS = 10
_PLAIN = re.compile("[^A-Za-z0-9 ]")


def report(verdicts: Sequence[Verdict], *, content: bool) -> str:
    """Return one annotation for each finding, and a line for each stream."""
    lines: list[str] = []
    for verdict in verdicts:
        name = shown(verdict.name, 200)
        problems = [f"{name} {problem_text(problem, content)}" for problem in verdict.problems]
        lines += _annotations("error", "a3s audit", problems, verdict.problem_count)
        for found in verdict.rules:
            texts = [f"{name} {breach_text(breach, content)}" for breach in found.breaches]
            lines += _annotations(found.rule.severity, rule_text(found), texts, found.count)
        lines.append(f"a3s audit: {name}: {headline(verdict)}")
    return "\n".join(lines) + "\n"


def _annotations(kind: str, title: str, texts: list[str], count: int) -> Iterator[str]:
    for text in texts[:ANNOTATIONS]:
        yield f"::{kind} title={_property(title)}::{_data(text)}"
    if more := omitted(count, min(len(texts), ANNOTATIONS)):
        yield f"a3s audit: {shown(title)}: {more}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


# -- the step's summary ------------------------------------------------------------------


def summary(verdicts: Sequence[Verdict], *, content: bool) -> str:
    """Return the step summary in Markdown, cut between two blocks if it is too long."""
    blocks: list[str] = []
    room = SUMMARY_LIMIT
    for verdict in verdicts:
        for block in _blocks(verdict, content):
            room -= len(block.encode()) + 1
            if room < 0:
                return "\n".join([*blocks, "…and more: the report was cut here.\n"])
            blocks.append(block)
    return "\n".join(blocks)


def _blocks(verdict: Verdict, content: bool) -> Iterator[str]:
    yield f"### a3s audit: {headline(verdict)}\n"
    rows = [("stream", shown(verdict.name, 200)), *facts(verdict)]
    table = "".join(f"| {name} | {code(value)} |\n" for name, value in rows)
    yield f"| | |\n|---|---|\n{table}"
    for problem in verdict.problems:
        yield f"- {code(problem_text(problem, content))}\n"
    if more := omitted(verdict.problem_count, len(verdict.problems)):
        yield f"- {more}\n"
    for found in verdict.rules:
        yield from _rule(found, content)


def _rule(found: RuleVerdict, content: bool) -> Iterator[str]:
    if not found.count:
        yield f"- ✓ {code(rule_text(found))}\n"
        return
    count = plural(found.count, "breach", "breaches")
    yield f"- ✗ {found.rule.severity} {code(rule_text(found))}: {count}\n"
    for breach in found.breaches:
        yield f"  - {code(breach_text(breach, False))}\n"
        if content and breach.quoted:
            yield fence(breach.quoted)
    if more := omitted(found.count, len(found.breaches)):
        yield f"  - {more}\n"


def code(text: str) -> str:
    """Return one line of foreign text as a code span that cannot end early, even in a table."""
    return f"<code>{_PLAIN.sub(lambda one: f'&#{ord(one.group())};', text)}</code>"


def fence(text: str) -> str:
    """Return foreign text of several lines as a fenced block that cannot end early."""
    # Mask the whole text: a private key has several lines.
    lines = [shown(line) for line in mask(text)[: LONGEST * 8].splitlines()]
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    marks = "`" * max(3, longest + 1)
    return "\n".join(["", marks + "text", *lines, marks, ""])
