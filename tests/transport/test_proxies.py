"""Which proxy a URL is reached through: the variables and the exceptions, as curl reads them."""

from __future__ import annotations

import os

import pytest

from a3s_cli.errors import ConfigError
from a3s_cli.transport.proxies import proxy_for

PROXY = "http://proxy.example:3128"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in tuple(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("exceptions", "url", "direct"),
    [
        ("example.com", "https://example.com/v1", True),
        ("example.com", "https://api.example.com/v1", True),
        (".example.com", "https://api.example.com/v1", True),
        (".example.com", "https://example.com/v1", True),
        ("*.example.com", "https://api.example.com/v1", True),
        ("example.com.", "https://api.EXAMPLE.com./v1", True),
        ("ample.com", "https://example.com/v1", False),
        ("example.com", "https://example.com.evil.test/v1", False),
        ("a.test b.test,c.test", "https://b.test/v1", True),
        (" , ,", "https://b.test/v1", False),
        ("*", "https://b.test/v1", True),
        ("b.test:8443", "https://b.test:8443/v1", True),
        ("b.test:8443", "https://b.test/v1", False),
        ("b.test:443", "https://b.test/v1", True),
        ("10.0.0.0/8", "http://10.20.30.40:8000/v1", True),
        ("10.0.0.0/8", "http://11.20.30.40:8000/v1", False),
        ("192.168.1.7", "http://192.168.1.7:8000/v1", True),
        ("192.168.1.7/32", "http://192.168.1.8:8000/v1", False),
        ("192.168.1.7/24", "http://192.168.1.8:8000/v1", True),
        ("10.0.0.0/8", "http://10.example.com/v1", False),
        ("fd00::/8", "http://[fd12::1]:8000/v1", True),
        ("[fd12::1]", "http://[fd12::1]:8000/v1", True),
        ("fd12:0::1", "http://[fd12::1]:8000/v1", True),
        ("fd00::/8", "http://[fe80::1]:8000/v1", False),
        ("10.0.0.0/99,nonsense/8,<local>", "http://10.0.0.1/v1", False),
    ],
)
@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_exceptions(
    monkeypatch: pytest.MonkeyPatch, exceptions: str, url: str, direct: bool, variable: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", PROXY)
    monkeypatch.setenv(variable, exceptions)
    assert proxy_for(url) == (None if direct else PROXY)


def test_the_nearest_variable_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://socks.example:1080")
    assert proxy_for("https://a.test") == "socks5://socks.example:1080"
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    assert proxy_for("https://a.test") == PROXY
    assert proxy_for("http://a.test") == "socks5://socks.example:1080"
    monkeypatch.setenv("https_proxy", "HTTP://small.example")
    assert proxy_for("https://a.test") == "http://small.example"
    monkeypatch.setenv("https_proxy", "")
    assert proxy_for("https://a.test") == PROXY
    assert proxy_for("https://127.0.0.1") is None


@pytest.mark.parametrize(
    "value", ["ftp://me:hush@h:1", "http://h:port", "http://h:0", "http://h:99999", "://", "a b"]
)
def test_a_malformed_variable_is_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    with pytest.raises(ConfigError, match=r"^HTTPS_PROXY: expected ") as caught:
        proxy_for("https://a.test")
    assert "hush" not in f"{caught.value} {caught.value.hint}"
    assert proxy_for("http://a.test") is None
