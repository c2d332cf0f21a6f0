"""The wording of the reports, and how they quote foreign text.

Names, ids, commands and paths come from a model or from a file of unknown origin. In
every report they are one line of visible characters that no terminal and no CI runner
obeys; each report then quotes them for its format. Commands, paths and reasons that
quote them are content, which is left out unless it is requested. Anything that looks
like a key is masked even then: more people read a report than a recording.
"""

from __future__ import annotations

from ..output.disarm import Disarmer
from ..output.terminal import single_line
from ..output.wording import dollars
from ..secrets.masking import mask
from ..stream.reader import Problem
from .verdict import Breach, RuleVerdict, Verdict

#: Most characters of one quotation.
LONGEST = 500


def shown(text: str, longest: int = LONGEST) -> str:
    """Return foreign text as one line that is harmless anywhere."""
    # Mask before cutting: part of a key may not look like one.
    text = mask(text)
    cut = text if len(text) <= longest else text[:longest] + "…"
    disarmer = Disarmer()
    return disarmer.feed(single_line(cut)) + disarmer.flush()


def headline(verdict: Verdict) -> str:
    """Return the verdict in one line."""
    parts = []
    if verdict.outcome == "invalid":
        parts.append(f"not a complete, valid stream: {plural(verdict.problem_count, 'problem')}")
    for severity, noun in (("error", "violation"), ("warning", "warning"), ("notice", "notice")):
        count = sum(one.count for one in verdict.rules if one.rule.severity == severity)
        if count:
            parts.append(plural(count, noun))
    if verdict.outcome == "clean":
        parts.insert(0, "clean")
    return ", ".join(parts)


def facts(verdict: Verdict) -> list[tuple[str, str]]:
    """Return what the run did, as (name, value) pairs of plain text, without its content."""
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
        ("cost", None if totals.cost_usd is None else dollars(totals.cost_usd)),
        ("duration", f"{totals.duration_ms / 1000:.1f} s"),
        ("permissions", totals.policy_sha256),
        ("recording", verdict.head),
        ("chain", "verified" if verdict.verified else "not checked"),
        ("head", _head(verdict)),
    ]
    return [(name, shown(value, 200)) for name, value in known if value is not None]


def _head(verdict: Verdict) -> str | None:
    if not verdict.verified:
        return None
    return "compared" if verdict.head_given else "not given"


def problem_text(problem: Problem, content: bool) -> str:
    """Return a problem of a stream in words."""
    message = problem.message if content else problem.brief or problem.message
    field = f"{problem.field}: " if problem.field else ""
    return shown(f"line {problem.line}: {field}{message}")


def rule_text(found: RuleVerdict) -> str:
    """Return a rule's id and message."""
    message = f": {found.rule.message}" if found.rule.message else ""
    return shown(f"{found.rule.id}{message}")


def breach_text(breach: Breach, content: bool) -> str:
    """Return a breach of a rule in words."""
    call = f"{breach.tool} ({breach.call}): " if breach.tool else ""
    quoted = ""
    if content and (breach.quoted or breach.why):
        quoted = f": {breach.why or breach.quoted}"
    return shown(f"line {breach.line}: {call}{breach.what}{quoted}")


def omitted(count: int, listed: int) -> str | None:
    """Return how many more there are than listed; None if all are listed."""
    return f"and {count - listed} more" if count > listed else None


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return a number with the singular or plural of a noun."""
    return f"{count} {one if count == 1 else many or one + 's'}"
