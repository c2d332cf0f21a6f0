"""Forty small jobs in a directory, with a check that needs no opinion.

A task is data: the files that it starts with, what the user says, and a
predicate over what is there afterwards and what was answered. Facts that a
check looks for are made up, so that they cannot be known without looking.

`FIRST` and `SECOND` are what the prompt of the embedded model was tuned on; the
tasks of `held_out` are not, and the gap between the scores is overfitting.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run left behind: its directory, its last words, its tools' names and outputs."""

    directory: Path
    answer: str
    tools: tuple[str, ...]
    outputs: tuple[str, ...] = ()

    def says(self, *patterns: str) -> bool:
        """Whether the answer matches every pattern, without regard to case."""
        return all(re.search(pattern, self.answer, re.IGNORECASE) for pattern in patterns)

    def holds(self, path: str, *patterns: str) -> bool:
        """Whether a file is there and matches every pattern."""
        file = self.directory / path
        return file.is_file() and all(re.search(p, file.read_text(), re.M) for p in patterns)

    def reads(self, path: str) -> str | None:
        """The text of a file without outer white space; None if there is none."""
        file = self.directory / path
        return file.read_text().strip() if file.is_file() else None

    def exists(self, path: str) -> bool:
        """Whether something has this name."""
        return (self.directory / path).exists()

    def saw(self, pattern: str) -> bool:
        """Whether the output of a tool matches, without regard to case."""
        return any(re.search(pattern, output, re.IGNORECASE) for output in self.outputs)

    def names(self) -> list[str]:
        """What the directory holds, sorted."""
        return sorted(path.name for path in self.directory.iterdir())


@dataclass(frozen=True, slots=True)
class Task:
    """One job."""

    name: str
    prompt: str
    check: Callable[[Outcome], bool]
    files: Mapping[str, str] = field(default_factory=dict)


POEM = "The moon is low,\nthe tide is late,\nthe lantern waits\nbeside the gate.\n"
LOG = (
    "09:01 INFO start\n09:02 ERROR disk vdb is full\n09:03 INFO retry\n"
    "09:04 ERROR lost peer 7\n09:05 WARN slow\n09:06 ERROR gave up\n"
)
STOCK = "item,price,stock\npear,3,10\nfig,7,2\nplum,4,31\nquince,9,5\n"

FIRST = (
    Task(
        "list files",
        "List the files in this directory.",
        lambda o: o.says(r"harbour\.txt", r"maps\.csv", r"tide\.py"),
        {"harbour.txt": "a\n", "maps.csv": "b\n", "tide.py": "print(1)\n"},
    ),
    Task(
        "read a fact",
        "What is the password in notes.txt?",
        lambda o: o.says("heron-4417"),
        {"notes.txt": "Shopping on Friday.\nThe password is heron-4417.\nCall Ida.\n"},
    ),
    Task(
        "count lines",
        "How many lines does poem.txt have?",
        lambda o: o.says(r"\b(13|thirteen)\b"),
        {"poem.txt": POEM * 3 + "The end.\n"},
    ),
    Task(
        "create a file",
        "Create a file called greeting.txt that contains: good morning, harbour",
        lambda o: o.reads("greeting.txt") == "good morning, harbour",
    ),
    Task(
        "rename a file",
        "Rename old.txt to new.txt",
        lambda o: o.reads("new.txt") == "keep me" and not o.exists("old.txt"),
        {"old.txt": "keep me\n"},
    ),
    Task(
        "run a script",
        "Run tide.py and tell me what it prints.",
        lambda o: o.says(r"\b5041\b"),
        {"tide.py": "print(71 * 71)\n"},
    ),
    Task(
        "find by content",
        "Which file mentions the word lighthouse?",
        lambda o: o.says(r"c\.txt") and not o.says(r"[abd]\.txt"),
        {"a.txt": "sea\n", "b.txt": "sand\n", "c.txt": "the old lighthouse\n", "d.txt": "wind\n"},
    ),
    Task(
        "edit a value",
        "In config.ini change the port from 8080 to 9191.",
        lambda o: o.reads("config.ini") == "[server]\nhost = local\nport = 9191\ndebug = no",
        {"config.ini": "[server]\nhost = local\nport = 8080\ndebug = no\n"},
    ),
    Task(
        "delete a file",
        "Delete the file trash.log",
        lambda o: not o.exists("trash.log") and o.exists("keep.log"),
        {"trash.log": "x\n", "keep.log": "y\n"},
    ),
    Task(
        "make a directory",
        "Create a directory named archive and move report.txt into it.",
        lambda o: o.reads("archive/report.txt") == "profit" and not o.exists("report.txt"),
        {"report.txt": "profit\n"},
    ),
    Task(
        "count matching lines",
        "How many lines in app.log contain ERROR?",
        lambda o: o.says(r"\b(3|three)\b"),
        {"app.log": LOG},
    ),
    Task(
        "write a script",
        "Write a Python script squares.py that prints the squares of 1 to 5, one per line.",
        lambda o: o.holds("squares.py", "print") and printed(o, "squares.py") == "1\n4\n9\n16\n25",
    ),
    Task(
        "no tool needed",
        "What is the capital of France?",
        lambda o: o.says("Paris") and not o.tools,
    ),
    Task(
        "append a line",
        "Add the line 'eggs' at the end of shopping.txt",
        lambda o: o.reads("shopping.txt") == "milk\nbread\neggs",
        {"shopping.txt": "milk\nbread\n"},
    ),
    Task(
        "read JSON",
        "What version does package.json say?",
        lambda o: o.says(r"4\.17\.9"),
        {"package.json": json.dumps({"name": "boat", "version": "4.17.9", "main": "i.js"})},
    ),
    Task(
        "count files",
        "How many Python files are in the src directory?",
        lambda o: o.says(r"\b(4|four)\b"),
        {f"src/{n}": "pass\n" for n in ("a.py", "b.py", "c.py", "d.py", "e.js", "f.md")},
    ),
    Task(
        "copy a file",
        "Make a copy of plan.md called plan-backup.md",
        lambda o: o.reads("plan-backup.md") == "# Plan\nrow" and o.exists("plan.md"),
        {"plan.md": "# Plan\nrow\n"},
    ),
    Task(
        "fix a bug",
        "The function in add.py should return the sum of a and b but it subtracts. Fix it.",
        lambda o: o.holds("add.py", r"return\s*\(?(a \+ b|sum)") and not o.holds("add.py", "a - b"),
        {"add.py": "def add(a, b):\n    return a - b\n"},
    ),
    Task(
        "look up a row",
        "What is the price of a quince according to stock.csv?",
        lambda o: o.says(r"\b9\b"),
        {"stock.csv": STOCK},
    ),
    Task(
        "run a command",
        "Use seq and paste or awk to compute the sum of the numbers from 1 to 300.",
        lambda o: o.says(r"\b45[, ]?150\b"),
    ),
)

SECOND = (
    Task(
        "first line",
        "Show me the first line of story.md",
        lambda o: o.says("grey otter of Anholt"),
        {"story.md": "The grey otter of Anholt\n\nOnce, it swam.\nThen it slept.\n"},
    ),
    Task(
        "count words",
        "How many words are in essay.txt?",
        lambda o: o.says(r"\b(17|seventeen)\b"),
        {
            "essay.txt": "one two three four five six\nseven eight nine ten eleven\n"
            + "a b c d e f\n"
        },
    ),
    Task(
        "empty file",
        "Create an empty file named .nojekyll",
        lambda o: o.reads(".nojekyll") == "",
    ),
    Task(
        "nested file",
        "Create the file docs/guide/intro.md with the heading '# Intro'",
        lambda o: (o.reads("docs/guide/intro.md") or "").startswith("# Intro"),
    ),
    Task(
        "remove by suffix",
        "Remove all .tmp files in this folder.",
        lambda o: not list(o.directory.glob("*.tmp")) and o.exists("data.txt"),
        {"a.tmp": "", "b.tmp": "", "c.tmp": "", "data.txt": "d\n"},
    ),
    Task(
        "replace everywhere",
        "Replace every 'colour' with 'hue' in style.css",
        lambda o: o.reads("style.css") == "a { hue: red }\nb { hue: blue }\ni { hue: red }",
        {"style.css": "a { colour: red }\nb { colour: blue }\ni { colour: red }\n"},
    ),
    Task(
        "find by name",
        "Where is the file called settings.toml?",
        lambda o: o.says(r"etc/app/(conf/)?settings\.toml"),
        {"etc/app/conf/settings.toml": "x = 1\n", "etc/other.toml": "", "readme.md": ""},
    ),
    Task(
        "largest file",
        "Which is the largest file here?",
        lambda o: o.says(r"whale\.bin"),
        {"whale.bin": "w" * 5000, "ant.bin": "a", "dog.bin": "d" * 300},
    ),
    Task(
        "run a shell script",
        "Execute build.sh. What does it output?",
        lambda o: o.says("artefact 8812 ready"),
        {"build.sh": "#!/bin/sh\necho artefact $((8800 + 12)) ready\n"},
    ),
    Task(
        "failing program",
        "Run check.py. Why does it fail?",
        lambda o: o.says(r"(zero|ZeroDivision)"),
        {"check.py": "total = 10\ncount = 0\nprint(total / count)\n"},
    ),
    Task(
        "add a function",
        "Add a function named double to maths.py that returns twice its argument.",
        lambda o: o.holds(
            "maths.py", r"def double\(", r"def half\(", r"return (2 \* \w+|\w+ \* 2)"
        ),
        {"maths.py": "def half(x):\n    return x / 2\n"},
    ),
    Task(
        "sort lines",
        "Sort the lines of names.txt alphabetically and save the result in sorted.txt",
        lambda o: o.reads("sorted.txt") == "ada\nbo\ncy\nzoe",
        {"names.txt": "zoe\nbo\nada\ncy\n"},
    ),
    Task(
        "summarise a script",
        "What does greet.py do?",
        lambda o: o.says(r"(hello|greet)", r"(name|argument|user)"),
        {"greet.py": "import sys\n\nname = sys.argv[1]\nprint(f'Hello, {name}!')\n"},
    ),
    Task(
        "small talk",
        "Hi! What is 6 times 7?",
        lambda o: o.says(r"\b42\b"),
    ),
    Task(
        "make executable",
        "Make deploy.sh executable.",
        lambda o: bool((o.directory / "deploy.sh").stat().st_mode & 0o100),
        {"deploy.sh": "#!/bin/sh\n"},
    ),
    Task(
        "last error",
        "What is the last ERROR message in app.log?",
        lambda o: o.says("gave up"),
        {"app.log": LOG},
    ),
    Task(
        "move several",
        "Move all the .jpg files into a new folder called photos",
        lambda o: sorted(p.name for p in o.directory.glob("photos/*")) == ["1.jpg", "2.jpg"],
        {"1.jpg": "", "2.jpg": "", "notes.txt": ""},
    ),
    Task(
        "which are empty",
        "Which of the files in this directory are empty?",
        lambda o: o.says(r"void\.txt") and not o.says(r"full\.txt"),
        {"void.txt": "", "full.txt": "something\n"},
    ),
    Task(
        "write JSON",
        'Create user.json with the fields name "Ida" and age 31.',
        lambda o: loaded(o, "user.json") == {"name": "Ida", "age": 31},
    ),
    Task(
        "sum a column",
        "What is the total of the stock column in stock.csv?",
        lambda o: o.says(r"\b48\b"),
        {"stock.csv": STOCK},
    ),
)


def printed(outcome: Outcome, script: str) -> str:
    """What a script of the directory prints when it is run."""
    import subprocess  # noqa: TID251  # not a part of a3s: it runs what was made
    import sys

    done = subprocess.run(
        [sys.executable, script],
        cwd=outcome.directory,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return done.stdout.strip()


def loaded(outcome: Outcome, path: str) -> object:
    """The JSON value in a file of the directory; None if it has none."""
    try:
        return json.loads(outcome.reads(path) or "")
    except ValueError:
        return None
