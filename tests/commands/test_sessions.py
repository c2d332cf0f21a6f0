"""`a3s sessions`: what each command prints, and how it refuses."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from a3s_cli.cli.sessions import sessions
from a3s_cli.errors import A3SError, SessionBusy, UsageError
from a3s_cli.sessions.file import NotKept
from a3s_cli.sessions.lines import from_json
from a3s_cli.sessions.store import Store

from ..sessions import talk


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return talk.store(tmp_path)


def a3s(line: str) -> Result:
    result = CliRunner().invoke(sessions, shlex.split(line))
    if isinstance(result.exception, A3SError):
        raise result.exception
    assert result.exception is None, result.output
    return result


def made(store: Store, name: str, prompt: str = "hello?") -> bytes:
    file = store.create("/w", id=name)
    talk.run(file, prompt, "hello.")
    file.close()
    return file.path.read_bytes()


def test_a_list(store: Store) -> None:
    made(store, "one", "what is\nthis?")
    made(store, "two", "\x1b[2J::error::no " + "x" * 500)
    result = a3s("list")
    first, second = result.stdout.splitlines()
    assert first.startswith("two  now  2 turns  ") and second.startswith("one  now  2 turns  ")
    assert second.endswith("  what is⏎this?")
    assert "\\x1b[2J" in first and "\x1b" not in first and len(first) < 260
    assert (a3s("").stdout, result.stderr) == (result.stdout, "")


def test_a_list_for_a_program(store: Store) -> None:
    data = made(store, "one")
    (row,) = json.loads(a3s("list --json").stdout)
    assert row == {
        "id": "one",
        "created": row["created"],
        "used": row["used"],
        "workspace": "/w",
        "model": "openai/test-model",
        "runs": 1,
        "turns": 2,
        "prompt": "hello?",
        "bytes": len(data),
    }


def test_a_long_list(store: Store) -> None:
    data = made(store, "s0")
    for number in range(1, 60):
        store.path(f"s{number}").write_bytes(data)
    for form in ("", " --json"):
        short, whole = a3s("list" + form), a3s("list --all" + form)
        assert short.stderr == "a3s: showing the newest 50 of 60 sessions; --all lists all\n"
        assert whole.stderr == ""
    assert (short.stdout.count('"id"'), whole.stdout.count('"id"')) == (50, 60)


def test_no_sessions(store: Store) -> None:
    assert (a3s("list").stdout, a3s("list --json").stdout) == ("", "[]\n")
    assert "there are no sessions" in a3s("list").stderr


def test_a_transcript(store: Store) -> None:
    file = store.create("/w", id="one")
    talk.run(file, "what is\n\x1b]0;x\x07::error::it?", "\x1b[31mred")
    talk.run(file, "and now?", "blue", first=2)
    file.close()
    shown = a3s("show one").stdout
    assert shown.startswith("session   one\nstarted   2")
    order = ["> what is\n> \\x1b]0;x\\x07::", "turn 1", "[1] bash  ls", "[1] │ a", "✓ exit 0"]
    order += ["\\x1b[31mred", "✓ 2 turns", "> and now?", "turn 2", "blue", "✓ 2 turns"]
    at = -1
    for part in order:
        at = shown.index(part, at + 1)
    assert "\x1b" not in shown
    assert not [line for line in shown.splitlines() if line.lstrip().startswith("::")]


def test_a_transcript_of_what_is_left(store: Store) -> None:
    lines = made(store, "one").splitlines(keepends=True)
    lines[3] = b"spoilt\n"
    store.path("one").write_bytes(b"".join(lines[:-3]) + lines[-3][:20])
    file, _ = store.resume("one", "/w")
    talk.run(file, "again?", "again.", first=9)
    file.close()
    shown = a3s("show one").stdout
    for part in ("> hello?", "(line 4 cannot be read)", "(this run was interrupted)", "> again?"):
        assert part in shown


def test_a_transcript_for_a_program(store: Store) -> None:
    made(store, "one")
    shown = json.loads(a3s("show one --json").stdout)
    assert (shown["id"], shown["turns"]) == ("one", 2)
    assert from_json(shown["messages"]) == store.past("one").messages


def test_an_export_is_the_file(store: Store) -> None:
    data = made(store, "one-1")
    assert a3s("export one-").stdout_bytes == data
    for torn in (data[:-1], data + b'{"type":"tex'):
        store.path("one-1").write_bytes(torn)
        assert a3s("export one-1").stdout_bytes == torn[: torn.rfind(b"\n") + 1]


def test_removing(store: Store) -> None:
    for name in ("one", "two", "three"):
        made(store, name)
    with pytest.raises(UsageError, match="there is no session 'tow'; the nearest: two"):
        a3s("rm one tow")
    assert a3s("rm one two one").stdout == ""
    assert [row["id"] for row in json.loads(a3s("list --json").stdout)] == ["three"]
    file, _ = store.resume("three", "/w")
    with pytest.raises(SessionBusy, match=f"process {os.getpid()}"):
        a3s("rm three")
    file.close()


def test_pruning(store: Store) -> None:
    size = len(made(store, "one"))
    assert a3s("prune").stdout == "0 sessions removed, 0 B\n"
    os.utime(store.path("one"), (0, 0))
    assert json.loads(a3s("prune --json").stdout) == {"ids": ["one"], "bytes": size}


def test_without_a_home(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.delenv("HOME")
    for line in ("list", "show x", "export x", "rm x", "prune"):
        with pytest.raises(NotKept, match="there is no home directory"):
            a3s(line)


@pytest.mark.parametrize(
    "command", [sessions, *sessions.commands.values()], ids=lambda one: str(one.name)
)
def test_help(command: click.Command) -> None:
    context = click.Context(command, info_name=f"a3s sessions {command.name}")
    text = command.get_help(context)
    assert "Example" in text and max(map(len, text.splitlines())) < 80
