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
from a3s_cli.events import End, Start
from a3s_cli.events import Error as ErrorEvent
from a3s_cli.jsontext import dumps
from a3s_cli.sessions.file import NotKept
from a3s_cli.sessions.lines import from_json
from a3s_cli.sessions.store import Store
from a3s_cli.stream.emitter import Emitter

from ..sessions import talk


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return talk.store(tmp_path)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, which the sessions of `made` belong to."""
    place = tmp_path.resolve() / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def a3s(line: str) -> Result:
    result = CliRunner().invoke(sessions, shlex.split(line))
    if isinstance(result.exception, A3SError):
        raise result.exception
    assert result.exception is None, result.output
    return result


def made(store: Store, name: str, prompt: str = "hello?") -> bytes:
    file = store.create(Path.cwd(), id=name)
    talk.run(file, prompt, "hello.")
    file.close()
    return file.path.read_bytes()


def test_a_list(store: Store) -> None:
    made(store, "one", "what is\nthis?")
    made(store, "two", "\x1b[2J::error::no " + "x" * 500)
    result = a3s("list")
    first, second = result.stdout.splitlines()
    lead = "  now  2 turns  success  3 tokens  "
    assert first.startswith("two" + lead) and second.startswith("one" + lead)
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
        "verdict": "success",
        "totalTokens": 3,
    }


def test_the_sessions_of_a_directory(
    store: Store, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By default those that were last used here; with --all, the directories as well."""
    made(store, "one")
    there = tmp_path / "there\x1b[2J"
    there.mkdir()
    monkeypatch.chdir(there)
    assert a3s("list").stderr == (
        "a3s: this directory has no sessions; --all lists 1 session of other directories\n"
    )
    made(store, "two")
    assert [line.split()[0] for line in a3s("list").stdout.splitlines()] == ["two"]
    both = a3s("list --all")
    assert [line.split()[0] for line in both.stdout.splitlines()] == ["two", "one"]
    assert both.stderr == "" and "\x1b" not in both.stdout
    # The directory that a session began in.
    assert both.stdout.count("  /w ") == 2
    file, _ = store.resume("one", there)
    file.close()
    assert {row["id"] for row in json.loads(a3s("list --json").stdout)} == {"one", "two"}


def test_what_a_run_came_to(store: Store) -> None:
    """The verdict of the last run, and the tokens and the known cost of all."""
    made(store, "one")

    def row() -> dict[str, object]:
        found = json.loads(a3s("list --json").stdout)[0]
        return {key: found.get(key) for key in ("verdict", "totalTokens", "costUsd", "runs")}

    file, _ = store.resume("one", Path.cwd())
    emitter = Emitter()
    emitter.add_line_sink(file.write)
    emitter.emit(Start(schema_version=1, version="1", run_id="r", prompt="again"))
    assert row() == {"verdict": "running", "totalTokens": None, "costUsd": None, "runs": None}
    failed = ErrorEvent(
        error="no", code="overloaded", retryable=True, exit_code=75,
        turns=0, tool_calls=0, total_tokens=39, duration_ms=1,
    )  # fmt: skip
    emitter.emit(failed)
    file.end_run(ended=failed)
    file.close()
    assert row() == {"verdict": "overloaded", "totalTokens": 42, "costUsd": None, "runs": 2}
    # A run that is killed has no end, and what it cost is not known.
    file, _ = store.resume("one", Path.cwd())
    emitter = Emitter()
    emitter.add_line_sink(file.write)
    emitter.emit(Start(schema_version=1, version="1", run_id="r", prompt="more"))
    file.close()
    assert row()["verdict"] == "interrupted"
    file, _ = store.resume("one", Path.cwd())
    assert row() == {"verdict": "interrupted", "totalTokens": 42, "costUsd": None, "runs": 3}
    file.end_run(
        ended=End(text="", total_tokens=0, turns=1, tool_calls=0, duration_ms=1, cost_usd=0.5)
    )
    file.close()
    assert "  success  42 tokens  $0.5000  hello?" in a3s("list").stdout


def test_a_title(store: Store) -> None:
    data = made(store, "one")
    used = store.path("one").stat().st_mtime_ns
    made(store, "two")
    title = "the \x1b parser"
    assert a3s(f"rename one {shlex.quote(title)}").output == ""
    first, second = a3s("list").stdout.splitlines()
    assert first.endswith("hello?") and second.endswith("tokens  the \\x1b parser")
    assert store.path("one").read_bytes().startswith(data)
    assert store.path("one").stat().st_mtime_ns == used
    assert store.past("one") == store.past("two")  # nothing that the model sees
    assert "title     the" in a3s("show one").stdout
    # It stays when the session goes on, and an empty one takes it back.
    file, _ = store.resume("one", Path.cwd())
    talk.run(file, "and now?", "blue", first=2)
    file.close()
    assert json.loads(a3s("list --json").stdout)[0]["title"] == title
    a3s("rename one ''")
    assert "title" not in json.loads(a3s("list --json").stdout)[0]
    file, _ = store.resume("one", Path.cwd())
    with pytest.raises(SessionBusy):
        a3s("rename one x")
    file.close()
    with pytest.raises(UsageError, match="there is no session 'tow'; the nearest: two"):
        a3s("rename tow x")
    with pytest.raises(UsageError, match="201 characters: at most 200"):
        a3s("rename two " + "x" * 201)


def test_a_title_for_a_session_that_was_killed(store: Store) -> None:
    """What was interrupted is told by the next run, as without the title."""
    lines = made(store, "one").splitlines(keepends=True)
    for end in range(1, len(lines)):
        store.path("one").write_bytes(b"".join(lines[:end]) + lines[end][:9])
        before = store.past("one")
        a3s("rename one x")
        after = store.past("one")
        assert (after.messages, after.unfinished) == (before.messages, before.unfinished), end
        assert json.loads(a3s("list --json").stdout)[0]["title"] == "x"


def test_a_long_list(store: Store) -> None:
    data = made(store, "s0").replace(b'"/w"', dumps(str(Path.cwd())))
    for number in range(1, 60):
        store.path(f"s{number}").write_bytes(data)
    for form in ("", " --json"):
        short, whole = a3s("list" + form), a3s("list --all" + form)
        assert short.stderr == (
            "a3s: showing the newest 50 of 60 sessions of this directory; --all lists all\n"
        )
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
