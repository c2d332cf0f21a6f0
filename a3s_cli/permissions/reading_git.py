"""Which commands of git only read, and which print what is in files."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .git_commands import subcommand
from .shell_found import Word, names

_READ = names(
    "status log diff show blame annotate ls-files ls-tree rev-parse describe shortlog rev-list"
    " name-rev merge-base for-each-ref show-ref cherry count-objects check-ignore diff-tree"
    " diff-index diff-files whatchanged range-diff cat-file show-branch grep check-attr version"
)
#: Without operands of their own these list; with one of `asks` they do as well.
_LISTS = {
    "branch": re.compile(
        r"-[arvi]+|--list|-l|--all|--remotes|--show-current|--(?:no-)?contains.*|--(?:no-)?merged.*"
        r"|--points-at.*|--sort=.*|--format=.*|--(?:no-)?column.*|--(?:no-)?color.*|--verbose"
        r"|--ignore-case|--abbrev.*"
    ),
    "tag": re.compile(
        r"-[ln][0-9]*|--list|--(?:no-)?contains.*|--(?:no-)?merged.*|--points-at.*|--sort=.*"
        r"|--format=.*|--(?:no-)?column.*|--color.*|-i|--ignore-case"
    ),
}
_ASKS = re.compile(r"-l|--list|--(?:no-)?contains|--(?:no-)?merged|--points-at|-n[0-9]*")
_ACTIONS = {
    "remote": {"-v", "--verbose", "get-url"}, "stash": {"list", "show"},
    "reflog": {"show", "exists"}, "worktree": {"list"}, "notes": {"list", "show"},
    "submodule": {"status"}, "bisect": {"log"}, "symbolic-ref": {"HEAD", "--short", "-q"},
}  # fmt: skip
_ALONE = names("remote reflog notes submodule")
_REFUSED = re.compile(
    r"--output.*|--ext-diff|--textconv|--filters|--no-index|-O.*|--open-files.*|--exec.*"
    r"|--path-format.*|--batch.*|--stdin|--from-file.*|--contents.*|--ignore-revs-file.*|-S?f|-f.*"
    r"|--exclude-(?:from|per-directory).*|-X.*|--help|--show-signature"
)
_SUMMARY = re.compile(
    r"--(?:stat|shortstat|numstat|dirstat|cumulative|name-only|name-status|summary|raw|compact"
    r"-summary|quiet|no-patch|check|exit-code).*|-s"
)
_PATCH = re.compile(
    r"-[pucmW]+|-U[0-9]*|-L.*|--(?:patch|cc|unified|word-diff|color-words|remerge).*"
)
_CONTENT = names(
    "diff show blame annotate grep cat-file range-diff diff-tree diff-index diff-files"
)


def git_reads(words: Sequence[Word]) -> bool:
    """Whether a command of git, whose options run nothing, only reads."""
    at = subcommand(words)
    if at >= len(words):
        return all(word.text in ("--version", "--help", "-h", "-v") for word in words[1:])
    sub, rest = words[at].text, [word.text for word in words[at + 1 :]]
    options = rest[: rest.index("--")] if "--" in rest else rest
    if any(_REFUSED.fullmatch(text) for text in options if text.startswith("-")):
        return False
    if sub in _READ:
        return True
    if sub in _LISTS:
        known = all(_LISTS[sub].fullmatch(text) for text in rest if text.startswith("-"))
        operands = [text for text in rest if not text.startswith("-")]
        return known and (not operands or any(_ASKS.match(text) for text in rest))
    if sub in _ACTIONS:
        if not rest:
            return sub in _ALONE
        if sub == "symbolic-ref":
            return all(text in _ACTIONS[sub] for text in rest)
        return rest[0] in _ACTIONS[sub] or (sub == "reflog" and rest[0][1:].isdecimal())
    return False


def prints_content(words: Sequence[Word]) -> bool:
    """Whether it may print what is in a file."""
    at = subcommand(words)
    if at >= len(words):
        return False
    sub, rest = words[at].text, [word.text for word in words[at + 1 :]]
    patch = any(_PATCH.fullmatch(text) for text in rest)
    if sub in _CONTENT:
        return patch or not any(_SUMMARY.fullmatch(text) for text in rest)
    return patch or (sub == "stash" and rest[:1] == ["show"])
