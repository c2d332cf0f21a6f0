"""Slips in the arguments of a call that have one meaning only, and are put right.

- a line number of `read` that was copied into an edit
- an option of `find` for `ls`, and one parenthesis too many behind a program of one line
- a file that is to be sorted, and is only shown in order
- an edit that puts what is to be added in the place of what was there
- a program that is run by another language's interpreter, or by none without being executable,
  or shown where it was to be run
- a listing that is not counted, or with its heading, or sorted with it where one file is wanted
"""

from __future__ import annotations

import ast
import json
import os
import re
from pathlib import Path
from typing import Any

from ..model import CallChunk
from ..values import replace
from . import choice, intent, leftovers, restraint

#: What runs a program, by the ending of its name.
INTERPRETERS = {".py": "python3", ".sh": "bash", ".js": "node", ".rb": "ruby", ".pl": "perl"}
_NUMBERED = re.compile(r"^ *\d+\t", re.MULTILINE)
_RUN = re.compile(r"^(cat|bash|sh|python3?|node|ruby|perl) +([\w./-]+)((?: .*)?)$", re.DOTALL)
#: The heading of a listing, or the directory itself, comes before the largest file.
_ONE_LISTED = re.compile(
    r"^(?:ls +-[A-Za-z]*l|du +-[A-Za-z]*a)[A-Za-z]*\b([^|;&]*)"
    r"(?:\| *sort\b[^|;&]*)?\| *(?:head|tail) +-n? *1$"
)
_ORDERS = (
    (re.compile(r"\b(?:largest|biggest)\b", re.IGNORECASE), "ls -lS"),
    (re.compile(r"\bsmallest\b", re.IGNORECASE), "ls -lSr"),
    (re.compile(r"\b(?:newest|latest)\b", re.IGNORECASE), "ls -lt"),
    (re.compile(r"\boldest\b", re.IGNORECASE), "ls -ltr"),
)
_DIRECT = re.compile(r"^\./([\w./-]+)((?: .*)?)$", re.DOTALL)
_SHOWN_SORTED = re.compile(r"^(?:cat +([\w./-]+) *\| *)?sort((?: +-[A-Za-z]+)*)(?: +([\w./-]+))?$")
_LISTED = re.compile(r"^ls(?: +-[A-Za-z]+)?( +[\w./-]+)?$")
_HOW_MANY = re.compile(
    r"\b(?:how many|count|number of)\s+(?:(?:of|the|all)\s+)*files\b", re.IGNORECASE
)
#: An option of `find` that was given to `ls`, and the kind of file that is counted.
_FIND = re.compile(r"^ls( +[\w./-]+)? +-type f\b(.*)$")
_KIND = re.compile(r"(?:\b(python|shell|markdown|text)|(\.\w+)) files\b", re.IGNORECASE)
_ENDINGS = {"python": ".py", "shell": ".sh", "markdown": ".md", "text": ".txt"}
_PYTHON = re.compile(r"^(python3? -c )(['\"])(.*)\)\2$", re.DOTALL)
_COUNTED = re.compile(r"\bls +-[A-Za-z]*l[A-Za-z]*\b([^|;&]*)\| *wc +-l")


def amended(chunk: CallChunk, prompt: str, workspace: Path) -> CallChunk:
    """Return a call without the slips that are known."""
    arguments = restraint.parsed(chunk.arguments)
    if not isinstance(arguments, dict):
        return chunk
    if chunk.name == "edit":
        better = _edit(arguments, workspace / restraint.path_of(chunk))
        if intent.adds(prompt):
            better = _added(better, leftovers.text_of(workspace / restraint.path_of(chunk)))
    elif chunk.name == "bash" and isinstance(arguments.get("command"), str):
        better = {**arguments, "command": _command(arguments["command"], prompt, workspace)}
    else:
        return chunk
    if better == arguments:
        return chunk
    return replace(chunk, arguments=json.dumps(better, ensure_ascii=False))


def _edit(arguments: dict[str, Any], path: Path) -> dict[str, Any]:
    old, new = arguments.get("old_string"), arguments.get("new_string")
    if not isinstance(old, str) or not isinstance(new, str) or not path.is_file():
        return arguments
    plain = _NUMBERED.sub("", old)
    text = path.read_text(errors="replace")
    if old in text or plain not in text:
        return arguments
    return {**arguments, "old_string": plain, "new_string": _NUMBERED.sub("", new)}


def _added(arguments: dict[str, Any], text: str) -> dict[str, Any]:
    old, new = arguments.get("old_string"), arguments.get("new_string")
    if not isinstance(old, str) or not isinstance(new, str) or not new.strip():
        return arguments
    kept = {line.strip() for line in old.splitlines()} - {""}
    whole = kept <= {line.strip() for line in text.splitlines()}
    if not kept or not whole or kept & {line.strip() for line in new.splitlines()}:
        return arguments
    apart = "\n\n\n" if new.startswith(("def ", "class ")) else "\n"
    return {**arguments, "new_string": f"{old.rstrip()}{apart}{new}"}


def _command(command: str, prompt: str, workspace: Path) -> str:
    """Return what a command was meant to be: the first slip that is found is put right."""
    for mended in _SLIPS:
        if better := mended(command, prompt, workspace):
            return better
    return command


def _run(command: str, prompt: str, workspace: Path) -> str:
    match = _RUN.match(command)
    if not match or not (workspace / match[2]).is_file():
        return ""
    runs = INTERPRETERS.get(Path(match[2]).suffix, "")
    wrong = match[1] == "cat" and not match[3] and choice.is_run(prompt, workspace)
    if runs and (wrong or (match[1] != "cat" and not same(match[1], runs))):
        return f"{runs} {match[2]}{match[3]}"
    return ""


def _run_directly(command: str, _: str, workspace: Path) -> str:
    match = _DIRECT.match(command)
    path = workspace / match[1] if match else workspace
    if not match or not path.is_file() or os.access(path, os.X_OK):
        return ""
    runs = INTERPRETERS.get(path.suffix, "")
    return f"{runs} {match[1]}{match[2]}" if runs else ""


def _sorted_in_place(command: str, prompt: str, workspace: Path) -> str:
    match = _SHOWN_SORTED.match(command)
    path = (match[1] or match[3]) if match else None
    if not match or not path or not intent.wants_change(prompt, workspace):
        return ""
    alone = intent.files(prompt, workspace) == [path]
    if alone and not intent.name_in(prompt.replace(path, "")):
        return f"sort -o {path}{match[2]} {path}"
    return ""


def _one_of_a_listing(command: str, prompt: str, _: Path) -> str:
    match = _ONE_LISTED.match(command)
    if not match:
        return ""
    listing = next((flags for words, flags in _ORDERS if words.search(prompt)), "")
    return f"{listing} {match[1].strip()}".rstrip() + " | grep '^-' | head -n 1" if listing else ""


def _counted(command: str, prompt: str, _: Path) -> str:
    if (match := _LISTED.match(command)) and _HOW_MANY.search(prompt):
        return f"ls{match[1] or ''} | wc -l"
    return _COUNTED.sub(r"ls\1| wc -l", command) if _COUNTED.search(command) else ""


def _found(command: str, prompt: str, _: Path) -> str:
    match = _FIND.match(command)
    if not match:
        return ""
    kind = _KIND.search(prompt)
    ending = _ENDINGS.get((kind[1] or "").lower(), kind[2]) if kind else ""
    named = f" -name '*{ending}'" if ending and "-name" not in command else ""
    return f"find{match[1] or ' .'} -type f{named}{match[2]}"


def _closed_once(command: str, _prompt: str, _workspace: Path) -> str:
    match = _PYTHON.match(command)
    if match and not _is_python(f"{match[3]})") and _is_python(match[3]):
        return f"{match[1]}{match[2]}{match[3]}{match[2]}"
    return ""


def _is_python(code: str) -> bool:
    try:
        ast.parse(code)
    except (SyntaxError, ValueError):
        return False
    return True


_SLIPS = (
    _run,
    _run_directly,
    _sorted_in_place,
    _one_of_a_listing,
    _counted,
    _found,
    _closed_once,
)


def same(one: str, other: str) -> bool:
    """Return whether two interpreters are of one language."""
    return one == other or {one, other} <= {"sh", "bash"} or {one, other} <= {"python", "python3"}
