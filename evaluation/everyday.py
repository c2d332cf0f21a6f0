"""Thirty jobs that people try first, each in variants: questions here, changes in `changes`.

A job is a function of a random generator. The seed chooses how it is said and what the
names and numbers are, so that three seeds are three sets of tasks, and a score comes with
its spread. Checks look at the directory and at what the tools printed; of the answer they
ask only for the fact that was asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from random import Random

from .tasks import Outcome, Task

Job = Callable[[Random], Task]

WORDS = (
    *("otter", "heron", "birch", "copper", "ember", "tundra", "lagoon", "saffron", "walnut"),
    *("gravel", "pewter", "thistle", "cobalt", "juniper", "marble", "falcon", "quarry"),
    *("willow", "basalt", "meadow"),
)
NUMBERS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve"),
)


def words(r: Random, count: int) -> list[str]:
    """Return different made-up names."""
    return r.sample(WORDS, count)


def says_number(outcome: Outcome, number: int) -> bool:
    """Whether the answer has this number, in digits or as a small number's name."""
    digits = re.sub(r"(?<=\d),(?=\d{3})", "", outcome.answer)
    found = re.findall(r"(?<![\d.])\d+(?!\.?\d|\.[1-9])", re.sub(r"\.0+(?!\d)", "", digits))
    spoken = number < len(NUMBERS) and re.search(rf"\b{NUMBERS[number]}\b", digits, re.IGNORECASE)
    return str(number) in found or bool(spoken)


def list_here(r: Random) -> Task:
    names = [f"{word}.{r.choice(('txt', 'py', 'csv', 'md'))}" for word in words(r, 6)]
    prompt = r.choice(
        ("Which files are here?", "What files are in this directory?", "List the files here.")
    )
    return Task(
        "which files are here",
        prompt,
        lambda o: all(name in o.answer for name in names),
        dict.fromkeys(names, "x\n"),
    )


def use_whoami(r: Random) -> Task:
    import getpass

    prompt = r.choice(("Use whoami", "Who am I on this machine? Use whoami.", "Run whoami"))
    name = re.escape(getpass.getuser())
    return Task("whoami", prompt, lambda o: o.says(rf"\b{name}\b") and o.saw(name))


def use_uname(r: Random) -> Task:
    import platform

    prompt = r.choice(
        (
            "Use uname -s to get the operating system",
            "Which operating system is this? Use uname -s.",
            "Run uname -s and tell me the result",
        )
    )
    system = platform.system()
    return Task("uname", prompt, lambda o: o.says(system) and o.saw(system))


def show_file(r: Random) -> Task:
    lines = [f"{a} {r.randrange(100, 999)}" for a in words(r, 3)]
    name = r.choice(("notes.txt", "motd.txt", "plan.txt"))
    prompt = r.choice((f"Show me {name}", f"Print {name}", f"Show the contents of {name}"))
    return Task(
        "show a file",
        prompt,
        lambda o: all(line in o.answer for line in lines),
        {name: "\n".join(lines) + "\n"},
    )


def explain_file(r: Random) -> Task:
    verb, made = r.choice((("upper", "upper|capital"), ("[::-1]", "revers"), ("sorted", "sort")))
    body = {
        "upper": "print(sys.argv[1].upper())",
        "[::-1]": "print(sys.argv[1][::-1])",
        "sorted": "print(' '.join(sorted(sys.argv[1:])))",
    }[verb]
    prompt = r.choice(("Explain tool.py", "What does tool.py do?", "Describe what tool.py does."))
    return Task(
        "explain a file",
        prompt,
        lambda o: bool(o.tools) and o.says(made),
        {"tool.py": f"import sys\n\n{body}\n"},
    )


def count_files(r: Random) -> Task:
    count = r.randrange(5, 12)
    files = {f"{word}.{r.choice(('txt', 'csv'))}": word for word in words(r, count)}
    prompt = r.choice(
        (
            "How many files are in this directory?",
            "Count the files here.",
            "How many files are there in the current folder?",
        )
    )
    return Task("count files", prompt, lambda o: says_number(o, count), files)


def count_kind(r: Random) -> Task:
    count = r.randrange(3, 7)
    files = {f"src/{word}.py": "pass\n" for word in words(r, count)}
    files |= {"src/readme.md": "py\n", "src/data.json": "{}\n", "main.c": "int a;\n"}
    prompt = r.choice(
        (
            "How many Python files are in src?",
            "Count the .py files in the src folder.",
            "How many files end in .py in src?",
        )
    )
    return Task("count files of a kind", prompt, lambda o: says_number(o, count), files)


def count_lines(r: Random) -> Task:
    count = r.randrange(13, 40)
    text = "".join(f"{r.choice(WORDS)} {n}\n" for n in range(count))
    prompt = r.choice(
        (
            "How many lines does log.txt have?",
            "Count the lines in log.txt",
            "What is the number of lines in log.txt?",
        )
    )
    return Task("count lines", prompt, lambda o: says_number(o, count), {"log.txt": text})


def look_up(r: Random) -> Task:
    port, host = r.randrange(2000, 9999), r.choice(WORDS)
    config = {"name": r.choice(WORDS), "server": {"host": host, "port": port}, "debug": True}
    prompt = r.choice(
        (
            "Which port is configured in settings.json?",
            "What is the port in settings.json?",
            "Look up the server port in settings.json",
        )
    )
    return Task(
        "look up a setting",
        prompt,
        lambda o: says_number(o, port) and not o.says(host),
        {"settings.json": json.dumps(config, indent=2)},
    )


def where_defined(r: Random) -> Task:
    name, *files = words(r, 4)
    home = r.choice(files)
    prompt = r.choice(
        (
            f"Where is the function {name} defined?",
            f"Which file defines the function {name}?",
            f"In which file is def {name}?",
        )
    )
    contents = {f"lib/{f}.py": f"def {f}_main():\n    return 1\n" for f in files}
    contents[f"lib/{home}.py"] += f"\n\ndef {name}(x):\n    return x\n"
    others = "|".join(f for f in files if f != home)
    return Task(
        "where defined",
        prompt,
        lambda o: o.says(rf"{home}\.py") and not o.says(rf"({others})\.py"),
        contents,
    )


def run_script(r: Random) -> Task:
    a, b = r.randrange(31, 99), r.randrange(31, 99)
    prompt = r.choice(
        ("Run calc.py", "Execute calc.py and tell me what it prints.", "What does calc.py print?")
    )
    return Task(
        "run a script",
        prompt,
        lambda o: says_number(o, a * b),
        {"calc.py": f"total = {a} * {b}\nprint('total:', total)\n"},
    )


def why_failing(r: Random) -> Task:
    key = r.choice(WORDS)
    prompt = r.choice(
        ("Run report.py. Why does it fail?", "report.py crashes. Why?", "Why does report.py fail?")
    )
    return Task(
        "why it fails",
        prompt,
        lambda o: bool(o.tools) and o.says(rf"({key}|KeyError)"),
        {"report.py": f"prices = {{'tea': 3}}\nprint(prices['{key}'])\n"},
    )


def sum_column(r: Random) -> Task:
    rows = [(word, r.randrange(2, 90)) for word in words(r, 5)]
    total = sum(n for _, n in rows)
    text = "item,amount\n" + "".join(f"{word},{n}\n" for word, n in rows)
    prompt = r.choice(
        (
            "What is the sum of the amount column in sales.csv?",
            "Add up the amounts in sales.csv",
            "What is the total amount in sales.csv?",
        )
    )
    return Task("sum a column", prompt, lambda o: says_number(o, total), {"sales.csv": text})


def largest(r: Random) -> Task:
    names = words(r, 4)
    sizes = r.sample(range(100, 9000, 50), 4)
    biggest = names[sizes.index(max(sizes))]
    prompt = r.choice(
        ("Which file is the largest?", "What is the biggest file here?", "Find the largest file.")
    )
    others = "|".join(name for name in names if name != biggest)
    return Task(
        "largest file",
        prompt,
        lambda o: o.says(rf"{biggest}\.bin") and not o.says(rf"({others})\.bin"),
        {f"{name}.bin": "b" * size for name, size in zip(names, sizes, strict=True)},
    )


def missing_file(r: Random) -> Task:
    name, other = words(r, 2)
    prompt = r.choice(
        (f"What does {name}.txt say?", f"Show me {name}.txt", f"Summarise {name}.txt")
    )
    return Task(
        "missing file",
        prompt,
        lambda o: o.says(r"(no\b|not|n't|cannot|missing)") and o.names() == [f"{other}.txt"],
        {f"{other}.txt": "something else\n"},
    )


QUESTIONS: tuple[Job, ...] = (
    *(list_here, use_whoami, use_uname, show_file, explain_file),
    *(count_files, count_kind, count_lines, look_up, where_defined),
    *(run_script, why_failing, sum_column, largest, missing_file),
)
