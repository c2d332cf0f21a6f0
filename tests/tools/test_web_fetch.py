"""web_fetch against real servers: what it says, what bounds it, which redirects it follows."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from a3s_cli.files.workspace import Workspace
from a3s_cli.messages import ToolCall
from a3s_cli.permissions.policy import Policy
from a3s_cli.run.calls import Calls
from a3s_cli.run.execution import CallLimits, Surroundings
from a3s_cli.stream.emitter import Emitter
from a3s_cli.tool_protocol import ToolReturn
from a3s_cli.tools.web_fetch import LARGEST, WebFetch
from a3s_cli.transport.get import get
from a3s_cli.transport.inflate import PIECE
from tests.support.replies import Pause, Reply, stall

from .web import PUBLIC, Web, connections, context, moved, page, serving


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    yield from serving(monkeypatch)


# -- what it says --------------------------------------------------------------------------


def test_formats(web: Web) -> None:
    source = "<title>T</title><h1>Hi</h1><p>a <a href='/b'>link</a><script>x()</script>"
    host = web.serve(page(source), page(source), page(source))
    assert web.read(f"http://{host}/d/") == f"# Hi\n\na [link](http://{host}/b)"
    assert web.read(f"http://{host}/d/", format="text") == "Hi\n\na link"
    assert web.read(f"http://{host}/d/", format="html") == source


def test_the_request(web: Web) -> None:
    host = web.serve(page("x"))
    web.read(f"HTTP://{host.replace('public', 'PUBLIC')}/a%20b?c=d&e#f")
    (seen,) = web.servers[0].requests
    assert (seen.method, seen.path) == ("GET", "/a%20b?c=d&e")
    assert seen.headers["host"] == host
    assert seen.headers["accept"] == "text/markdown, text/html;q=0.9, */*;q=0.8"
    assert seen.headers["accept-encoding"] == "gzip"
    assert not {"cookie", "authorization", "referer"} & set(seen.headers)


def test_json_stays_as_it_is(web: Web) -> None:
    host = web.serve(page('{"a": "<b>"}', "application/json"))
    assert web.read(f"http://{host}/") == '{"a": "<b>"}'


def test_the_charset_of_the_header(web: Web) -> None:
    host = web.serve(page("<p>Привет".encode("cp1251"), "text/html; charset=windows-1251"))
    assert web.read(f"http://{host}/") == "Привет"


def test_binary_content_is_not_downloaded(web: Web) -> None:
    host = web.serve(page(b"%PDF" * 500_000, "application/pdf"))
    url = f"http://{host}/a.pdf"
    assert web.error(url) == f"{url} is not text: application/pdf, 2.00 MB"


def test_binary_content_under_a_wrong_name(web: Web) -> None:
    host = web.serve(page(b"\x7fELF\0\0", "text/plain"))
    assert web.error(f"http://{host}/a") == f"http://{host}/a is not text: binary, 6 bytes"


@pytest.mark.parametrize("status", [404, 500, 304, 999])
def test_an_error_is_told(web: Web, status: int) -> None:
    host = web.serve(Reply(status=status, body=b""))
    assert f"http://{host}/x answered with HTTP status {status}" in web.error(f"http://{host}/x")


def test_a_server_that_is_not_there(web: Web) -> None:
    with socket.socket() as holder:
        holder.bind((PUBLIC, 0))
        url = f"http://public.test:{holder.getsockname()[1]}/"
        assert web.error(url).startswith(f"could not connect to {url[7:-1]}: ")


def test_the_next_address_where_one_refuses(web: Web) -> None:
    """Nothing listens on the refusing address; the order is the resolver's."""
    host = web.serve(page("<p>x"))
    web.names["public.test"] = [["127.0.0.9", PUBLIC]]
    tool = WebFetch(web.resolve, lambda _: None)
    result = asyncio.run(tool.run({"url": f"http://{host}/"}, context()))
    assert result.output == "x"
    assert [address for address, _ in connections] == ["127.0.0.9", PUBLIC]


# -- bounds --------------------------------------------------------------------------------


def test_a_large_page_is_cut(web: Web) -> None:
    host = web.serve(page(b"a" * (LARGEST + 1), "text/plain"), page(b"a" * LARGEST, "text/plain"))
    note = "[only the first 5 MiB were read]\n\n"
    assert web.read(f"http://{host}/") == note + "a" * LARGEST
    assert web.read(f"http://{host}/") == "a" * LARGEST


def test_a_compressed_page(web: Web) -> None:
    body = gzip.compress(b"<p>" + b"text " * 200_000)
    host = web.serve(page(body, content_encoding="gzip"))
    assert web.read(f"http://{host}/") == ("text " * 200_000).rstrip()


def test_a_bomb_is_cut_as_it_inflates(web: Web) -> None:
    bomb = gzip.compress(bytes([97]) * 100_000_000, 1)
    reply = page(bomb, "text/plain", content_encoding="gzip")
    host = web.serve(reply, reply)
    assert len(web.read(f"http://{host}/")) == LARGEST + 34

    async def largest() -> int:
        async with get(f"http://{host}/", [PUBLIC], {}) as answer:
            return max([len(piece) async for piece in answer.body])

    assert asyncio.run(largest()) <= PIECE


@pytest.mark.parametrize("coding", ["gzip", "br", "gzip, gzip"])
def test_a_body_that_is_not_what_it_says(web: Web, coding: str) -> None:
    host = web.serve(page("plain", content_encoding=coding))
    assert host in web.error(f"http://{host}/")


def test_the_deadline_is_for_the_whole_call(web: Web) -> None:
    drops = [piece for _ in range(40) for piece in (b"<p>x</p>", Pause(0.3))]
    host = web.serve(Reply(tuple(drops), headers={"content-type": "text/html"}))
    result = web.fetch(f"http://{host}/", timeout=1)
    sentence = f"http://{host}/ was not read within 1 s"
    assert result == ToolReturn(sentence, 124, "timeout")
    web.servers[0].wait_for_departure()


def test_cancelling_closes_the_connection(web: Web) -> None:
    host = web.serve(stall("x"))

    async def cancel() -> None:
        task = asyncio.create_task(web.tool.run({"url": f"http://{host}/"}, context()))
        await asyncio.to_thread(web.servers[0].wait_for_request)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    web.servers[0].wait_for_departure()


# -- redirects -----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(web: Web, status: int) -> None:
    host = web.serve(moved("/b?c#d", status), moved("../x", status), page("<p>there"))
    assert web.read(f"http://{host}/a/a") == f"[redirected to http://{host}/x]\n\nthere"
    assert [seen.path for seen in web.servers[0].requests] == ["/a/a", "/b?c", "/x"]


def test_redirects_end(web: Web) -> None:
    host = web.serve(*[moved("/again")] * 6)
    assert web.error(f"http://{host}/") == f"http://{host}/ redirects more than 5 times"
    assert len(web.servers[0].requests) == 6


INWARD = [
    "http://127.0.0.2/", "http://[::1]/", "http://localhost/", "http://2130706433/",
    "//169.254.169.254/latest/meta-data/", "file:///etc/passwd", "gopher://public.test/",
    "http://user@public.test/", "http://inward.test/", "http://[::ffff:7f00:2]/", "\\\\127.0.0.2\\",
]  # fmt: skip


@pytest.mark.parametrize("target", INWARD)
def test_a_redirect_inward_is_refused(web: Web, target: str) -> None:
    web.names["inward.test"] = [["127.0.0.2"]]
    host = web.serve(moved(target))
    assert "refused" in web.error(f"http://{host}/")
    assert connections == [(PUBLIC, web.servers[0].port)]


def test_a_redirect_is_held_against_the_rules(web: Web) -> None:
    host = web.serve(moved("http://other.test:8000/x"), moved("/ok"), page("<p>fine"))
    policy = Policy(allow=["web_fetch(http://public.test:*)"], tools=["web_fetch"])
    around = Surroundings(Emitter(), policy, Workspace(Path.cwd()), {}, CallLimits())
    calls = Calls(around, {"web_fetch": web.tool})

    async def outputs() -> list[str]:
        asked = [ToolCall(str(n), "web_fetch", f'{{"url": "http://{host}/"}}') for n in range(2)]
        return [(await calls.run([one], 1))[0].output for one in asked]

    assert asyncio.run(outputs()) == [
        f"http://{host}/ redirects elsewhere: no rule covers web_fetch http://other.test:8000/x",
        f"[redirected to http://{host}/ok]\n\nfine",
    ]
    assert "other.test" not in web.lookups
