"""`a3s man`: which page, and how it is shown."""

from __future__ import annotations

import os
import shutil
import signal

import pytest

from a3s_cli import __version__
from a3s_cli.cli import group
from a3s_cli.errors import ExitStatus, UsageError
from a3s_cli.manual.pages import RELEASED, ManualPage, find, plain_text
from a3s_cli.manual.tree import read

from ..support import descriptors
from ..support.a3s import Bench
from ..test_imports import HEAVY, loaded

ROOT = read(group)


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("", ManualPage("a3s", 1)),
        ("run", ManualPage("a3s-run", 1)),
        ("a3s-run", ManualPage("a3s-run", 1)),
        ("config", ManualPage("a3s-config", 1)),
        ("5 config", ManualPage("a3s-config", 5)),
        ("config.5", ManualPage("a3s-config", 5)),
        ("a3s-config(5)", ManualPage("a3s-config", 5)),
        ("events", ManualPage("a3s-events", 5)),
    ],
)
def test_topics(words: str, page: ManualPage) -> None:
    assert find(ROOT, words.split()) == page


def test_man_in_a_pipe(a3s: Bench) -> None:
    shown = a3s("man", "5", "config")
    assert (shown.stdout.decode(), shown.stderr) == (
        plain_text(ROOT, ManualPage("a3s-config", 5), 80),
        b"",
    )
    left = a3s.shell("a3s man run | head -n 1", script=[]).finish()
    assert (left.stdout, left.stderr) == (b"NAME\n", b"")


def test_man_without_such_a_page(a3s: Bench) -> None:
    result = a3s("man", "evnts")
    assert (result.exit_status, result.stdout) == (ExitStatus.USAGE, b"")
    hints = result.stderr.decode().splitlines()
    assert hints == ["a3s: there is no page about 'evnts'", "hint: did you mean:  a3s man events"]
    with pytest.raises(UsageError, match=r"there is no page about 'run' in section 7"):
        find(ROOT, ["7", "run"])


def test_man_on_a_terminal_is_man(a3s: Bench) -> None:
    """It takes our place, with the page on its stdin, and SIGPIPE as it should be."""
    stub = a3s.bin / "man"
    stub.write_text('#!/bin/sh\necho "man $*"; sed -n 2p "$2"; grep SigIgn /proc/$$/status\n')
    stub.chmod(0o755)
    shown, title, ignored = on_a_terminal(a3s, "man", "run")
    assert shown == "man -l /dev/stdin"
    assert title == f'.TH A3S-RUN 1 {RELEASED} "a3s {__version__}" "a3s manual"'
    assert int(ignored.split()[1], 16) & 1 << signal.SIGPIPE - 1 == 0


def test_man_on_a_terminal_without_man(a3s: Bench) -> None:
    path = f"{a3s.bin}:{a3s.root}"
    for name in ("setsid", "sh"):
        program = shutil.which(name)
        assert program
        (a3s.root / name).symlink_to(program)
    lines = on_a_terminal(a3s, "man", "run", PATH=path)
    assert lines[:2] == ["NAME", "       a3s-run - run one prompt and exit"]


def on_a_terminal(a3s: Bench, *words: str, **env: str) -> list[str]:
    keyboard, terminal = os.openpty()
    run = a3s.start(
        [str(a3s.bin / "a3s"), *words], None, "none", False,
        stdout=terminal, terminal=terminal, env=env,
    )  # fmt: skip
    os.close(terminal)
    seen = descriptors.whole(keyboard)
    os.close(keyboard)
    run.finish()
    return seen.decode().splitlines()


@pytest.mark.parametrize("command", ["man events", "completion zsh"])
def test_nothing_heavy_is_loaded(command: str) -> None:
    assert loaded(*command.split()) & (HEAVY | {"orjson"}) == set()
