"""The plug-ins in the editors themselves: stream, reload, cancel.

One session of each editor does everything, and writes down what it saw.
"""

from __future__ import annotations

import json
import re
import shutil
import threading
from pathlib import Path

import pytest

from ..support.a3s import Bench
from ..support.replies import a_call, bash, text

HERE = Path(__file__).parent
PLUGINS = HERE.parents[1] / "integrations"
VIM = ("-u", "NONE", "-i", "NONE", "-n", "-es", "-S", str(HERE / "editing.vim"))
EDITORS = {
    "vim": ("a3s.vim", ["vim", "-N", *VIM]),
    "nvim": ("a3s.vim", ["nvim", "--headless", *VIM]),
    "emacs": ("a3s.el", ["emacs", "-Q", "--batch", "-l", str(HERE / "editing.el")]),
}
PAGE = """\
> Correct | both files.

[bash] echo looking
looking
Half of it. Now the rest.
[write] code.py
[write] mine.txt
{mine} has changes of yours, and was not read again
[bash] may it run? rm code.py
{how}
[bash] denied: the user was asked and said no: leave it
Both are
“correct” now."""


ASKS = {
    "a3s.vim": ":A3sAnswer once, always or no",
    "a3s.el": "M-x a3s-answer: once, always or no",
}


@pytest.mark.parametrize("editor", EDITORS)
def test_an_editor_streams_reloads_and_cancels(a3s: Bench, editor: str) -> None:
    if not shutil.which(editor):
        pytest.skip(f"no {editor}")
    plugin, command = EDITORS[editor]
    (a3s.work / "code.py").write_text("print 1\n")
    (a3s.work / "mine.txt").write_text("")
    gate = threading.Event()
    # The answer stops in its middle until the editor has shown the beginning.
    written = (
        a_call("write", {"file_path": "code.py", "content": "print(1)\n"}),
        a_call("write", {"file_path": "mine.txt", "content": "yours\n"}),
        a_call("bash", {"command": "rm code.py"}),
    )
    script = [
        bash("echo looking"),
        text("Half of it.", gate, " Now the rest.", *written),
        text("Both are\n", "“correct” now."),
        bash("echo ready; sleep 600"),
        text("A word."),
    ]
    server = a3s.serve(script)
    env = {"PLUGIN": str(PLUGINS / plugin), "A3S_MODEL": "openai/test", "LC_ALL": "C.UTF-8"}
    allowed = 'permissions { allow = ["bash(echo:*)", "bash(sleep:*)", "write"] }\n'
    (a3s.home / ".config/a3s").mkdir(parents=True)
    (a3s.home / ".config/a3s/config.acl").write_text(allowed)
    run = a3s.start(command, server, "none", False, env=env)
    while run.process.poll() is None and not (a3s.work / "go").exists():
        gate.wait(0.02)
    gate.set()
    result = run.finish()
    seen = json.loads((a3s.work / "seen.json").read_text())
    page = PAGE.format(mine=a3s.work / "mine.txt", how=ASKS[plugin])
    assert seen.pop("page", "").strip() == page, (result.stderr, seen)
    usage, missing = seen.pop("usage"), seen.pop("missing")
    assert "there is no option --no-such-option" in usage
    assert "no-such-program" in missing
    assert re.search("a3s asks nothing", seen.pop("messages").lower())
    # One process has done every run: it remembers, and the lines of the file went along.
    (*_, last) = server.requests
    said = [one["content"] for one in last.body["messages"] if one["role"] == "user"]
    assert said[0] == "Correct | both files."
    assert said[-1].startswith("-1 is a word\n\n<file path=")
    assert said[-1].endswith("print(1)\n</file>")
    assert seen == {
        # While the answer was half there, the run went on, and the cursor stayed where it was.
        "half": True,
        "here": True,
        "code": ["print(1)"],
        "mine": ["a change of mine"],
        "cancelled": "error: the run was cancelled",
        "word": "A word.",
    }
    assert (a3s.work / "mine.txt").read_text() == "yours\n"
    # Of the run that was cancelled nothing is left: the bench looks for survivors.
