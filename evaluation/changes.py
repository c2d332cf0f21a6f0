"""The changes among the thirty everyday jobs, scored by what is in the directory afterwards."""

from __future__ import annotations

import json
from random import Random

from .everyday import QUESTIONS, Job, says_number, words
from .tasks import Outcome, Task, loaded, printed


def fix_function(r: Random) -> Task:
    body, wrong, call, right = r.choice(
        (
            ("def area(w, h):\n    return w {} h\n", "+", "area(3, 5)", "15"),
            ("def minus(a, b):\n    return a {} b\n", "+", "minus(9, 4)", "5"),
            ("def is_even(n):\n    return n % 2 {} 0\n", "!=", "is_even(4)", "True"),
        )
    )
    name = call.partition("(")[0]
    prompt = r.choice(
        (
            f"Fix the bug in {name}.py",
            f"The function in {name}.py returns a wrong result. Fix it.",
            f"{name}.py has a bug: {call} should be {right}. Fix it.",
        )
    )

    def check(o: Outcome) -> bool:
        source = o.reads(f"{name}.py") or ""
        (o.directory / "check.py").write_text(f"from {name} import {name}\nprint({call})\n")
        return source.count("def ") == 1 and printed(o, "check.py") == right

    return Task("fix a function", prompt, check, {f"{name}.py": body.format(wrong)})


def fix_syntax(r: Random) -> Task:
    word = words(r, 1)[0]
    source = r.choice((f"for i in range(2)\n    print('{word}')\n", f"print('{word}'\n"))
    expected = word if source.startswith("print") else f"{word}\n{word}"
    prompt = r.choice(
        (
            "main.py has a syntax error. Fix it.",
            "Fix main.py so that it runs.",
            "Repair the syntax error in main.py",
        )
    )
    return Task(
        "fix a syntax error", prompt, lambda o: printed(o, "main.py") == expected,
        {"main.py": source},
    )  # fmt: skip


def set_value(r: Random) -> Task:
    old, new = r.sample(range(10, 99), 2)
    prompt = r.choice(
        (
            f"Set retries to {new} in app.ini",
            f"Change retries from {old} to {new} in app.ini",
            f"In app.ini, retries should be {new}.",
        )
    )
    text = "[net]\nhost = north\nretries = {}\n\n[log]\nlevel = info"
    return Task(
        "set a value", prompt, lambda o: o.reads("app.ini") == text.format(new),
        {"app.ini": text.format(old) + "\n"},
    )  # fmt: skip


def rename_function(r: Random) -> Task:
    old, new = words(r, 2)
    prompt = r.choice(
        (
            f"Rename the function {old} to {new} in shop.py",
            f"In shop.py rename {old} to {new}.",
            f"The function {old} in shop.py should be called {new}.",
        )
    )
    source = f"def {old}(n):\n    return n * 7\n\n\nprint({old}(6))\n"
    return Task(
        "rename a function",
        prompt,
        lambda o: (
            o.holds("shop.py", rf"def {new}\(")
            and old not in (o.reads("shop.py") or old)
            and printed(o, "shop.py") == "42"
        ),
        {"shop.py": source},
    )


def add_function(r: Random) -> Task:
    name, call, right, said = r.choice(
        (
            ("triple", "triple(5)", "15", "returns three times its argument"),
            ("greet", "greet('Bo')", "Hello, Bo", "takes a name and returns 'Hello, NAME'"),
            ("last", "last([4, 8])", "8", "returns the last element of a list"),
        )
    )
    prompt = r.choice(
        (
            f"Add a function {name} to lib.py that {said}.",
            f"lib.py needs a function {name} that {said}. Add it.",
        )
    )

    def check(o: Outcome) -> bool:
        (o.directory / "check.py").write_text(
            f"from lib import base, {name}\nprint({call}, base())\n"
        )
        return printed(o, "check.py") == f"{right} 1"

    return Task("add a function", prompt, check, {"lib.py": "def base():\n    return 1\n"})


def new_script(r: Random) -> Task:
    said, right = r.choice(
        (
            ("prints the even numbers from 2 to 10, one per line", "2\n4\n6\n8\n10"),
            ("prints the word echo five times, one per line", "\n".join(["echo"] * 5)),
            ("prints the sum of the numbers from 1 to 100", "5050"),
        )
    )
    prompt = r.choice(
        (
            f"Write a Python script job.py that {said}.",
            f"Create job.py, a Python program that {said}.",
        )
    )
    return Task("write a script", prompt, lambda o: printed(o, "job.py") == right)


def write_and_run(r: Random) -> Task:
    a, b = r.randrange(200, 900), r.randrange(200, 900)
    prompt = r.choice(
        (
            f"Write mul.py that prints {a} times {b}, then run it and tell me the result.",
            f"Create mul.py which prints the product of {a} and {b}. Run it. What does it print?",
        )
    )
    return Task(
        "write and run",
        prompt,
        lambda o: printed(o, "mul.py").endswith(str(a * b)) and says_number(o, a * b),
    )


def new_file(r: Random) -> Task:
    line = " ".join(words(r, 4))
    path = r.choice(("hello.txt", "notes/hello.txt", "hello.md"))
    prompt = r.choice(
        (
            f"Create {path} with the text: {line}",
            f"Write '{line}' into a new file {path}",
            f"Make a file {path} that contains: {line}",
        )
    )
    return Task("new file", prompt, lambda o: o.reads(path) == line)


def new_json(r: Random) -> Task:
    name, age = words(r, 1)[0], r.randrange(20, 80)
    prompt = r.choice(
        (
            f"Create person.json with name {name} and age {age}",
            f'Write a JSON file person.json: name "{name}", age {age}.',
        )
    )
    return Task(
        "new JSON", prompt, lambda o: loaded(o, "person.json") == {"name": name, "age": age}
    )


def change_json(r: Random) -> Task:
    before = {"name": "boat", "version": "1.0.0", "tags": ["a", "b"]}
    after = {**before, "version": f"{r.randrange(2, 9)}.{r.randrange(9)}.0"}
    prompt = r.choice(
        (
            f"Change the version in package.json to {after['version']}",
            f"Set the version to {after['version']} in package.json",
            f"Update package.json: the version is now {after['version']}.",
        )
    )
    return Task(
        "change JSON", prompt, lambda o: loaded(o, "package.json") == after,
        {"package.json": json.dumps(before, indent=2) + "\n"},
    )  # fmt: skip


def remove_lines(r: Random) -> Task:
    kept = [f"{word} ready" for word in words(r, 4)]
    lines = [*kept[:2], "debug: one", *kept[2:], "debug: two"]
    prompt = r.choice(
        (
            "Remove the lines that begin with debug from out.log",
            "Delete all debug lines from out.log",
            "In out.log, remove every line that contains debug.",
        )
    )
    return Task(
        "remove lines", prompt, lambda o: (o.reads("out.log") or "").split("\n") == kept,
        {"out.log": "\n".join(lines) + "\n"},
    )  # fmt: skip


def sort_lines(r: Random) -> Task:
    lines = words(r, 5)
    prompt = r.choice(
        (
            "Sort the lines of names.txt alphabetically",
            "Sort names.txt in place.",
            "Put the lines of names.txt into alphabetical order",
        )
    )
    return Task(
        "sort in place", prompt, lambda o: (o.reads("names.txt") or "").split() == sorted(lines),
        {"names.txt": "\n".join(lines) + "\n"},
    )  # fmt: skip


def move_kind(r: Random) -> Task:
    names = words(r, 3)
    prompt = r.choice(
        (
            "Move all .log files into a folder logs",
            "Create a directory logs and move the log files into it.",
            "Put every .log file into a new folder named logs.",
        )
    )
    return Task(
        "move files",
        prompt,
        lambda o: (
            sorted(p.name for p in o.directory.glob("logs/*"))
            == sorted(f"{name}.log" for name in names)
            and o.names() == ["keep.txt", "logs"]
        ),
        {**{f"{name}.log": name for name in names}, "keep.txt": "k\n"},
    )


def extract(r: Random) -> Task:
    found = [f"{word}@example.com" for word in words(r, 3)]
    text = f"Ask {found[0]} first.\nNo address here.\nThen {found[1]} or {found[2]}.\n"
    prompt = r.choice(
        (
            "Extract all email addresses from mail.txt into emails.txt, one per line.",
            "Find the email addresses in mail.txt and save them to emails.txt, one per line.",
        )
    )
    return Task(
        "extract", prompt, lambda o: (o.reads("emails.txt") or "").split() == found,
        {"mail.txt": text},
    )  # fmt: skip


def ask_nothing(r: Random) -> Task:
    prompt, right = r.choice(
        (
            ("What is the capital of Norway?", "Oslo"),
            ("Who wrote Hamlet?", "Shakespeare"),
            ("In one sentence: what is a hash table?", "key"),
        )
    )
    return Task("no tool needed", prompt, lambda o: o.says(right) and not o.tools)


CHANGES: tuple[Job, ...] = (
    *(fix_function, fix_syntax, set_value, rename_function, add_function),
    *(new_script, write_and_run, new_file, new_json, change_json),
    *(remove_lines, sort_lines, move_kind, extract, ask_nothing),
)


def everyday(seed: int) -> tuple[Task, ...]:
    """Return the thirty jobs of a seed."""
    return tuple(job(Random(f"{seed} {job.__name__}")) for job in (*QUESTIONS, *CHANGES))
