"""What a model, or who speaks through it, may ask of the tools that need no rule.

Each list has the arguments of one tool that are meant to freeze, to fill, to escape or to
break it, in a workspace that is as bad (`tree`). None of them may keep a run from ending.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

#: Names that are no names, roads out, and places where reading never ends.
PATHS = [
    "", ".", "..", "/", "~", "-", "\0", "a\0b", "\n", " ", "\u202e", "x" * 300, "a/" * 2100 + "a",
    "a/" * 100_000, "../" * 100_000 + "etc/passwd", "../" * 40 + "etc/passwd",
    "/etc/passwd", "/proc/self/environ", "/proc/self/mem", "/proc/kcore",
    "/dev/zero", "/dev/stdin", "/dev/tty", "fifo", "loop", "deep", "zero", "huge",
    "wide", "lines", "binary", "nowhere", "socket", "dir", "dir/fifo", "\udcff", "::error::x",
    "file:///etc/passwd", "*", "[", "$(sleep 60)", "`x`; rm -rf .",
]  # fmt: skip
#: Patterns whose matching or compiling is dear.
GLOBS = [
    "**/" * 1000 + "x", "**/**/**/**/*.py", "*" * 2000, "?" * 2000, "[" * 500, "[!" + "a" * 4000,
    "{a,b}" * 60, "{" * 400, "{a,{b,{c,{d,{e,{f}}}}}}", "*a" * 200 + "b", "**/*a*a*a*a*a*a*a*a*b",
    "/**", "../**", "~/**", "", "**", "***", "\\", "\\" * 999, "[z-a]", "[]", "[!]", "[[:alpha:]]",
    "\0", "**/\0", "\u202e**", "./././././*", "**/../**", "//**//", "!**", "deep/**/x",
    "?" * 400_000, "*a" * 200_000, "[a-z]" * 60_000, "[/" * 100_000, "!(" * 100_000,
    "{a," * 900 + "b" + "}" * 900, "{a," * 5000 + "b" + "}" * 5000, "{a}" * 20_000,
    "{" + ",".join("x" * 2000 for _ in range(250)) + "}", "huge/**", "{,}" * 300,
    "wide/{" + ",".join(map(str, range(3000))) + "}", "**/.git/**",
]  # fmt: skip
REGEXES = [
    "(a+)+$", "(a|a)*b", "(a|aa)+$", "(.*)*x", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$",
    "(?:a?){40}a{40}", "a{1,1000}{1,1000}", "((a{1,100}){1,100}){1,100}", "(" * 500,
    ")" * 500, "[" * 500, "[a-", "\\", "(?<x>", "(?P<x>a)(?P=x)", "\\1", "(?i)" * 50, "(?=a*)*b",
    "(?!x)*", "(?<=a+)b", "\\p{L}+", "\\p{Nope}", ".*" * 300, "^.*$" * 50, "\0", "", " ", "$^",
    "a|" * 5000, "x" * 60_000, "(?s).*(?s).*", "[\\d\\D]{0,100000}", "(?R)", "(*UTF8)a",
]  # fmt: skip
NUMBERS: list[Any] = [-1, 2**31, 2**63, 10**400, 0.5, "5", None, True, [], {}]

INPUTS: dict[str, list[dict[str, Any]]] = {
    "read": [
        *({"file_path": path} for path in PATHS),
        *({"file_path": "lines", "offset": number} for number in NUMBERS),
        *({"file_path": "wide", "column": number} for number in NUMBERS),
        *({"file_path": "lines", "limit": number} for number in NUMBERS),
        {"file_path": "tail", "offset": 2},
        {"file_path": ["lines"]}, {"path": "lines"}, {},
    ],
    "ls": [*({"path": path} for path in PATHS), {"path": 1}, {"path": {}}, {"x": "."}],
    "glob": [
        *({"pattern": pattern} for pattern in GLOBS),
        *({"pattern": "**", "path": path} for path in PATHS),
        {"pattern": ["**"]}, {},
    ],
    "grep": [
        *({"pattern": regex} for regex in REGEXES),
        *({"pattern": "a", "glob": pattern} for pattern in GLOBS),
        *({"pattern": "a", "path": path} for path in PATHS),
        *({"pattern": "a", "context": number} for number in NUMBERS),
        {"pattern": 1}, {},
    ],
}  # fmt: skip


def tree(root: Path) -> None:
    """Fill a workspace with what is bad to read, to list and to search."""
    os.mkfifo(root / "fifo")
    (root / "dir").mkdir()
    os.mkfifo(root / "dir/fifo")
    (root / "loop").symlink_to("loop")
    (root / "around").symlink_to(".")
    (root / "zero").symlink_to("/dev/zero")
    (root / "nowhere").symlink_to("/nonexistent/x")
    (root / "wide").write_text("a" * 3_000_000)
    (root / "lines").write_text("a\n" * 300_000)
    (root / "binary").write_bytes(bytes(range(256)) * 1000)
    with (root / "huge").open("wb") as file:
        file.truncate(1 << 40)
    with (root / "tail").open("wb") as file:
        file.write(b"a" * 9000 + b"\n")
        file.truncate(1 << 40)
    place = root / "deep"
    for _ in range(150):
        place /= "deeper"
    place.mkdir(parents=True)
    rules = "".join(f"**/a{n}*b/**/c{n}\n" for n in range(5000))
    for number in range(60):
        (root / f"d{number}").mkdir()
        (root / f"d{number}/.gitignore").write_text(rules)
        (root / f"d{number}/a.py").write_text("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\n")
    for number, name in enumerate(("\x1b[2J", "::error::x", "a\nb", "\u202e", "-rf", "\udcff")):
        (root / os.fsencode(name).decode("utf-8", "surrogateescape")).write_text(f"a{number}\n")
