"""How grep searches: which engine is asked, and what is asked of it.

ripgrep searches where there is one, else a worker of our own, in a child that
can be killed. Either only proposes lines; `grep_report` decides what is shown,
and `grep_pattern` what a pattern means, so the answer is the same from both.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

from ..files.wildcards import Wildcard, literal, unknown
from ..tool_protocol import ToolContext, ToolError, ToolReturn, resolve
from ..values import Value
from .files import explained, names_file
from .grep_pattern import Pattern, PatternError, parse
from .grep_report import Full, GrepReport
from .grep_worker import COLUMNS, LARGEST

#: What holds this package, for a child that starts without our search path.
#: Lines around a match that are ever shown.
MOST_CONTEXT = 10_000
_ENTRY = str(Path(__file__).parents[2])
_WORKER = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from a3s_cli.tools.grep_worker import main; main(sys.argv[2:])"
)
#: A last component that means the same to ripgrep and to us.
_PLAIN = re.compile(r"[\w.+@*-]*[\w.+@-][\w.+@*-]*", re.ASCII)


class Search(Value):
    """What is looked for, and where."""

    root: Path
    start: Path
    #: Whether `start` is a file: it was named, so nothing about it is questioned.
    single: bool
    pattern: Pattern
    glob: str

    @property
    def cwd(self) -> Path:
        """The directory that proposed paths are relative to."""
        return self.start.parent if self.single else self.start

    def worker(self) -> list[str]:
        """Return the command of our own engine."""
        python = [sys.executable, "-I", "-S", "-X", "utf8", "-c", _WORKER, _ENTRY]
        flags = "i" if self.pattern.ignore_case else ""
        return [*python, str(self.root), str(self.start), self.pattern.python, flags, self.glob]

    def ripgrep(self, program: str) -> list[str]:
        """Return the command of ripgrep.

        It must propose at least what is to be shown. So what it passes over by
        itself is only what saves work: ignored directories, and names that the
        glob's last component rules out.
        """
        command = [program, "--no-config", "--color=never", "--no-heading", "--with-filename"]
        command += [
            "--line-number",
            "--column",
            "--null",
            "--no-messages",
            "--sort=path",
            "--no-mmap",
        ]
        command += ["--text", "--encoding=auto", f"--max-columns={COLUMNS}"]
        command.append(f"--max-filesize={LARGEST}")
        command += ["--max-columns-preview", "--regex-size-limit=200M", "--dfa-size-limit=200M"]
        command += ["--hidden", "--no-require-git", "--no-ignore-parent", "--no-ignore-dot"]
        command += ["--no-ignore-global", "--no-ignore-exclude", "--no-follow"]
        command.append("--ignore-case" if self.pattern.ignore_case else "--case-sensitive")
        lasts = [parts[-1] if parts else "" for parts in Wildcard(self.glob).patterns]
        if all(_PLAIN.fullmatch(last) for last in lasts):
            command += [f"--glob={last}" for last in lasts]
        command += ["--glob=!.git", "--regexp", self.pattern.rust, "--"]
        return [*command, f"./{self.start.name}" if self.single else "./"]


async def search(arguments: dict[str, Any], context: ToolContext) -> ToolReturn:
    """Return what grep's arguments find."""
    wanted = _wanted(arguments, context)
    lines = min(int(arguments.get("context", 0)), MOST_CONTEXT)
    ripgrep = find_ripgrep(context)
    if ripgrep:
        report = await _run(wanted, wanted.ripgrep(ripgrep), lines, context)
        # One that is too old for an option, broken, or killed half-way does not count. With 2 it
        # says that it could not read something, and has searched everything else.
        if report.exit_code in (0, 1, 124) or (report.exit_code == 2 and report.heard):
            return report.result(context.timeout)
    report = await _run(wanted, wanted.worker(), lines, context)
    if report.exit_code not in (0, 124):
        raise ToolError(f"the search ended with exit status {report.exit_code}")
    return report.result(context.timeout)


def _wanted(arguments: dict[str, Any], context: ToolContext) -> Search:
    start = resolve(context, arguments.get("path", "."))
    try:
        pattern = parse(arguments["pattern"], ignore_case=arguments.get("-i", False))
    except PatternError as error:
        raise ToolError(f"the pattern {arguments['pattern']!r} cannot be used: {error}") from None
    glob = arguments.get("glob") or "**"
    glob = glob if "/" in glob else f"**/{glob}"
    if "**" not in glob and names_file(start / glob):
        glob = literal(glob)
    elif (sign := unknown(glob)) is not None:
        shown = arguments["glob"]
        raise ToolError(f"the glob {shown} is not understood: {sign} has no meaning here")
    try:
        Wildcard(glob)
    except ValueError as error:
        raise ToolError(f"the glob {glob} is not valid: {error}") from None
    with explained(context, start):
        single = _is_file(context, start)
        if single and start.stat().st_size > LARGEST:
            shown = context.workspace.show(start)
            raise ToolError(f"{shown} is larger than {LARGEST >> 20} MiB: search it with bash")
    return Search(context.workspace.root, start, single, pattern, glob)


def _is_file(context: ToolContext, path: Path) -> bool:
    try:
        with context.workspace.directory(path):
            return False
    except NotADirectoryError:
        context.workspace.open_file(path).close()
        return True


def find_ripgrep(context: ToolContext) -> str | None:
    """Return ripgrep's path, unless it lies in the workspace, where nothing is trusted to run."""
    from ..files.programs import find

    path = context.environment.get("PATH") or os.environ.get("PATH", os.defpath)
    return find("rg", path, [context.workspace.root])


async def _run(search: Search, argv: list[str], lines: int, context: ToolContext) -> GrepReport:
    """Let one engine search; what it found is in the report."""
    from ..processes import spawner as process

    wanted = None if search.single else Wildcard(search.glob)
    report = GrepReport(context.workspace, search.start, wanted, lines, context.redactor)
    try:
        with explained(context, search.cwd):
            finished = await process.run(
                argv,
                cwd=search.cwd,
                environment={},
                timeout=context.timeout,
                receive=report.feed,
                merge_stderr=False,
            )
        report.exit_code = finished.exit_code
        await report.finish_file()
    except Full:
        report.full = True
    return report
