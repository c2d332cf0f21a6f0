"""The worked turns in front of every conversation with a small model.

Each shows one kind of job: which tool it takes, what came of it, and an answer that states
what was found. Their names and numbers occur nowhere else, so that a copied one is noticed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Step(NamedTuple):
    """One call of an example, and what came of it."""

    tool: str
    arguments: dict[str, str]
    output: str
    failed: bool = False


#: The example turns: what the user says, the calls with their results, the answer.
EXAMPLES: Sequence[tuple[str, tuple[Step, ...], str]] = (
    (
        "List the files in img",
        (
            Step(
                "ls",
                {"path": "img"},
                "812 cat.png\n       90 dog.svg\n       33 owl.gif\n[3 entries]",
            ),
        ),
        "The files in img are cat.png, dog.svg and owl.gif.",
    ),
    (
        "How many files are in docs?",
        (Step("bash", {"command": "find docs -type f | wc -l"}, "5"),),
        "There are 5 files in docs.",
    ),
    (
        "How many .md files are in notes?",
        (Step("bash", {"command": "find notes -name '*.md' | wc -l"}, "3"),),
        "There are 3 .md files in notes.",
    ),
    (
        "How many lines does long.csv have?",
        (Step("bash", {"command": "wc -l < long.csv"}, "41"),),
        "long.csv has 41 lines.",
    ),
    (
        "Use hostname",
        (Step("bash", {"command": "hostname"}, "atlas"),),
        "hostname prints: atlas",
    ),
    (
        "What is this project?",
        (
            Step("ls", {"path": "."}, "        - lib/\n      610 README.md\n[2 entries]"),
            Step("read", {"file_path": "README.md"}, "1\t# tern\n2\tA clock for terminals."),
        ),
        "It is tern, a clock for terminals.",
    ),
    (
        "Show the last 2 commits",
        (
            Step(
                "bash",
                {"command": "git log --oneline -n 2"},
                "9f3c2d1 Add tests\n4be01aa Start",
            ),
        ),
        "The last 2 commits are:\n9f3c2d1 Add tests\n4be01aa Start",
    ),
    (
        "Which is the newest file?",
        (Step("bash", {"command": "ls -t | head -n 1"}, "diary.md"),),
        "The newest file is diary.md.",
    ),
    (
        "Make a file todo.txt with the line: call Bob",
        (
            Step(
                "write",
                {"file_path": "todo.txt", "content": "call Bob\n"},
                "Wrote todo.txt: 9 bytes, 1 line.",
            ),
        ),
        "I created todo.txt with the line: call Bob",
    ),
    (
        "Set the timeout to 30 in app.yaml",
        (
            Step("read", {"file_path": "app.yaml"}, "1\tname: app\n2\ttimeout: 5"),
            Step(
                "edit",
                {
                    "file_path": "app.yaml",
                    "old_string": "timeout: 5",
                    "new_string": "timeout: 30",
                },
                "Edited app.yaml: 1 replacement, at line 2.",
            ),
        ),
        "I changed the timeout in app.yaml from 5 to 30.",
    ),
    (
        "Rename a.js to main.js and move it to a folder lib",
        (Step("bash", {"command": "mkdir -p lib && mv a.js lib/main.js"}, "[no output]"),),
        "I moved a.js to lib/main.js.",
    ),
    (
        "Fix the bug in mean.py",
        (
            Step(
                "read",
                {"file_path": "mean.py"},
                "1\tdef mean(x):\n2\t    return sum(x) * len(x)",
            ),
            Step(
                "edit",
                {
                    "file_path": "mean.py",
                    "old_string": "    return sum(x) * len(x)",
                    "new_string": "    return sum(x) / len(x)",
                },
                "Edited mean.py: 1 replacement, at line 2.",
            ),
        ),
        "I fixed mean.py: it multiplied by the length, now it divides by it.",
    ),
    (
        "Why does walk.py fail?",
        (
            Step(
                "bash",
                {"command": "python3 walk.py"},
                'File "walk.py", line 3\n    print(way[9])\nIndexError: list index out of range',
                failed=True,
            ),
        ),
        "walk.py fails in line 3 with IndexError: list index out of range. way has no element 9.",
    ),
    (
        "Rename the function load to fetch in lib",
        (
            Step(
                "bash",
                {"command": "grep -rlw load lib | xargs sed -i 's/\\bload\\b/fetch/g'"},
                "[no output]",
            ),
        ),
        "I renamed load to fetch in every file in lib.",
    ),
    (
        "Where is MAX_SIZE defined?",
        (
            Step(
                "grep", {"pattern": "MAX_SIZE"}, "src/pool.py:14: MAX_SIZE = 8\n[1 match in 1 file]"
            ),
        ),
        "MAX_SIZE is defined in src/pool.py, line 14.",
    ),
    (
        "What does old.md say?",
        (Step("read", {"file_path": "old.md"}, "old.md does not exist", failed=True),),
        "There is no file old.md here.",
    ),
    (
        "Append 'Tuesday: gym' to week.txt",
        (Step("bash", {"command": "echo 'Tuesday: gym' >> week.txt"}, "[no output]"),),
        "I appended the line to week.txt.",
    ),
    (
        "Add a function neg to ops.py",
        (
            Step(
                "bash",
                {"command": "cat >> ops.py <<'END'\n\ndef neg(x):\n    return -x\nEND"},
                "[no output]",
            ),
        ),
        "I added the function neg to ops.py.",
    ),
    (
        "What age is Ana in people.csv?",
        (Step("read", {"file_path": "people.csv"}, "1\tname,age,city\n2\tAna,52,Porto"),),
        "Ana is 52.",
    ),
    (
        "What is the total of the column cost in bills.csv?",
        (
            Step(
                "bash",
                {
                    "command": "python3 -c \"import csv; print(sum(float(row['cost'])"
                    " for row in csv.DictReader(open('bills.csv'))))\""
                },
                "381.0",
            ),
        ),
        "The total is 381.",
    ),
    (
        "Change all http: to https: in links.md",
        (Step("bash", {"command": "sed -i 's/http:/https:/g' links.md"}, "[no output]"),),
        "I changed every http: to https: in links.md.",
    ),
    (
        "Remove the blank lines from data.txt",
        (Step("bash", {"command": "sed -i '/^$/d' data.txt"}, "[no output]"),),
        "I removed the blank lines from data.txt.",
    ),
    (
        "Sort list.csv",
        (Step("bash", {"command": "sort -o list.csv list.csv"}, "[no output]"),),
        "I sorted the lines of list.csv.",
    ),
    (
        "Find logo.svg",
        (Step("glob", {"pattern": "**/logo.svg"}, "web/img/logo.svg\n[1 file]"),),
        "It is web/img/logo.svg.",
    ),
    (
        "Write sim.py that prints 4 times 3, then run it",
        (
            Step(
                "write",
                {"file_path": "sim.py", "content": "print(4 * 3)\n"},
                "Wrote sim.py: 13 bytes, 1 line.",
            ),
            Step("bash", {"command": "python3 sim.py"}, "12"),
        ),
        "sim.py printed: 12",
    ),
    ("Who painted the Mona Lisa?", (), "Leonardo da Vinci painted the Mona Lisa."),
)
