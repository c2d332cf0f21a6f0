"""Permission rules: `tool` or `tool(pattern)`, and what they match.

A pattern means what suits the tool. For a command it is matched against the words
of a simple command: `git status:*` and `git status *` are that command with any
further words, `*` stands for anything, and without it the words must be equal. A
pattern may be quoted as in a shell, begin with `NAME=value` and end with a
redirection: then it covers these too. For a file it is a path glob against the
resolved path, from the workspace's root unless it begins with `/` or `~/`. For a
URL see `url_pattern`.

What allows and what denies is matched differently, each on its safe side: an
allowing rule sees the command as it is written, a denying one also the file that
it runs (`/bin/rm`) and without options before the subcommand (`git -C . push`).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..registry import LOAD_TOOLS, MCP
from ..values import Value
from .marks import JOINED, NOT_KNOWN, UNKNOWN
from .rule_pattern import could_match, matches, matches_any, path_matches, path_may_match

if TYPE_CHECKING:
    from ..tool_protocol import Subject
    from .command_pattern import Pattern
    from .places import Places
    from .shell_found import Command, Word

#: Options before a subcommand that are looked through; more are taken for a disguise.
_MOST_STARTS = 32
#: Where file names differing only in case are one file.
_FOLDS_CASE = sys.platform in ("darwin", "win32")


class Rule(Value):
    """A rule as it was written; no `pattern` means every call of the tool."""

    text: str
    tool: str
    pattern: str | None = None

    def applies(self, tool: str) -> bool:
        """Whether it speaks of this tool."""
        return matches(self.tool, tool)

    @property
    def total(self) -> bool:
        """Whether it holds for every call: no pattern, or one that is all wildcard."""
        return self.pattern is None or self.pattern.strip("*") == ""

    # -- commands --------------------------------------------------------------------

    @property
    def _form(self) -> Pattern:
        return _form(self.pattern or "*")

    def covers(self, command: Command, *, effects: bool = False) -> bool:
        """Whether an allowing rule holds for this command, whatever its unknown words are.

        `effects`: and for its redirections and assignments, which it spells out.
        """
        form = self._form
        if form.effects != effects or (form.first and form.first != command.words[0].text):
            return False
        if command.known and not (effects or command.wraps or command.risks):
            # Nothing is left but to compare the words.
            if matches_any(form.texts, command.joined):
                return True
            if command.words[0].text != "git":
                return False
        return any(self._covers(command, words, left) for words, left in _as_written(command))

    def _covers(self, command: Command, words: tuple[Word, ...], left: int) -> bool:
        form = self._form
        before, after = _effects(command) if form.effects else ((), ())
        if form.effects and (len(before), len(after)) != (form.assigns, 2 * form.redirects):
            return False
        for expanded in _expanded(words):
            text = _joined([*before, *(word.text for word in expanded), *after])
            if not matches_any(form.texts, text):
                return False
        spelled = form.spelled
        if spelled is None:
            return True
        start = sum(len(text) + 1 for text in before)
        program = start + len(words[0].text)
        risks = [risk for risk in command.risks if spelled > program or not risk.named]
        ends = (start + _end(words, max(risk.at - left, 0)) for risk in risks)
        return spelled >= max(program * command.wraps, *ends, 0)

    def names_inner(self, command: Command) -> bool:
        """Whether an allowing rule names this command behind the wrapper that runs it."""
        offset, outer, inner = command.offset, command.outer, command
        while outer is not None:
            if self.covers(outer) or self.covers(outer, effects=bool(outer.effects)):
                spelled = self._form.spelled
                if spelled is None:
                    return True
                # What xargs reads stands behind all of its words.
                same = outer.words[offset : offset + 1] == inner.words[:1]
                ends = [offset, *(offset + risk.at for risk in command.risks if same)]
                return _end(outer.words, min(max(ends), len(outer.words) - 1)) <= spelled
            inner, offset, outer = outer, offset + outer.offset, outer.outer
        return False

    @property
    def first(self) -> str:
        """The word that a command must begin with; empty where that is not certain."""
        return self._form.first

    @property
    def needs(self) -> tuple[str, ...]:
        """See `Pattern`."""
        return self._form.needs

    def catches(self, command: Command, places: Places | None = None) -> bool:
        """Whether a denying or asking rule holds for this command in any of its spellings."""
        form = self._form
        for words in _spellings(command, form.program, places):
            if form.fits(_joined([word.text for word in words]), words):
                return True
        if form.effects:
            before, after = _effects(command)
            text = _joined([*before, *(word.text for word in command.words), *after])
            return matches_any(form.texts, text)
        return False

    def could_catch(self, command: Command, places: Places | None = None) -> bool:
        """Whether it might, for what the unknown words could become."""
        texts, words = self._form.texts, command.words
        long = len(words) > _MOST_STARTS and command.name != "git"
        if long and len(_starts(words)) > _MOST_STARTS:
            return any(could_match(text, f"{command.name} ") for text in texts)
        if command.known:
            return False
        for words in _spellings(command, self._form.program, places):
            head = _head(words)
            if head is not None and any(could_match(text, head) for text in texts):
                return True
        return False

    def lurks(self, told: str) -> bool:
        """Whether what it denies is mentioned in what a program is told, which could run it."""
        mention = self._form.mention
        return mention is not None and mention.search(told) is not None

    @property
    def one_word(self) -> bool:
        """Whether a program's name alone may be what it denies."""
        return self._form.one_word

    # -- files -----------------------------------------------------------------------

    def may_name_path(self, path: PurePath, root: PurePath, *, whole: bool) -> bool:
        """Whether it may name a path of a command, in which a shell's wildcards may be.

        `whole`: or what is below it.
        """
        pattern, text = self._rooted(root), path.as_posix()
        if _FOLDS_CASE:
            pattern, text = pattern.casefold(), text.casefold()
        return path_may_match(pattern, text, below=whole)

    def _rooted(self, root: PurePath) -> str:
        pattern = self.pattern or "*"
        if pattern.startswith("~/"):
            return Path(pattern).expanduser().as_posix()
        return pattern if pattern.startswith("/") else f"{root.as_posix()}/{pattern}"

    def matches_path(self, path: PurePath, root: PurePath | None, *, allows: bool) -> bool:
        """Whether the pattern names this resolved path."""
        pattern = self.pattern or "*"
        if pattern == "*":
            return True
        if pattern.startswith("~/"):
            pattern = Path(pattern).expanduser().as_posix()
        elif not pattern.startswith("/") and root is not None:
            # The root's own name is text, whatever characters are in it.
            relative = _below(path, root)
            return relative is not None and _path(pattern, relative, allows)
        return _path(pattern, path.as_posix(), allows)


@lru_cache(maxsize=1024)
def _form(pattern: str) -> Pattern:
    from .command_pattern import Pattern

    return Pattern(pattern)


def _path(pattern: str, path: str, allows: bool) -> bool:
    if _FOLDS_CASE and not allows:
        pattern, path = pattern.casefold(), path.casefold()
    return path_matches(pattern, path)


def _below(path: PurePath, root: PurePath) -> str | None:
    try:
        relative = path.relative_to(root).as_posix()
    except ValueError:
        return None
    return "" if relative == "." else relative


# -- the spellings of a command ------------------------------------------------------------


def _joined(texts: list[str]) -> str:
    """Join words by blanks; a blank inside a word is another character."""
    text = " ".join(texts)
    if text.count(" ") == len(texts) - 1:
        return text
    return " ".join(each.replace(" ", JOINED) for each in texts)


def _effects(command: Command) -> tuple[list[str], list[str]]:
    before = [effect.text for effect in command.effects if effect.kind == "assign"]
    after = [
        part
        for effect in command.effects
        if effect.kind != "assign"
        for part in effect.text.split(" ", 1)
    ]
    return before, after


def _as_written(command: Command) -> Iterator[tuple[tuple[Word, ...], int]]:
    """The words, and git's without harmless options; and how many words that leaves out."""
    yield command.words, 0
    if len(command.words) > 2 and command.words[0].text == "git":
        from .git_commands import spelled_plainly

        plain = spelled_plainly(command.words)
        if len(plain) != len(command.words):
            yield plain, len(command.words) - len(plain)


def _expanded(words: tuple[Word, ...]) -> Iterator[tuple[Word, ...]]:
    """The words, and the words without those that may vanish."""
    yield words
    kept = tuple(word for word in words if not (word.splits and word.text == UNKNOWN))
    if kept and kept != words:
        yield kept


def _end(words: tuple[Word, ...], index: int) -> int:
    """Where in the joined text a word ends."""
    return sum(len(word.text) for word in words[: index + 1]) + index


def _spellings(command: Command, program: str, places: Places | None) -> Iterator[tuple[Word, ...]]:
    words = command.words
    yield words
    name = words[0].text
    base = words[0]._replace(text=command.name)
    if base.text != name:
        yield (base, *words[1:])
    if program and words[0].known and program != name and same_program(program, name, places):
        yield (words[0]._replace(text=program), *words[1:])
    if base.text == "git" or base.text.startswith("git-"):
        from .git_commands import as_run

        yield from as_run(words)
        return
    for at in _starts(words)[1:_MOST_STARTS]:
        yield (base, *words[at:])


def same_program(program: str, name: str, places: Places | None) -> bool:
    """Whether a rule's program and a command's are the same file, for all that is known."""
    from . import places as known

    if known.same_spelling(program, name):
        return True
    return places is not None and places.same_program(program, name)


def _starts(words: tuple[Word, ...]) -> list[int]:
    """Where the subcommand may be: after options, each with or without a value."""
    starts = [1]
    for at in range(2, len(words)):
        if starts[-1] < at - 2 or len(starts) > _MOST_STARTS:
            break
        option = at - 1 in starts[-2:] and words[at - 1].text.startswith("-")
        value = at - 2 in starts[-2:] and words[at - 2].text.startswith("-")
        if option or value:
            starts.append(at)
    return starts


def _head(words: tuple[Word, ...]) -> str | None:
    """The joined text up to what is unknown, or `None` where all is known."""
    head: list[str] = []
    for word in words:
        if not word.known:
            unknown = NOT_KNOWN.search(word.text)
            before = word.text[: unknown.start()] if unknown else word.text
            text = " ".join([*head, before.replace(" ", JOINED)])
            # A word that may vanish takes the blank before it along.
            return text.rstrip(" ") if word.splits and not before else text
        head.append(word.text.replace(" ", JOINED))
    return None


def parse_rule(text: str, tools: Collection[str]) -> Rule:
    """Read one rule, or say what is wrong with it."""
    tool, parenthesis, rest = text.strip().partition("(")
    tool = tool.strip()
    pattern: str | None = None
    if parenthesis:
        if not rest.endswith(")") or not _balanced(rest[:-1]):
            raise UsageError(f"the rule {text!r} has an unbalanced parenthesis", hint=_FORM)
        pattern = rest[:-1].strip()
        if pattern in ("", ":*"):
            raise UsageError(f"the rule {text!r} has an empty pattern", hint=_FORM)
    if ")" in tool:
        raise UsageError(f"the rule {text!r} has an unbalanced parenthesis", hint=_FORM)
    if not tool:
        raise UsageError(f"the rule {text!r} names no tool", hint=_FORM)
    if "\0" in text:
        raise UsageError("a rule cannot contain NUL", hint=_FORM)
    if tool.startswith(MCP):
        return _mcp_rule(text, tool, pattern)
    if "*" not in tool and tool not in tools and tool != LOAD_TOOLS:
        from difflib import get_close_matches

        near = get_close_matches(tool, tools, 1)
        raise UsageError(
            f"the rule {text!r} is for an unknown tool{_nearest(tool, tools)}",
            hint="the tools are " + ", ".join(sorted(tools)),
            correction=(text, text.replace(tool, near[0], 1)) if near else None,
        )
    return Rule(text.strip(), tool, pattern)


def _mcp_rule(text: str, tool: str, pattern: str | None) -> Rule:
    """Return a rule for tools of MCP servers, which are known only once these have answered."""
    server, joint, name = tool.removeprefix(MCP).partition("__")
    if pattern is not None and pattern.strip("*"):
        raise UsageError(f"the rule {text!r}: an MCP tool takes no pattern", hint=_MCP_FORM)
    if not re.fullmatch(r"[A-Za-z0-9_*-]+", server + name) or (joint and not name):
        raise UsageError(f"the rule {text!r}: no MCP tool has such a name", hint=_MCP_FORM)
    # A server alone means all of its tools.
    every = not joint and not server.endswith("*")
    return Rule(text.strip(), f"{tool}__*" if every else tool)


_MCP_FORM = "such a rule is mcp__SERVER__TOOL, where * is any letters; see `a3s mcp tools SERVER`"
_FORM = "a rule is `tool` or `tool(pattern)`, for example bash(git status:*)"


def _balanced(text: str) -> bool:
    depth = 0
    for character in re.findall("[()]", text):
        depth += 1 if character == "(" else -1
        if depth < 0:
            return False
    return depth == 0


def _nearest(tool: str, tools: Collection[str]) -> str:
    import difflib

    near = difflib.get_close_matches(tool.lower(), sorted(tools), n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else ""


def total(rules: Sequence[Rule]) -> Rule | None:
    """Return the first rule without a pattern."""
    return next((rule for rule in rules if rule.total), None)


def names_subject(
    rule: Rule, subject: Subject, path: PurePath | None, root: PurePath | None, *, allows: bool
) -> bool:
    """Whether a rule of the right tool names what a call acts on, which is no script."""
    if rule.total:
        return True
    if subject.kind == "path" and path is not None:
        return rule.matches_path(path, root, allows=allows)
    if subject.kind == "url":
        from .url_pattern import url_matches

        return url_matches(rule.pattern or "*", subject.value, strictly=allows)
    return False
