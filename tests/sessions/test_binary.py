"""`a3s sessions` as a shell sees it: exit statuses, sentences, pipes."""

from __future__ import annotations

from ..support.a3s import Bench
from . import talk


def made(a3s: Bench, name: str) -> None:
    file = talk.store(a3s.home / ".local").create("/w", id=name)
    talk.run(file, "what is it?", "it is this.", turns=2)
    talk.run(file, "and that?", "that is that.", first=3)
    file.close()


def test_an_export_is_read_by_audit_and_replay(a3s: Bench) -> None:
    made(a3s, "nightly-build")
    line = (
        "a3s sessions export nightly > s.ndjson; a3s replay - -o raw < s.ndjson;"
        " a3s audit s.ndjson | tail -n 1; a3s replay s.ndjson -o json | cmp - s.ndjson"
    )
    result = a3s.shell(line, script=[]).finish()
    told = result.stdout.decode()
    assert told.startswith("turn 1\nturn 2\nit is this.\nturn 3\nthat is that.\n"), told
    assert ", turns 5, calls 3, " in told and result.stderr == b""


def test_what_was_mistyped_is_answered_with_what_was_meant(a3s: Bench) -> None:
    made(a3s, "nightly-build")
    result = a3s("sessions", "show", "nihgtly-build", "--json")
    assert (result.status, result.stdout) == (2, b"")
    assert result.stderr == (
        b"a3s: there is no session 'nihgtly-build'; the nearest: nightly-build\n"
        b"hint: did you mean:  a3s sessions show nightly-build --json\n"
    )


def test_a_session_that_is_in_use(a3s: Bench) -> None:
    made(a3s, "mine")
    file, _ = talk.store(a3s.home / ".local").resume("mine", "/w")
    result = a3s("sessions", "rm", "mine")
    assert result.status == 75 and b"the session mine is in use by process " in result.stderr
    assert a3s("sessions", "list", "--all").stdout.startswith(b"mine  ")
    file.close()
    assert a3s("sessions", "rm", "mine").status == 0


def test_a_reader_that_went_away(a3s: Bench) -> None:
    made(a3s, "mine")
    path = talk.store(a3s.home / ".local").path("mine")
    path.write_bytes(path.read_bytes() * 500)
    line = "a3s sessions export mine | head -c 1 >/dev/null; echo ${PIPESTATUS[0]}"
    result = a3s.shell(line, script=[]).finish()
    assert (result.stdout, result.stderr) == (b"141\n", b"")
