"""Statements of a bash script: lists, pipelines, loops, functions, tests."""

from __future__ import annotations

import re

from .marks import NOT_KNOWN, UNKNOWN
from .shell_arithmetic import MAX_DEPTH, NUMBER_VALUE, Unreadable
from .shell_found import Effect, Word, names
from .shell_simple import SimpleCommands
from .shell_words import PLAIN_WORD

#: Scripts inside scripts: `bash -c`, `eval`, `trap` …
MAX_NESTED = 16
_CLOSERS = names("then elif else fi do done esac }")
_COMPOUND = names("if for while until case select { [[")
_TEST_NUMBER = names("-eq -ne -lt -le -gt -ge")
_TEST_NAME = names("-v -R")
_SIMPLE_VALUE = re.compile(r'"?\$?\{?([A-Za-z_]\w*)\}?"?')


class Statements(SimpleCommands):
    """The upper half of a reader; `script` reads a whole text."""

    @property
    def text(self) -> str:
        """The script as it was read: continued lines are joined."""
        return self._s

    def script(self) -> None:
        """Read the whole text; raises Unreadable."""
        closer = self._list()
        if closer or self._i < len(self._s):
            raise Unreadable(f"`{closer or self._s[self._i]}`")
        if self._pending:
            raise Unreadable("a here-document without an end")

    def nested(self, script: str, at: int = -1) -> None:
        """Read another script; what cannot be read is a doubt.

        `at`: where it stands in this one, if it does.
        """
        self._parsed.nested += 1
        if self._parsed.nested > MAX_NESTED:
            self._doubt("too many scripts are nested")
            return
        reader = type(self)(script, self._parsed, self._depth + 1)
        reader._straight = False
        try:
            if self._depth >= MAX_DEPTH:
                raise Unreadable("the script is nested too deeply")
            reader.script()
        except Unreadable as error:
            self._doubt(f"the script cannot be parsed: {error}")
        self._parsed.chain = None
        if at >= 0:
            self.starts |= {at + each for each in reader.starts}

    def _substituted(self, closer: str) -> None:
        values, straight = dict(self._values), self._straight
        self._straight = False
        if self._list() or not self._s.startswith(closer, self._i) or self._pending:
            raise Unreadable("a substitution that is not closed")
        self._i += 1
        self._parsed.chain = None
        self._values, self._straight = values, straight

    # -- lists -------------------------------------------------------------------------

    def _list(self) -> str:
        """Read statements up to a reserved word that closes, which is returned, `)` or `;;`."""
        while self._newlines():
            self._plain_statements()
            character = self._newlines()
            if character in ("", ")") or self._s.startswith(";;", self._i):
                break
            if (word := self._reserved()) in _CLOSERS:
                self._i += len(word)
                return word
            self._and_or()
            character = self._blanks()
            if character == "#" or character in "\n)" or self._s.startswith(";;", self._i):
                continue
            if character not in ";&" or self._operator() not in (";", "&"):
                raise Unreadable(f"`{character}`")
        return ""

    def _operator(self) -> str:
        """Read `;`, `&`, `|` and those of two characters."""
        self._join(self._i + 1)
        two = self._s[self._i : self._i + 2]
        operator = two if two in ("&&", "||", "|&", ";;") else two[:1]
        self._i += len(operator)
        return operator

    def _and_or(self) -> None:
        self._parsed.chain = None
        self._pipeline(first=True)
        while self._blanks() in ("&", "|"):
            at = self._i
            operator = self._operator()
            if operator not in ("&&", "||"):
                self._i = at
                return
            if operator == "||":
                self._parsed.chain = None
            self._newlines()
            self._pipeline(first=False)

    def _pipeline(self, *, first: bool) -> None:
        straight, values = self._straight, dict(self._values)
        self._straight = straight and first
        piped = negated = False
        while True:
            while (word := self._reserved()) in ("!", "time"):
                self.starts.add(self._i)
                self._i += len(word)
                if word == "time":
                    self._time()
                negated = negated or word == "!"
                self._blanks()
            if not self._plain():
                self._command()
            at = self._i
            if self._blanks() != "|" or self._operator() == "||":
                self._i = at
                break
            self._newlines()
            self._parsed.chain = None
            self._straight, piped = False, True
        if piped or self._blanks() == "&":
            # It runs in another process, or did not run: what it sets is not known here.
            self._values = values
        if piped or negated:
            self._parsed.chain = None
        self._straight = straight

    def _time(self) -> None:
        for option in ("-p", "--"):
            self._blanks()
            if self._s.startswith(option, self._i) and self._s[self._i + 2 :][:1] in " \t\n":
                self._i += 2

    def _command(self) -> None:
        character = self._blanks()
        word = self._reserved()
        if character == "(":
            self._join(self._i + 1)
            self._i += 1
            if self._s.startswith("(", self._i):
                self._i += 1
                self._parsed.count()
                self._arithmetic("))")
            else:
                self._nest(")")
        elif word in _COMPOUND:
            self._i += len(word)
            self._compound(word)
        elif word == "function":
            self._i += len(word)
            self._blanks()
            self._word()
            if self._blanks() == "(":
                self._parentheses()
            self._function()
            return
        elif word == "coproc":
            self._i += len(word)
            self._doubt("`coproc` is not read")
            self._command()
            self._parsed.chain = None
            return
        elif word:
            raise Unreadable(f"`{word}`")
        else:
            self._simple()
            return
        self._parsed.chain = None
        effects: list[Effect] = []
        while self._redirection(effects):
            pass
        self._parsed.effects += effects

    def _compound(self, word: str) -> None:
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

    # -- compound commands -------------------------------------------------------------

    def _for(self) -> None:
        self._blanks()
        values, self._values = self._values, dict(self._values)
        if self._s.startswith("((", self._i):
            self._i += 2
            for closer in (";", ";", "))"):
                self._arithmetic(closer)
        else:
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
            if effect := self._assigned(name.text, Word(UNKNOWN), number=number):
                self._doubt(effect.reason)
            if items and self._only_once(name.text):
                self._values[name.text] = _common(items)
                self._seen.clear()
        if self._blanks() == ";":
            self._i += 1
        self._newlines()
        if self._reserved() == "{":
            self._i += 1
            self._expect("}")
        else:
            if self._reserved() != "do":
                raise Unreadable("`do` is missing")
            self._i += 2
            self._expect("done")
        self._values = values

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
        self._blanks()
        self._word()
        self._newlines()
        if self._word().text != "in":
            raise Unreadable("`case` without `in`")
        while self._newlines():
            if self._reserved() == "esac":
                self._i += 4
                return
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
            closer = self._list()
            if closer == "esac":
                return
            if closer or not self._s.startswith(";;", self._i):
                raise Unreadable("a case without an end")
            self._i += 3 if self._s.startswith(";;&", self._i) else 2
        raise Unreadable("`case` without `esac`")

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
            elif operator in _TEST_NAME and not (word.known and word.text.isidentifier()):
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
        self._newlines()
        if not (self._s.startswith("(", self._i) or self._reserved() in _COMPOUND):
            raise Unreadable("a function without a body")
        self._command()
        self._straight, self._values = straight, values


def _common(items: list[Word]) -> Word:
    """Return what is known of a word that is one of these."""
    if len(items) == 1 and items[0].known:
        return items[0]
    if any(item.splits for item in items):
        return Word(UNKNOWN, splits=True)
    heads = [NOT_KNOWN.split(item.text, maxsplit=1)[0] for item in items]
    shortest, longest = min(heads), max(heads)
    at = 0
    while at < len(shortest) and at < len(longest) and shortest[at] == longest[at]:
        at += 1
    return Word(shortest[:at] + UNKNOWN)
