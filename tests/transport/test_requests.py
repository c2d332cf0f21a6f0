"""What lies between the program and a model: proxies, redirects, certificates.

A host whose name ends in `.invalid` can never be resolved, so a request that
reaches it has gone through the proxy, by name.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from ..support import wires
from ..support.a3s import Bench
from ..support.replies import text
from ..support.run import Result
from ..support.sockets import (
    Asked,
    Authority,
    RawServer,
    answering,
    authority,
    read_request,
    response,
)

HOST = "model.invalid"
SECRET = "sk-bench-0123456789abcdef"
ANSWER = response(wires.text("openai-chat", "hello"))


def run_at(a3s: Bench, url: str, **environment: str | None) -> Result:
    env = {"OPENAI_BASE_URL": url, **environment}
    return a3s("run", "-m", "openai/x", "--max-retries", "0", "go", env=env)


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate for the loopback address and for the host that does not exist."""
    directory = tmp_path_factory.mktemp("certificates")
    return authority(directory, "IP:127.0.0.1", f"DNS:{HOST}")


# Proxies


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_gets_the_absolute_url(a3s: Bench, variable: str) -> None:
    with RawServer(answering(ANSWER)) as proxy:
        result = run_at(a3s, f"http://{HOST}/v1", **{variable: proxy.url})
    assert result.text == "hello"
    (asked,) = proxy.requests
    assert asked.line == f"POST http://{HOST}/v1/chat/completions HTTP/1.1"
    assert asked.headers["authorization"] == f"Bearer {SECRET}"


def test_a_proxy_is_given_the_password_of_its_url(a3s: Bench) -> None:
    with RawServer(answering(ANSWER)) as proxy:
        url = f"http://me:hush@127.0.0.1:{proxy.port}"
        result = run_at(a3s, f"http://{HOST}/v1", HTTP_PROXY=url)
    assert result.text == "hello"
    assert proxy.requests[0].headers["proxy-authorization"] == "Basic bWU6aHVzaA=="
    assert b"hush" not in result.stdout


class Tunnel:
    """A proxy that says yes to CONNECT, and is then the server at the far end."""

    def __init__(self, trusted: Authority) -> None:
        self._trusted = trusted
        self.inner: list[Asked] = []

    def __call__(self, connection: socket.socket, _: Asked) -> None:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with self._trusted.context.wrap_socket(connection, True) as secured:
            asked = read_request(secured)
            assert asked
            self.inner.append(asked)
            secured.sendall(ANSWER)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
def test_a_proxy_is_a_tunnel_for_tls(a3s: Bench, trusted: Authority, variable: str) -> None:
    tunnel = Tunnel(trusted)
    with RawServer(tunnel) as proxy:
        env = {variable: proxy.url, "SSL_CERT_FILE": str(trusted.certificate)}
        result = run_at(a3s, f"https://{HOST}/v1", **env)
    assert result.text == "hello"
    assert proxy.requests[0].line == f"CONNECT {HOST}:443 HTTP/1.1"
    # What the proxy itself can read holds no key.
    assert "authorization" not in proxy.requests[0].headers
    assert tunnel.inner[0].headers["authorization"] == f"Bearer {SECRET}"


@pytest.mark.parametrize("value", [HOST, "*", ".invalid", f"other, {HOST}"])
def test_no_proxy_is_heeded(a3s: Bench, value: str) -> None:
    with RawServer(answering(ANSWER)) as proxy:
        result = run_at(a3s, f"http://{HOST}/v1", HTTP_PROXY=proxy.url, NO_PROXY=value)
    assert (result.last["code"], proxy.requests) == ("network", [])


@pytest.mark.parametrize("value", ["other.invalid", "[::1],fe80::/10,10.0.0.0/8,<local>,é", "in"])
def test_no_proxy_that_is_not_about_this_host(a3s: Bench, value: str) -> None:
    with RawServer(answering(ANSWER)) as proxy:
        env = {"HTTP_PROXY": f"127.0.0.1:{proxy.port}", "NO_PROXY": value}
        assert run_at(a3s, f"http://{HOST}/v1", **env).text == "hello"
    assert len(proxy.requests) == 1


def test_a_proxy_that_is_not_used_does_no_harm(a3s: Bench) -> None:
    with RawServer(answering(ANSWER)) as proxy:
        env = {"HTTP_PROXY": proxy.url, "ALL_PROXY": "socks5://127.0.0.1:1", "HTTPS_PROXY": "?"}
        assert run_at(a3s, f"http://{HOST}/v1", **env).text == "hello"


def test_loopback_never_goes_through_a_proxy(a3s: Bench) -> None:
    with RawServer(answering(ANSWER)) as proxy:
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
        env: dict[str, Any] = dict.fromkeys(names, proxy.url)
        assert a3s("run", "go", script=[text("direct")], env=env).text == "direct"
    assert proxy.requests == []


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (b"HTTP/1.1 403 Forbidden by the house\r\n\r\n", "403"),
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "407"),
        (b"", HOST),
        (b"SSH-2.0-x\r\n\r\n", HOST),
    ],
)
def test_a_proxy_that_refuses(a3s: Bench, refusal: bytes, words: str) -> None:
    with RawServer(answering(refusal)) as proxy:
        result = run_at(a3s, f"https://{HOST}/v1", HTTPS_PROXY=proxy.url)
    assert (result.last["code"], result.status) == ("network", 75)
    assert words in result.last["error"]
    assert proxy.requests[0].line.startswith("CONNECT ")


def test_a_proxy_that_is_not_there(a3s: Bench) -> None:
    """The sentence tells of the proxy: the host that it names is not to blame."""
    refused = a3s.environment(None)["OPENAI_BASE_URL"].removesuffix("/v1")
    password = refused.replace("://", "://me:hush@")
    result = run_at(a3s, f"http://{HOST}/v1", HTTP_PROXY=password)
    assert (result.last["code"], result.status) == ("network", 75)
    assert "through the proxy 127.0.0.1:" in result.last["error"]
    assert b"hush" not in result.stdout


@pytest.mark.parametrize("url", ["ftp://me:hush@127.0.0.1:1", "http://127.0.0.1:port", "://"])
def test_a_proxy_that_cannot_be_used_is_a_wrong_configuration(a3s: Bench, url: str) -> None:
    result = run_at(a3s, f"http://{HOST}/v1", ALL_PROXY=url)
    assert (result.last["code"], result.status) == ("config", 78), result.last
    assert "proxy" in result.last["error"] and "ALL_PROXY" in result.last["hint"]
    assert b"hush" not in result.stdout


def test_a_socks_proxy_without_the_package_for_it(a3s: Bench) -> None:
    (a3s.root / "socksio.py").write_text("raise ImportError")
    env = {"all_proxy": "socks5://127.0.0.1:1", "PYTHONPATH": str(a3s.root)}
    result = run_at(a3s, f"http://{HOST}/v1", **env)
    assert (result.last["code"], result.status) == ("config", 78), result.last
    assert "socksio" in result.last["error"] and "pip install" in result.last["hint"]


# Redirects


def redirect(status: int, location: str) -> bytes:
    return response(b"", status, location=location)


@pytest.mark.parametrize("status", [307, 308])
@pytest.mark.parametrize(
    ("location", "path"), [("/elsewhere/chat", "/elsewhere/chat"), ("../chat", "/v1/chat")]
)
def test_a_redirect_to_the_same_host_is_followed(
    a3s: Bench, status: int, location: str, path: str
) -> None:
    def answer(connection: socket.socket, asked: Asked) -> None:
        first = asked.line.startswith("POST /v1/chat/completions ")
        connection.sendall(redirect(status, location) if first else ANSWER)

    with RawServer(answer) as server:
        result = run_at(a3s, f"{server.url}/v1")
    assert result.text == "hello"
    first, second = server.requests
    assert second.line == f"POST {path} HTTP/1.1"
    assert second.body == first.body
    assert second.headers["authorization"] == first.headers["authorization"] == f"Bearer {SECRET}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_refused(a3s: Bench, status: int) -> None:
    """Another port is another host: another program may listen there."""
    with RawServer(answering(ANSWER)) as other:
        target = f"{other.url}/v1/chat/completions"
        with RawServer(answering(redirect(status, target))) as server:
            result = run_at(a3s, f"{server.url}/v1")
    assert (result.last["code"], result.status) == ("provider_error", 1)
    assert f"127.0.0.1:{other.port}" in result.last["error"]
    assert result.last["status"] == status and result.last["hint"]
    assert other.requests == [] and len(server.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_that_would_lose_the_request_is_refused(a3s: Bench, status: int) -> None:
    with RawServer(answering(redirect(status, "/v1/other"))) as server:
        result = run_at(a3s, f"{server.url}/v1")
    assert (result.last["code"], result.last["status"]) == ("provider_error", status)
    assert len(server.requests) == 1


def test_a_redirect_to_plain_http_is_refused(a3s: Bench, trusted: Authority) -> None:
    with RawServer(answering(ANSWER)) as plain:

        def answer(connection: socket.socket, _: Asked) -> None:
            connection.sendall(redirect(307, f"http://127.0.0.1:{server.port}/v1"))

        with RawServer(answer, trusted.context) as server:
            env = {"SSL_CERT_FILE": str(trusted.certificate)}
            result = run_at(a3s, f"{server.url}/v1", **env)
    assert (result.last["code"], plain.requests) == ("provider_error", [])
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [307, 308])
def test_a_circle_of_redirects_ends(a3s: Bench, status: int) -> None:
    with RawServer(answering(redirect(status, "/v1/chat/completions"))) as server:
        result = run_at(a3s, f"{server.url}/v1")
    assert (result.last["code"], result.status) == ("provider_error", 1)
    assert 2 <= len(server.requests) <= 5


@pytest.mark.parametrize(
    "location",
    ["http://[", "//", "", "javascript:alert(1)", "http://" + "x" * 60_000],
)
def test_a_location_that_is_none(a3s: Bench, location: str) -> None:
    with RawServer(answering(redirect(307, location))) as server:
        result = run_at(a3s, f"{server.url}/v1")
    assert (result.last["code"], result.status) == ("provider_error", 1), result.last
    assert len(result.last["error"]) < 1000


# TLS


def test_a_certificate_that_nobody_trusts_is_named(a3s: Bench, trusted: Authority) -> None:
    with RawServer(answering(ANSWER), trusted.context) as server:
        result = run_at(a3s, f"{server.url}/v1")
    assert (result.last["code"], result.status) == ("network", 75)
    assert "certificate" in result.last["error"]
    assert f"127.0.0.1:{server.port}" in result.last["error"]
    assert server.requests == []


def test_a_certificate_authority_of_ones_own(a3s: Bench, trusted: Authority) -> None:
    with RawServer(answering(ANSWER), trusted.context) as server:
        result = run_at(a3s, f"{server.url}/v1", SSL_CERT_FILE=str(trusted.certificate))
    assert result.text == "hello" and len(server.requests) == 1


def test_a_certificate_of_another_host(a3s: Bench, tmp_path: Path) -> None:
    other = authority(tmp_path, "DNS:other.invalid")
    with RawServer(answering(ANSWER), other.context) as server:
        result = run_at(a3s, f"{server.url}/v1", SSL_CERT_FILE=str(other.certificate))
    assert (result.last["code"], server.requests) == ("network", [])
    assert "certificate" in result.last["error"] and "127.0.0.1" in result.last["error"]


def test_tls_with_a_server_that_speaks_none(a3s: Bench) -> None:
    with RawServer(answering(ANSWER)) as server:
        result = run_at(a3s, f"https://127.0.0.1:{server.port}/v1")
    assert (result.last["code"], result.status) == ("network", 75)
    assert "TLS failed" in result.last["error"]


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_authorities_of_other_programs_variables(
    a3s: Bench, trusted: Authority, variable: str
) -> None:
    with RawServer(answering(ANSWER), trusted.context) as server:
        result = run_at(a3s, f"{server.url}/v1", **{variable: str(trusted.certificate)})
    assert result.text == "hello"


@pytest.mark.parametrize("secure", [True, False])
def test_a_failure_of_tls_is_final(a3s: Bench, trusted: Authority, secure: bool) -> None:
    with RawServer(answering(ANSWER), trusted.context if secure else None) as server:
        env = {"OPENAI_BASE_URL": f"https://127.0.0.1:{server.port}/v1"}
        result = a3s("run", "-m", "openai/x", "go", env=env)
    assert (result.last["code"], result.status, result.of("retry")) == ("network", 75, [])
    assert ("SSL_CERT_FILE" if secure else "http://") in result.last["hint"]


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_authority_that_cannot_be_read(a3s: Bench, content: str | None) -> None:
    path = a3s.root / "ca.pem"
    if content:
        path.write_text(content)
    result = run_at(a3s, f"https://{HOST}/v1", SSL_CERT_FILE=str(path))
    assert (result.last["code"], result.status) == ("config", 78), result.last
    assert "SSL_CERT_FILE" in result.last["error"] and str(path) in result.last["error"]
