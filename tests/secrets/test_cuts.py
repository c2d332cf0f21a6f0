"""A key that lies where `read` and `grep` cut a long line: no part of it is shown."""

from __future__ import annotations

import pytest

from a3s_cli.secrets.redaction import Redactor

from ..support.a3s import Bench
from ..support.replies import call, text

KEY = "kEy7-0123456789-abcdefghij-9876543210"
#: No run of this many of its characters may be shown.
SHOWN = 5


def parts() -> list[str]:
    return [KEY[at : at + SHOWN] for at in range(len(KEY) - SHOWN + 1)]


def shown(a3s: Bench, tool: str, **arguments: object) -> str:
    env = {"MY_TOKEN": KEY}
    script = [call(tool, arguments), text("ok")]
    result = a3s("run", "go", "--redact-env", "MY_TOKEN", script=script, env=env)
    output = result.stdout.decode() + str(result.requests[-1].body)
    assert not [part for part in parts() if part in output]
    end = result.one("tool_end")
    assert end["redacted"] is True
    return str(end["toolOutput"])


@pytest.mark.parametrize("inside", [1, SHOWN, len(KEY) // 2, len(KEY) - 1])
@pytest.mark.parametrize("fill", ["x", "\U0001f511"])
def test_where_read_cuts(a3s: Bench, inside: int, fill: str) -> None:
    """At its end, and at the column where the next part begins."""
    line = fill * (2000 - inside) + KEY + fill * 3000
    (a3s.work / "long.txt").write_text(line + "\n")
    first = shown(a3s, "read", file_path="long.txt")
    assert first.count("[redacted:MY_TOKEN]") == 1
    second = shown(a3s, "read", file_path="long.txt", column=2000)
    assert second.count("[redacted:MY_TOKEN]") == 1
    # What it says to go on with is behind the key.
    follows = 2000 - inside + len(KEY)
    assert f"column={follows}]" in first


@pytest.mark.parametrize("inside", [1, SHOWN, len(KEY) // 2, len(KEY) - 1])
def test_where_grep_cuts(a3s: Bench, inside: int) -> None:
    """At its end, and where it leaves the beginning of the line out."""
    before, after = "x" * (500 - inside - 6), "y" * 3000
    (a3s.work / "end.txt").write_text(f"needle{before}{KEY}{after}\n")
    assert "[redacted:MY_TOKEN]" in shown(a3s, "grep", pattern="needle", path="end.txt")
    gap = "z" * (100 - len(KEY) + inside)
    (a3s.work / "begin.txt").write_text(f"{'x' * 900}{KEY}{gap}needle{after}\n")
    assert "[redacted:MY_TOKEN]" in shown(a3s, "grep", pattern="needle", path="begin.txt")


def test_a_part_that_splits_nothing() -> None:
    redactor = Redactor({"A": "secret-one-1", "B": "one-1-and-two"})
    text = "..secret-one-1-and-two..secret-one-1"
    for begin in range(len(text)):
        for end in range(begin, len(text) + 1):
            first, last = redactor.unsplit(text, begin, end)
            assert first <= begin and last >= end
            for start, stop, _ in redactor.found(text, len(text)):
                if start < last and stop > first and end > begin:
                    assert first <= start and stop <= last, (text[begin:end], text[first:last])
