"""web_fetch and what only this machine can reach: not by a name, an address, a rule, or TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess  # noqa: TID251 - openssl makes the certificates of a test
import threading
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from a3s_cli.errors import NetworkError
from a3s_cli.permissions.policy import Policy
from a3s_cli.tool_protocol import Subject, ToolError
from a3s_cli.tools.web_fetch import WebFetch
from a3s_cli.transport.get import is_own
from tests.support.a3s import Bench
from tests.support.corpus import ROOT, absent, load
from tests.support.replies import call, text

from .web import PUBLIC, Web, connections, context, moved, page, serving


@pytest.fixture(autouse=True)
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    yield from serving(monkeypatch)


# -- addresses -----------------------------------------------------------------------------

#: Rows of the corpus that tell of a server's behaviour have their own tests above and below.
STORIES = (" -> ", "first A=", "bomb", "deadline", "self-signed")


def cases() -> list[Any]:
    if not (ROOT / "ssrf_urls.json").exists():
        skip = pytest.mark.skip(reason=absent("ssrf_urls.json"))
        return [pytest.param("", marks=skip)]
    rows: list[str] = load("ssrf_urls.json")["cases"]
    return [row.partition(" (")[0] for row in rows if not any(word in row for word in STORIES)]


@pytest.mark.parametrize("url", cases())
def test_targets_of_the_corpus_get_no_packet(url: str) -> None:
    with pytest.raises(ToolError, match=" is refused: "):
        asyncio.run(WebFetch(_treacherous).run({"url": url}, context()))
    assert connections == []


async def _treacherous(host: str, port: int) -> list[str]:
    """A name server for which every name is this machine."""
    return ["127.0.0.1" if host.startswith("127") else "169.254.169.254"]


@pytest.mark.parametrize(
    "url", ["http://allowed.example.evil.test/", "http://evilallowed.example/",
            "http://allowed.example@evil.test/", "http://ⓐllowed.example.evil.test/"]
)  # fmt: skip
def test_a_rule_for_a_host_is_for_no_other(web: Web, url: str) -> None:
    rules = ["web_fetch(allowed.example)", "web_fetch(http://allowed.example/*)"]
    policy = Policy(allow=rules, tools=["web_fetch"])
    subject = web.tool.subject({"url": url})
    assert policy.decide("web_fetch", subject).decision == "ask"


def test_rules_see_the_url_that_will_be_requested(web: Web) -> None:
    subject = web.tool.subject({"url": "HTTP://ⓔvil.EXAMPLE.:80?a#b"})
    assert subject == Subject("url", "http://evil.example/?a")
    policy = Policy(deny=["web_fetch(evil.example)"], default_decision="allow", tools=["web_fetch"])
    assert policy.decide("web_fetch", subject).decision == "deny"
    assert web.tool.subject({"url": "no url"}) == Subject("url", "no url")


def test_one_private_address_is_one_too_many(web: Web) -> None:
    host = web.serve()
    web.names["public.test"] = [[PUBLIC, "10.0.0.1"]]
    assert web.error(f"http://{host}/") == (
        f"http://{host}/ is refused: 10.0.0.1 is not a public address"
    )
    assert connections == []


def test_a_name_is_looked_up_once(web: Web) -> None:
    """A second look would find another address: rebinding."""
    host = web.serve(page("<p>checked"))
    web.names["public.test"] = [[PUBLIC], ["127.0.0.2"]]
    assert web.read(f"http://{host}/") == "checked"
    assert web.lookups == ["public.test"]
    assert connections == [(PUBLIC, web.servers[0].port)]


def test_each_redirect_is_looked_up_again(web: Web) -> None:
    host = web.serve(moved("/b"))
    web.names["public.test"] = [[PUBLIC], ["127.0.0.2"]]
    assert web.error(f"http://{host}/").endswith("127.0.0.2 is not a public address")
    assert connections == [(PUBLIC, web.servers[0].port)]


def test_addresses_of_this_machine_are_known() -> None:
    """A public address of ours reaches what listens here behind the firewall."""
    assert is_own("127.0.0.1")
    assert not is_own("192.0.2.1")
    assert not is_own("no address")
    assert connections == []


def test_the_product_reaches_no_loopback_server(a3s: Bench) -> None:
    server = a3s.serve([])
    calls = [call("web_fetch", {"url": f"{server.url}/"}), text("done")]
    result = a3s("run", "go", "--allow", "web_fetch", script=calls)
    assert result.one("tool_end")["toolOutput"] == (
        f"{server.url}/ is refused: 127.0.0.1 is not a public address"
    )
    assert server.requests == []


def test_the_product_asks_by_default(a3s: Bench) -> None:
    result = a3s("run", "go", script=[call("web_fetch", {"url": "http://a.org"}), text("done")])
    assert result.one("permission_denied")["decision"] == "ask"


# -- proxies -------------------------------------------------------------------------------


def test_a_proxy_is_used_with_the_name(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    web.serve(page("<p>by proxy"))
    monkeypatch.setenv("http_proxy", web.servers[0].url)
    assert web.read("http://public.test/x") == "by proxy"
    assert web.servers[0].requests[0].path == "http://public.test/x"


def test_what_is_known_to_be_private_does_not_go_to_a_proxy(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.serve()
    monkeypatch.setenv("all_proxy", web.servers[0].url)
    web.names["inward.test"] = [["10.0.0.1"]]
    for host in ("inward.test", "10.0.0.1", "localhost", "metadata.google.internal"):
        assert " is refused: " in web.error(f"http://{host}/")
    assert connections == []


def test_where_only_the_proxy_resolves_names(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unresolved(host: str, port: int) -> list[str]:
        raise NetworkError(f"{host} does not resolve: Name or service not known")

    web.resolve = unresolved  # type: ignore[method-assign]
    web.serve(page("<p>by proxy"))
    assert web.error("http://public.test/").startswith("public.test does not resolve")
    monkeypatch.setenv("http_proxy", web.servers[0].url)
    assert web.read("http://public.test/") == "by proxy"
    assert web.error("http://10.0.0.1.nip.test/").startswith("10.0.0.1.nip.test does not resolve")


# -- TLS -----------------------------------------------------------------------------------


class Secure:
    """One HTTPS server whose certificate is for public.test, signed by itself."""

    def __init__(self, directory: Path) -> None:
        self.certificate = directory / "cert.pem"
        key = directory / "key.pem"
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt"]
        command += ["ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=x"]
        command += ["-addext", "subjectAltName=DNS:public.test"]
        command += ["-keyout", str(key), "-out", str(self.certificate)]
        subprocess.run(command, check=True, capture_output=True)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate, key)
        self._context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        self.names: list[str | None] = []
        self.heads: list[bytes] = []
        self._listener = socket.create_server((PUBLIC, 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            try:
                with self._context.wrap_socket(plain, server_side=True) as connection:
                    self.heads.append(connection.recv(65536))
                    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            except OSError:
                plain.close()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Secure]:
    if which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    server = Secure(tmp_path)
    yield server
    server.close()


def test_a_self_signed_certificate_is_refused(web: Web, secure: Secure) -> None:
    url = f"https://public.test:{secure.port}/"
    assert "its TLS certificate is not trusted" in web.error(url)
    assert secure.heads == []


def test_the_certificate_must_be_for_the_name(
    web: Web, secure: Secure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(secure.certificate))
    assert web.read(f"https://public.test:{secure.port}/") == "ok"
    assert secure.names == ["public.test"]
    assert f"\r\nhost: public.test:{secure.port}\r\n".encode() in secure.heads[0].lower()
    assert "not trusted" in web.error(f"https://other.test:{secure.port}/")
    assert "not trusted" in web.error(f"https://{PUBLIC}:{secure.port}/")
    assert len(secure.heads) == 1
