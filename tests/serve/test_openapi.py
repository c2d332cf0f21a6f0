"""The description of the API says what there is: every route, and what really comes back."""

from __future__ import annotations

from typing import Any, cast

from starlette.routing import Route

from a3s_cli.serve.app import Routes
from a3s_cli.serve.openapi import document
from a3s_cli.validation import Validator

from ..support.replies import text
from .serving import Host


def test_every_route_is_described_and_nothing_else() -> None:
    table = Routes(cast("Any", None), list).table()
    routes = {
        route.path.replace("{tool_id:path}", "{toolId}").replace(":path}", "}"): (
            route.methods or set()
        )
        - {"HEAD"}
        for route in table
        if isinstance(route, Route) and route.path != "/"
    }
    described = {
        path: {method.upper() for method in item if method != "parameters"}
        for path, item in document()["paths"].items()
    }
    assert described == routes
    for path, item in document()["paths"].items():
        named = [one["name"] for one in item.get("parameters", ())]
        assert [f"{{{name}}}" for name in named] == [
            part for part in path.split("/") if part.startswith("{")
        ]


def test_what_comes_back_is_as_described(host: Host) -> None:
    serving = host.serve([text("ok")])
    get = serving.client.get
    described = get("/openapi.json").json()
    assert described == document()
    events = serving.ask("go", sessionId="s")

    def fits(value: Any, schema: dict[str, Any]) -> bool:
        return Validator(schema).is_valid(value)

    event = described["components"]["schemas"]["Event"]
    assert all(fits(one, event) for one in events)
    assert not fits({**events[0], "type": "nonsense"}, event)
    for path in ("/api/sessions", "/api/models"):
        told = described["paths"][path]["get"]["responses"]["200"]["content"]
        value = get(path).json()
        assert value and fits(value, told["application/json"]["schema"])
    refused = get("/api/sessions/none/events")
    assert fits(refused.json(), described["components"]["schemas"]["Error"])
    told = described["paths"]["/api/chat"]["post"]["requestBody"]["content"]["application/json"]
    assert fits({"message": "go", "sessionId": "s"}, told["schema"])
    assert not fits({"message": "go", "session": "s"}, told["schema"])
