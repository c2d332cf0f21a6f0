"""Whether an answer reports what the tools printed, and the words to add if it does not.

"I used uname -s to get the operating system" is a small model's idea of an answer. The
test is cheap and general: of what came out, something that the prompt did not already
contain has to occur in the answer. If nothing does, what came out is put behind it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..messages import Message, ToolResult
from ..values import replace
from . import intent
from .prompt import is_absent

#: Characters and lines of an output that are put behind an answer.
MOST, LINES = 1500, 40
_NOTE = re.compile(r"^\[.*\]$")
_NUMBERED = re.compile(r"^ *\d+\t", re.MULTILINE)
_SIZED = re.compile(r"^ *(?:\d+|-) (?=\S)", re.MULTILINE)
_FACT = re.compile(r"[\w@][\w.@:/+-]*\w|\d")
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_SPOKEN = {
    word: str(number)
    for number, word in enumerate(
        (
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        )
    )
} | {"no": "0", "none": "0"}
#: What a program prints is wanted to the letter, if that is short.
_PRINTED = re.compile(r"\b(?:prints?|outputs?)\b", re.IGNORECASE)
SHORT = 5
_SIZES = re.compile(r"\b(?:bytes?|[kmg]b|size|big|large|largest|biggest)\b", re.IGNORECASE)
_ABSENCE = re.compile(r"\b(?:no|not|none|cannot|missing)\b|n't\b", re.IGNORECASE)
#: Words that occur in every sentence, and say nothing.
_COMMON = frozenset(
    (
        *("the", "and", "for", "with", "this", "that", "from", "are", "was", "were", "has"),
        *("have", "not", "but", "you", "your", "its", "file", "files", "line", "lines", "error"),
        *("name", "none", "true", "false", "import", "def", "return", "print", "class", "self"),
    )
)


def reported(output: str, tool: str) -> str:
    """Return an output without what the tool adds: line numbers, sizes, notes."""
    if tool == "read":
        output = _NUMBERED.sub("", output)
    if tool == "ls":
        output = _SIZED.sub("", output)
    lines = [line for line in output.splitlines() if not _NOTE.match(line)]
    return "\n".join(lines).strip("\n")


def outputs_since(messages: Sequence[Message]) -> list[ToolResult]:
    """Return the results since the user last spoke, the newest first."""
    found: list[ToolResult] = []
    for message in reversed(messages):
        if message.role == "user":
            break
        found += [part for part in reversed(message.parts) if isinstance(part, ToolResult)]
    return found


def facts(text: str) -> set[str]:
    """Return what tells a text from others: its names and numbers, in lower case."""
    found = {word.lower().strip(".:/") for word in _FACT.findall(text)}
    return {word for word in found if (len(word) > 2 or word.isdigit()) and word not in _COMMON}


def missing(answer: str, prompt: str, results: Sequence[ToolResult]) -> str:
    """Return what has to be put behind an answer so that it reports what came out; often nothing.

    `results` are those since the prompt, the newest first.
    """
    if not results:
        return ""
    newest = reported(results[0].output, results[0].name)
    absent = results[0].failed and is_absent(newest) and _ABSENCE.search(answer)
    if not newest.strip() or absent or is_grounded(answer, prompt, results, newest):
        return ""
    lines = newest.splitlines()
    kept = "\n".join(lines[:LINES])[:MOST]
    return kept if kept == newest else f"{kept}\n…"


def is_grounded(answer: str, prompt: str, results: Sequence[ToolResult], newest: str) -> bool:
    """Return whether an answer has something of the results that the prompt did not have."""
    if intent.wants_list(prompt):
        names = [line.strip().rstrip("/@*") for line in newest.splitlines()]
        return len(names) > LINES or all(name in answer for name in names)
    if intent.wants_number(prompt):
        printed = printed_numbers(prompt, results)
        return bool(numbers(answer) & printed or ("0" in printed and _ABSENCE.search(answer)))
    lines = newest.splitlines()
    ran = results[0].name == "bash" and not results[0].failed
    if ran and _PRINTED.search(prompt) and len(lines) <= SHORT:
        return all(line.strip() in answer for line in lines)
    asked, said = facts(prompt), facts(answer)
    fresh: set[str] = set()
    if results[0].failed:  # an error is named by its last line
        results = [replace(results[0], output=newest.splitlines()[-1])]
    for result in results:
        fresh |= facts(reported(result.output, result.name)) - asked
    if not fresh or said & fresh:
        return True
    # `heron` reports `heron.txt`, and `errors` an error.
    long = [word for word in said - asked if len(word) > 3]
    return any(word in one or (len(one) > 3 and one in word) for word in long for one in fresh)


def printed_numbers(prompt: str, results: Sequence[ToolResult]) -> set[str]:
    """Return the numbers that an answer may have: those that were printed, and how many lines."""
    found = {"0"} if any(result.failed for result in results) else set()
    for result in results:
        shown = reported(result.output, result.name)
        found |= {str(len(shown.splitlines()))}
        found |= numbers(result.output if _SIZES.search(prompt) else shown)
    return found


def numbers(text: str) -> set[str]:
    """Return the numbers in a text: without separators of thousands, and without zeros behind."""
    words = re.findall(r"[a-z]+", text.lower()) if len(text) < MOST else ()
    found = {_SPOKEN[word] for word in words if word in _SPOKEN}
    for written in _DIGITS.findall(text):
        whole = re.sub(r",(?=\d{3}\b)", "", written)
        found.add(whole.rstrip("0").rstrip(".") if "." in whole else whole)
    return found
