"""What a call changes in a file, as a person sees it: before it runs and after."""

from __future__ import annotations

import time
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.events import Start
from a3s_cli.output.diff import between, of_call
from a3s_cli.output.pretty import Pretty
from a3s_cli.output.terminal import Style

from ..support.a3s import Bench
from ..support.replies import a_call, calls, text
from .test_pretty import PLAIN, finish, render, start

lines = st.lists(st.sampled_from(["a", "b", "c", "", "d "]), max_size=30).map(
    lambda rows: "".join(f"{row}\n" for row in rows)
)


@given(lines, lines)
def test_a_diff_leads_from_one_text_to_the_other(before: str, after: str) -> None:
    diff = between(before, after)
    old, new = before.split("\n")[:-1], after.split("\n")[:-1]
    assert len(new) - len(old) == diff.added - diff.removed
    for row in diff.rows:
        if row.sign in "+ ":
            assert new[row.number - 1] == row.text
        elif row.sign == "-":
            assert old[row.number - 1] == row.text
    changed = [row for row in diff.rows if row.sign in "+-"]
    assert len(changed) == diff.added + diff.removed
    assert bool(changed) == (before != after)


def test_a_change_in_place(tmp_path: Path) -> None:
    file = tmp_path / "f.py"
    file.write_text("".join(f"line {n}\n" for n in range(1, 21)))
    call = {"file_path": "f.py", "old_string": "line 10\n", "new_string": "ten\n"}
    diff = of_call(call, str(file))
    assert diff and str(diff) == "+1 −1"
    assert [(row.sign, row.number, row.text) for row in diff.rows] == [
        (" ", 7, "line 7"), (" ", 8, "line 8"), (" ", 9, "line 9"),
        ("-", 10, "line 10"), ("+", 10, "ten"),
        (" ", 11, "line 11"), (" ", 12, "line 12"), (" ", 13, "line 13"),
    ]  # fmt: skip
    alone = of_call({**call, "old_string": "elsewhere", "new_string": "x"}, str(file))
    assert alone and [(row.sign, row.number) for row in alone.rows] == [("-", 0), ("+", 0)]
    file.write_bytes(b"\xff")
    assert of_call(call, str(file)) == of_call(call, None) != diff


def test_a_new_file_and_a_missing_newline() -> None:
    diff = of_call({"content": "a\nb"}, None)
    assert diff and [row.text for row in diff.rows] == ["a", "b  (no newline at the end)"]


def test_a_large_change_is_bounded() -> None:
    begun = time.process_time()
    between("a\nb\n" * 100_000, "b\na\n" * 100_000)
    between("a\nb\n" * 490, "b\nc\na\n" * 320)
    assert time.process_time() - begun < 20


def test_the_page_shows_it_and_hides_secrets(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("key=hunter2\nold\n")
    sent: list[bytes] = []
    sink = Pretty(
        sent.append, sent.append, PLAIN, hide=lambda text: text.replace("hunter2", "[redacted:K]")
    )
    call = {"file_path": "f", "old_string": "old", "new_string": "n\x1b[2Jew"}
    begin = Start(schema_version=1, version="1", run_id="r", cwd=str(tmp_path), prompt="go")
    for event in (begin, start("a", name="edit", **call), finish("a", text="Edited f.")):
        sink.accept([event])
    assert b"".join(sent).decode() == (
        "[1] edit  f\n"
        "[1] │ 1   key=[redacted:K]\n"
        "[1] │ 2 - old\n"
        "[1] │ 2 + n\\x1b[2Jew\n"
        "[1] ✓ +1 −1 · 0.1s\n"
    )


def test_a_long_one_is_cut_and_a_failed_one_not_shown() -> None:
    content = "".join(f"{n}\n" for n in range(100))
    call = start("a", name="write", file_path="f", content=content)
    shown = render(call, finish("a")).split("\n")
    assert shown[1] == "[1] │   1 + 0" and shown[-4:-1] == [
        "[1] │  40 + 39", "[1] │ … 60 more lines", "[1] ✓ +100 −0 · 0.1s",
    ]  # fmt: skip
    assert render(call, finish("a", 1, "no room")).split("\n")[1:-1] == [
        "[1] │ no room", "[1] ✗ failed · 0.1s",
    ]  # fmt: skip
    coloured = render(call, finish("a"), style=Style(colour=True, fixed_width=60))
    assert "\x1b[32m  1 + 0\x1b[0m" in coloured


def test_what_was_cut_is_shown_by_replay(a3s: Bench) -> None:
    content = "".join(f"{n}\n" for n in range(100))
    script = [calls(a_call("write", {"file_path": "f", "content": content})), text("done")]
    shown = a3s("run", "--allow", "write", "-o", "pretty", "go", script=script).stdout.decode()
    way = shown.rpartition("all of the output: ")[2].split()
    assert way[:2] == ["a3s", "replay"]
    again = a3s(*way[1:], "-o", "pretty").stdout.decode()
    assert "[1] │ 100 + 99\n" in again and "more lines" not in again
    wrong = a3s("replay", "nothing-of-this-name")
    assert (wrong.status, wrong.stderr) == (
        2, b"a3s: nothing-of-this-name: No such file or directory\n",
    )  # fmt: skip
