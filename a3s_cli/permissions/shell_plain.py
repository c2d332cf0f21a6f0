"""Commands of a bash script that one regular expression reads whole.

Most commands are plain: words, quoted text, variables by their names. For these a step
per character, or per word, would be nearly all of what a decision costs. What one
expression here does not take is read by the layers above, step by step.
"""

from __future__ import annotations

import re

from .commands_found import found
from .marks import QUESTION, STAR
from .shell_found import Effect, Parsed, Word, names, redirection
from .shell_words import Words

_LETTERS = r"A-Za-z0-9_./:@%+,^=~-"
_NAME = "[A-Za-z_][A-Za-z0-9_]*"
_GRAMMAR = (
    "if then elif else fi for while until do done case esac select function coproc time declare"
    " typeset local export readonly"
)
#: Again, they go somewhere else.
_MOVE = "cd pushd popd"
#: `$((a + 1))`: names, numbers and operators that assign nothing.
_SUM = rf"\$\(\( *(?:{_NAME}|[0-9]+)(?: *[-+*/%] *(?:{_NAME}|[0-9]+))*+ *\)\)"
#: `$(git rev-parse HEAD)`: a plain command, in which nothing but names is expanded.
_COMMAND_IN = (
    rf"\$\((?!(?:{'|'.join((_GRAMMAR + ' ' + _MOVE).split())})[ \t)])[A-Za-z0-9_./-]+(?=[ \t)])"
    rf"""(?>[ \t]+(?>[*?{_LETTERS}]+|'[^'\n]*'|"[^"$`\\\n]*"|\${_NAME})++(?=[ \t)]))*+\)"""
)
#: `${x:-plain}`, `${x##*/}`, `${#x}`.
_BRACED = rf"\{{(?>#?{_NAME}\}}|{_NAME}(?>:?[-+?]|##?|%%?|//?)[*?/{_LETTERS}]*+\}})"
_VARIABLE = rf"(?>\$(?>{_NAME}|{_BRACED}|[0-9@*#?$!-])|{_SUM}|{_COMMAND_IN})"
_QUOTED = rf"""'[^'\n]*'|"(?>[^"$`\\\n]+|{_VARIABLE})*+\""""
#: How a command may begin, and how its other words may: these hold wildcards as well.
_FIRST = rf"(?>(?>[{_LETTERS}]+|{_QUOTED}|{_VARIABLE})++|\[(?=[ \t]))"
_WORD = rf"(?>[!\]*?{_LETTERS}]+|{_QUOTED}|{_VARIABLE})++"
#: Redirections that write nothing.
_NOWHERE = r"(?:[012]?>&[012]|[012]?> ?/dev/null)(?![^ \t\n;&|)])"
_INTO = r"([0-9]*)(>>|>\||&>>?|>|<)(?![<>&(|])[ \t]*"
_COMMAND = re.compile(
    rf"({_FIRST})(?>[ \t]+(?:{_NOWHERE}"
    rf"|(?:{_INTO.replace('(', '(?:', 2)})?{_WORD}(?=[ \t\n;&|)]|\Z)))*+"
    r"(?=[ \t]*(?:[\n;&|)]|\Z))(?![ \t]*&>)"
)
_WORDS = re.compile(rf"[ \t]+(?:{_NOWHERE}|(?:{_INTO})?({_WORD}))")
_ONE_WORD = re.compile(rf"{_WORD}(?=[ \t\n;&|<>)]|\Z)")
_PART = re.compile(
    rf"""'([^']*)'|"((?>[^"$`\\\n]+|{_VARIABLE})*+)"|({_VARIABLE})|([*?])|([^'"$*?]+)"""
)
_QUOTED_PART = re.compile(rf"({_VARIABLE})|([^$]+)")
_EXPANDS = re.compile(r"['\"$*?]")
#: What ends a statement, or joins two, with what may be skipped behind it.
_JOINT = re.compile(
    r"[ \t]*(?:(;(?!;)|\n|&(?![&>])|\Z)|(&&|\|\||\|(?!&)))(?:[ \t\n]+|(?<=[ \t\n])\#[^\n]*)*+"
)
#: A statement that ends where a substitution or a case does.
_CLOSED = re.compile(r"[ \t]*(?=\)|;;)")
_NAMES = re.compile(rf"{_NAME}(?![A-Za-z0-9_])")
_INNER = re.compile(r"\$\((?!\()")
_GRAMMAR_WORDS = names(_GRAMMAR)
_MOVES = names(_MOVE)


class _Plain(dict[str, Word]):
    """Words that are exactly what is written: each is made once."""

    def __missing__(self, text: str) -> Word:
        word = self[text] = Word(text)
        return word


def _is_plain(match: re.Match[str]) -> bool:
    first = match[1]
    return first not in _GRAMMAR_WORDS and "=" not in first


class PlainCommands(Words):
    """The layer of a reader that reads plain commands."""

    def __init__(self, text: str, parsed: Parsed, depth: int = 0) -> None:
        super().__init__(text, parsed, depth)
        self._words = _Plain()

    def _plain_statements(self) -> None:
        """Read plain commands up to the end of the last statement that is nothing else."""
        if self._pending:
            return
        text, at = self._s, self._i
        statement: list[tuple[re.Match[str], str]] = []
        while (match := _COMMAND.match(text, at)) and _is_plain(match):
            joint = _JOINT.match(text, match.end())
            if joint is None:
                if closed := _CLOSED.match(text, match.end()):
                    self._i = closed.end()
                    self._statement([*statement, (match, "")])
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
        self._i = match.end()
        return True

    def _note(self, match: re.Match[str]) -> None:
        """Note a command, unless it was noted already."""
        raw, first = match[0], match[1]
        self.starts.add(match.start())
        self._begin_inner(raw, match.start())
        if raw in self._seen:
            return
        expands = _EXPANDS.search(raw)
        # With another value it is another command.
        known = expands and any(name in raw for name in self._values)
        effects: list[Effect] = []
        if not expands and ">" not in raw and "<" not in raw:
            words = tuple(map(self._words.__getitem__, raw.split()))
        else:
            argv = [self._plain_word(first)]
            for descriptor, operator, text in _WORDS.findall(raw, len(first)):
                if not text:
                    continue
                word = self._plain_word(text)
                if not operator:
                    argv.append(word)
                elif effect := redirection(descriptor, operator, word):
                    effects.append(effect)
            words = tuple(argv)
        found(self, self._parsed, words, tuple(effects))
        if first not in _MOVES and not known:
            self._seen.add(raw)

    def _word(self, *, pattern: bool = False) -> Word:
        plain = None if pattern else _ONE_WORD.match(self._s, self._i)
        if plain is None:
            return super()._word(pattern=pattern)
        self._begin_inner(plain[0], self._i)
        self._i = plain.end()
        return self._plain_word(plain[0])

    def _begin_inner(self, raw: str, at: int) -> None:
        """Note where the commands of substitutions begin."""
        if "$(" in raw:
            self.starts |= {at + inner.end() for inner in _INNER.finditer(raw)}

    def _plain_word(self, raw: str) -> Word:
        if not _EXPANDS.search(raw):
            return self._words[raw]
        if raw[0] in "'\"" and raw.find(raw[0], 1) == len(raw) - 1 and "$" not in raw:
            return self._words[raw[1:-1]]
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
        elif written.startswith("$(("):
            for computed in _NAMES.findall(written):
                self._parsed.computed[computed] = None
            self._unknown(splits=False)
        elif written.startswith("$("):
            self._inner(written[2:-1])
            self._unknown(splits=not quoted and written != "$(nproc)")
        elif written.startswith("${") and name[0] != "#":
            self._unknown(splits=not quoted)
        elif name == "@" or (not quoted and name in "*-0123456789"):
            self._unknown(splits=True)
        else:
            self._unknown(splits=False)

    def _inner(self, command: str) -> None:
        """Note the plain command of a substitution."""
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
