"""The native API, from a prompt to its last event."""

from __future__ import annotations

from ..support.replies import bash, text
from .serving import Host


def test_a_prompt_is_answered_by_the_stream_of_its_run(host: Host) -> None:
    serving = host.serve([bash("echo one; echo two", "c1"), text("Done", ".")], "--allow", "bash")
    events = serving.ask("go")
    assert [event["type"] for event in events][-1] == "end"
    assert events[-1]["text"] == "Done."
