"""What a confined command does not see: credentials, sockets of agents, other people's homes.

A command may read the disk, because compilers and interpreters live there. What
it must not read is listed here. The list cannot be complete: it names the places
where common tools store their secrets. The target of a link is hidden as well.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping

from ..files.protected import DIRECTORIES, FILES

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
# fmt: off
CREDENTIALS = (
    ".ICEauthority", ".Xauthority", ".anthropic", ".authinfo", ".authinfo.gpg", ".aws", ".azure",
    ".bash_history", ".boto", ".cache/huggingface/token", ".cache/huggingface/stored_tokens",
    ".cargo/credentials", ".cargo/credentials.toml", ".claude.json", ".claude/.credentials.json",
    ".codex/auth.json", ".composer/auth.json", ".config/BraveSoftware",
    ".config/Code/User/globalStorage",
    ".config/chromium", ".config/codex/auth.json", ".config/composer/auth.json",
    ".config/containers/auth.json", ".config/doctl", ".config/gcloud", ".config/gh",
    ".config/git/credentials", ".config/github-copilot", ".config/glab-cli", ".config/goose",
    ".config/google-chrome", ".config/helm/registry", ".config/heroku", ".config/hub",
    ".config/hcloud", ".config/io.datasette.llm/keys.json", ".config/microsoft-edge",
    ".config/netlify", ".config/ngrok", ".config/op", ".config/opencode/auth.json",
    ".config/pip/pip.conf", ".config/pypoetry/auth.toml", ".config/rclone", ".config/sops",
    ".config/stripe", ".config/vivaldi", ".config/wrangler", ".csh_history", ".config/opera",
    ".databrickscfg", ".docker", ".elvish/db", ".fly", ".gem/credentials", ".gemini",
    ".git-credentials", ".gnupg", ".gradle/gradle.properties", ".hg_history", ".history",
    ".huggingface", ".irb_history", ".kaggle", ".ksh_history", ".kube", ".lesshst",
    ".local/share/com.vercel.cli", ".local/share/elvish", ".local/share/fish/fish_history",
    ".local/share/goose", ".local/share/keyrings", ".local/share/kwalletd",
    ".local/share/opencode/auth.json", ".local/share/xonsh", ".local/share/nushell",
    ".config/nushell/history.txt", ".config/nushell/history.sqlite3", ".local/state/bash/history",
    ".local/state/zsh/history", ".m2/settings-security.xml", ".m2/settings.xml", ".mksh_history",
    ".mozilla", ".my.cnf", ".mycli-history", ".mylogin.cnf", ".mysql_history", ".netrc", ".ngrok2",
    ".node_repl_history", ".npmrc", ".nuget/NuGet/NuGet.Config", ".oci", ".openai", ".opera",
    ".password-store", ".pgpass", ".pip/pip.conf", ".psql_history", ".pulumi/credentials.json",
    ".pypirc", ".python_history", ".qwen/oauth_creds.json", ".ray", ".rediscli_history", ".s3cfg",
    ".sh_history", ".snowflake", ".snowsql", ".sqlite_history", ".ssh", ".subversion/auth",
    ".tcsh_history", ".terraform.d", ".terraformrc", ".thunderbird", ".vault-token", ".viminfo",
    ".wgetrc", ".yarnrc.yml", ".zhistory", ".zsh_history", ".zsh_sessions",
    *(f".var/app/{app}" for app in (
        "com.brave.Browser", "com.google.Chrome", "com.microsoft.Edge", "org.chromium.Chromium",
        "org.mozilla.Thunderbird", "org.mozilla.firefox", "com.vivaldi.Vivaldi", "com.opera.Opera",
    )),
    *(f"snap/{app}" for app in ("brave", "chromium", "firefox", "opera", "thunderbird", "vivaldi")),
)
#: What a variable names in place of the usual path: a file, a directory, or several.
_NAMED = (
    "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AZURE_CONFIG_DIR", "BOTO_CONFIG", "CLAUDE_CONFIG_DIR", "CLOUDSDK_CONFIG", "DOCKER_CONFIG",
    "GH_CONFIG_DIR", "GLAB_CONFIG_DIR", "GNUPGHOME", "GOOGLE_APPLICATION_CREDENTIALS",
    "HF_TOKEN_PATH", "HISTFILE", "ICEAUTHORITY", "KUBECONFIG", "MYSQL_HISTFILE", "NETRC",
    "NODE_REPL_HISTORY", "NPM_CONFIG_USERCONFIG", "PASSWORD_STORE_DIR", "PGPASSFILE",
    "PIP_CONFIG_FILE", "POETRY_CONFIG_DIR", "PSQL_HISTORY", "PYTHON_HISTORY", "RAY_AUTH_TOKEN_PATH",
    "RAY_TMPDIR", "REGISTRY_AUTH_FILE",
    "SOPS_AGE_KEY_FILE", "SQLITE_HISTORY", "TF_CLI_CONFIG_FILE", "XAUTHORITY",
    "npm_config_userconfig",
)
#: What lies in a directory that a variable names.
_MOVED = (
    ("CARGO_HOME", "credentials"), ("CARGO_HOME", "credentials.toml"), ("CODEX_HOME", "auth.json"),
    ("GRADLE_USER_HOME", "gradle.properties"), ("HF_HOME", "token"), ("HF_HOME", "stored_tokens"),
    ("PULUMI_HOME", "credentials.json"), ("MAVEN_USER_HOME", "settings.xml"),
    ("ZDOTDIR", ".zsh_history"), ("COMPOSER_HOME", "auth.json"),
)
#: What a home has that is run without being asked for, beside what is protected everywhere.
_START_FILES = (
    ".Rprofile", ".bash_aliases", ".bash_completion", ".config/autostart", ".config/direnv",
    ".config/elvish", ".config/emacs", ".config/environment.d", ".config/fish", ".config/gdb",
    ".config/git", ".config/hypr", ".config/i3", ".config/mise", ".config/nushell", ".config/nvim",
    ".config/plasma-workspace", ".config/powershell", ".config/sway", ".config/systemd/user",
    ".config/tmux", ".config/xonsh", ".emacs", ".emacs.d", ".exrc", ".forward", ".gdbearlyinit",
    ".gdbinit", ".inputrc", ".irbrc", ".lldbinit", ".local/share/bash-completion",
    ".local/share/dbus-1", ".local/share/systemd/user", ".pam_environment", ".pdbrc", ".psqlrc",
    ".screenrc", ".sqliterc", ".tmux.conf", ".vim", ".vimrc", ".xinitrc", ".xonshrc",
    ".xsession", ".zsh_aliases",
)
# fmt: on
#: Where a variable moves what is usually below these.
_BASES = (
    (".config/", "XDG_CONFIG_HOME"),
    (".cache/", "XDG_CACHE_HOME"),
    (".local/share/", "XDG_DATA_HOME"),
    (".local/state/", "XDG_STATE_HOME"),
)
#: a3s's own: configuration, state, and caches that later runs would trust.
_OWN = (".a3s", ".cache/a3s", ".config/a3s", ".local/share/a3s", ".local/state/a3s")
#: Where a shell of the user's finds programs, beside what its search path names.
_PROGRAMS = (".local/bin", "bin")
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
    own = homes(environment)
    for home in own:
        for name in (*CREDENTIALS, *_OWN):
            yield os.path.join(home, name)
    yield from _moved(environment, own)


def _moved(environment: Mapping[str, str], own: list[str]) -> Iterator[str]:
    """Yield the credentials whose place a variable names."""
    for before, variable in _BASES:
        base = environment.get(variable, "")
        if base.startswith("/"):
            names = (name for name in CREDENTIALS if name.startswith(before))
            yield from (os.path.join(base, name.removeprefix(before)) for name in names)
    for variable in _NAMED:
        for path in environment.get(variable, "").split(":"):
            # A home as a whole cannot be hidden, whatever a variable says.
            if path.startswith("/") and not any(f"{h}/".startswith(f"{path}/") for h in ("", *own)):
                yield os.path.normpath(path)
    for variable, name in _MOVED:
        if environment.get(variable, "").startswith("/"):
            yield os.path.join(environment[variable], name)


def start_files(environment: Mapping[str, str], roots: Iterable[str]) -> Iterator[str]:
    """Yield what other programs run unasked from a home below the roots, existing or not."""
    below = [f"{root.rstrip('/')}/" for root in roots]
    for home in homes(environment):
        if not any(f"{home.rstrip('/')}/".startswith(root) for root in below):
            continue
        yield from (os.path.join(home, name) for name in (*_START_FILES, *DIRECTORIES, *FILES))
        yield from (os.path.join(home, name) for name in _PROGRAMS)
        # What a command leaves there under the name of another program, the user runs next.
        for entry in map(os.path.normpath, environment.get("PATH", "").split(":")):
            if entry.startswith(f"{home.rstrip('/')}/"):
                yield entry


def guarded(environment: Mapping[str, str], roots: Iterable[str]) -> Iterator[str]:
    """Yield what a command must not create or change in a home that it may write to."""
    roots = list(roots)
    directories = [root.rstrip("/") + "/" for root in roots]
    for path in (*start_files(environment, roots), *personal(environment)):
        if any(path.startswith(directory) for directory in directories):
            yield path


def libraries(environment: Mapping[str, str], roots: Iterable[str]) -> frozenset[str]:
    """Return where the user's own Python packages lie below the roots, for any Python."""
    directories = [root.rstrip("/") + "/" for root in roots]
    found = (os.path.join(home, ".local", "lib") for home in homes(environment))
    return frozenset(path for path in found if any(f"{path}/".startswith(d) for d in directories))


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
