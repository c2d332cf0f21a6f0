"""The picture in README.md: a real session on a real terminal, recorded and drawn.

    python -m tests.test_picture

draws it anew. Nothing in it is made up but the model's words, which a scripted
server says; what no two sessions have in common (a time, a directory) is drawn
as a constant.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import tempfile
import uuid
from pathlib import Path

import pytest

from .support.a3s import Bench
from .support.picture import svg
from .support.replies import Reply, a_call, calls, reasoning, text
from .support.terminal import Terminal

PICTURE = Path(__file__).parent.parent / "docs/terminal.svg"
COLUMNS = 88
TITLE = "a3s streams JSON into a pipe; then it explains, asks with a diff, and runs a test"
FILES = {
    "hello.py": 'def greet(name):\n    return f"Hello, {name}!"\n',
    # The second time, the test takes as long as the picture needs.
    "Makefile": "test:\n\t@grep -q name= hello.py || { echo \"greet() wants a 'name'\"; exit 1; }\n"
    "\t@echo testing greet; until [ -e go ]; do sleep 0.05; done; echo 1 passed\n",
}
TYPED = (
    'a3s run "What is a pipe?" | jq -cM \'select(.type | endswith("delta")) | {type, text}\'',
    "a3s run --allow 'bash(make test)' \"Make the test pass.\"",
)
EDIT = {"file_path": "hello.py", "old_string": "(name)", "new_string": '(name="you")'}
ANSWER = (
    "**The cause:** `greet` has no default for `name`. So\n\n1. give it one,\n2. test *again*.\n"
)


def script() -> list[Reply]:
    return [
        text("Two programs, ", "one stream."),
        reasoning("See what fails.", a_call("bash", {"command": "make test"})),
        text(ANSWER, a_call("edit", EDIT)),
        calls(a_call("bash", {"command": "make test"})),
        text("The test passes now."),
    ]


def record(a3s: Bench) -> str:
    """Return what the terminal shows while the test runs for the second time."""
    for name, content in FILES.items():
        (a3s.work / name).write_text(content)
    line = "; echo; ".join(
        f"printf '\\033[1;32m$\\033[0;1m %s\\033[0m\\n' {shlex.quote(typed)}; {typed}"
        for typed in TYPED
    )
    # Wide, so that a long name of the directory does not change a line.
    terminal = Terminal(300, 40)
    try:
        run = a3s.shell(
            line, script=script(), terminal=terminal.side, stdout=terminal.side,
            stderr=terminal.side, env={"A3S_MODEL": "openai/gpt-5-mini", "TERM": "xterm"},
        )  # fmt: skip
        shown = terminal.wait_for("[?]: ")
        terminal.type("y")
        shown += terminal.wait_for("1s · testing greet\x1b[0m")
        (a3s.work / "go").touch()
        assert run.finish().status == 0
        assert "The test passes now.\n" in terminal.rest()
    finally:
        terminal.close()
    # What was drawn over is not seen.
    shown = re.sub(r"^.*\r", "", re.sub(r"\x1b(\[J|\[\?7[lh]|[78])", "", shown), flags=re.M)
    # Commands are confined here and not there; the picture is of neither.
    shown = re.sub(r"^a3s: commands are not confined.*\n", "", shown, flags=re.M)
    shown = re.sub(r"[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] ", "⠹ ", shown)
    return re.sub(r"\b\d+\.\ds\b", "0.2s", shown.replace(str(a3s.work), "/home/me/hello"))


def test_the_picture_is_what_a_terminal_shows(a3s: Bench) -> None:
    for program in ("jq", "make"):
        if not shutil.which(program):
            pytest.skip(f"no {program}")
    assert svg(record(a3s), COLUMNS, TITLE) == PICTURE.read_text("utf-8")


if __name__ == "__main__":
    os.environ.update(BENCH_SUITE=uuid.uuid4().hex, A3S_PROOFS="100")
    with tempfile.TemporaryDirectory() as directory:
        bench = Bench(Path(directory))
        PICTURE.write_text(svg(record(bench), COLUMNS, TITLE), "utf-8")
        bench.close()
