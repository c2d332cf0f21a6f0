"""What a confined command does not see: credentials, sockets of agents, other people's homes.

A command may read the disk, because compilers and interpreters live there. What
it must not read is listed here. The list cannot be complete: it names the places
where common tools store their secrets. The target of a link is hidden as well.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Mapping

#: Directories of temporary files, which are private to a run.
TEMPORARY = ("/tmp", "/var/tmp")
SYSTEM = (
    "/run",
    "/var/run",
    "/home",
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/kubernetes",
    "/etc/rancher",
    "/var/lib/incus/unix.socket",
    "/var/lib/lxd/unix.socket",
    "/var/snap/lxd/common/lxd/unix.socket",
)
#: Below a home that is otherwise seen.
CREDENTIALS = (
    ".ICEauthority",
    ".Xauthority",
    ".aws",
    ".azure",
    ".bash_history",
    ".boto",
    ".cache/huggingface/token",
    ".cargo/credentials",
    ".cargo/credentials.toml",
    ".claude.json",
    ".claude/.credentials.json",
    ".codex/auth.json",
    ".composer/auth.json",
    ".config/BraveSoftware",
    ".config/chromium",
    ".config/composer/auth.json",
    ".config/containers/auth.json",
    ".config/doctl",
    ".config/gcloud",
    ".config/gh",
    ".config/git/credentials",
    ".config/glab-cli",
    ".config/google-chrome",
    ".config/op",
    ".config/rclone",
    ".config/sops",
    ".docker",
    ".fly",
    ".gem/credentials",
    ".gemini",
    ".git-credentials",
    ".gnupg",
    ".huggingface",
    ".kube",
    ".local/share/keyrings",
    ".local/share/kwalletd",
    ".local/share/opencode/auth.json",
    ".mozilla",
    ".my.cnf",
    ".mylogin.cnf",
    ".netrc",
    ".npmrc",
    ".oci",
    ".password-store",
    ".pgpass",
    ".psql_history",
    ".pypirc",
    ".python_history",
    ".s3cfg",
    ".ssh",
    ".terraform.d",
    ".thunderbird",
    ".vault-token",
    ".yarnrc.yml",
    ".zsh_history",
)
#: a3s's own: configuration, state, and caches that later runs would trust.
_OWN = (".a3s", ".cache/a3s", ".config/a3s", ".local/share/a3s", ".local/state/a3s")
_OWN_VARIABLES = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")


def hidden(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the absolute paths that are hidden, whether they exist or not."""
    own = homes(environment)
    yield from TEMPORARY
    yield from SYSTEM
    if "/root" not in own:
        yield "/root"
    yield from _host_keys()
    yield from _sockets(environment)
    yield from personal(environment)


def personal(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield what belongs to the user alone: credentials, and what a3s stores."""
    for name in _OWN_VARIABLES:
        if environment.get(name, "").startswith("/"):
            yield os.path.join(environment[name], "a3s")
    for home in homes(environment):
        for name in (*CREDENTIALS, *_OWN):
            yield os.path.join(home, name)


def homes(environment: Mapping[str, str]) -> list[str]:
    """Return our own home directories: from the environment and from the user database."""
    import pwd

    found = [environment.get("HOME", "")]
    with contextlib.suppress(KeyError):  # a container's user has no entry
        found.append(pwd.getpwuid(os.getuid()).pw_dir)
    return [home for home in dict.fromkeys(found) if home.startswith("/") and os.path.isdir(home)]


def shown(environment: Mapping[str, str], path: str) -> Iterator[str]:
    """Yield what stays visible although its parent is hidden; `path` is the search path."""
    yield from (home for home in homes(environment) if home.strip("/"))
    yield os.path.realpath("/etc/resolv.conf")
    yield "/home/linuxbrew/.linuxbrew"  # not a person's home, but Homebrew's
    yield from (entry for entry in path.split(":") if entry.startswith("/"))


def _host_keys() -> Iterator[str]:
    try:
        names = os.listdir("/etc/ssh")
    except OSError:
        return
    yield from (f"/etc/ssh/{name}" for name in names if name.endswith("_key"))


def _sockets(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the sockets that the environment names: agents, buses, daemons."""
    for value in environment.values():
        for prefix in ("unix://", "unix:path=", ""):
            # An address may have parameters behind it (`,guid=…`, `:1234:1`).
            path = value.removeprefix(prefix).partition(",")[0].partition(":")[0]
            if value.startswith(prefix) and path.startswith("/"):
                try:
                    if stat.S_ISSOCK(os.stat(path).st_mode):
                        yield path
                except (OSError, ValueError):
                    pass
                break
