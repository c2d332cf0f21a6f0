"""An output that is too long for an event: cut there, whole beside the session."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..support.a3s import Bench
from ..support.replies import bash, text

LINES = 20_000
COMMAND = f"seq {LINES}"
WHOLE = "".join(f"{number}\n" for number in range(1, LINES + 1)).encode()


def test_a_cut_output_is_kept_whole(a3s: Bench) -> None:
    result = a3s("run", "go", "--allow", "bash", script=[bash(COMMAND), text("done")])
    (end,) = result.of("tool_end")
    kept = Path(end["outputFile"])
    assert end["truncated"] and end["outputBytes"] == len(WHOLE)
    assert kept.read_bytes() == WHOLE
    assert end["outputSha256"] == kept.name == hashlib.sha256(WHOLE).hexdigest()
    assert kept.stat().st_mode & 0o777 == 0o600
    session = result.events[0]["sessionId"]
    assert a3s("sessions", "rm", session, laws="none").status == 0
    assert not kept.exists()


def test_a_secret_is_hidden_in_it(a3s: Bench) -> None:
    secret = "hush-0123456789"
    command = f"seq {LINES}; printf '%s\\n' \"$HUSH\""
    result = a3s(
        *("run", "go", "--allow", "bash", "--env", "HUSH", "--redact-env", "HUSH"),
        script=[bash(command), text("done")],
        env={"HUSH": secret},
    )
    (end,) = result.of("tool_end")
    assert Path(end["outputFile"]).read_bytes() == WHOLE + b"[redacted:HUSH]\n"


def test_without_a_session_nothing_is_kept(a3s: Bench) -> None:
    script = [bash(COMMAND), text("done")]
    result = a3s("run", "go", "--allow", "bash", "--no-session", script=script)
    (end,) = result.of("tool_end")
    assert end["truncated"] and "outputFile" not in end


def test_what_fits_is_not_kept(a3s: Bench) -> None:
    result = a3s("run", "go", "--allow", "bash", script=[bash("seq 3"), text("done")])
    assert "outputFile" not in result.of("tool_end")[0]


def test_no_more_is_kept_than_is_shown(a3s: Bench) -> None:
    """`yes` fills no disk."""
    command = "head -c 20000000 /dev/zero | tr '\\0' a"
    result = a3s("run", "go", "--allow", "bash", script=[bash(command), text("done")])
    (end,) = result.of("tool_end")
    assert end["outputBytes"] == 20_000_000
    assert Path(end["outputFile"]).stat().st_size == 16 * 1024 * 1024
