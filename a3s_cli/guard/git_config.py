"""Takes out of git's configuration files what would run programs.

Pure. A command may add remotes, branches, a user, submodules; what it may not leave
behind is a key that makes git run a program or read and write elsewhere, because
the user's next `git status` would obey it. The keys are known by their names, and
an unknown key that ends like one of these (`…Command`, `….helper`) counts as well:
other programs keep theirs in the same file.
"""

from __future__ import annotations

from ..files.git_settings import Entry, Malformed, entries, text_of

#: `section.key` or `section.*.key`, in lower case: what git runs, includes, or obeys elsewhere.
_DANGEROUS = frozenset(
    {
        *(f"core.{key}" for key in ("hookspath", "sshcommand", "gitproxy", "pager", "editor")),
        *(f"core.{key}" for key in ("askpass", "alternaterefscommand", "attributesfile")),
        *(f"core.{key}" for key in ("protecthfs", "protectntfs", "virtualfilesystem", "gvfs")),
        *("diff.external", "interactive.difffilter", "sequence.editor", "gc.recentobjectshook"),
        *("init.templatedir", "uploadpack.packobjectshook"),
        *("difftool.*.path", "mergetool.*.path", "browser.*.path", "man.*.path", "web.browser"),
        *("merge.tool", "diff.tool", "merge.guitool", "diff.guitool", "help.browser", "man.viewer"),
        *("instaweb.httpd", "instaweb.modulepath", "imap.tunnel", "gpg.program", "gpg.*.program"),
        *("lfs.*.path", "lfs.*.args", "lfs.standalonetransferagent"),
        *("filter.*.clean", "filter.*.smudge", "filter.*.process", "http.proxy", "http.*.proxy"),
        *("http.sslverify", "http.*.sslverify", "http.sslcainfo", "http.*.sslcainfo"),
        *("http.sslcapath", "http.*.sslcapath", "http.cookiefile", "http.*.cookiefile"),
        *("http.curloptresolve", "http.*.curloptresolve", "remote.*.vcs", "remote.*.proxy"),
        *("url.*.insteadof", "url.*.pushinsteadof", "trace2.normaltarget", "trace2.perftarget"),
        *("format.outputdirectory", "format.signaturefile"),
        *("trace2.eventtarget", "commit.template", "core.worktree", "core.fsmonitor"),
    }
)
#: Sections of which no key is harmless.
_SECTIONS = frozenset(
    (
        *("alias", "include", "includeif", "pager", "protocol", "credential", "guitool", "hook"),
        *("safe", "tig"),
    )
)
#: How keys end that name a program, whatever section they are in.
_ENDINGS = (
    *("command", "cmd", "program", "hook", "hookspath", "helper", "editor", "pager", "askpass"),
    *("external", "driver", "textconv", "smudge", "process", "browser", "viewer", "uploadpack"),
    *("receivepack", "templatedir", "tunnel", "transferagent", "cmdline", "clean", "prog"),
    *("hooks", "smtpserver"),
)
#: What names another repository, or may do so in place of a remote.
_ADDRESSES = frozenset(("url", "pushurl", "remote", "pushremote", "pushdefault"))
_BOOLEANS = frozenset(("", "true", "false", "yes", "no", "on", "off", "1", "0"))


def is_dangerous(entry: Entry, *, worktree: bool = False) -> bool:
    """Tell whether git would run something or leave its directory because of this entry.

    `worktree` says that this repository's `core.worktree` has been found to be in order.
    """
    pattern, value = entry.pattern, (entry.value or "").strip()
    section, key = pattern.partition(".")[0], pattern.rpartition(".")[2]
    if pattern == "core.worktree":
        return not worktree
    if section == "pager" or pattern == "core.fsmonitor":
        return value.lower() not in _BOOLEANS
    if key in _ADDRESSES:
        return value.startswith(("-", "ext::", "fd::"))
    if section == "submodule":
        return key == "update" and value.startswith("!")
    if section == "trailer":
        return key in ("cmd", "command")
    return section in _SECTIONS or pattern in _DANGEROUS or key.endswith(_ENDINGS)


def dangerous(content: bytes, *, worktree: bool = False) -> dict[str, list[str | None]]:
    """Return the dangerous settings by name; raise Malformed where git could not read them."""
    found: dict[str, list[str | None]] = {}
    for entry in entries(text_of(content)):
        if is_dangerous(entry, worktree=worktree):
            found.setdefault(entry.name, []).append(entry.value)
    return found


def cleaned(earlier: bytes, now: bytes, *, worktree: bool = False) -> tuple[bytes, list[str]]:
    """Return `now` with the dangerous settings of `earlier`, and the names that differed.

    Everything else stays as it is, byte for byte. Raises Malformed where git could
    not read `now`.
    """
    wanted, found = _dangerous_or_none(earlier, worktree), dangerous(now, worktree=worktree)
    differing = sorted({*wanted, *found})
    differing = [name for name in differing if wanted.get(name) != found.get(name)]
    if not differing:
        return now, []
    text, before = text_of(now), text_of(earlier)
    if earlier and _harmless(before, worktree) == _harmless(text, worktree):
        return earlier, differing
    kept, position, headers = [], 0, set()
    for entry in entries(text):
        if entry.name in differing:
            headers.add(entry.header)
            start, end = _whole_line(text, entry)
            kept.append(text[position:start])
            position = end
    kept.append(text[position:])
    result = _without_empty("".join(kept), headers)
    for entry in entries(before) if wanted else ():
        if entry.name in differing and entry.name in wanted:
            newline = "" if not result or result.endswith("\n") else "\n"
            setting = before[entry.start : entry.end].strip()
            result += f"{newline}{entry.header}\n\t{setting}\n"
    return result.encode("utf-8", "surrogateescape"), differing


def _without_empty(text: str, headers: set[str]) -> str:
    """Remove headers of sections in which nothing is left."""
    for header in headers - {entry.header for entry in entries(text)}:
        text = text.replace(f"{header}\n", "")
    return text


def _harmless(text: str, worktree: bool) -> list[tuple[str, str | None]] | None:
    """Return what a file sets besides; None where git could not read it."""
    try:
        found = list(entries(text))
    except Malformed:
        return None
    return [(one.name, one.value) for one in found if not is_dangerous(one, worktree=worktree)]


def _whole_line(text: str, entry: Entry) -> tuple[int, int]:
    """Return the bounds of a setting with the line that it has to itself."""
    start, end = entry.start, entry.end
    while start > 0 and text[start - 1] in " \t":
        start -= 1
    rest = text[end : end + 2]
    if start > 0 and text[start - 1] != "\n":
        return entry.start, end
    if rest.startswith("\r\n"):
        return start, end + 2
    return start, end + 1 if rest.startswith("\n") else end


def _dangerous_or_none(content: bytes, worktree: bool) -> dict[str, list[str | None]]:
    try:
        return dangerous(content, worktree=worktree)
    except Malformed:
        return {}
