"""The description of the API, as OpenAPI 3.1: what may be sent, and what comes back.

Written by hand, because a framework that could derive it would be larger than
the API. A test holds it against the routes.
"""

from __future__ import annotations

import re
from typing import Any

from ..stream.schema import schema_document
from ..version import __version__

Json = dict[str, Any]

ABOUT = """\
Runs of a3s over HTTP. A prompt that is posted begins a run, which goes on whoever \
listens: a connection that drops loses nothing, and is no cancel. Post a prompt once, \
then follow its session: `GET /api/sessions/{session}/events` with the id of the last \
event that arrived. A client that names its session itself (`sessionId`) can do so even \
if it never saw the first byte of the answer.

A stream has `id:` (RUNID:SEQ) and `data:` (one event, as `a3s run` prints it) and \
comments. Browsers must send requests from a page of this server; a POST has a JSON body.
"""

_STRING: Json = {"type": "string"}
_INTEGER: Json = {"type": "integer"}
_ANY: Json = {"type": "object"}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": _STRING, "message": _STRING, "hint": _STRING},
        }
    },
}
_CHAT = {
    "type": "object",
    "required": ["message"],
    "additionalProperties": False,
    "properties": {
        "message": {**_STRING, "description": "the prompt"},
        "sessionId": {
            **_STRING,
            "description": "a session to go on with, or the name of a new one",
        },
        "model": {**_STRING, "description": "provider/model; else the configured one"},
        "schema": {"description": "a JSON Schema: the run's answer is an object of it"},
    },
}
_SESSION = {
    "type": "object",
    "required": ["id", "created", "used", "workspace", "turns", "prompt", "bytes", "live"],
    "properties": {
        **dict.fromkeys(("id", "workspace", "model", "prompt"), _STRING),
        **dict.fromkeys(("created", "used", "runs", "turns", "bytes"), _INTEGER),
        "live": {"type": "boolean", "description": "whether a run of it goes on here"},
    },
}
_ANSWER = {"type": "string", "enum": ["once", "always", "no"]}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "one for each prompt: what is sent again with it runs once, another is refused",
    "schema": _STRING,
}
_LAST = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "RUNID:SEQ of the last event seen; a bare SEQ is one of the newest run",
    "schema": _STRING,
}


def document() -> Json:
    """Give the document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "a3s serve", "version": __version__, "description": ABOUT},
        "security": [{"bearer": []}, {"cookie": []}],
        "paths": {path: {**_places(path), **item} for path, item in _paths().items()},
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "a3s-PORT"},
            },
            "schemas": {"Error": _ERROR, "Event": _event()},
        },
    }


def _paths() -> Json:
    session = "/api/sessions/{session}"
    nothing: Json = {"204": {"description": "there is nothing more to come"}}
    return {
        "/api/chat": _post("Run a prompt", _CHAT, _events("the run's events"), _KEY),
        "/api/sessions": _get("List the sessions of this workspace", _list(_SESSION)),
        f"{session}/events": _get(
            "Replay what was missed of a session, and follow",
            _events("events of the session's runs, in their order") | nothing,
            _LAST,
        ),
        f"{session}/cancel": _post(
            "Cancel the run that goes on", _ANY, _object(cancelled={"type": "boolean"})
        ),
        f"{session}/permissions/{{toolId}}": _post(
            "Answer a permission_request",
            {"type": "object", "required": ["answer"], "properties": {"answer": _ANSWER}},
            _object(toolId=_STRING, answer=_ANSWER),
        ),
        "/api/models": _get("List the models", _list(_ANY)),
        "/api/schema": _get("The JSON Schema of an event", _json(_ANY)),
        "/openapi.json": _get("This document", _json(_ANY)),
        "/api/ai-sdk": _post("Run a prompt for the AI SDK", _ANY, _events("UI message chunks")),
        "/api/ai-sdk/{session}/stream": _get(
            "The stream of the run that goes on, from its begin", _events("UI chunks") | nothing
        ),
        "/v1/chat/completions": _post(
            "Run a prompt for an OpenAI client",
            _ANY,
            {"200": {"description": "a completion, or its chunks where `stream` is true"}},
        ),
        "/v1/models": _get("List the models, as OpenAI does", _json(_ANY)),
    }


def _places(path: str) -> Json:
    """Give the parameters that are in a path itself."""
    named = re.findall(r"{(\w+)}", path)
    placed = [{"name": one, "in": "path", "required": True, "schema": _STRING} for one in named]
    return {"parameters": placed} if placed else {}


def _get(summary: str, responses: Json, *parameters: Json) -> Json:
    return {"get": _operation(summary, responses, parameters)}


def _post(summary: str, body: Json, responses: Json, *parameters: Json) -> Json:
    operation = _operation(summary, responses, parameters)
    content = {"application/json": {"schema": body}}
    return {"post": {**operation, "requestBody": {"required": True, "content": content}}}


def _operation(summary: str, responses: Json, parameters: tuple[Json, ...]) -> Json:
    refused = {"$ref": "#/components/schemas/Error"}
    content = {"application/json": {"schema": refused}}
    told = {"description": "refused: what is wrong, in a sentence", "content": content}
    operation: Json = {"summary": summary, "responses": {**responses, "4XX": told}}
    return {**operation, "parameters": list(parameters)} if parameters else operation


def _json(schema: Json) -> Json:
    return {"200": {"description": "OK", "content": {"application/json": {"schema": schema}}}}


def _list(items: Json) -> Json:
    return _json({"type": "array", "items": items})


def _object(**properties: Json) -> Json:
    required = list(properties)
    return _json({"type": "object", "required": required, "properties": properties})


def _events(description: str) -> Json:
    return {"200": {"description": description, "content": {"text/event-stream": {}}}}


def _event() -> Json:
    """Give the schema of an event, with its definitions where this document has them."""
    schema = schema_document()
    del schema["$schema"]
    return {"title": schema["title"], "oneOf": list(schema["$defs"].values())}
