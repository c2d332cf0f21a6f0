"""How the reports say things, and how they say what is not theirs.

Names, ids, commands and paths come from a model or from a file that anybody may
have written. Whatever the report, they are one line of visible characters that
no terminal and no CI runner obeys; each report then quotes them for its format.
What the run was about (commands, paths, reasons that quote them) is content,
and is left out unless it was asked for. What looks like a key is masked even then:
a report is read by more people than a recording.
"""

from __future__ import annotations

from ..output.disarm import Disarmer
from ..output.terminal import single_line
from ..secrets.masking import mask
from ..stream.reader import Problem
from .verdict import Breach, RuleVerdict, Verdict

#: Characters of one thing that is quoted.
LONGEST = 500


def shown(text: str, longest: int = LONGEST) -> str:
    """Give foreign text as one line that is harmless wherever it stands."""
    # Masked before it is cut: a piece of a key may not look like one.
    text = mask(text)
    cut = text if len(text) <= longest else text[:longest] + "…"
    disarmer = Disarmer()
    return disarmer.feed(single_line(cut)) + disarmer.flush()


def headline(verdict: Verdict) -> str:
    """Say the verdict in one line."""
    parts = []
    if verdict.outcome == "invalid":
        parts.append(f"not a whole, valid stream: {plural(verdict.problem_count, 'problem')}")
    for severity, noun in (("error", "violation"), ("warning", "warning"), ("notice", "notice")):
        count = sum(one.count for one in verdict.rules if one.rule.severity == severity)
        if count:
            parts.append(plural(count, noun))
    if verdict.outcome == "clean":
        parts.insert(0, "clean")
    return ", ".join(parts)


def facts(verdict: Verdict) -> list[tuple[str, str]]:
    """Give what the run did, as (name, value) pairs of plain text; nothing of its content."""
    totals = verdict.totals
    known: list[tuple[str, str | None]] = [
        ("run", totals.run_id),
        ("model", totals.model),
        ("ended in", totals.end or "nothing"),
        ("turns", str(totals.turns)),
        ("calls", str(totals.tool_calls)),
        ("denied", str(totals.denied) if totals.denied else None),
        ("rejected", str(totals.rejected) if totals.rejected else None),
        ("tokens", str(totals.tokens)),
        ("cost", f"${totals.cost_usd:.4f}" if totals.cost_usd is not None else None),
        ("duration", f"{totals.duration_ms / 1000:.1f} s"),
        ("permissions", totals.policy_sha256),
        ("recording", verdict.head),
    ]
    return [(name, shown(value, 200)) for name, value in known if value is not None]


def problem_text(problem: Problem, content: bool) -> str:
    """Say what is wrong with a stream."""
    message = problem.message if content else problem.brief or problem.message
    field = f"{problem.field}: " if problem.field else ""
    return shown(f"line {problem.line}: {field}{message}")


def rule_text(found: RuleVerdict) -> str:
    """Name a rule, with its message."""
    message = f": {found.rule.message}" if found.rule.message else ""
    return shown(f"{found.rule.id}{message}")


def breach_text(breach: Breach, content: bool) -> str:
    """Say what broke a rule."""
    call = f"{breach.tool} ({breach.call}): " if breach.tool else ""
    quoted = ""
    if content and (breach.quoted or breach.why):
        quoted = f": {breach.why or breach.quoted}"
    return shown(f"line {breach.line}: {call}{breach.what}{quoted}")


def omitted(count: int, listed: int) -> str | None:
    """Say how many more there are."""
    return f"and {count - listed} more" if count > listed else None


def plural(count: int, one: str, many: str | None = None) -> str:
    """Say how many, in words that agree."""
    return f"{count} {one if count == 1 else many or one + 's'}"
