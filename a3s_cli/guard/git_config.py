"""Reads git's configuration files as git does, and takes out what would run programs.

Pure. A command may add remotes, branches, a user, submodules; what it may not leave
behind is a key that makes git run a program or read and write elsewhere, because
the user's next `git status` would obey it. The keys are known by their names, and
an unknown key that ends like one of these (`…Command`, `….helper`) counts as well:
other programs keep theirs in the same file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

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
#: What git takes for space, which is less than Unicode does.
_SPACE = " \t\n\r\v\f"
_ESCAPES = {"n": "\n", "t": "\t", "b": "\b", "\\": "\\", '"': '"'}


class Malformed(ValueError):
    """Git would refuse to read this file."""


class Entry(NamedTuple):
    """One setting: its section as written, its name in lower case, its value, and its place.

    `name` is `section.key` or `section.subsection.key`. `start` and `end` bound the
    setting's own text; `header` is the section's line.
    """

    name: str
    value: str | None
    start: int
    end: int
    header: str

    @property
    def pattern(self) -> str:
        """The name with its subsection, which may be anything, as `*`."""
        section, _, rest = self.name.partition(".")
        _, dot, key = rest.rpartition(".")
        return f"{section}.*.{key}" if dot else self.name


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
    for entry in entries(_text(content)):
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
    text, before = _text(now), _text(earlier)
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


def value_of(content: bytes, name: str) -> str | None:
    """Return the last value of a setting; None where there is none or nothing can be read."""
    found = None
    try:
        for entry in entries(_text(content)):
            if entry.name == name:
                found = entry.value
    except Malformed:
        return None
    return found


def _dangerous_or_none(content: bytes, worktree: bool) -> dict[str, list[str | None]]:
    try:
        return dangerous(content, worktree=worktree)
    except Malformed:
        return {}


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def entries(text: str) -> Iterator[Entry]:
    """Read every setting of a file; raise Malformed where git would."""
    reader = _Reader(text)
    while (entry := reader.entry()) is not None:
        yield entry


class _Reader:
    """Goes through one file, character by character, as git's own reader does."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 1 if text.startswith("\ufeff") else 0
        self._section: str | None = None
        self._header = ""

    def entry(self) -> Entry | None:
        """Return the next setting, None at the end."""
        text = self._text
        while self._at < len(text):
            character = text[self._at]
            if character in _SPACE:
                self._at += 1
            elif character in "#;":
                self._skip_line()
            elif character == "[":
                self._read_header()
            else:
                return self._setting()
        return None

    def _skip_line(self) -> None:
        end = self._text.find("\n", self._at)
        self._at = len(self._text) if end < 0 else end + 1

    def _read_header(self) -> None:
        text, start = self._text, self._at
        self._at += 1
        name, quoted = "", None
        while True:
            character = self._next()
            if character == "]":
                break
            if character in _SPACE and quoted is None and character != "\n":
                quoted = self._subsection()
                break
            if not (character.isalnum() or character in "-."):
                raise Malformed("a section's name")
            name += character
        self._header = text[start : self._at]
        section, dot, rest = name.lower().partition(".")
        if quoted is not None:
            self._section = f"{name.lower()}.{quoted}"
        else:
            self._section = f"{section}.{rest}" if dot else section
        if not section:
            raise Malformed("a section without a name")

    def _subsection(self) -> str:
        character = self._next()
        while character in _SPACE and character != "\n":
            character = self._next()
        if character != '"':
            raise Malformed("a subsection")
        found = ""
        while (character := self._next()) != '"':
            if character == "\n":
                raise Malformed("a subsection")
            found += self._next() if character == "\\" else character
        if self._next() != "]":
            raise Malformed("a section's end")
        return found

    def _next(self) -> str:
        if self._at >= len(self._text):
            raise Malformed("the end of the file")
        self._at += 1
        return self._text[self._at - 1]

    def _setting(self) -> Entry:
        text, start = self._text, self._at
        if not text[start].isalpha():
            raise Malformed("a setting")
        while self._at < len(text) and (text[self._at].isalnum() or text[self._at] == "-"):
            self._at += 1
        key = text[start : self._at].lower()
        while self._at < len(text) and text[self._at] in " \t\r\v\f":
            self._at += 1
        value = None
        if self._at < len(text) and text[self._at] == "=":
            self._at += 1
            value = self._value()
        elif self._at < len(text) and text[self._at] in "#;":
            self._skip_line()
        elif self._at < len(text) and text[self._at] != "\n":
            raise Malformed("a setting")
        name = key if self._section is None else f"{self._section}.{key}"
        return Entry(name, value, start, self._at, self._header)

    def _value(self) -> str:
        text, found, quoted = self._text, "", False
        kept = 0
        while self._at < len(text) and text[self._at] != "\n":
            character = text[self._at]
            self._at += 1
            if character == "\\":
                found += self._escape()
                kept = len(found)
            elif character == '"':
                quoted = not quoted
                kept = len(found)
            elif character in "#;" and not quoted:
                self._at -= 1
                self._skip_line()
                self._at -= 1 if text[self._at - 1] == "\n" else 0
                break
            elif character in _SPACE and not quoted:
                found += character if found else ""
            else:
                found += character
                kept = len(found)
        if quoted:
            raise Malformed("a quoted value")
        return found[:kept]

    def _escape(self) -> str:
        if self._at >= len(self._text):
            return ""  # git ends the last line itself, and goes on after it
        character = self._next()
        if character == "\r" and self._text[self._at : self._at + 1] == "\n":
            character = self._next()
        if character == "\n":
            return ""
        if character not in _ESCAPES:
            raise Malformed("an escape")
        return _ESCAPES[character]
