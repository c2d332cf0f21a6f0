"""What the words of a prompt show: whether a look is needed, a change, a list, a number."""

from __future__ import annotations

from pathlib import Path

import pytest

from a3s_cli.local import grounding, intent, leftovers
from a3s_cli.messages import Message, Text, ToolCall, ToolResult


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "Makefile").write_text("all:\n")
    (tmp_path / "a.py").write_text("x = 1\n")
    return tmp_path


@pytest.mark.parametrize(
    "prompt",
    [
        "Which files are here?",
        "How many files are in this directory?",
        "Use whoami",
        "run `ls -l`",
        "Explain a.py",
        "Fix the bug in lib/b.py.",
        "Create todo.txt with the line: milk",
        "What does the Makefile do?",
        "List what is in src",
        "Delete all files that end in .tmp",
        "What is the largest file?",
        "Which branch of this repository is checked out?",
    ],
)
def test_what_needs_a_look(place: Path, prompt: str) -> None:
    assert intent.needs_call(prompt, place)


@pytest.mark.parametrize(
    "prompt",
    [
        "What is the capital of France?",
        "Hi! What is 6 times 7?",
        "Write a haiku about the sea.",
        "Who wrote Hamlet?",
        "How do I undo a commit in git?",
        "What is a file descriptor?",
        "Explain https://example.com/a.html",
        "thanks",
        "Say hello.",
        "Is 3.14 larger than 2.71?",
    ],
)
def test_what_needs_none(place: Path, prompt: str) -> None:
    assert not intent.needs_call(prompt, place)


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Set x to 2 in a.py", True),
        ("Please rename a.py to b.py", True),
        ("Create a directory here named out", True),
        ("Which files change most here?", False),
        ("What does a.py set x to?", False),
        ("Write a poem", False),
        ("Show me a.py", False),
        ("Give me the name of the function in a.py", False),
        ("Give me a script b.py that prints 1", True),
        ("Give the function f in a.py the name g", True),
    ],
)
def test_what_wants_a_change(place: Path, prompt: str, expected: bool) -> None:
    assert intent.wants_change(prompt, place) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Show me a.py", "a.py"),
        ("print the contents of the file notes.txt.", "notes.txt"),
        ("cat Makefile", "Makefile"),
        ("Show me the first line of a.py", ""),
        ("Show me a.py and b.py", ""),
        ("Display the time", ""),
    ],
)
def test_the_file_that_is_to_be_shown(place: Path, prompt: str, expected: str) -> None:
    assert intent.shown(prompt, place) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Which files are here?", True),
        ("List the files in this directory.", True),
        ("What files are there in src?", True),
        ("Which files are empty?", False),
        ("List the files that contain TODO", False),
        ("Which is the largest file?", False),
        ("How many files are here?", False),
    ],
)
def test_what_wants_a_list(prompt: str, expected: bool) -> None:
    assert intent.wants_list(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Use uname -s", "uname"),
        ("Use Python to calculate 2 ** 9", ""),
        ("run it again", ""),
        ("Use the command env", "env"),
        ("what does `sort -u` print?", "sort"),
        ("use nosuchprogram", ""),
    ],
)
def test_the_program_that_is_named(prompt: str, expected: str) -> None:
    assert intent.program(prompt) == expected


def missing(answer: str, prompt: str, output: str, tool: str = "bash") -> str:
    return grounding.missing(answer, prompt, [ToolResult("1", tool, output)])


@pytest.mark.parametrize(
    ("answer", "prompt", "output"),
    [
        ("You are ida.", "Use whoami", "ida\n"),
        ("There are seven.", "How many files are here?", "7\n"),
        ("The total is 1,204.", "What is the total?", "1204.0\n"),
        ("It prints a greeting: hello.", "What does it do?", "Hello, Bo\n"),
        ("It prints Hello, Bo twice.", "What does it print?", "Hello, Bo\nHello, Bo\n"),
        ("I moved it.", "Move a to b", ""),
        ("No such key: tea", "Why does it fail?", "KeyError: 'tea'\n"),
        ("There are 2 files.", "How many files are here?", "a.txt\nb.txt\n"),
    ],
)
def test_an_answer_that_reports(answer: str, prompt: str, output: str) -> None:
    assert missing(answer, prompt, output) == ""


@pytest.mark.parametrize(
    ("answer", "prompt", "output"),
    [
        ("I used uname -s to get the operating system.", "Use uname -s", "Linux"),
        ("There are 3 lines.", "How many lines are in a?", "12"),
        ("I am a user.", "Use whoami", "ida"),
        ("There are two files here.", "List the files here", "a.txt\nb.txt"),
        ("", "Run it", "done 12"),
        ("It made an artefact named 12 ready.", "What does it output?", "artefact 12 ready"),
    ],
)
def test_one_that_does_not_gets_what_came_out(answer: str, prompt: str, output: str) -> None:
    assert missing(answer, prompt, output) == output


def test_what_tools_add_is_no_part_of_it() -> None:
    listing = "        2 a.txt\n        - src/\n[2 entries]"
    assert missing("Here they are.", "List the files", listing, "ls") == "a.txt\nsrc/"
    assert missing("Done.", "Read a", "1\tone\n2\t  two\n", "read") == "one\n  two"


def test_of_a_failure_its_last_line_is_enough() -> None:
    failure = ToolResult("1", "bash", "File a.py, line 1\nKeyError: 'tea'", failed=True)
    said = "It fails with KeyError: 'tea'."
    assert grounding.missing(said, "What does a.py print?", [failure]) == ""


def test_a_long_output_is_cut() -> None:
    found = missing("Done.", "Run it", "\n".join(f"row {n}" for n in range(900)))
    assert len(found) < grounding.MOST
    assert found.endswith("…")


def test_only_what_came_since_the_prompt_counts() -> None:
    def turn(output: str) -> list[Message]:
        call = Message("assistant", (ToolCall("1", "bash", "{}"),))
        return [
            Message("user", (Text("x"),)),
            call,
            Message("tool", (ToolResult("1", "", output),)),
        ]

    found = grounding.outputs_since([*turn("old"), *turn("new")])
    assert [result.output for result in found] == ["new"]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Which port is in a.py?", True),
        ("Explain a.py", True),
        ("What does a.py print?", False),
        ("How many lines does a.py have?", False),
        ("Fix a.py", False),
        ("Compare a.py and Makefile", False),
    ],
)
def test_what_one_file_says(place: Path, prompt: str, expected: bool) -> None:
    assert intent.to_be_read(prompt, place) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Rename x to y in a.py", "x still occurs in a.py, line 1: x = 1"),
        ("In a.py change the value from 1 to 2.", "1 still occurs in a.py, line 1: x = 1"),
        ("Replace every 'x' with 'y' in a.py", "x still occurs in a.py, line 1: x = 1"),
        ("Rename z to y in a.py", ""),
        ("Set x to 2 in a.py", "2 does not occur in a.py"),
        ("Update a.py: x is now 3.0.1.", "3.0.1 does not occur in a.py"),
        ("Set x to 1 in a.py", ""),
        ("Fix a.py: f(1) has to be 2", ""),
        ("The variable x in a.py should be called y.", "x still occurs in a.py, line 1: x = 1"),
        ("Rename a.py to b.py", ""),
        ("Fix a.py", ""),
    ],
)
def test_what_is_left_over(place: Path, prompt: str, expected: str) -> None:
    assert leftovers.left_over(prompt, place) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Extract the links of a.py into links.txt.", "links.txt"),
        ("Find the names in a.py and save them to `out/names.txt`", "out/names.txt"),
        ("Rename a.py to b.py", "b.py"),
        ("Write a Python script called job.py that prints 3", "job.py"),
        ("Create todo.md with the line: milk", "todo.md"),
        ("Make a copy of a.py", ""),
        ("Change x to 3 in a.py", ""),
        ("Add a link to b.py in a.py", ""),
        ("Move a.py to src", ""),
    ],
)
def test_the_file_that_is_to_be_made(place: Path, prompt: str, expected: str) -> None:
    assert leftovers.unmade(prompt, place) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Could you please rename a.py to b.py?", True),
        ("Can you tell me what a.py does?", False),
        ("Find all links in a.py and save them to b.txt", True),
        ("Run a.py and tell me what it prints", False),
        ("Add up the numbers in a.py", False),
        ("The port in a.py should be 3.", True),
        ("Get rid of the comments in a.py", True),
    ],
)
def test_a_change_by_any_other_words(place: Path, prompt: str, expected: bool) -> None:
    assert intent.wants_change(prompt, place) == expected
