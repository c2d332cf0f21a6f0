"""Slips in a call that have one meaning only."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from a3s_cli.local.amends import amended
from a3s_cli.model import CallChunk


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_text("for i in x\n    print(i)\n")
    (tmp_path / "b.sh").write_text("echo 1\n")
    return tmp_path


@pytest.mark.parametrize(
    ("command", "prompt", "expected"),
    [
        ("bash a.py", "Run a.py", "python3 a.py"),
        ("python3 b.sh 12", "Run b.sh", "bash b.sh 12"),
        ("sh b.sh", "Run b.sh", "sh b.sh"),
        ("python a.py", "Run a.py", "python a.py"),
        ("cat a.py", "What does a.py print?", "python3 a.py"),
        ("cat a.py", "What is in a.py?", "cat a.py"),
        ("cat a.py | wc -l", "What does a.py print?", "cat a.py | wc -l"),
        ("bash c.py", "Run c.py", "bash c.py"),
        ("sort -r b.sh", "Sort b.sh in reverse", "sort -o b.sh -r b.sh"),
        ("cat b.sh | sort", "Please put b.sh in order: sort it", "sort -o b.sh b.sh"),
        ("sort b.sh", "Show b.sh sorted", "sort b.sh"),
        ("sort b.sh", "Sort b.sh and save it in c.txt", "sort b.sh"),
        ("sort c.sh", "Sort c.sh", "sort c.sh"),
        ("ls -la", "Count the files here.", "ls | wc -l"),
        ("ls src", "How many files are in src?", "ls src | wc -l"),
        ("ls -la", "How many .md files are here?", "ls -la"),
        (
            "ls src -type f | wc -l",
            "How many Python files are in src?",
            "find src -type f -name '*.py' | wc -l",
        ),
        ("ls -type f", "Which files are here?", "find . -type f"),
        ('python3 -c "print(sum([1]))))"', "Add up", 'python3 -c "print(sum([1]))))"'),
        ('python3 -c "print(sum([1])))"', "Add up", 'python3 -c "print(sum([1]))"'),
        ('python3 -c "print(sum([1]))"', "Add up", 'python3 -c "print(sum([1]))"'),
        ("ls -l | head -n 1", "Which is the largest file?", "ls -lS | grep '^-' | head -n 1"),
        ("./b.sh 1", "Run b.sh", "bash b.sh 1"),
        ("./c.sh", "Run c.sh", "./c.sh"),
        ("ls -la | wc -l", "How many files are here?", "ls | wc -l"),
        ("ls -l src | wc -l", "How many files are in src?", "ls src | wc -l"),
        ("ls -a | wc -l", "How many files are here?", "ls -a | wc -l"),
        ("ls -l | grep x | wc -l", "How many?", "ls -l | grep x | wc -l"),
        (
            "ls -lh | sort -hr | head -n 1",
            "Which file is the largest?",
            "ls -lS | grep '^-' | head -n 1",
        ),
        (
            "du -ah src | sort -h | tail -1",
            "What is the smallest file in src?",
            "ls -lSr src | grep '^-' | head -n 1",
        ),
        ("ls -lt | sort | head -n 1", "Which is the oldest?", "ls -ltr | grep '^-' | head -n 1"),
        ("ls -l | sort | head -n 3", "Which are the largest?", "ls -l | sort | head -n 3"),
    ],
)
def test_a_command(place: Path, command: str, prompt: str, expected: str) -> None:
    chunk = CallChunk(0, "1", "bash", json.dumps({"command": command}))
    assert json.loads(amended(chunk, prompt, place).arguments) == {"command": expected}


@pytest.mark.parametrize(
    ("prompt", "new", "expected"),
    [
        ("Add f to a.py", "def f():\n    pass", "for i in x\n    print(i)\n\n\ndef f():\n    pass"),
        ("Add a line y = 1 to a.py", "y = 1", "for i in x\n    print(i)\ny = 1"),
        ("Add a colon in a.py", "for i in x:\n    print(i)", "for i in x:\n    print(i)"),
        ("Fix a.py, add what is missing", "y = 1", "y = 1"),
        ("Change the loop in a.py", "y = 1", "y = 1"),
    ],
)
def test_what_is_added_leaves_what_was_there(
    place: Path, prompt: str, new: str, expected: str
) -> None:
    arguments = {"file_path": "a.py", "old_string": "for i in x\n    print(i)", "new_string": new}
    chunk = CallChunk(0, "1", "edit", json.dumps(arguments))
    assert json.loads(amended(chunk, prompt, place).arguments) == {
        **arguments,
        "new_string": expected,
    }


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("1\tfor i in x\n2\t    print(i)", "1\tfor i in x:\n2\t    print(i)", True),
        ("for i in x\n2\t    print(i)", "for i in x:\n    print(i)", True),
        ("for i in x\n    print(i)", "1\tfor", False),
        ("1\tnothing like it", "new", False),
    ],
)
def test_line_numbers_in_an_edit(place: Path, old: str, new: str, expected: bool) -> None:
    arguments = {"file_path": "a.py", "old_string": old, "new_string": new}
    chunk = CallChunk(0, "1", "edit", json.dumps(arguments))
    found = json.loads(amended(chunk, "Fix a.py", place).arguments)
    right = {
        "file_path": "a.py",
        "old_string": "for i in x\n    print(i)",
        "new_string": "for i in x:\n    print(i)",
    }
    assert found == (right if expected else arguments)
