"""Statements of a bash script: lists, pipelines, subshells."""

from __future__ import annotations

from .shell_arithmetic import MAX_DEPTH, Unreadable
from .shell_compound import COMPOUND, CompoundCommands
from .shell_found import Effect, names
from .shell_simple import LETTERS_IN_A_STEP, REDIRECTS

#: Scripts inside scripts: `bash -c`, `eval`, `trap` …
MAX_NESTED = 16
_CLOSERS = names("then elif else fi do done esac }")


class Statements(CompoundCommands):
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
        self._parsed.step(len(script) // LETTERS_IN_A_STEP)
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

    def _nest(self, closer: str) -> None:
        self._parsed.step()
        self._deeper()
        pending, parts, flags = self._pending, self._parts, (self._splits, self._several)
        values, straight = self._values, self._straight
        self._pending, self._values, self._straight = [], dict(values), False
        start = self._i
        if self._list() or not self._s.startswith(closer, self._i) or self._pending:
            raise Unreadable("a substitution that is not closed")
        self._i += 1
        if pending and "\n" in self._s[start : self._i]:
            raise Unreadable("a here-document begins behind a word of several lines")
        self._parsed.chain = None
        self._pending, self._parts, (self._splits, self._several) = pending, parts, flags
        self._values, self._straight = values, straight
        self._depth -= 1

    # -- lists -------------------------------------------------------------------------

    def _list(self) -> str:
        """Read statements up to a reserved word that closes, which is returned, `)` or `;;`."""
        while True:
            word = self._next()
            if word in _CLOSERS:
                self._i += len(word)
                return word
            if not word:
                plain = self._i != self._unplain and self._plain_statements()
                if self._ended():
                    return ""
                if plain:
                    continue
            character = self._and_or(word)
            if character in ("", "\n", "#") or self._ended():
                continue
            if character not in ";&" or self._operator() not in (";", "&"):
                raise Unreadable(f"`{character}`")

    def _ended(self) -> bool:
        """Whether a list ends here without a word of the grammar."""
        character = self._s[self._i : self._i + 1]
        return character in ("", ")") or (character == ";" and self._s.startswith(";;", self._i))

    def _operator(self) -> str:
        """Read `;`, `&`, `|` and those of two characters."""
        self._join(self._i + 1)
        two = self._s[self._i : self._i + 2]
        operator = two if two in ("&&", "||", "|&", ";;") else two[:1]
        self._i += len(operator)
        return operator

    def _and_or(self, word: str) -> str:
        """Read pipelines joined by `&&` and `||`, and return the character behind them.

        `word`: what the first begins with, if that is a word of the grammar.
        """
        self._parsed.chain = None
        character = self._pipeline(word, first=True)
        while character in ("&", "|"):
            at = self._i
            operator = self._operator()
            if operator not in ("&&", "||"):
                self._i = at
                break
            if operator == "||":
                self._parsed.chain = None
            character = self._pipeline(self._next(), first=False)
        return character

    def _pipeline(self, word: str, *, first: bool) -> str:
        straight, values = self._straight, dict(self._values)
        self._straight = straight and first
        piped = negated = False
        while True:
            self._parsed.step(1)
            while word in ("!", "time"):
                self._parsed.step()
                self.starts.add(self._i)
                self._i += len(word)
                if word == "time":
                    self._time()
                negated = negated or word == "!"
                self._blanks()
                word = self._joined_reserved()
            if word or self._s.startswith("(", self._i):
                self._command(word)
            elif self._i == self._unplain or not self._plain():
                self._simple()
            character, at = self._blanks(), self._i
            if character != "|" or self._operator() == "||":
                self._i = at
                break
            word = self._next()
            self._parsed.chain = None
            self._straight, piped = False, True
        if piped or character == "&":
            # It runs in another process, or did not run: what it sets is not known here.
            self._values = values
        if piped or negated:
            self._parsed.chain = None
        self._straight = straight
        return character

    def _time(self) -> None:
        for option in ("-p", "--"):
            self._blanks()
            if self._s.startswith(option, self._i) and self._s[self._i + 2 :][:1] in " \t\n":
                self._i += 2

    def _command(self, word: str) -> None:
        """Read a command that begins with a `word` of the grammar, or with a parenthesis."""
        if self._s.startswith("(", self._i):
            self._join(self._i + 1)
            self._i += 1
            if self._s.startswith("(", self._i):
                self._i += 1
                self._parsed.count()
                self._arithmetic("))")
            else:
                self._nest(")")
        elif word in COMPOUND:
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
            if self._blanks() == "(" or (word := self._joined_reserved()):
                self._command(word)
            else:
                self._simple()
            self._parsed.chain = None
            return
        else:
            raise Unreadable(f"`{word}`")
        self._parsed.chain = None
        if self._blanks() in REDIRECTS:
            effects: list[Effect] = []
            while self._redirection(effects):
                pass
            self._parsed.effects += effects
