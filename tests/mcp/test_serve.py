"""`a3s serve` uses the same servers as `a3s run`."""

from __future__ import annotations

from ..serve.serving import Host
from ..support.a3s import Bench
from ..support.replies import call, text
from .bench import Scripted


def test_the_page_has_the_same_servers(a3s: Bench, scripted: Scripted) -> None:
    scripted.add()
    host = Host(a3s)
    try:
        script = [call("mcp__one__echo", {"text": "hi"}), text("done")]
        events = host.serve(script, "--allow", "mcp__one").ask("go")
        assert events[0]["mcpServers"] == ["one"]
        assert [one["toolOutput"] for one in events if one["type"] == "tool_end"] == ["hi"]
        assert events[-1]["text"] == "done"
    finally:
        host.close()
