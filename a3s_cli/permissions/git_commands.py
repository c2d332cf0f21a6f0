"""git: where its subcommand is, and which of its arguments run programs or write files."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .option_table import Options
from .program_options import option_risks
from .shell_found import Reach, Risk, Word, names

#: Before the subcommand; they choose nothing that runs.
HARMLESS = names(
    "--no-pager -P --version -v --help -h --no-optional-locks --literal-pathspecs"
    " --glob-pathspecs --noglob-pathspecs --icase-pathspecs --no-replace-objects --no-lazy-fetch"
    " --no-advice"
)
_VALUES = names("-c -C --git-dir --work-tree --namespace --config-env --attr-source --super-prefix")
#: All others could be an alias, which may be any command.
_KNOWN = names(
    "add am annotate apply archive bisect blame branch bugreport bundle cat-file check-attr"
    " check-ignore check-mailmap check-ref-format checkout checkout-index cherry cherry-pick"
    " citool clean clone column commit commit-graph commit-tree config count-objects credential"
    " credential-cache credential-store cvsexportcommit cvsimport cvsserver daemon describe"
    " diagnose diff diff-files diff-index diff-tree difftool fast-export fast-import fetch"
    " fetch-pack filter-branch filter-repo fmt-merge-msg for-each-ref for-each-repo format-patch"
    " fsck fsmonitor--daemon gc get-tar-commit-id grep gui hash-object help hook http-backend"
    " http-fetch http-push imap-send index-pack init init-db instaweb interpret-trailers lfs log"
    " ls-files ls-remote ls-tree mailinfo mailsplit maintenance merge merge-base merge-file"
    " merge-index merge-one-file merge-tree mergetool mktag mktree multi-pack-index mv name-rev"
    " notes p4 pack-objects pack-redundant pack-refs patch-id prune prune-packed pull push"
    " quiltimport range-diff read-tree rebase receive-pack reflog refs remote remote-ext remote-fd"
    " repack replace replay request-pull rerere reset restore rev-list rev-parse revert rm"
    " send-email send-pack shell shortlog show show-branch show-index show-ref sparse-checkout"
    " stage stash status stripspace submodule subtree svn switch symbolic-ref tag unpack-file"
    " unpack-objects update-index update-ref update-server-info upload-archive upload-pack var"
    " verify-commit verify-pack verify-tag version web--browse whatchanged worktree write-tree"
)
_RUNS = names(
    "difftool mergetool filter-branch filter-repo hook send-email daemon for-each-repo"
    " upload-pack receive-pack remote-ext remote-fd shell http-backend cvsserver svn p4"
    " merge-index cvsimport quiltimport imap-send"
)
_CHANGES = names("instaweb web--browse gui credential credential-store credential-cache citool")
#: They write to the files that they are given.
_WRITES = names("bundle mailinfo mailsplit pack-objects merge-file diagnose bugreport")
_WRITES_NOTHING = re.compile(r"verify|list-heads|unbundle|-p|--stdout|--help|-h")
_ACTIONS = {
    "bisect": {"run", "view", "visualize"},
    "submodule": {"foreach"},
    "maintenance": {"register", "start"},
}
MESSAGES = names("commit tag merge notes stash")
#: Only these take an option whose value runs.
_TAKES = names(
    "fetch pull clone ls-remote fetch-pack push send-pack archive rebase grep bisect submodule"
    " interpret-trailers am"
)
_EVERY = Options(
    runs="--upload-pack --receive-pack --exec --extcmd --trailer-command",
    program="--open-files-in-pager",
    loads="--ext-diff --textconv --filters --exec-path --config --config-env --template --paginate",
    writes="--output --output-directory --export-marks --report",
)
_LETTERS = {
    "rebase": Options(runs="-x"), "clone": Options(runs="-u -c"), "grep": Options(program="-O"),
    "difftool": Options(runs="-x"), "archive": Options(writes="-o"),
    "format-patch": Options(writes="-o"), "index-pack": Options(writes="-o"),
    "checkout-index": Options(writes="--prefix"), "apply": Options(writes="--unsafe-paths"),
    "interpret-trailers": Options(writes="--in-place"),
}  # fmt: skip
_READS_CONFIG = re.compile(
    r"--(?:get|get-all|get-regexp|get-urlmatch|get-color|get-colorbool|list)|-l"
)
_CONFIG_VALUES = names("-f --file --blob --type --default --comment --value --url")
#: What is set by these keys runs nothing.
_PLAIN_KEY = re.compile(
    r"(?:user|author|committer|color|advice|init|column|help|log|diff|merge|pull|push|rebase|branch"
    r"|fetch|status|commit|core|i18n|format|blame|tag|rerere|stash|http)\.[a-z.]+",
    re.IGNORECASE,
)
_RUNNING_KEY = re.compile(
    r"alias\..*|.*(?:pager|editor|command|cmd|tool|driver|textconv|program|hook.*|path|fsmonitor"
    r"|gitproxy|askpass|helper|external|sshcommand|template.*|attributesfile|excludesfile|include.*"
    r"|worktree|update|uploadpack|receivepack|proxy|url|insteadof)",
    re.IGNORECASE,
)


#: What is set by these keys changes how things look, and nothing else.
_QUIET = re.compile(
    r"(?:color\.[\w.-]+|advice\.\w+|column\.\w+|core\.(?:quotepath|abbrev)|log\.(?:date|decorate"
    r"|abbrevcommit)|diff\.(?:renames|context|noprefix|mnemonicprefix|algorithm))"
    r"(?:=[\w.:-]*)?",
    re.IGNORECASE,
)


def subcommand(words: Sequence[Word]) -> int:
    """Return where the subcommand is, or the number of words where there is none."""
    at = 1
    while at < len(words) and words[at].text.startswith("-"):
        at += 2 if words[at].text in _VALUES else 1
    return min(at, len(words))


def risks(words: Sequence[Word]) -> list[Risk]:
    """Find the words by which git would run or change more than the subcommand says."""
    at = subcommand(words)
    found = [risk for index in range(1, at) for risk in _before(words, index)]
    if at >= len(words):
        return found
    sub = words[at].text
    if not words[at].known:
        return [*found, Risk(at, "the subcommand of git is known only when it runs")]
    if sub not in _KNOWN:
        found.append(Risk(at, f"`git {sub}` may be an alias, which can run any command"))
    elif sub in _RUNS or sub in _CHANGES:
        reach: Reach = "anything" if sub in _RUNS else "changes"
        found.append(Risk(at, f"`git {sub}` can run other programs", reach))
    elif sub == "config":
        found += _config(words, at)
    elif sub in _WRITES and not any(
        _WRITES_NOTHING.fullmatch(word.text) for word in words[at + 1 :]
    ):
        found.append(Risk(at, f"`git {sub}` writes files", "effect"))
    return found + _arguments(words, at, sub)


def _before(words: Sequence[Word], index: int) -> list[Risk]:
    text = words[index].text
    if not text.startswith("-"):
        # The value of the option before it.
        return []
    if text in HARMLESS:
        return []
    reason = f"`git {text.partition('=')[0]}` chooses what git runs"
    if text == "-c" and index + 1 < len(words) and words[index + 1].known:
        if _QUIET.fullmatch(words[index + 1].text):
            return []
        return [_setting(index, words[index + 1].text, reason)]
    if text in ("-C", "--git-dir", "--work-tree", "--namespace", "-p", "--paginate", "--bare"):
        return [Risk(index, reason, "changes")]
    if text.startswith(("--git-dir=", "--work-tree=", "--namespace=")):
        return [Risk(index, reason, "changes")]
    return [Risk(index, reason)]


def _setting(index: int, setting: str, reason: str) -> Risk:
    key, _, value = setting.partition("=")
    if _PLAIN_KEY.fullmatch(key) and not _RUNNING_KEY.fullmatch(key):
        return Risk(index, reason, "changes")
    if value.startswith("!"):
        value = value[1:]
    elif key.lower().startswith("alias."):
        value = f"git {value}"
    return Risk(index, reason, "changes", value)


def _config(words: Sequence[Word], at: int) -> list[Risk]:
    rest = words[at + 1 :]
    options: list[Word] = []
    operands: list[Word] = []
    for index, word in enumerate(rest):
        if index and rest[index - 1].text in _CONFIG_VALUES:
            continue
        if word.text == "--":
            operands += rest[index + 1 :]
            break
        (options if word.text.startswith("-") else operands).append(word)
    if any(_READS_CONFIG.fullmatch(word.text) for word in options if word.known):
        return []
    if operands and operands[0].known and operands[0].text in ("get", "list"):
        return []
    if len(operands) == 1 and len(rest) == 1 and operands[0].known and "." in operands[0].text:
        return []
    key = operands[0].text if operands and operands[0].known else ""
    plain = _PLAIN_KEY.fullmatch(key) and not _RUNNING_KEY.fullmatch(key)
    reach: Reach = "changes" if plain else "anything"
    return [Risk(at, "`git config` can set what git runs", reach)]


def _arguments(words: Sequence[Word], at: int, sub: str) -> list[Risk]:
    found: list[Risk] = []
    letters = _LETTERS.get(sub)
    for index in range(at + 1, len(words)):
        word = words[index]
        text, known = word.text, word.known
        if text == "--" and sub not in ("rebase", "bisect", "submodule"):
            break
        if text.startswith("-") and known:
            if text.startswith("--no-"):
                continue
            if text.startswith("--"):
                # Those that all commands take are long.
                found += option_risks(words, index, f"git {sub}", _EVERY)
            if letters:
                found += option_risks(words, index, f"git {sub}", letters)
        elif text in _ACTIONS.get(sub, ()):
            rest = [each.text for each in words[index + 1 :] if each.known]
            while rest and rest[0].startswith("-"):
                rest.pop(0)
            script = " ".join(rest)
            found.append(
                Risk(index, f"`git {sub} {text}` can run other programs", "changes", script)
            )
        elif "::" in text and re.match(r"[A-Za-z0-9+.-]+::", text):
            found.append(Risk(index, f"`git {sub} {text}` can run other programs"))
        elif not known and _may_be_option(words, index, sub):
            reach: Reach = "anything" if sub in _TAKES else "changes"
            reason = "an argument of `git` that is known only when it runs can be an option"
            found.append(Risk(index, reason, reach))
    return found


def _may_be_option(words: Sequence[Word], index: int, sub: str) -> bool:
    word = words[index]
    if not word.may_be_option:
        return False
    message = sub in MESSAGES and words[index - 1].text in ("-m", "--message")
    return word.splits or not message


def spelled_plainly(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """Return the command without the harmless options before its subcommand."""
    at = subcommand(words)
    before = tuple(word for word in _without_quiet(words[1:at]) if word.text not in HARMLESS)
    return (words[0], *before, *words[at:])


def as_run(words: tuple[Word, ...]) -> list[tuple[Word, ...]]:
    """Return the command as it is without any option before the subcommand, and its synonyms."""
    name = words[0].text.rpartition("/")[2]
    rest = words[1:] if name != "git" else words[subcommand(words) :]
    plain = (Word("git"), *([Word(name[4:])] if name != "git" else []), *rest)
    found = [plain]
    if len(plain) > 2 and plain[1].text in ("subtree", "lfs"):
        found.append((plain[0], *plain[2:]))
    if len(plain) > 1 and plain[1].text in ("send-pack", "http-push"):
        found.append((plain[0], Word("push"), *plain[2:]))
    return found


def _without_quiet(words: Sequence[Word]) -> list[Word]:
    """Leave out settings that only change how things look."""
    kept: list[Word] = []
    for word in words:
        if kept and kept[-1].text == "-c" and word.known and _QUIET.fullmatch(word.text):
            kept.pop()
        else:
            kept.append(word)
    return kept
