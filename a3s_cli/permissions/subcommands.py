"""Subcommands that reach further than the others of their program.

A rule for `npm` is not one for `npm config set script-shell`, which chooses what all
others run.
"""

from __future__ import annotations

from collections.abc import Sequence

from .shell_found import Risk, Word

#: Subcommands that run what they are given, or set what others run.
_SUBCOMMANDS: dict[str, tuple[str, ...]] = {
    "npm": ("config set", "config edit", "set", "c set", "edit", "set-script", "pkg set scripts",
            "init *", "create *", "innit *"),
    "pre-commit": ("try-repo",),
    "pnpm": ("config set", "set", "create *", "init *"),
    "yarn": ("config set", "node", "create *", "plugin import", "set version"),
    "gh": ("alias set", "alias import", "config set", "extension install", "extension exec",
           "extension upgrade", "extensions install", "extensions exec", "ext install", "ext exec"),
    "aws": ("configure set", "configure import", "configure add-model", "configure sso"),
    "docker": ("plugin install", "plugin enable", "context use", "context create",
               "context update"),
    "pip": ("config set", "config edit"), "poetry": ("config *", "self"),
    "go": ("env -w", "env -u"), "helm": ("plugin",),
    "kubectl": ("config set", "config set-credentials", "plugin", "edit"),
    "openssl": ("engine",), "gcloud": ("config set", "alpha"), "composer": ("config", "global"),
    "bundle": ("config", "plugin"), "gem": ("install",), "conda": ("config", "init"),
    "terraform": ("console",), "systemctl": ("edit", "link"), "uv": ("tool install",),
    "pulumi": ("plugin",), "vagrant": ("plugin",), "rustup": ("toolchain link",),
}  # fmt: skip


def subcommand_risks(words: Sequence[Word], name: str) -> list[Risk]:
    """Find a subcommand that reaches further than the others of its program."""
    rows = _SUBCOMMANDS.get(name)
    if rows is None:
        return []
    operands = [index for index, word in enumerate(words) if index and word.text[:1] != "-"]
    texts = [words[index].text for index in operands]
    options = [word.text for word in words[1:]]
    for row in rows:
        first, _, more = row.partition(" ")
        rest = more.split()
        if not texts or texts[0] != first:
            continue
        if rest[:1] == ["*"]:
            holds = len(texts) > 1
        elif rest and rest[0].startswith("-"):
            holds = rest[0] in options
        else:
            holds = len(texts) > len(rest) and all(map(str.startswith, texts[1:], rest))
        if holds:
            return [Risk(operands[0], f"`{name} {first}` sets or runs what is not shown")]
    return []
