"""Saying something over HTTP to a run that goes on."""

from __future__ import annotations

import json
import threading

from ..support.replies import text
from .serving import Host


def test_a_word_goes_before_the_model(host: Host) -> None:
    gate = threading.Event()
    serving = host.serve([text("al", gate, "most"), text("done")])
    place = "/api/sessions/s/steer"
    assert serving.post(place, {"text": "x"}).status_code == 404
    with serving.chat("go", sessionId="s") as stream:
        frames = stream.take("text_delta")
        assert serving.post(place, {"text": "  "}).status_code == 400
        assert serving.post(place, {"words": "x"}).status_code == 400
        assert serving.post(place, {"text": "more"}).json() == {"steered": True}
        gate.set()
        frames += stream.take("end")
    events = [json.loads(frame.data) for frame in frames]
    assert [one["text"] for one in events if one["type"] == "user_message"] == ["more"]
    assert (events[-1]["text"], events[-1]["turns"]) == ("done", 2)
    assert serving.post(place, {"text": "late"}).json() == {"steered": False}
