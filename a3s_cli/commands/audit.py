"""`a3s audit`: read streams, judge them, report."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from ..audit.policy_file import AuditRule, load_policy
from ..audit.verdict import Verdict, exit_status, judge
from ..errors import OutputError, UsageError
from ..registry import load
from ..stream.reader import lines_of

Form = Literal["text", "json", "junit", "github"]
REPORTS: dict[Form, str] = {
    "text": "a3s_cli.audit.report_text:report",
    "json": "a3s_cli.audit.report_json:report",
    "junit": "a3s_cli.audit.report_junit:report",
    "github": "a3s_cli.audit.report_github:report",
}
_DIGEST = re.compile("[0-9a-f]{64}")


def audit(
    paths: Sequence[str],
    show: Callable[[str], None],
    *,
    policy: str | None = None,
    verify: bool | None = None,
    head: str | None = None,
    form: Form = "text",
    content: bool = False,
) -> int:
    """Check every stream (`-` is stdin, which may be live) and return the exit status.

    The worst one counts: 65 for an incomplete or invalid stream, then 5 for a violation.

    Raises `UsageError` for arguments or files that cannot be used.
    """
    paths = paths or ["-"]
    if paths.count("-") > 1:
        raise UsageError("stdin can be audited only once")
    head = _digest(head, paths)
    rules = load_policy(policy) if policy is not None else ()
    if head is not None and verify is False:
        raise UsageError("--head and --no-verify cannot be combined")
    verify = verify or (True if head is not None else verify)
    verdicts = [one for path in paths for one in _all_judged(path, rules, verify, head)]
    show(load(REPORTS[form])(verdicts, content=content))
    if form == "github":
        _summarise(verdicts, content)
    return exit_status(verdicts)


def _digest(head: str | None, paths: Sequence[str]) -> str | None:
    if head is None:
        return None
    if not _DIGEST.fullmatch(head.lower()):
        raise UsageError("--head: expected a SHA-256, 64 hexadecimal digits")
    if len(paths) > 1:
        raise UsageError("--head belongs to one recording: audit the others separately")
    return head.lower()


def _all_judged(
    path: str, rules: Sequence[AuditRule], verify: bool | None, head: str | None
) -> Iterator[Verdict]:
    """Yield the verdict on a stream, or those on the journals and runs of a batch."""
    if path == "-" or not Path(path).is_dir():
        yield _judged(path, rules, verify, head)
        return
    if head is not None:
        raise UsageError("--head belongs to one recording, and a batch has many")
    from ..batch.audited import verdicts

    yield from verdicts(Path(path), rules, verify)


def _judged(
    path: str, rules: Sequence[AuditRule], verify: bool | None, head: str | None
) -> Verdict:
    name = "stdin" if path == "-" else path
    try:
        with open(0, "rb", closefd=False) if path == "-" else open(path, "rb") as stream:
            return judge(lines_of(stream), name, rules, verify=verify, head=head)
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror}") from None


def _summarise(verdicts: Sequence[Verdict], content: bool) -> None:
    """Append to the step summary if this is a step of a GitHub workflow."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    from ..audit.report_github import summary

    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(summary(verdicts, content=content))
    except OSError as error:
        raise OutputError(f"the step summary cannot be written: {error.strerror}") from None
