"""Which tools a call can be made of, by the words of the prompt; what a file's syntax says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from a3s_cli.local import checks, choice
from a3s_cli.messages import ToolCall


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "tool.py").write_text("x = 1\n")
    (tmp_path / "app.ini").write_text("x = 1\n")
    (tmp_path / "rows.csv").write_text("a,b\n")
    return tmp_path


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Show me app.ini", "read"),
        ("What is x in app.ini?", "read"),
        ("Set x to 2 in app.ini", "read"),
        ("tool.py has a bug, fix it", "read"),
        ("Who am I?", "bash"),
        ("Which kernel does this machine run?", "bash"),
        ("Show the last five commits", "bash"),
        ("Use `sort -u` on rows.csv", "bash"),
        ("What does tool.py print?", "bash"),
        ("Why does tool.py crash?", "bash"),
        ("How many lines are in rows.csv?", "bash"),
        ("How many folders are in src?", "bash"),
        ("What is the average of b in rows.csv?", "bash"),
        ("Where is the class Pump defined?", "grep"),
        ("Which file mentions the tide?", "grep"),
        ("Find all TODOs", "grep"),
        ("Which is the oldest file?", "bash"),
        ("What does this project do?", "bash glob grep ls"),
        ("Which of the files here are empty?", "bash"),
        ("What is the last error in app.ini?", "bash"),
        ("Show the first 3 lines of app.ini", "bash"),
        ("Delete all lines with x in app.ini", "bash edit read write"),
        ("Extract the numbers from rows.csv into n.txt", "bash"),
        ("I look for the class Pump. Where does it live?", "grep"),
        ("Create new.py that prints 3", ""),
        ("Rename the variable x to y in app.ini", "read"),
        ("The variable x in app.ini should be called y.", "read"),
        ("Rename app.ini to b.ini", "bash"),
        ("Change the name of app.ini to other", "bash edit read write"),
        ("What does missing.txt say?", ""),
    ],
)
def test_the_tools_that_can_be_meant(place: Path, prompt: str, expected: str) -> None:
    assert sorted(choice.first(prompt, place)) == expected.split()


@pytest.mark.parametrize(
    ("prompt", "path", "failed", "expected"),
    [
        ("Set x to 2 in app.ini", "app.ini", False, "edit"),
        ("Set x to 2 in app.ini", "app.ini", True, ""),
        ("Set x to 2 in app.ini", "tool.py", False, ""),
        ("Sort app.ini", "app.ini", False, ""),
        ("What is x in app.ini?", "app.ini", False, ""),
    ],
)
def test_a_file_that_was_read_to_be_mended_is_edited(
    place: Path, prompt: str, path: str, failed: bool, expected: str
) -> None:
    call = ToolCall("1", "read", json.dumps({"file_path": path}))
    assert choice.next_step(prompt, place, [(call, failed)]) == expected


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.py", "for i in x:\n    print(i)\n", ""),
        (
            "a.py",
            "x = 1\nfor i in x\n    print(i)\n",
            "a.py has a syntax error in line 2: expected ':': for i in x",
        ),
        ("a.json", '{"a": 1}', ""),
        (
            "a.json",
            '{"a": 1,}',
            "a.json is not valid JSON: ",
        ),
        ("a.txt", "for i in x\n", ""),
        ("a.py", None, ""),
    ],
)
def test_a_fault_of_syntax_is_named(
    tmp_path: Path, name: str, content: str | None, expected: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    found = checks.fault(tmp_path / name)
    assert found.startswith(expected) and bool(found) == bool(expected)
