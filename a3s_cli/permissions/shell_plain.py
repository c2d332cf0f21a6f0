"""Commands of a bash script that one regular expression reads whole.

Most commands are plain: words, quoted text, variables by their names. For these a step
per character, or per word, would be nearly all of what a decision costs. What one
expression here does not take is read by the layers above, step by step.
"""

from __future__ import annotations

import re

from .commands_found import note
from .marks import BRACKET, QUESTION, STAR, UNKNOWN
from .shell_arithmetic import NUMBER_VALUE
from .shell_found import REPEATED, Effect, Parsed, Word, redirection
from .shell_words import Words

_LETTERS = r"A-Za-z0-9_./:@%+,^=~-"
_NAME = "[A-Za-z_][A-Za-z0-9_]*"
_GRAMMAR = (
    "if|then|elif|else|fi|for|while|until|do|done|case|esac|select|function|coproc|time|declare"
    "|typeset|local|export|readonly"
)
#: `$((a + 1))`: names, numbers and operators that assign nothing.
_SUM = rf"\$\(\( *(?:{_NAME}|[0-9]+)(?: *[-+*/%] *(?:{_NAME}|[0-9]+))*+ *\)\)"
#: `$(git rev-parse HEAD)`: a plain command, in which nothing but names is expanded.
_COMMAND_IN = (
    rf"\$\((?!(?:{_GRAMMAR}|cd|pushd|popd)[ \t)])[A-Za-z0-9_./-]+(?=[ \t)])"
    rf"""(?>[ \t]+(?>[*?{_LETTERS}]+|'[^'\n]*'|"[^"$`\\\n]*"|\${_NAME})++(?=[ \t)]))*+\)"""
)
#: `${x:-plain}`, `${x##*/}`, `${#x}`.
_BRACED = rf"\{{(?>#?{_NAME}\}}|{_NAME}(?>:?[-+?]|##?|%%?|//?)[*?/{_LETTERS}]*+\}})"
_VARIABLE = rf"(?>\$(?>{_NAME}|{_BRACED}|[0-9@*#?$!-])|{_SUM}|{_COMMAND_IN})"
_QUOTED = rf"""'[^'\n]*'|"(?>[^"$`\\\n]+|\\[^\n]|{_VARIABLE})*+"|\\[^\n]"""
#: How a command may begin, and how its other words may: these hold wildcards as well.
_FIRST = rf"(?>(?>[{_LETTERS}]+|{_QUOTED}|{_VARIABLE})++|\[(?=[ \t]))"
_WORD = rf"(?>[!\[\]*?{_LETTERS}]+|{_QUOTED}|{_VARIABLE})++"
#: Redirections that write nothing.
_NOWHERE = r"(?:[012]?>&[012]|[012]?> ?/dev/null)(?![^ \t\n;&|)])"
_INTO = r"([0-9]*)(>>|>\||&>>?|>|<)(?![<>&(|])[ \t]*"
#: What ends a statement, or joins two commands, with what may be skipped behind it.
_JOINT = r"[ \t]*(?:(;(?!;)|\n|&(?![&>])|\Z)|(&&|\|\||\|(?!&)))(?>[ \t\n]+|(?<=[ \t\n])\#[^\n]*)*+"
_ENDS = r"(?=[ \t\n;&|)]|\Z)"
#: The words that a command begins with, and the first of them. Where they are all of it, the
#: third group is there, and behind it what ends or joins the command.
_COMMAND = re.compile(
    rf"(?!(?:{_GRAMMAR}){_ENDS}|{_NAME}\+?=)(({_FIRST}){_ENDS}"
    rf"(?>[ \t]+(?:{_NOWHERE}|(?:{_INTO.replace('(', '(?:', 2)})?{_WORD}{_ENDS}))*+)"
    rf"(?:(?=[ \t]*(?:[\n;&|)]|\Z))(?![ \t]*&>)()(?:{_JOINT})?)?"
)
_WORDS = re.compile(rf"[ \t]+(?:{_NOWHERE}|(?:{_INTO})?({_WORD}))")
_ONE_WORD = re.compile(rf"{_WORD}(?=[ \t\n;&|<>)]|\Z)")
_PART = re.compile(
    rf"""'([^']*)'|"((?>[^"$`\\\n]+|\\[^\n]|{_VARIABLE})*+)"|({_VARIABLE})|([*?\[])"""
    r"""|\\(.)|([^'"$*?\[\\]+)"""
)
_QUOTED_PART = re.compile(rf"({_VARIABLE})|\\([$`\"\\])|(\\.|[^$\\]+)")
#: Without any of these a command is its words.
_EXPANDS = re.compile(r"['\"$*?\[\\<>]")
#: `"$x/y"z` or `$x/y`.
_NAMED = re.compile(rf"\${_NAME}")
_ONLY_NAMES = re.compile(
    rf"""("(?>[^"$`\\]+|\${_NAME})*+"[{_LETTERS}]*)|(?>[{_LETTERS}]+|\${_NAME})+"""
)
_TEST = Word("[")
_WILDCARDS = {"*": STAR, "?": QUESTION, "[": BRACKET}
#: In a test and a case: words in which nothing runs.
_OPERAND = (
    rf"(?>[!\[\]*?{_LETTERS}]+|\${_NAME}"
    rf"""|'[^'\n]*'|"(?>[^"$`\\\n]+|\${_NAME})*+"|\\[^\n])++"""
)
PLAIN_OPERAND = re.compile(rf"{_OPERAND}(?=[ \t\n])")
PLAIN_CASE = re.compile(rf"[ \t]+{_OPERAND}[ \t]+in(?=[ \t\n])")
PLAIN_PATTERNS = re.compile(rf"\(?[ \t]*{_OPERAND}(?:[ \t]*\|[ \t]*{_OPERAND})*+[ \t]*\)")
PLAIN_FOR = re.compile(
    rf"[ \t]+({_NAME})[ \t]+in((?:[ \t]+{_WORD})++)[ \t]*[;\n][ \t\n]*do(?=[ \t\n])"
)
_ITEM = re.compile(rf"[ \t]+({_WORD})")
#: A statement that ends where a substitution or a case does.
_CLOSED = re.compile(r"[ \t]*(?=\)|;;)")
_NAMES = re.compile(rf"{_NAME}(?![A-Za-z0-9_])")
_INNER = re.compile(r"\$\((?!\()")


class _Literal(dict[str, Word]):
    """Words that are the same whatever the variables are, as they are written: each made once."""

    def __missing__(self, text: str) -> Word:
        word = self[text] = Word(text)
        return word


class PlainCommands(Words):
    """The layer of a reader that reads plain commands."""

    def __init__(self, text: str, parsed: Parsed, depth: int = 0) -> None:
        super().__init__(text, parsed, depth)
        self._words = _Literal()
        #: A place where no whole command was found, and what was.
        self._unplain = -1
        self._head: re.Match[str] | None = None

    def _plain_statements(self) -> bool:
        """Read plain commands up to the end of the last statement that is nothing else.

        Say whether there was one.
        """
        begun = self._i
        if self._pending:
            return False
        text, at = self._s, begun
        statement: list[re.Match[str]] = []
        piped = False
        while (match := _COMMAND.match(text, at)) and match[3] is not None:
            statement.append(match)
            if match[4] is not None:
                self._i = at = match.end()
                self._statement(statement, piped=piped)
                statement.clear()
                piped = False
            elif match[5]:
                at = match.end()
                piped = piped or match[5] == "|"
            else:
                if closed := _CLOSED.match(text, match.end()):
                    self._i = self._unplain = closed.end()
                    self._statement(statement, piped=piped)
                return self._i > begun
        self._unplain, self._head = at, match
        # They are read again, one by one.
        self._parsed.step(REPEATED * len(statement))
        return self._i > begun

    def _statement(self, commands: list[re.Match[str]], *, piped: bool) -> None:
        """Note the commands of a statement, which are joined one to the next."""
        parsed = self._parsed
        parsed.chain = None
        for match in commands:
            self._note(match)
            if piped or match[5] != "&&":
                parsed.chain = None

    def _plain(self) -> bool:
        """Read one plain command, if this is one."""
        match = _COMMAND.match(self._s, self._i)
        if match is None or match[3] is None:
            self._unplain, self._head = self._i, match
            return False
        self._note(match)
        self._i = match.end(1)
        return True

    def _plain_head(self, words: list[Word], effects: list[Effect]) -> bool:
        """Read the plain words that a command begins with, if there are any."""
        match = self._head if self._i == self._unplain else _COMMAND.match(self._s, self._i)
        if match is None:
            return False
        raw, first = match.group(1, 2)
        self.starts.add(self._i)
        if "$(" in raw:
            self._begins_inside(raw, self._i)
        self._i = match.end(1)
        self._read(raw, first, words, effects)
        return True

    def _note(self, match: re.Match[str]) -> None:
        """Note a command, unless it was noted already."""
        raw, first = match.group(1, 2)
        at = match.start()
        self.starts.add(at)
        if "$(" in raw:
            self._begins_inside(raw, at)
        self._parsed.step(REPEATED)
        if raw in self._seen:
            return
        parsed = self._parsed
        moved = parsed.moved
        words: list[Word] = []
        effects: list[Effect] = []
        self._read(raw, first, words, effects)
        note(self, parsed, tuple(words), tuple(effects))
        # With another value it is another command, and what moves goes somewhere else again.
        known = bool(self._values) and "$" in raw and any(name in raw for name in self._values)
        if not known and parsed.moved == moved:
            self._seen.add(raw)

    def _read(self, raw: str, first: str, words: list[Word], effects: list[Effect]) -> None:
        """Add the words of a command, and what its redirections do."""
        if not _EXPANDS.search(raw):
            words += map(self._words.__getitem__, raw.split())
            return
        literal = self._words.get
        words.append(_TEST if first == "[" else literal(first) or self._plain_word(first))
        for descriptor, operator, text in _WORDS.findall(raw, len(first)):
            if not text:
                continue
            word = literal(text) or self._plain_word(text)
            if not operator:
                words.append(word)
            elif effect := redirection(descriptor, operator, word):
                effects.append(effect)

    def _form(self, form: re.Pattern[str]) -> re.Match[str] | None:
        """Read what one of the plain forms above takes."""
        match = form.match(self._s, self._i)
        if match:
            self._i = match.end()
        return match

    def _plain_items(self, raw: str, at: int) -> tuple[list[Word], bool]:
        """Return the plain words of a loop; are all of them numbers?"""
        if "$(" in raw:
            self._begins_inside(raw, at)
        each = _ITEM.findall(raw)
        number = all(NUMBER_VALUE.fullmatch(one) for one in each)
        return [self._words.get(one) or self._plain_word(one) for one in each], number

    def _one_word(self) -> Word | None:
        """Read the word that begins here, if it is plain."""
        plain = _ONE_WORD.match(self._s, self._i)
        if plain is None:
            return None
        raw = plain[0]
        if "$(" in raw:
            self._begins_inside(raw, self._i)
        self._i = plain.end()
        return self._words.get(raw) or self._plain_word(raw)

    def _begins_inside(self, raw: str, at: int) -> None:
        """Note where the commands of substitutions begin."""
        self.starts |= {at + inner.end() for inner in _INNER.finditer(raw)}

    def _plain_word(self, raw: str) -> Word:
        if not _EXPANDS.search(raw):
            return self._words[raw]
        if "$" in raw:
            if not self._values and (match := _ONLY_NAMES.fullmatch(raw)):
                # Nothing is known of any of them.
                text = _NAMED.sub(UNKNOWN, raw)
                return Word((match[1] and text.replace('"', "")) or text, match[1] is None)
            return self._expanded(raw)
        if raw[0] in "'\"" and raw.find(raw[0], 1) == len(raw) - 1 and "\\" not in raw:
            word = Word(raw[1:-1])
        else:
            word = self._expanded(raw)
        self._words[raw] = word
        return word

    def _expanded(self, raw: str) -> Word:
        kept = self._parts, self._splits, self._several
        parts: list[str] = []
        self._parts, self._splits, self._several = parts, False, False
        for single, double, variable, wildcard, escaped, letters in _PART.findall(raw):
            if variable:
                self._variable(variable, quoted=False)
            elif wildcard:
                parts.append(_WILDCARDS[wildcard])
                self._several = True
            elif "$" not in double and "\\" not in double:
                parts.append(single or double or escaped or letters)
            else:
                for inner, special, around in _QUOTED_PART.findall(double):
                    if inner:
                        self._variable(inner, quoted=True)
                    else:
                        parts.append(special or around)
        word = Word("".join(parts), self._splits, self._several)
        self._parts, self._splits, self._several = kept
        return word

    def _variable(self, written: str, *, quoted: bool) -> None:
        kind = written[1]
        if kind == "(":
            if written[2] == "(":
                for computed in _NAMES.findall(written):
                    self._parsed.computed[computed] = None
                self._unknown(splits=False)
            else:
                self._inner(written[2:-1])
                self._unknown(splits=not quoted and written != "$(nproc)")
        elif kind == "{":
            name = written[2:-1]
            if name.isidentifier():
                self._value(name, quoted=quoted)
            else:
                self._unknown(splits=not quoted and name[0] != "#")
        elif kind == "_" or kind.isalpha():
            self._value(written[1:], quoted=quoted)
        else:
            self._unknown(splits=kind == "@" or (not quoted and kind in "*-0123456789"))

    def _inner(self, command: str) -> None:
        """Note the plain command of a substitution."""
        self._parsed.step()
        self._deeper()
        kept, starts = self._seen, self.starts
        match = _COMMAND.fullmatch(command)
        assert match
        # Its place in the script has been noted.
        self.starts = set()
        self._note(match)
        self._seen, self.starts = kept, starts
        self._parsed.chain = None
        self._depth -= 1
