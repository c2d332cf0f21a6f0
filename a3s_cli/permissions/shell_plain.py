"""Commands of a bash script that one regular expression reads whole.

Most commands are plain: words, quoted text, variables by their names. For these a step
per character, or per word, would be nearly all of what a decision costs. What one
expression here does not take is read by the layers above, step by step.
"""

from __future__ import annotations

import re

from .commands_found import found
from .marks import QUESTION, STAR
from .shell_found import Word, names
from .shell_words import Words

_LETTERS = r"A-Za-z0-9_./:@%+,^=~-"
_VARIABLE = r"\$(?:[A-Za-z_][A-Za-z0-9_]*|\{[A-Za-z_][A-Za-z0-9_]*\}|[0-9@*#?$!-])"
_QUOTED = rf"""'[^'\n]*'|"(?>[^"$`\\\n]+|{_VARIABLE})*+\""""
#: How a command may begin, and how its other words may: these hold wildcards as well.
_FIRST = rf"(?>(?>[{_LETTERS}]+|{_QUOTED}|{_VARIABLE})++|\[(?=[ \t]))"
_WORD = rf"(?>[!\]*?{_LETTERS}]+|{_QUOTED}|{_VARIABLE})++"
#: Redirections that write nothing.
_NOWHERE = r"(?:[012]?>&[012]|[012]?> ?/dev/null)(?![^ \t\n;&|)])"
_COMMAND = re.compile(
    rf"({_FIRST})(?>[ \t]+(?:{_NOWHERE}|{_WORD}(?=[ \t\n;&|)]|\Z)))*+"
    r"(?=[ \t]*(?:[\n;&|)]|\Z))(?![ \t]*&>)"
)
_WORDS = re.compile(rf"[ \t]+(?:{_NOWHERE}|({_WORD}))")
_ONE_WORD = re.compile(rf"{_WORD}(?=[ \t\n;&|<>)]|\Z)")
_PART = re.compile(rf"""'([^']*)'|"([^"]*)"|({_VARIABLE})|([*?])|([^'"$*?]+)""")
_QUOTED_PART = re.compile(rf"({_VARIABLE})|([^$]+)")
_EXPANDS = re.compile(r"['\"$*?]")
#: What ends a statement, or joins two, with what may be skipped behind it.
_JOINT = re.compile(
    r"[ \t]*(?:(;(?!;)|\n|&(?![&>])|\Z)|(&&|\|\||\|(?!&)))(?:[ \t\n]+|(?<=[ \t\n])\#[^\n]*)*+"
)
_GRAMMAR_WORDS = names(
    "if then elif else fi for while until do done case esac select function coproc time declare"
    " typeset local export readonly"
)


#: Again, they go somewhere else.
_MOVES = names("cd pushd popd")


def _is_plain(match: re.Match[str]) -> bool:
    first = match[1]
    return first not in _GRAMMAR_WORDS and "=" not in first


class PlainCommands(Words):
    """The layer of a reader that reads plain commands."""

    def _plain_statements(self) -> None:
        """Read plain commands up to the end of the last statement that is nothing else."""
        if self._pending:
            return
        text, at = self._s, self._i
        statement: list[tuple[re.Match[str], str]] = []
        while (match := _COMMAND.match(text, at)) and _is_plain(match):
            joint = _JOINT.match(text, match.end())
            if joint is None:
                return
            at = joint.end()
            statement.append((match, joint[2]))
            if joint[1] is not None:
                self._i = at
                self._statement(statement)
                statement.clear()
        self._unplain = at

    def _statement(self, commands: list[tuple[re.Match[str], str]]) -> None:
        """Note the commands of a statement, each with what joins it to the next."""
        parsed = self._parsed
        parsed.chain = None
        piped = any(joint == "|" for _, joint in commands)
        for match, joint in commands:
            self._note(match)
            self.starts.add(match.start())
            if piped or joint != "&&":
                parsed.chain = None

    def _plain(self) -> bool:
        """Read one plain command, if this is one."""
        if self._i == self._unplain:
            return False
        match = _COMMAND.match(self._s, self._i)
        if match is None or not _is_plain(match):
            return False
        self._note(match)
        self.starts.add(self._i)
        self._i = match.end()
        return True

    def _note(self, match: re.Match[str]) -> None:
        """Note a command, unless it was noted already."""
        raw, first = match[0], match[1]
        if raw in self._seen:
            return
        if not _EXPANDS.search(raw):
            texts = raw.split() if ">" not in raw else [first, *filter(None, _WORDS.findall(raw))]
            found(self, self._parsed, tuple([Word(text) for text in texts]), ())
        else:
            texts = [first, *filter(None, _WORDS.findall(raw, len(first)))]
            known = any(name in raw for name in self._values)
            words = tuple([self._plain_word(text) for text in texts])
            found(self, self._parsed, words, ())
            if known:
                # With another value it is another command.
                return
        if first not in _MOVES:
            self._seen.add(raw)

    def _word(self, *, pattern: bool = False) -> Word:
        plain = None if pattern else _ONE_WORD.match(self._s, self._i)
        if plain is None:
            return super()._word(pattern=pattern)
        self._i = plain.end()
        return self._plain_word(plain[0])

    def _plain_word(self, raw: str) -> Word:
        if not _EXPANDS.search(raw):
            return Word(raw)
        kept = self._parts, self._splits, self._several
        parts: list[str] = []
        self._parts, self._splits, self._several = parts, False, False
        for single, double, variable, wildcard, letters in _PART.findall(raw):
            if letters:
                parts.append(letters)
            elif variable:
                self._variable(variable, quoted=False)
            elif wildcard:
                parts.append(STAR if wildcard == "*" else QUESTION)
                self._several = True
            elif "$" not in double:
                parts.append(single or double)
            else:
                for inner, around in _QUOTED_PART.findall(double):
                    if inner:
                        self._variable(inner, quoted=True)
                    else:
                        parts.append(around)
        word = Word("".join(parts), self._splits, self._several)
        self._parts, self._splits, self._several = kept
        return word

    def _variable(self, written: str, *, quoted: bool) -> None:
        name = written[1:].strip("{}")
        if name.isidentifier():
            self._value(name, quoted=quoted)
        elif name == "@" or (not quoted and name in "*-0123456789"):
            self._unknown(splits=True)
        else:
            self._unknown(splits=False)
