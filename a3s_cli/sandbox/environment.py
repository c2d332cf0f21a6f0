"""Which environment variables a command gets, and which values are secrets.

A command runs what a model wrote, perhaps following instructions in a file that a
stranger wrote. It gets the variables that builds and shells need to behave as usual, by
an allow-list, because a list of what is secret is never complete. A key of a
provider is never passed on, whatever the variable is called.

Everything here is pure except `conceal`, which keeps a command from reading in
/proc what it was not given.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from ..config.settings import Config, ModelSettings, Setting, unquoted
from ..config.vendors import ALIASES, VENDORS, key_variables
from ..errors import A3SError, ConfigError, UsageError
from ..secrets.redaction import SHORTEST

if TYPE_CHECKING:
    from ..config.mcp_servers import McpServer

#: What a command gets. Not on the list, on purpose:
#: - EDITOR, PAGER, BROWSER, GIT_*: they name programs that other programs run, and no person is
#:   there to use one; an editor with an empty stdin only hangs
#: - SSH_AUTH_SOCK, GPG_AGENT_INFO, DBUS_SESSION_BUS_ADDRESS, DOCKER_HOST, KUBECONFIG, DISPLAY:
#:   they lead to services that act with the user's authority
#: - GITHUB_ENV, GITHUB_PATH, GITHUB_OUTPUT and their like: what is written to these files decides
#:   what later steps of the job run
#: - PIP_INDEX_URL, NPM_CONFIG_*, GIT_CONFIG_*, DATABASE_URL: they often hold a password; `--env`
#:   adds the one that is meant
#: - LD_PRELOAD, BASH_ENV, ENV, PROMPT_COMMAND, NODE_OPTIONS: they change what every command does,
#:   so the rules would judge another command than the one that runs
# fmt: off
ALLOWED = frozenset((
    # a person and a machine
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "HOSTNAME", "LANG", "LANGUAGE", "TZ",
    "TMPDIR", "TEMP", "TMP",
    # a terminal's width and colours, which programs ask for without having one
    "TERM", "COLORTERM", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CLICOLOR",
    # no one can answer: programs stop asking, and tests behave as in CI
    "CI", "CONTINUOUS_INTEGRATION", "GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "CIRCLECI",
    "TRAVIS", "TF_BUILD", "DEBIAN_FRONTEND",
    # where toolchains are
    "VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "PYENV_ROOT", "PYENV_VERSION",
    "UV_CACHE_DIR", "PIP_CACHE_DIR", "PYTHONPATH", "JAVA_HOME", "MAVEN_HOME", "GRADLE_HOME",
    "GRADLE_USER_HOME", "ANDROID_HOME", "ANDROID_SDK_ROOT", "GOROOT", "GOPATH", "GOBIN", "GOCACHE",
    "GOMODCACHE", "CARGO_HOME", "CARGO_TARGET_DIR", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "NVM_DIR",
    "NODE_PATH", "NODE_ENV", "PNPM_HOME", "VOLTA_HOME", "GEM_HOME", "GEM_PATH", "RBENV_ROOT",
    "RBENV_VERSION", "DOTNET_ROOT", "SDKROOT", "DEVELOPER_DIR", "NIX_PATH", "CUDA_HOME",
    # how they build
    "CC", "CXX", "AR", "LD", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "MAKEFLAGS",
    "CMAKE_PREFIX_PATH", "PKG_CONFIG_PATH", "LD_LIBRARY_PATH", "LIBRARY_PATH", "CPATH", "GOFLAGS",
    "RUSTFLAGS", "SOURCE_DATE_EPOCH", "MANPATH", "PYTHONUTF8", "PYTHONUNBUFFERED",
    "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PYTHONIOENCODING",
    # who commits
    "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_AUTHOR_DATE",
    "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "GIT_COMMITTER_DATE",
    # a network behind a company's certificates
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS", "NIX_SSL_CERT_FILE", "NO_PROXY", "no_proxy",
))
PROXIES = frozenset((
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY",
    "http_proxy", "https_proxy", "all_proxy", "ftp_proxy", "GOPROXY",
))
# fmt: on
PREFIXES = ("LC_", "XDG_")
#: Tells a run that a command starts which run the command belongs to.
PARENT_VARIABLE = "A3S_PARENT_RUN_ID"

#: How the names of variables end that hold a token.
_TOKENS = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "_KEY", "APIKEY", "CREDENTIALS")
_SECRET_HEADERS = ("authorization", "key", "token", "cookie")
#: Characters of a value that was drawn by lot: `POSTGRES_PASSWORD=postgres` is no secret, and
#: hiding that word would spoil every sentence about the database.
_RANDOM = 16
#: The parameters of a URL in which services take their keys.
_PARAMETERS = frozenset(("key", "api_key", "api-key", "apikey", "token", "access_token", "sig"))


def provider_keys(config: Config | None, environ: Mapping[str, str]) -> dict[str, str]:
    """Return every provider key that we hold, under a name that identifies it."""
    providers = config.providers if config else {}
    variables = _vendor_variables().union(*map(key_variables, providers))
    # Without the quotes around it a key is hidden with them, too.
    held = {name: unquoted(value) for name, value in environ.items() if name in variables and value}
    for name, provider in providers.items():
        for scope in (provider, *provider.models.values()):
            for value in _credentials(scope):
                if value not in held.values():
                    variable = _variable_of(value, environ) or key_variables(name)[0]
                    held[_unused(variable, held)] = value
    return held


def other_secrets(environ: Mapping[str, str], names: Sequence[str] = ()) -> dict[str, str]:
    """Return the other secrets that we hold: named variables, and tokens."""
    held = {name: environ[name] for name in names if environ.get(name)}
    for name, value in environ.items():
        if name.upper().endswith(_TOKENS) and _is_random(value):
            held.setdefault(name, unquoted(value))
        for number, one in enumerate(filter(_is_random, _in_urls(value))):
            held.setdefault(f"{name}_{number + 1}" if number else name, one)
    return held


def held_secrets(
    config: Config | None, environ: Mapping[str, str], names: Sequence[str] = ()
) -> dict[str, str]:
    """Return every secret that we hold, including those named by the configuration or `names`.

    `config` is None where the configuration could not be read.
    """
    named = [*names, *(setting.value for setting in (config.get("redact_env") if config else ()))]
    held = {**provider_keys(config, environ), **other_secrets(environ, named)}
    if config is not None and config.mcp_servers:
        for value in _server_secrets(config.mcp_servers.values()):
            if value not in held.values():
                held[_unused("MCP_SECRET", held)] = value
    return held


def _server_secrets(servers: Iterable[McpServer]) -> Iterator[str]:
    """Yield the secrets in the configuration of MCP servers."""
    for server in servers:
        for name, value in server.env.items():
            if not _is_harmless(name, value):
                yield value
        yield from _header_secrets(server.headers)
        for text in (*server.env.values(), *server.args, server.url):
            yield from filter(_is_random, _in_urls(text))


def _is_harmless(name: str, value: str) -> bool:
    """Return whether what a server is given is plainly no secret, whatever it is called.

    That is a variable that every command sees, a path, a URL, or short words and numbers:
    letters up to twelve, letters and digits up to four at a time.
    """
    if name in ALLOWED or name in PROXIES or name.startswith(PREFIXES):
        return True
    if len(value.strip()) < SHORTEST or value.startswith(("/", "~/", "./")) or "://" in value:
        return True
    import re

    return bool(re.fullmatch(r"(?:(?:[A-Za-z]{1,12}|\d{1,12}|\w{1,4})(?:[-_./:,; @+=]|$))+", value))


def _header_secrets(headers: Mapping[str, str]) -> Iterator[str]:
    for name, text in headers.items():
        # A header may say anything; what is secret is called so, or was drawn by lot.
        value = text.removeprefix("Bearer ").removeprefix("Basic ")
        if name.lower().endswith(_SECRET_HEADERS) or _is_random(value):
            yield value


def too_short(environ: Mapping[str, str], names: Sequence[str]) -> tuple[str, ...]:
    """Return the names whose values are too short to be hidden."""
    return tuple(name for name in names if 0 < len(environ.get(name, "").strip()) < SHORTEST)


def child_environment(
    environ: Mapping[str, str], extra: Sequence[Setting], keys: Mapping[str, str]
) -> dict[str, str]:
    """Return a command's environment: the allowed variables, and those named in `extra`.

    An extra variable that is not set is skipped. One that is a provider's key, or
    contains one of the `keys`, raises UsageError or ConfigError, by its origin.
    """
    child = {}
    for name, value in environ.items():
        if name in ALLOWED or name.startswith(PREFIXES):
            child[name] = value
        elif name in PROXIES:
            # To pass the proxy's password on, name the variable with --env.
            child[name] = _without_userinfo(value)
    secrets = {value for value in keys.values() if len(value) >= SHORTEST}
    forbidden = _vendor_variables().union(keys)
    for wanted in extra:
        value = environ.get(wanted.value, "")
        if wanted.value in forbidden or _holds(value, secrets):
            raise _refusal(wanted)
        if wanted.value in environ:
            child[wanted.value] = value
    return {name: value for name, value in child.items() if not _holds(value, secrets)}


def without_keys(environ: Mapping[str, str], keys: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a program of the user's own: all but the keys of providers."""
    secrets = {value for value in keys.values() if len(value) >= SHORTEST}
    forbidden = _vendor_variables().union(keys)
    return {
        name: value
        for name, value in environ.items()
        if name not in forbidden and not _holds(value, secrets)
    }


def conceal(kept: Mapping[str, str]) -> None:
    """Wipe from this process what its commands must not find in /proc, except what is `kept`.

    /proc/PID/environ shows the memory in which a process was given its
    environment: its values are overwritten there, which costs us nothing,
    because Python works with a copy. As an undumpable process we also refuse
    our memory to every other user but root. Our own ancestors still have
    their environments; only a sandbox hides those.
    """
    if sys.platform != "linux":
        return
    # A hardened kernel may forbid either; then the other still helps.
    with contextlib.suppress(OSError, ValueError, IndexError):
        _wipe(kept)
    with contextlib.suppress(OSError, ImportError, AttributeError):
        _become_undumpable()


def _become_undumpable() -> None:
    import ctypes
    import resource

    # An undumpable process cannot list its own descriptors either; some builds of Python then
    # close every possible one before they start a child, which may be a billion.
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] <= 1 << 16:
        ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE


def _wipe(kept: Mapping[str, str]) -> None:
    with open("/proc/self/stat", "rb") as stat, open("/proc/self/environ", "rb") as environ:
        # The name of the program stands in brackets and may hold anything; `env_start` is the
        # 50th field, the first after the brackets the third.
        address = int(stat.read().rpartition(b")")[2].split()[47])
        block = environ.read()
    memory = os.open("/proc/self/mem", os.O_RDWR | os.O_CLOEXEC)
    try:
        for entry in block.split(b"\0"):
            name, equals, value = entry.partition(b"=")
            if value and kept.get(os.fsdecode(name)) != os.fsdecode(value):
                os.pwrite(memory, bytes(len(value)), address + len(name) + len(equals))
            address += len(entry) + 1
    finally:
        os.close(memory)


def _refusal(wanted: Setting) -> A3SError:
    kind = UsageError if wanted.origin.startswith("--") else ConfigError
    return kind(
        f"{wanted.origin}: {wanted.value} is the key of a provider and cannot be passed to commands"
    )


@cache
def _vendor_variables() -> frozenset[str]:
    """Return every variable that may hold a vendor's key."""
    return frozenset(name for provider in (*VENDORS, *ALIASES) for name in key_variables(provider))


def _credentials(scope: ModelSettings) -> Iterator[str]:
    """Yield the secrets in the configuration of a provider or a model."""
    if key := scope.get("api_key"):
        yield unquoted(key)
    yield from _header_secrets({name: one.value for name, one in scope.headers.items()})
    yield from filter(None, _in_urls(scope.get("base_url") or ""))


def _in_urls(text: str) -> Iterator[str]:
    """Yield the passwords in a text's URLs, and the keys in their parameters."""
    for rest in text.split("://")[1:]:
        authority = rest
        for end in "/?#, ":
            authority = authority.partition(end)[0]
        yield authority.rpartition("@")[0].partition(":")[2]
        query = rest.partition("?")[2].partition("#")[0]
        for name, _, value in (pair.partition("=") for pair in query.split("&")):
            if name.lower() in _PARAMETERS:
                yield value


def _without_userinfo(urls: str) -> str:
    if "@" not in urls:
        return urls
    # Compiled only where there is a password: this is on the way to the first event.
    import re

    return re.sub(r"(?<=://)[^\s/?#@,]*@", "", urls)


def _is_random(value: str) -> bool:
    return (
        len(value) >= _RANDOM
        and not value.startswith(("/", "~"))
        and any(map(str.isdigit, value))
        and any(map(str.isalpha, value))
        and " " not in value
    )


def _variable_of(value: str, environ: Mapping[str, str]) -> str | None:
    return next((name for name, one in environ.items() if unquoted(one) == value), None)


def _unused(name: str, held: Mapping[str, str]) -> str:
    number = 2
    unused = name
    while unused in held:
        unused, number = f"{name}_{number}", number + 1
    return unused


def _holds(value: str, secrets: Collection[str]) -> bool:
    return any(secret in value for secret in secrets)
