"""Git's configuration: read as git reads it, and only the keys that run programs are put back."""

from __future__ import annotations

import re
import subprocess  # noqa: TID251 - git itself is asked
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.files.git_settings import Malformed, entries
from a3s_cli.guard.git_config import cleaned, dangerous

PLAIN = b"""[core]
\trepositoryformatversion = 0
\tbare = false
[remote "origin"]
\turl = https://example.invalid/x
\tfetch = +refs/heads/*:refs/remotes/origin/*
[branch "main"]
\tremote = origin
"""


def by_git(path: Path) -> list[tuple[str, str | None]] | None:
    done = subprocess.run(
        ["git", "config", "--file", path, "--no-includes", "--list", "-z"],
        capture_output=True, check=False, cwd="/", env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    if done.returncode:
        return None
    text = done.stdout.decode("utf-8", "surrogateescape")
    pairs = [entry.partition("\n") for entry in text.split("\0")[:-1]]
    return [(name, value if newline else None) for name, newline, value in pairs]


def by_us(data: bytes) -> list[tuple[str, str | None]] | None:
    try:
        return [(e.name, e.value) for e in entries(data.decode("utf-8", "surrogateescape"))]
    except Malformed:
        return None


WRITTEN = [
    PLAIN,
    b"[a]\nb\n",
    b"[a] b = c\n",
    b'[A "B.c d\\"e\\\\"] F = g # h\n',
    b"[a.B]\nc = d\n",
    b'[a]b="x # y" ; z\n',
    b"[a]\nb = one \\\n two\n",
    b'[a]\nb = "q\\tr\\n" s\\\\\n',
    b"\xef\xbb\xbf[a]\nb=c",
    b"[a]\r\nb = c\r\n",
    b"[a]\nb = c",
    b"[a]\nb = \n",
    b"[a]\nb = c\\",
    b"[a]\nb = \\",
    b"# only\n; comments\n",
    b"",
    b"[a\nb = c\n",
    b"b = c\n",
    b"[a]\n1b = c\n",
    b'[a]\nb = "c\n',
    b"[a]\nb = \\x\n",
    b"[a]\nb c = d\n",
    b'[a "b" ]\nc=d\n',
    b"[alias]\n\tx = !sh -c 'echo \\\"hi\\\"'\n",
]


@pytest.mark.parametrize("data", WRITTEN)
def test_it_reads_what_git_reads(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "config").write_bytes(data)
    assert by_us(data) == by_git(tmp_path / "config")


@given(st.text(alphabet='[]ab."\\ \t\n=#;-1', max_size=40))
def test_it_never_reads_less_than_git(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "config"
    path.write_text(text)
    theirs, ours = by_git(path), by_us(text.encode())
    # Which white space a value keeps inside has changed with git's versions.
    assert theirs is None or _spaced(ours) == _spaced(theirs)


def _spaced(found: list[tuple[str, str | None]] | None) -> list[tuple[str, str | None]]:
    return [(name, value and re.sub(r"\s", " ", value)) for name, value in found or ()]


DANGEROUS = [
    "core.fsmonitor=/bin/x", "core.hooksPath=h", "core.sshCommand=x", "core.gitProxy=x",
    "core.pager=x", "core.editor=x", "core.askPass=x", "core.attributesFile=/x", "core.worktree=/x",
    "core.alternateRefsCommand=x", "pager.log=less", "diff.external=x", "diff.j.textconv=x",
    "diff.j.command=x", "filter.l.clean=x", "filter.l.smudge=x", "filter.l.process=x",
    "merge.m.driver=x", "mergetool.t.cmd=x", "difftool.t.path=x", "credential.helper=x",
    "credential.https://x.helper=!x", "include.path=x", "includeIf.gitdir:/.path=x", "alias.st=!x",
    "url.x.insteadOf=y", "url.x.pushInsteadOf=y", "gpg.program=x", "gpg.ssh.program=x",
    "gpg.ssh.defaultKeyCommand=x", "interactive.diffFilter=x", "sequence.editor=x",
    "remote.o.uploadpack=x", "remote.o.receivepack=x", "remote.o.vcs=x", "remote.o.url=ext::sh",
    "remote.o.pushurl=-x", "protocol.ext.allow=always", "trailer.t.command=x", "trailer.t.cmd=x",
    "sendemail.smtpServer=/x", "sendemail.toCmd=x", "submodule.s.update=!x", "http.proxy=x",
    "lfs.customtransfer.x.path=/x", "annex.ssh-askpass=x", "tar.tgz.command=x", "web.browser=x",
    "browser.b.cmd=x", "man.m.path=x", "guitool.g.cmd=x", "init.templateDir=/x", "hook.h.command=x",
    "uploadpack.packObjectsHook=x", "instaweb.httpd=x", "imap.tunnel=x", "gc.recentObjectsHook=x",
    "svn.authorsProg=x", "lfs.extension.x.clean=x", "sendemail.i.smtpServer=/x", "tig.bind.main=!x",
    "gitflow.path.hooks=x", "format.outputDirectory=/x", "format.signatureFile=/x",
    "submodule.s.url=ext::sh", "branch.b.remote=ext::sh", "remote.pushDefault=-x",
]  # fmt: skip
HARMLESS = [
    "core.fsmonitor=true", "core.bare=false", "core.autocrlf=input", "core.sparseCheckout=true",
    "remote.o.url=git@example.invalid:x", "remote.o.fetch=+refs/*:refs/*", "remote.o.prune=true",
    "branch.main.remote=o", "branch.main.merge=refs/heads/main", "user.name=n", "user.email=e",
    "submodule.s.url=../s", "submodule.s.active=true", "submodule.s.update=rebase",
    "pull.rebase=true", "push.default=simple", "rerere.enabled=true", "color.ui=never",
    "pager.log=false", "merge.conflictStyle=diff3", "diff.algorithm=patience", "gc.auto=0",
    "extensions.worktreeConfig=true", "commit.gpgSign=false", "fetch.prune=true", "svn.x.y=z",
]  # fmt: skip


def configured(path: Path, setting: str) -> bytes:
    name, _, value = setting.partition("=")
    path.write_bytes(PLAIN)
    subprocess.run(["git", "config", "--file", path, name, value], check=True, cwd="/")
    return path.read_bytes()


@pytest.mark.parametrize("setting", DANGEROUS)
def test_what_runs_programs_is_taken_out(tmp_path: Path, setting: str) -> None:
    written = configured(tmp_path / "config", setting)
    name = setting.partition("=")[0]
    assert [found.lower() for found in dangerous(written)] == [name.lower()]
    content, keys = cleaned(PLAIN, written)
    assert (content, [key.lower() for key in keys]) == (PLAIN, [name.lower()])
    other = written + b"[user]\n\tname = n\n"
    content, _ = cleaned(PLAIN, other)
    (tmp_path / "config").write_bytes(content)
    assert dangerous(content) == {} and by_us(content) == by_git(tmp_path / "config")
    assert ("user.name", "n") in (by_us(content) or ())


@pytest.mark.parametrize("setting", HARMLESS)
def test_the_rest_may_change(tmp_path: Path, setting: str) -> None:
    written = configured(tmp_path / "config", setting)
    assert cleaned(PLAIN, written) == (written, [])


@pytest.mark.parametrize("setting", DANGEROUS)
def test_what_the_user_has_comes_back(tmp_path: Path, setting: str) -> None:
    own = configured(tmp_path / "config", setting)
    content, keys = cleaned(own, PLAIN + b"[user]\n\tname = n\n")
    assert len(keys) == 1 and dangerous(content) == dangerous(own)
    (tmp_path / "config").write_bytes(content)
    assert by_us(content) == by_git(tmp_path / "config")
    assert cleaned(own, own) == (own, [])
    assert cleaned(own, own.replace(b"example", b"other"))[1] == []


def test_a_file_that_git_cannot_read() -> None:
    with pytest.raises(Malformed):
        cleaned(PLAIN, b"[core\n")
