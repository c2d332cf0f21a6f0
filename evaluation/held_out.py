"""Twenty more jobs, which had no part in writing the prompt.

They are only ever measured. A change of the prompt that follows from one of
these failures ends their use: then new ones have to be written.
"""

from __future__ import annotations

from .tasks import Task, printed

THIRD = (
    Task(
        "count entries",
        "How many files are there in this folder?",
        lambda o: o.says(r"\b(7|seven)\b"),
        {f"{name}.dat": name for name in ("ab", "cd", "ef", "gh", "ij", "kl", "mn")},
    ),
    Task(
        "one line",
        "What does line 3 of recipe.txt say?",
        lambda o: o.says("fold in the saffron") and not o.says("whisk"),
        {"recipe.txt": "Warm the milk.\nWhisk two eggs.\nFold in the saffron.\nBake.\n"},
    ),
    Task(
        "show a file",
        "Print the contents of motd.txt",
        lambda o: o.says("gate 14 opens at dusk"),
        {"motd.txt": "Gate 14 opens at dusk.\n"},
    ),
    Task(
        "write numbers",
        "Create a file numbers.txt containing the numbers 1 to 10, one per line.",
        lambda o: (o.reads("numbers.txt") or "").split() == [str(n) for n in range(1, 11)],
    ),
    Task(
        "change a name",
        "Change the name of draft.md to final.md",
        lambda o: o.reads("final.md") == "# Essay" and not o.exists("draft.md"),
        {"draft.md": "# Essay\n"},
    ),
    Task(
        "delete a directory",
        "Delete the directory build and everything in it.",
        lambda o: not o.exists("build") and o.exists("src/a.c"),
        {"build/a.o": "x", "build/lib/b.o": "y", "src/a.c": "int a;\n"},
    ),
    Task(
        "change a title",
        "In README.md replace the title 'Old Name' by 'New Name'.",
        lambda o: o.reads("README.md") == "# New Name\n\nA tool for rivers.",
        {"README.md": "# Old Name\n\nA tool for rivers.\n"},
    ),
    Task(
        "find all",
        "Which files contain the text TODO?",
        lambda o: o.says(r"pump\.c", r"valve\.c") and not o.says(r"(tank|pipe)\.c"),
        {
            "pump.c": "int p; // TODO: prime\n",
            "tank.c": "int t;\n",
            "valve.c": "/* TODO */\n",
            "pipe.c": "int q;\n",
        },
    ),
    Task(
        "run tests",
        "Run the tests with python3 test_sum.py. Do they pass?",
        lambda o: o.says(r"(fail|not pass|don't pass|no\b)"),
        {
            "test_sum.py": "import sys\nprint('test_zero ok')\n"
            "print('test_minus FAILED')\nsys.exit(1)\n"
        },
    ),
    Task(
        "script and run",
        "Create a bash script hello.sh that prints Hello, then run it.",
        lambda o: o.holds("hello.sh", "echo.*[Hh]ello") and "bash" in o.tools,
    ),
    Task(
        "copy across",
        "Copy the file data/input.csv to backup/input.csv",
        lambda o: o.reads("backup/input.csv") == "a,b\n1,2" and o.exists("data/input.csv"),
        {"data/input.csv": "a,b\n1,2\n"},
    ),
    Task(
        "read a setting",
        "What is the value of timeout in settings.yaml?",
        lambda o: o.says(r"\b45\b"),
        {"settings.yaml": "host: delta\nretries: 3\ntimeout: 45\nverbose: false\n"},
    ),
    Task(
        "find a line",
        "Which line of server.log mentions a refused connection?",
        lambda o: o.says(r"(\b3\b|third|10\.0\.0\.9)"),
        {"server.log": "start\nlisten 80\nconnection refused from 10.0.0.9\nstop\n"},
    ),
    Task(
        "remove a line",
        "Remove the line containing 'beta' from features.txt",
        lambda o: o.reads("features.txt") == "alpha\ngamma",
        {"features.txt": "alpha\nbeta\ngamma\n"},
    ),
    Task(
        "size of a file",
        "How many bytes does photo.raw have?",
        lambda o: o.says(r"\b1[, ]?234\b"),
        {"photo.raw": "p" * 1234},
    ),
    Task(
        "list below",
        "List all markdown files, also those in subdirectories.",
        lambda o: o.says(r"top\.md", r"inner\.md", r"deep\.md") and not o.says(r"other\.txt"),
        {"top.md": "", "a/inner.md": "", "a/b/deep.md": "", "a/other.txt": ""},
    ),
    Task(
        "several files",
        "Create three empty files: one.txt, two.txt and three.txt",
        lambda o: all(o.reads(f"{name}.txt") == "" for name in ("one", "two", "three")),
    ),
    Task(
        "comment code",
        "Add the comment '# area of a circle' as the first line of area.py",
        lambda o: (
            (o.reads("area.py") or "").split("\n")[:2] == ["# area of a circle", "PI = 3"]
            and printed(o, "area.py") == "12"
        ),
        {"area.py": "PI = 3\nprint(PI * 2 * 2)\n"},
    ),
    Task(
        "calculate",
        "Use Python to calculate 17 to the power of 5.",
        lambda o: o.says(r"1[, ]?419[, ]?857"),
    ),
    Task(
        "write a text",
        "Write a haiku about the sea into haiku.txt",
        lambda o: len([x for x in (o.reads("haiku.txt") or "").split("\n") if x.strip()]) >= 3,
    ),
)
