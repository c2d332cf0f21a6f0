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
    r'|(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<end>[;{}\n])|(?P<or>\|\|)|(?P<step>\+\+|--)'
    r"|(?P<other>.)",
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
                file = re.fullmatch(r"-f|--file", text) and index + 1 < len(words)
                seen = file and not re.match(r"-$|/dev/|\0", words[index + 1].text)
                reason = f"`awk {text}` can run other programs"
                return [Risk(index, reason, "changes" if seen else "anything")]
            if not word.known and word.splits:
                return [Risk(index, "the options of awk are known only when it runs")]
        elif not word.known or not harmless_awk(text):
            return [Risk(index, "this awk program can run commands or write files")]
        else:
            return []
    return []


def harmless_awk(program: str) -> bool:
    """Whether a program of awk only computes and prints to its output."""
    reader = _Awk(program)
    while reader.at < len(program):
        if not reader.step():
            return False
    return True


class _Awk:
    """Reads a program of awk, token by token.

    Behind `if (…)`, `++` and `--` awks differ in whether a slash divides or begins a
    regular expression. It must make no difference then, or the program is not understood.
    """

    def __init__(self, program: str) -> None:
        self.at = 0
        self._program = program
        #: Whether a slash divides, and whether awks differ in that.
        self._operand = self._unsure = False
        #: How many parentheses are open, and were where `print` stands.
        self._depth, self._printing = 0, -1
        #: For each open parenthesis, the word before it; then the last word.
        self._before, self._word = [""], ""

    def step(self) -> bool:
        """Read one token; say whether it is understood, and harmless."""
        if self._program[self.at] == "/":
            return self._slash()
        match = _AWK_TOKEN.match(self._program, self.at)
        if match is None:
            return False
        self.at = match.end()
        kind, text = match.lastgroup, match[0]
        if kind == "blank":
            return True
        self._unsure = kind == "step"
        if kind == "other":
            return self._other(text)
        if text in ("system", "getline"):
            return False
        if text in ("print", "printf"):
            self._printing = self._depth
        elif kind == "end":
            self._printing = -1
        self._operand = kind in ("word", "number", "string") and text not in _AWK_OPERATORS
        self._word = text
        return True

    def _other(self, text: str) -> bool:
        if text in "|@" or (text == ">" and self._printing == self._depth):
            return False
        if text == "(":
            self._before.append(self._word)
        elif text == ")" and len(self._before) > 1:
            self._unsure = self._before.pop() in ("if", "while", "for")
        self._depth += (text == "(") - (text == ")")
        self._operand = text in ")]"
        self._word = text
        return True

    def _slash(self) -> bool:
        regex = _AWK_REGEX.match(self._program, self.at)
        if self._unsure and regex is not None and re.search(r"[\"(){};\n]", regex[1]):
            return False
        if self._operand or self._unsure:
            self.at, self._operand, self._unsure = self.at + 1, False, False
            return True
        if regex is None or re.search(r"\[[^\]]*\Z", regex[1]):
            return False
        self.at, self._operand = regex.end(), True
        return True
