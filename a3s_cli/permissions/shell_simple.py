"""Simple commands of a bash script: words, assignments, redirections, here-documents."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections import Counter

from . import variables
from .commands_found import note, run_as_script
from .marks import ELEMENTS, UNKNOWN
from .shell_arithmetic import NUMBER_VALUE, Unreadable
from .shell_found import PART, Effect, Word, names, redirection
from .shell_plain import PlainCommands

_BLANKS = re.compile(r"(?:[ \t]+|\\\n)*")
_BLANK = frozenset(" \t\\")
#: Where a text is looked through once more.
LETTERS_IN_A_STEP = 12
REDIRECTS = frozenset("0123456789<>&")
#: Blanks, comments and newlines.
_GAP = r"(?:[ \t\n]+|\\\n|#[^\n]*)*+"
_SKIPPED = re.compile(_GAP)
_WORD_OF_GRAMMAR = (
    r"(?:if|then|elif|else|fi|for|while|until|do|done|case|esac|select|function|coproc|time"
    r"|\{|\}|!|\[\[)(?=[ \t\n;&|<>()]|\Z)"
)
_RESERVED = re.compile(_WORD_OF_GRAMMAR)
#: One, or what may be one when its lines are joined.
_NEXT = re.compile(rf"{_GAP}(?:({_WORD_OF_GRAMMAR})|([A-Za-z!{{\[]*\\\n))?")
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\+?=|\[)")
#: What is behind a `$` is used, and not set.
_MENTIONED = re.compile(r"\$\{?\w+|\w+")
_SET_BY_USE = re.compile(r"\$\{(\w+):?=")
_SUBSCRIPT = re.compile(r"""\[("[\w .:/@-]*"|'[\w .:/@-]*'|[\w.:/@-]+)\]\+?=""", re.ASCII)
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_DECLARES = names("declare typeset local export readonly")
_REDIRECT = re.compile(r"([0-9]*)(<<<|<<-|<<|<>|<&|>&|>>|>\||&>>|&>|<|>)")
_DELIMITER = re.compile(r"(?:'[\w.-]+'|\"[\w.-]+\"|\\?[\w.-]+)(?=[ \t\n;&|<>)]|\Z)")


class SimpleCommands(PlainCommands):
    """The middle of a reader: simple commands."""

    #: Whether each statement here runs once and in order: only then is a value known.
    _straight = True

    @abstractmethod
    def _function(self) -> None:
        """Read the body of a function."""

    def _blanks(self) -> str:
        """Skip blanks; return the character behind them, empty at the end."""
        character = self._s[self._i : self._i + 1]
        if character in _BLANK:
            match = _BLANKS.match(self._s, self._i)
            assert match
            self._i = match.end()
            return self._s[self._i : self._i + 1]
        return character

    def _newlines(self) -> str:
        """Skip blanks, comments, newlines and the bodies of here-documents."""
        if not self._pending:
            match = _SKIPPED.match(self._s, self._i)
            assert match
            self._i = match.end()
            return self._s[self._i : self._i + 1]
        while True:
            character = self._blanks()
            if character == "#":
                end = self._s.find("\n", self._i)
                self._i = len(self._s) if end < 0 else end
            elif character == "\n":
                self._i += 1
                self._documents()
            else:
                return character

    def _next(self) -> str:
        """Skip to the next command, and return the word of the grammar that begins it, if any."""
        if self._pending:
            self._newlines()
        match = _NEXT.match(self._s, self._i)
        assert match
        word, joined = match.group(1, 2)
        if word:
            self._i = match.start(1)
            return word
        self._i = match.end()
        if joined:
            self._i -= len(joined)
            self._join(match.end() - 2)
            return self._reserved()
        return ""

    def _reserved(self) -> str:
        """Return the word of the grammar that begins here, if one does."""
        match = _RESERVED.match(self._s, self._i)
        return match[0] if match else ""

    def _joined_reserved(self) -> str:
        """Return it where nothing is to be skipped; its lines may have to be joined."""
        return "" if self._s[self._i : self._i + 1] in ("\n", "#") else self._next()

    def _only_once(self, name: str) -> bool:
        """Whether nothing else in the script can set the variable."""
        text, mentions, set_by_use = self._mentioned
        if text != self._s:
            self._parsed.step(len(self._s) // LETTERS_IN_A_STEP)
            mentions = Counter(_MENTIONED.findall(self._s))
            set_by_use = frozenset(_SET_BY_USE.findall(self._s))
            self._mentioned = self._s, mentions, set_by_use
        return mentions[name] == 1 and name not in set_by_use

    def _parentheses(self) -> None:
        self._i += 1
        if self._blanks() != ")":
            raise Unreadable("`(`")
        self._i += 1

    # -- simple commands ---------------------------------------------------------------

    def _simple(self) -> None:
        words: list[Word] = []
        effects: list[Effect] = []
        assigned: list[tuple[str, Word, str]] = []
        start = self._i
        while (character := self._blanks()) and character not in "\n;)#":
            if character in REDIRECTS and self._redirection(effects):
                continue
            if character in "&|(":
                break
            if not words and self._plain_head(words, effects):
                continue
            if not words and (found := self._assignment()):
                self._parsed.count()
                assigned.append(found)
            elif not self._argument(words):
                raise Unreadable(f"`{character}`")
        if self._i == start:
            raise Unreadable(f"`{self._s[start : start + 1]}`")
        if self._s.startswith("(", self._i):
            if len(words) != 1 or assigned or effects:
                raise Unreadable("`(`")
            self._parentheses()
            self._function()
        else:
            self._ran(words, assigned, effects)

    def _argument(self, words: list[Word]) -> bool:
        """Read one more word of a command; say whether there is one."""
        at, size = self._i, len(self._s)
        if words and words[0].text in _DECLARES and (found := self._assignment()):
            words.append(Word(f"{found[0]}={found[1].text}", found[1].splits))
            return True
        word = self._word() if words else self._first()
        if self._i == at:
            return False
        if not words and len(self._s) != size:
            # Lines were joined in it: it may be an assignment, or a word of the grammar.
            self._i = at
            if self._reserved():
                raise Unreadable("a word of the grammar over several lines")
            return True
        if not words:
            self.starts.add(at)
        words.append(word)
        return True

    def _first(self) -> Word:
        if self._s.startswith("[", self._i) and self._s[self._i + 1 : self._i + 2] in (" ", "\t"):
            self._i += 1
            return Word("[")
        return self._word()

    def _ran(
        self, words: list[Word], assigned: list[tuple[str, Word, str]], effects: list[Effect]
    ) -> None:
        for name, value, raw in assigned:
            number = bool(NUMBER_VALUE.fullmatch(raw))
            self._parsed.assign(name, number)
            self._values.pop(name, None)
            if not words and self._straight and value.known and self._only_once(name):
                self._values[name] = value
                self._seen.clear()
            for_read = name == "IFS" and words and words[0].text == "read"
            effect = variables.assignment(name, value, exported=bool(words))
            if effect is not None and not for_read:
                if effect.reach == "anything" and value.known and variables.is_command(name):
                    run_as_script(self, self._parsed, value.text)
                    effect = effect._replace(reach="changes")
                effects.append(effect)
        if words:
            note(self, self._parsed, tuple(words), tuple(effects))
        else:
            self._parsed.effects += effects

    def _assignment(self) -> tuple[str, Word, str] | None:
        """Read `name=value`, `name+=value` or `name=(…)`: name, value, and how it is written."""
        head = _ASSIGNMENT.match(self._s, self._i)
        if head is None:
            return None
        if head[2] == "[":
            return self._element(head)
        self._i = at = head.end()
        if self._s.startswith("(", at):
            self._array()
            return head[1], Word(UNKNOWN + ELEMENTS), "(…)"
        self._join(at)
        value = self._word() if self._s[at : at + 1] not in ("", *" \t\n;&|<>)") else Word("")
        raw = self._s[at : self._i]
        return head[1], Word(value.text, False), raw if head[2] == "=" else f"x{raw}"

    def _element(self, head: re.Match[str]) -> tuple[str, Word, str] | None:
        """Read `name[1]=value`: what computes the place may run commands."""
        end = re.compile(r"\[[0-9]+\]\+?=").match(self._s, head.end(1))
        self._parsed.assign(head[1])
        if end is None:
            end = re.compile(r"\[[^\s;&|<>()]*\]\+?=").match(self._s, head.end(1))
            if end is None:
                if re.compile(r"\[[^\n]*\]\+?=").match(self._s, head.end(1)):
                    raise Unreadable("it assigns to an element of an array")
                return None
            self._doubt("it assigns to an element of an array")
        self._i = end.end()
        if self._s[self._i : self._i + 1] not in ("", *" \t\n;&|<>()"):
            self._word()
        return head[1], Word(UNKNOWN), "x"

    def _array(self) -> None:
        self._i += 1
        while (character := self._newlines()) and character != ")":
            if character == "[":
                self._subscript()
                continue
            start = self._i
            self._word()
            if self._i == start:
                raise Unreadable(f"`{character}` in an array")
        self._i += 1

    def _subscript(self) -> None:
        """Read `[key]=value` of an array; a key that is no number may be computed with."""
        match = _SUBSCRIPT.match(self._s, self._i)
        if match is None:
            raise Unreadable("an array with subscripts")
        for name in _IDENTIFIER.findall(match[1]):
            self._parsed.computed[name] = None
        self._i = match.end()
        if self._s[self._i : self._i + 1] not in ("", *" \t\n)"):
            self._word()

    # -- redirections ------------------------------------------------------------------

    def _redirection(self, effects: list[Effect]) -> bool:
        """Read a redirection if one begins here; note what it does."""
        self._blanks()
        match = _REDIRECT.match(self._s, self._i)
        if match is None:
            return False
        self._join(match.end())
        if match[2] in "<>" and self._s.startswith("(", match.end()):
            if match[1]:
                raise Unreadable("a substitution behind a number")
            return False
        match = _REDIRECT.match(self._s, self._i)
        assert match
        if self._i and self._s[self._i - 1] == "}" and not match[1] and match[2] != "<<<":
            raise Unreadable("a redirection that sets a variable")
        self._i = match.end()
        self._parsed.step()
        if match[2] in ("<<", "<<-"):
            self._document(strip=match[2] == "<<-")
            return True
        self._blanks()
        start = self._i
        target = self._target()
        if self._i == start:
            raise Unreadable(f"`{match[2]}` without a target")
        if match[2] == "<<<":
            self._parsed.inputs.append(target.text)
        if effect := redirection(match[1], match[2], target):
            effects.append(effect)
        return True

    def _target(self) -> Word:
        if self._s.startswith(("<(", ">("), self._i):
            return self._process()
        return self._word()

    def _word(self, *, pattern: bool = False) -> Word:
        """Read the word that begins here.

        `pattern`: parentheses and bars are part of it, as behind `=~`.
        """
        if pattern:
            return self._word_by_steps(pattern=True)
        if self._s.startswith(("<(", ">("), self._i):
            return self._process()
        word = self._one_word() or self._word_by_steps(pattern=False)
        if self._s.startswith(("<(", ">("), self._i):
            raise Unreadable("a substitution inside a word")
        return word

    def _process(self) -> Word:
        """Read `<(…)`: what it becomes is the name of a pipe."""
        self._i += 2
        self._nest(")")
        if not re.compile(r"[ \t\n;&|<>)]|\Z").match(self._s, self._i):
            raise Unreadable("a substitution inside a word")
        return Word(f"/dev/fd/{UNKNOWN}")

    def _document(self, *, strip: bool) -> None:
        self._blanks()
        match = _DELIMITER.match(self._s, self._i)
        if match is None:
            raise Unreadable("the end of a here-document is not certain")
        self._i = match.end()
        raw = match[0]
        self._pending.append((re.sub(r"['\"\\]", "", raw), raw[0] in "'\"\\", strip))

    def _documents(self) -> None:
        """Read the bodies of the here-documents that begin at this line."""
        pending, self._pending = self._pending, []
        self._parsed.step(PART * len(pending))
        for delimiter, quoted, strip in pending:
            start = at = self._i
            while True:
                if at >= len(self._s):
                    raise Unreadable("the end of a here-document is not certain")
                end = self._s.find("\n", at)
                end = len(self._s) if end < 0 else end
                line = self._s[at:end]
                if (line.lstrip("\t") if strip else line) == delimiter:
                    break
                at = end + 1
            self._parsed.inputs.append(self._s[start:at])
            if not quoted:
                self._body(self._s[start:at], start)
            self._i = end

    def _body(self, text: str, at: int) -> None:
        if "$" in text or "`" in text or "\\\n" in text:
            reader = type(self)(text, self._parsed, self._depth + 1)
            reader._straight = False
            reader._double("")
            self.starts |= {at + each for each in reader.starts}
