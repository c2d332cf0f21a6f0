"""Programs that are languages: sed and awk. Only forms that are known to be harmless pass."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .shell_found import Risk, Word

# -- sed -------------------------------------------------------------------------------

_SED_LONG = ("--expression", "--file", "--in-place", "--line-length")
_SED_ADDRESS = re.compile(r"[0-9]+(?:~[0-9]+)?|\$|/(?:[^/\\\n]|\\.)*/[IM]*|[+~][0-9]+")
_SED_CUSTOM = re.compile(r"\\([^\n\\])(?:(?!\1)[^\\\n]|\\.)*\1[IM]*")
_SED_PLAIN = re.compile(r"[=dDgGhHnNpPxzFlqQ][0-9]*")
_SED_SUBSTITUTE = re.compile(
    r"s([^\n\\])(?:(?!\1)[^\\\n]|\\.|\\\n)*\1(?:(?!\1)[^\\\n]|\\.|\\\n)*\1[gpiImM0-9]*"
)
_SED_TRANSLATE = re.compile(r"y([^\n\\])(?:(?!\1)[^\\\n]|\\.)*\1(?:(?!\1)[^\\\n]|\\.)*\1")
_SED_TEXT = re.compile(r"[aic](?:[^\\\n]|\\.|\\\n)*")
_SED_LABEL = re.compile(r":[ \t]*[\w.-]+|[btT][ \t]*[\w.-]*")
_SED_END = re.compile(r"[ \t]*(?:[;\n]|\Z|(?=\}))")


def sed_risks(words: Sequence[Word]) -> list[Risk]:
    """Judge sed's scripts: those of `-e`, else the first operand."""
    scripts: list[tuple[int, Word]] = []
    operands: list[tuple[int, Word]] = []
    taken = ""
    given = False
    for index, word in enumerate(words[1:], 1):
        text = word.text
        if taken:
            if taken == "e":
                scripts.append((index, word))
            taken = ""
        elif text.startswith("--") and len(text) > 2:
            head, equals, value = text.partition("=")
            option = next((long for long in _SED_LONG if long.startswith(head)), "")
            given = given or option in ("--expression", "--file")
            if option == "--expression" and equals:
                scripts.append((index, Word(value, word.splits, word.several)))
            elif option in ("--expression", "--file", "--line-length") and not equals:
                taken = "e" if option == "--expression" else "f"
        elif text.startswith("-") and len(text) > 1:
            letter, rest = _cluster(text[1:])
            given = given or letter in ("e", "f")
            if letter == "e" and rest:
                scripts.append((index, Word(rest, word.splits, word.several)))
            elif letter in ("e", "f", "l") and not rest:
                taken = letter
        else:
            operands.append((index, word))
    return [
        Risk(index, "this sed script can run commands or write files")
        for index, word in (scripts if given else operands[:1])
        if not word.known or not harmless_sed(word.text)
    ]


def _cluster(letters: str) -> tuple[str, str]:
    for at, letter in enumerate(letters):
        if letter in "efli":
            return letter, letters[at + 1 :]
    return "", ""


def harmless_sed(script: str) -> bool:
    """Whether a script of sed only reads its input and prints."""
    at, end = 0, len(script)
    while True:
        while at < end and script[at] in " \t\n;}":
            at += 1
        if at >= end:
            return True
        if script[at] == "#":
            newline = script.find("\n", at)
            at = end if newline < 0 else newline
            continue
        at = _sed_addresses(script, at)
        if script[at : at + 1] == "{":
            at += 1
            continue
        for form in (_SED_SUBSTITUTE, _SED_TRANSLATE, _SED_PLAIN, _SED_LABEL, _SED_TEXT):
            if match := form.match(script, at):
                break
        else:
            return False
        ending = _SED_END.match(script, match.end())
        if ending is None:
            return False
        at = ending.end()


def _sed_addresses(script: str, at: int) -> int:
    while match := _SED_ADDRESS.match(script, at) or _SED_CUSTOM.match(script, at):
        at = match.end()
        while script[at : at + 1] in (" ", "\t"):
            at += 1
        if script[at : at + 1] != ",":
            break
        at += 1
        while script[at : at + 1] in (" ", "\t"):
            at += 1
    while script[at : at + 1] in (" ", "\t", "!"):
        at += 1
    return at


# -- awk -------------------------------------------------------------------------------

_AWK_TOKEN = re.compile(
    r"(?P<blank>[ \t\r]+|\\\n|\#[^\n]*)|(?P<word>[A-Za-z_]\w*)|(?P<number>[0-9.]+\w*)"
    r'|(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<end>[;{}\n])|(?P<or>\|\|)|(?P<other>.)',
    re.DOTALL,
)
_AWK_REGEX = re.compile(r"/((?:[^/\\\n]|\\.)*)/")
_AWK_OPERATORS = frozenset(["return", "print", "printf", "in", "delete", "exit", "else", "do"])


def awk_risks(words: Sequence[Word]) -> list[Risk]:
    """Judge awk's options up to its program, and the program."""
    skip = False
    for index, word in enumerate(words[1:], 1):
        text = word.text
        if skip:
            skip = False
        elif text.startswith("-") and text != "-":
            skip = text in ("-F", "-v")
            if not text.startswith(("-F", "-v")) and text != "--":
                return [Risk(index, f"`awk {text}` can run other programs")]
            if not word.known and word.splits:
                return [Risk(index, "the options of awk are known only when it runs")]
        elif not word.known or not harmless_awk(text):
            return [Risk(index, "this awk program can run commands or write files")]
        else:
            return []
    return []


def harmless_awk(program: str) -> bool:
    """Whether a program of awk only computes and prints to its output."""
    at, depth, printing, operand = 0, 0, -1, False
    while at < len(program):
        if program[at] == "/" and not operand:
            regex = _AWK_REGEX.match(program, at)
            if regex is None or re.search(r"\[[^\]]*\Z", regex[1]):
                return False
            at, operand = regex.end(), True
            continue
        match = _AWK_TOKEN.match(program, at)
        if match is None:
            return False
        kind, text, at = match.lastgroup, match[0], match.end()
        if kind == "word":
            if text in ("system", "getline"):
                return False
            printing = depth if text in ("print", "printf") else printing
            operand = text not in _AWK_OPERATORS
        elif kind in ("number", "string"):
            operand = True
        elif kind == "end":
            printing, operand = -1, False
        elif kind == "or":
            operand = False
        elif kind == "other":
            if text in "|@" or (text == ">" and printing == depth):
                return False
            depth += (text == "(") - (text == ")")
            operand = text in ")]" or (
                text in "+-" and operand and program[at - 2 : at - 1] == text
            )
    return True
