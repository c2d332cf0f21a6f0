"""What a command gets of our environment, and what of it is secret."""

from __future__ import annotations

import subprocess  # noqa: TID251 - what a process shows in /proc only a process shows
import sys
from pathlib import Path

import pytest

from a3s_cli.config.settings import Config, ProviderSettings, Setting
from a3s_cli.config.vendors import VENDORS, key_variables
from a3s_cli.errors import ConfigError, UsageError
from a3s_cli.sandbox.environment import child_environment, other_secrets, provider_keys, too_short

KEY = "sk-canary-0123456789"
TOKEN = "a1B2c3D4e5F6g7H8"
ALLOWED = {
    "PATH": "/bin", "HOME": "/home/me", "LANG": "C.UTF-8", "LC_ALL": "C", "TERM": "dumb",
    "TZ": "UTC", "XDG_CACHE_HOME": "/c", "CI": "true", "VIRTUAL_ENV": "/v", "JAVA_HOME": "/j",
    "GIT_AUTHOR_NAME": "me", "TMPDIR": "/t",
}  # fmt: skip
WITHHELD = {
    "OPENAI_API_KEY": KEY, "GITHUB_TOKEN": TOKEN, "AWS_SECRET_ACCESS_KEY": TOKEN,
    "SSH_AUTH_SOCK": "/s", "DBUS_SESSION_BUS_ADDRESS": "unix:path=/d", "DOCKER_HOST": "unix:///d",
    "GITHUB_ENV": "/e", "GITHUB_OUTPUT": "/o", "BASH_ENV": "/b", "LD_PRELOAD": "/l.so",
    "BASH_FUNC_ls%%": "() { id; }", "GIT_CONFIG_VALUE_0": "x", "EDITOR": "vi", "ANYTHING": "else",
}  # fmt: skip


def named(*names: str) -> list[Setting]:
    return [Setting(name, "--env") for name in names]


def configured(name: str, **settings: str) -> Config:
    config = Config()
    provider = config.providers[name] = ProviderSettings(name)
    for key, value in settings.items():
        provider.settings[key] = Setting(value, "c.acl:1:1")
    return config


def test_a_command_gets_what_is_on_the_list_and_nothing_else() -> None:
    assert child_environment({**ALLOWED, **WITHHELD}, (), {}) == ALLOWED


def test_an_extra_name_is_passed_and_an_unset_one_passed_over() -> None:
    got = child_environment({**ALLOWED, **WITHHELD}, named("GITHUB_TOKEN", "UNSET"), {})
    assert got == {**ALLOWED, "GITHUB_TOKEN": TOKEN}


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "HF_TOKEN", "GOOGLE_API_KEY", "GROK_API_KEY"])
def test_a_vendors_key_cannot_be_named(name: str) -> None:
    """Set or not: the next run may have it set."""
    with pytest.raises(UsageError, match=rf"^--env: {name} is the key of a provider and cannot"):
        child_environment({}, named("CI", name), {})
    with pytest.raises(ConfigError, match=rf"^c.acl:3:7: {name} is the key of a provider"):
        child_environment({}, [Setting(name, "c.acl:3:7")], {})


def test_no_vendors_key_is_ever_passed() -> None:
    environ = {name: KEY for vendor in VENDORS for name in key_variables(vendor)}
    assert set(provider_keys(None, environ)) == set(environ)
    assert child_environment(environ, (), provider_keys(None, environ)) == {}


def test_a_key_is_not_passed_under_another_name() -> None:
    environ = {"OPENAI_API_KEY": KEY, "MY_KEY": KEY, "CFLAGS": f"-DKEY={KEY}", "PATH": "/bin"}
    keys = provider_keys(None, environ)
    assert child_environment(environ, (), keys) == {"PATH": "/bin"}
    with pytest.raises(UsageError, match=r"^--env: MY_KEY is the key of a provider"):
        child_environment(environ, named("MY_KEY"), keys)


def test_keys_of_configured_providers_are_held_by_a_name_that_tells_which() -> None:
    config = configured("mine", api_key=KEY, base_url="https://me:secret-password1@host/v1")
    config.providers["mine"].headers["X-Api-Key"] = Setting("short-header", "c.acl:2:1")
    config.providers["mine"].headers["X-Title"] = Setting("my program", "c.acl:3:1")
    config.providers["mine"].model("m").settings["api_key"] = Setting(TOKEN, "c.acl:4:1")
    environ = {"MINE_API_KEY": "another-key", "SECRET_STORE": TOKEN}
    assert provider_keys(config, environ) == {
        "MINE_API_KEY": "another-key",
        "MINE_API_KEY_2": KEY,
        "MINE_API_KEY_3": "short-header",
        "MINE_API_KEY_4": "secret-password1",
        "SECRET_STORE": TOKEN,
    }
    with pytest.raises(UsageError, match=r"^--env: MINE_API_KEY is the key of a provider"):
        child_environment(environ, named("MINE_API_KEY"), provider_keys(config, environ))
    with pytest.raises(UsageError, match=r"^--env: SECRET_STORE is the key of a provider"):
        child_environment(environ, named("SECRET_STORE"), provider_keys(config, environ))


def test_tokens_and_what_was_named_are_secrets() -> None:
    environ = {
        "GITHUB_TOKEN": TOKEN,
        "AWS_SECRET_ACCESS_KEY": TOKEN + "x",
        "NAMED": "not at all random",
        "DATABASE_URL": "postgres://me:pw-0123456789abcdef@db/x",
        # words that would spoil every sentence about the database
        "POSTGRES_PASSWORD": "postgres",
        "PRIVATE_KEY": "/home/me/.ssh/id_1234567890",
        "TOKENIZERS_PARALLELISM": "false",
    }
    assert other_secrets(environ, ("NAMED", "UNSET")) == {
        "NAMED": "not at all random",
        "GITHUB_TOKEN": TOKEN,
        "AWS_SECRET_ACCESS_KEY": TOKEN + "x",
        "DATABASE_URL": "pw-0123456789abcdef",
    }
    assert too_short({"A": "1234567", "B": "12345678", "C": ""}, ("A", "B", "C", "D")) == ("A",)


def test_a_proxy_is_passed_without_its_password() -> None:
    environ = {
        "HTTPS_PROXY": "http://me:pass@proxy:8080",
        "http_proxy": "http://proxy:8080",
        "GOPROXY": "https://t:x@a/go,https://proxy.golang.org,direct",
        "NO_PROXY": "localhost",
    }
    stripped = {
        **environ,
        "HTTPS_PROXY": "http://proxy:8080",
        "GOPROXY": "https://a/go,https://proxy.golang.org,direct",
    }
    assert child_environment(environ, (), {}) == stripped
    assert child_environment(environ, named("HTTPS_PROXY"), {}) == {
        **stripped,
        "HTTPS_PROXY": environ["HTTPS_PROXY"],
    }


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc/PID/environ")
def test_a_child_finds_nothing_in_our_proc() -> None:
    """As the same user, root included, and without any sandbox."""
    script = (
        "import os, subprocess, sys\n"
        "from a3s_cli.sandbox.environment import conceal\n"
        "for _ in range(2): conceal({'PATH': os.environ['PATH'], 'LANG': 'changed'})\n"
        f"assert os.environ['OPENAI_API_KEY'] == {KEY!r}\n"
        "print(os.getpid(), flush=True)\n"
        "subprocess.run(['sh', '-c', 'tr \"\\\\0\" \"\\\\n\" </proc/$PPID/environ'], env={})\n"
    )
    environ = {"PATH": "/usr/bin:/bin", "OPENAI_API_KEY": KEY, "LANG": "C", "EMPTY": ""}
    shown = subprocess.run(
        [sys.executable, "-c", script],
        env=environ,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = {line for line in shown.stdout.splitlines()[1:] if line}
    # An undumpable process of a user other than root shows nothing at all.
    assert lines in ({"PATH=/usr/bin:/bin", "OPENAI_API_KEY=", "LANG=", "EMPTY="}, set())
