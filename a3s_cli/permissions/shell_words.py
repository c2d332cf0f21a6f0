r"""One word of a bash script: what it is after quoting is removed, and what it runs.

A script is read here character by character by bash's own rules, and nothing is
skipped: what is not understood is `Unreadable`, and the script cannot be judged.

bash deletes a backslash before a newline before it looks at anything else (but
for single quotes, comments and quoted here-documents), so that `$\` and `(` on
the next line begin a substitution. Here the two characters are deleted from the
text where they are met, and what they stood in is read again.
"""

from __future__ import annotations

import re
from abc import abstractmethod

from .marks import BRACKET, QUESTION, STAR, UNKNOWN
from .shell_arithmetic import Arithmetic, Unreadable
from .shell_found import Word

PLAIN_WORD = re.compile(r"[A-Za-z0-9_./:@%+,^=~-]+(?=[ \t\n;&|<>)]|\Z)")
_RUN = re.compile(r"""[^\\'"$`*?\[{ \t\n;&|<>()]+""")
_QUOTED_RUN = re.compile(r'[^\\"$`]+')
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SPECIAL = frozenset("0123456789@*#?$!-")
_NUMERIC = frozenset("#?$!")
_ENDS = frozenset(" \t\n;&|<>()")
_PARAMETER = re.compile(r"(#?)([A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-])")
_OPERATOR = re.compile(r":?[-+?=]|##?|%%?|//?[#%]?|\^\^?|,,?|@[QULu](?=\})")
_BRACES = re.compile(r",|\.\.")
_ANSI = {
    "a": 7, "b": 8, "e": 27, "E": 27, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11,
    "\\": 92, "'": 39, '"': 34, "?": 63,
}  # fmt: skip
_ANSI_ESCAPE = re.compile(
    r"\\(?:([abeEfnrtv\\'\"?])|([0-7]{1,3})|x([0-9a-fA-F]{1,2})"
    r"|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8}))"
)
_WILDCARDS = {"*": STAR, "?": QUESTION, "[": BRACKET}


class Words(Arithmetic):
    """The lower layer of a reader: words and expansions."""

    @abstractmethod
    def _nest(self, closer: str) -> None:
        """Read the statements of a substitution and its closing character."""

    @abstractmethod
    def nested(self, script: str, at: int = -1) -> None:
        """Read the text of another script."""

    # -- words -------------------------------------------------------------------------

    @abstractmethod
    def _word(self, *, pattern: bool = False) -> Word:
        """Read the word that begins here."""

    def _word_by_steps(self, *, pattern: bool) -> Word:
        """Read the word that begins here, character by character.

        `pattern`: parentheses and bars are part of it, as behind `=~`.
        """
        self._parsed.step()
        outer = self._parts, self._splits, self._several
        self._parts, self._splits, self._several = [], False, False
        start, braces = self._i, -1
        while self._i < len(self._s):
            character = self._s[self._i]
            if character in _ENDS:
                if not pattern or character in " \t\n;&":
                    break
                self._i += 1
                self._parts.append(character)
            elif run := _RUN.match(self._s, self._i):
                self._i = run.end()
                self._parts.append(run[0])
            elif character == "{":
                if braces < 0:
                    braces, before = self._i, "".join(self._parts)
                self._i += 1
                self._parsed.step(1)
                self._parts.append("{")
            else:
                self._parsed.step(1)
                self._unquoted(character)
        if self._pending and "\n" in self._s[start : self._i]:
            raise Unreadable("a here-document begins behind a word of several lines")
        text, splits, several = "".join(self._parts), self._splits, self._several
        if braces >= 0 and _BRACES.search(self._s, braces, self._i):
            text, several = before + UNKNOWN, True
        self._parts, self._splits, self._several = outer
        return Word(text, splits, several)

    def _unquoted(self, character: str) -> None:
        if character == "\\":
            if self._s.startswith("\n", self._i + 1):
                self._join(self._i)
                return
            if self._i + 1 >= len(self._s):
                raise Unreadable("a backslash at the end")
            self._parts.append(self._s[self._i + 1])
            self._i += 2
        elif character == "'":
            self._single()
        elif character == '"':
            self._i += 1
            self._double('"')
        elif character == "$":
            self._dollar(quoted=False)
        elif character == "`":
            self._backticks(quoted=False)
        else:
            self._i += 1
            self._parts.append(_WILDCARDS[character])
            self._several = True

    def _single(self) -> None:
        end = self._s.find("'", self._i + 1)
        if end < 0:
            raise Unreadable("a quote that is not closed")
        self._parts.append(self._s[self._i + 1 : end])
        self._i = end + 1

    def _double(self, closer: str) -> None:
        """Read up to a double quote, or (without `closer`) a here-document to its end."""
        while self._i < len(self._s):
            if run := _QUOTED_RUN.match(self._s, self._i):
                self._parts.append(run[0])
                self._i = run.end()
                continue
            character = self._s[self._i]
            if character == '"':
                self._i += 1
                if closer:
                    return
                self._parts.append('"')
            elif character == "$":
                self._dollar(quoted=True)
            elif character == "`":
                self._backticks(quoted=True)
            else:
                self._escaped(closer)
        if closer:
            raise Unreadable("a quote that is not closed")

    def _escaped(self, closer: str) -> None:
        following = self._s[self._i + 1 : self._i + 2]
        if following == "\n":
            if not closer:
                raise Unreadable("a continued line in a here-document")
            self._join(self._i)
        elif following and following in ("$`\\" + closer):
            self._parts.append(following)
            self._i += 2
        else:
            self._parts.append("\\")
            self._i += 1

    # -- expansions --------------------------------------------------------------------

    def _unknown(self, *, splits: bool) -> None:
        self._parts.append(UNKNOWN)
        self._splits = self._splits or splits

    def _dollar(self, *, quoted: bool) -> None:
        following = self._s[self._i + 1 : self._i + 2]
        if following == "\\":
            self._join(self._i + 1)
            following = self._s[self._i + 1 : self._i + 2]
        if following == "(":
            self._i += 2
            self._join(self._i)
            if self._s.startswith("(", self._i):
                self._i += 1
                self._arithmetic("))")
                self._unknown(splits=False)
                return
            start = self._i
            self._nest(")")
            number = self._s[start : self._i].strip(" )") == "nproc"
            self._unknown(splits=not quoted and not number)
        elif following == "{":
            self._i += 2
            self._parameter(quoted=quoted)
        elif name := _NAME.match(self._s, self._i + 1):
            self._join(name.end())
            name = _NAME.match(self._s, self._i + 1)
            assert name
            self._i = name.end()
            self._value(name[0], quoted=quoted)
        elif following and following in _SPECIAL:
            self._i += 2
            several = following == "@" or (not quoted and following not in _NUMERIC)
            self._unknown(splits=several)
        elif following == "'" and not quoted:
            self._ansi()
        elif following == '"' and not quoted:
            raise Unreadable('$"…" depends on the locale')
        elif following == "[":
            raise Unreadable("it computes by `$[`")
        else:
            self._parts.append("$")
            self._i += 1

    def _value(self, name: str, *, quoted: bool) -> None:
        """Add a variable's value, where the script shows it."""
        value = self._values.get(name)
        if value is None or value.splits or "IFS" in self._s:
            self._unknown(splits=not quoted)
        elif quoted or (value.known and value.text and not re.search(r"[\s*?\[]", value.text)):
            self._parts.append(value.text)
        elif not value.known and not value.several:
            # One of several words, each of which stays one.
            self._parts.append(value.text)
        else:
            self._unknown(splits=True)

    def _backticks(self, *, quoted: bool) -> None:
        self._parsed.step()
        end = self._i + 1
        while end < len(self._s) and self._s[end] != "`":
            end += 2 if self._s[end] == "\\" else 1
        if end >= len(self._s):
            raise Unreadable("a backtick that is not closed")
        start, inner = self._i + 1, self._s[self._i + 1 : end]
        self._i = end + 1
        if not inner.strip() or inner[-1] in " \t" or "\\" in inner:
            # It may have been meant to go on.
            self._doubt("backticks are nested")
        if "\\" in inner:
            # What is escaped in there is read in another way by each shell.
            inner, start = re.sub(r"\\([$`\\])", r"\1", inner), -1
        self.nested(inner, start)
        self._unknown(splits=not quoted)

    def _ansi(self) -> None:
        """Read `$'…'`; as in bash, a NUL ends the quoted text."""
        at, text = self._i + 2, bytearray()
        while at < len(self._s):
            character = self._s[at]
            if character == "'":
                self._parts.append(text.partition(b"\0")[0].decode("utf-8", "surrogateescape"))
                self._i = at + 1
                return
            if character != "\\":
                text += character.encode()
                at += 1
                continue
            escape = _ANSI_ESCAPE.match(self._s, at)
            if escape is None:
                raise Unreadable("an escape in $'…'")
            text += _ansi_bytes(escape)
            at = escape.end()
        raise Unreadable("a quote that is not closed")

    def _parameter(self, *, quoted: bool) -> None:
        """Read `${…}`, behind its brace."""
        self._join(self._i)
        head = _PARAMETER.match(self._s, self._i)
        if head is None:
            raise Unreadable("it uses an indirect expansion")
        self._join(head.end())
        head = _PARAMETER.match(self._s, self._i)
        assert head
        length, name, all_of = head[1], head[2], head[2] == "@"
        self._i = head.end()
        if length and not self._s.startswith(("}", "["), self._i):
            raise Unreadable("it uses an expansion that is not known")
        if self._s.startswith("[", self._i):
            self._i += 1
            all_of = self._s.startswith("@]", self._i)
            if self._s.startswith(("@]", "*]"), self._i):
                self._i += 2
            else:
                self._arithmetic("]")
        self._join(self._i)
        if self._s.startswith("}", self._i):
            self._i += 1
            if _NAME.fullmatch(name) and not length and self._s[self._i - 2] != "]":
                self._value(name, quoted=quoted)
                return
        else:
            self._operation(name, quoted=quoted)
        self._unknown(splits=not length and (all_of or not quoted))

    def _operation(self, name: str, *, quoted: bool) -> None:
        operator = _OPERATOR.match(self._s, self._i)
        if operator is None:
            if not self._s.startswith(":", self._i):
                raise Unreadable("it uses an expansion that can run commands")
            self._i += 1
            self._arithmetic("}")
            return
        self._i = operator.end()
        if operator[0].endswith("="):
            self._assigned(name, Word(UNKNOWN))
        self._operand(quoted=quoted)

    def _operand(self, *, quoted: bool) -> None:
        """Read the operand of an expansion and the closing brace."""
        self._deeper()
        kept = self._parts, self._splits, self._several
        self._parts = []
        while self._i < len(self._s):
            character = self._s[self._i]
            if character == "}":
                self._depth -= 1
                self._i += 1
                self._parts, self._splits, self._several = kept
                return
            if character in "()<>" or (quoted and character == "'"):
                # `<(…)` runs here as well; a quote in quotes is one to some operators only.
                raise Unreadable(f"{character!r} in the operand of an expansion")
            if character == "\\" or character in "'\"$`*?[":
                self._unquoted(character)
            else:
                self._i += 1
        raise Unreadable("an expansion that is not closed")


def _ansi_bytes(escape: re.Match[str]) -> bytes:
    letter, octal, hexadecimal, short, long = escape.groups()
    if letter is not None:
        return bytes([_ANSI[letter]])
    if octal is not None:
        return bytes([int(octal, 8) & 0xFF])
    if hexadecimal is not None:
        return bytes([int(hexadecimal, 16)])
    point = int(short or long, 16)
    if point > 0x10FFFF or 0xD800 <= point <= 0xDFFF:
        raise Unreadable("an escape in $'…'")
    return chr(point).encode()
