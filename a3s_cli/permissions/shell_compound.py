"""Compound commands of a bash script: conditions, loops, cases, tests, functions."""

from __future__ import annotations

import re
from abc import abstractmethod

from .marks import NOT_KNOWN, UNKNOWN
from .shell_arithmetic import NUMBER_VALUE, Unreadable
from .shell_found import Word, names
from .shell_plain import PLAIN_CASE, PLAIN_FOR, PLAIN_OPERAND, PLAIN_PATTERNS
from .shell_simple import SimpleCommands
from .shell_words import PLAIN_WORD

#: What begins one.
COMPOUND = names("if for while until case select { [[")
_TEST_NUMBER = names("-eq -ne -lt -le -gt -ge")
_TEST_NAME = names("-v -R")
_SIMPLE_VALUE = re.compile(r'"?\$?\{?([A-Za-z_]\w*)\}?"?')


class CompoundCommands(SimpleCommands):
    """The layer of a reader that reads what has statements in it."""

    @abstractmethod
    def _list(self) -> str:
        """Read statements up to what closes them, and return it if it is a word."""

    @abstractmethod
    def _command(self, word: str) -> None:
        """Read a command that begins with a `word` of the grammar, or with a parenthesis."""

    def _compound(self, word: str) -> None:
        self._parsed.step()
        self._deeper()
        straight, self._straight = self._straight, False
        if word == "{":
            self._straight = straight
            self._expect("}")
        elif word == "if":
            self._expect("then")
            while (closer := self._list()) == "elif":
                self._expect("then")
            if closer == "else":
                closer = self._list()
            if closer != "fi":
                raise Unreadable("`if` without `fi`")
        elif word in ("while", "until"):
            self._expect("do")
            self._expect("done")
        elif word in ("for", "select"):
            self._for()
        elif word == "case":
            self._case()
        else:
            self._conditional()
        self._straight = straight
        self._depth -= 1

    def _expect(self, closer: str) -> None:
        if self._list() != closer:
            raise Unreadable(f"`{closer}` is missing")

    def _for(self) -> None:
        values, self._values = self._values, dict(self._values)
        if not self._pending and (head := self._form(PLAIN_FOR)):
            items, number = self._plain_items(head[2], head.start(2))
            self._loops(head[1], items, number=number)
            self._expect("done")
            self._values = values
            return
        if self._blanks() == "(" and self._s.startswith("((", self._i):
            self._i += 2
            for closer in (";", ";", "))"):
                self._arithmetic(closer)
        else:
            self._over()
        if self._blanks() == ";":
            self._i += 1
        if (word := self._next()) == "{":
            self._i += 1
            self._expect("}")
        else:
            if word != "do":
                raise Unreadable("`do` is missing")
            self._i += 2
            self._expect("done")
        self._values = values

    def _over(self) -> None:
        """Read the variable of a loop and what it loops over."""
        name = self._word()
        if not name.known or not re.fullmatch(r"[A-Za-z_]\w*", name.text):
            raise Unreadable("the name of a loop's variable")
        self._newlines()
        items: list[Word] = []
        number = False
        if PLAIN_WORD.match(self._s, self._i) and self._s.startswith("in", self._i):
            if self._word().text != "in":
                raise Unreadable("`for` without `in`")
            items, number = self._items()
        self._loops(name.text, items, number=number)

    def _loops(self, name: str, items: list[Word], *, number: bool) -> None:
        """Note that a variable becomes each of these."""
        if effect := self._assigned(name, Word(UNKNOWN), number=number):
            self._doubt(effect.reason)
        if items and self._only_once(name):
            self._values[name] = _common(items)
            self._seen.clear()

    def _items(self) -> tuple[list[Word], bool]:
        """Read the words of a loop; are all of them numbers?"""
        items, number = [], True
        while (character := self._blanks()) and character not in ";\n":
            start = self._i
            items.append(self._word())
            if self._i == start:
                raise Unreadable(f"`{character}`")
            number = number and bool(NUMBER_VALUE.fullmatch(self._s[start : self._i]))
        return items, number

    def _case(self) -> None:
        if not self._form(PLAIN_CASE):
            self._blanks()
            self._word()
            self._newlines()
            if self._word().text != "in":
                raise Unreadable("`case` without `in`")
        while self._next() != "esac":
            if self._i >= len(self._s):
                raise Unreadable("`case` without `esac`")
            self._parsed.step()
            if not self._form(PLAIN_PATTERNS):
                self._patterns()
            closer = self._list()
            if closer == "esac":
                return
            if closer or not self._s.startswith(";;", self._i):
                raise Unreadable("a case without an end")
            self._i += 3 if self._s.startswith(";;&", self._i) else 2
        self._i += 4

    def _patterns(self) -> None:
        """Read the patterns of one case."""
        if self._s.startswith("(", self._i):
            self._i += 1
        while True:
            self._blanks()
            start = self._i
            self._word()
            if self._i == start:
                raise Unreadable("a pattern of `case`")
            if self._blanks() != "|":
                break
            self._i += 1
        if not self._s.startswith(")", self._i):
            raise Unreadable("a pattern of `case`")
        self._i += 1

    def _conditional(self) -> None:
        """Read `[[ … ]]`; what it computes can run commands (`-v`, `-eq`)."""
        self._parsed.count()
        operator, before = "", ""
        while character := self._newlines():
            if character in "()":
                self._i += 1
                continue
            start = self._i
            if character in "<>" or self._s.startswith(("&&", "||"), start):
                self._i += 1 if character in "<>" else 2
                continue
            word = None
            if operator in _TEST_NAME or not self._form(PLAIN_OPERAND):
                word = self._word(pattern=operator in ("=~", "==", "=", "!="))
            raw = self._s[start : self._i]
            if self._i == start:
                raise Unreadable(f"`{character}` in a test")
            if raw == "]]":
                return
            if raw in _TEST_NUMBER:
                self._computes(before)
            elif operator in _TEST_NUMBER:
                self._computes(raw)
            elif word and operator in _TEST_NAME and not _is_name(word):
                self._doubt("a test can run commands by `-v`")
            operator, before = raw, raw
        raise Unreadable("`[[` without `]]`")

    def _computes(self, raw: str) -> None:
        if name := _SIMPLE_VALUE.fullmatch(raw):
            self._parsed.computed[name[1]] = None
        elif not NUMBER_VALUE.fullmatch(raw):
            self._doubt("a test computes with what is known only when it runs")

    def _function(self) -> None:
        self._parsed.count()
        self._parsed.functions, self._parsed.chain = True, None
        self._parsed.doubt("it defines a function", "effect")
        straight, self._straight = self._straight, False
        values, self._values = self._values, {}
        word = self._next()
        if not (self._s.startswith("(", self._i) or word in COMPOUND):
            raise Unreadable("a function without a body")
        self._command(word)
        self._straight, self._values = straight, values


def _is_name(word: Word) -> bool:
    return word.known and word.text.isidentifier()


def _common(items: list[Word]) -> Word:
    """Return what is known of a word that is one of these; `several` if it may be split."""
    if len(items) == 1 and items[0].known:
        return items[0]
    if any(item.splits for item in items):
        return Word(UNKNOWN, splits=True)
    heads = [NOT_KNOWN.split(item.text, maxsplit=1)[0] for item in items]
    shortest, longest = min(heads), max(heads)
    at = 0
    while at < len(shortest) and at < len(longest) and shortest[at] == longest[at]:
        at += 1
    one = all(item.known and re.fullmatch(r"[^\s*?\[]+", item.text) for item in items)
    return Word(shortest[:at] + UNKNOWN, several=not one)
