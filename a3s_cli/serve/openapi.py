"""The OpenAPI 3.1 description of the API.

It is written by hand, because a framework that could derive it would be larger
than the API. A test compares it with the routes.
"""

from __future__ import annotations

import re
from typing import Any

from ..stream.schema import schema_document
from ..version import __version__

Json = dict[str, Any]

ABOUT = """\
Runs of a3s over HTTP. A posted prompt starts a run, which continues without any \
connection: disconnecting loses nothing and does not cancel. Post a prompt once, then \
follow its session: `GET /api/sessions/{session}/events` with the id of the last event \
received. A client that chooses the session's name (`sessionId`) can do so even if it \
never received the first byte of the answer.

A stream has `id:` (RUNID:SEQ), `data:` (one event, as `a3s run` prints it) and \
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
            "description": "a session to continue, or the name of a new one",
        },
        "model": {**_STRING, "description": "provider/model; the default is the configured one"},
        "schema": {"description": "a JSON Schema that the run's answer must match"},
        "attachments": {
            "type": "array",
            "description": "files that come with the prompt: `data` in base64, or a `path`",
            "items": {
                "type": "object",
                "properties": dict.fromkeys(("name", "mediaType", "data", "path"), _STRING),
            },
        },
    },
}
_SESSION = {
    "type": "object",
    "required": ["id", "created", "used", "workspace", "turns", "prompt", "bytes", "live"],
    "properties": {
        **dict.fromkeys(("id", "workspace", "model", "prompt", "title", "forkedFrom"), _STRING),
        **dict.fromkeys(("created", "used", "runs", "turns", "bytes", "totalTokens"), _INTEGER),
        "costUsd": {"type": "number"},
        "verdict": {
            **_STRING,
            "description": "`success`, the code of the last run's error, `interrupted`, `running`",
        },
        "live": {"type": "boolean", "description": "whether this server is running it now"},
    },
}
_ANSWER = {"type": "string", "enum": ["once", "always", "no"]}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "one per prompt: a resent request runs once, a different one is refused",
    "schema": _STRING,
}
_WORDS = {
    "name": "q",
    "in": "query",
    "description": "words that the title, the first prompt or the id must contain",
    "schema": _STRING,
}
_LAST = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "RUNID:SEQ of the last event received; a bare SEQ refers to the newest run",
    "schema": _STRING,
}


def document() -> Json:
    """Return the OpenAPI document."""
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
    nothing: Json = {"204": {"description": "no further events"}}
    return {
        "/api/chat": _post("Run a prompt", _CHAT, _events("the run's events"), _KEY),
        "/api/sessions": _get(
            "List the sessions of this workspace, at most 50", _list(_SESSION), _WORDS
        ),
        session: {"delete": _operation("Remove a session", {"204": {"description": "gone"}}, ())},
        f"{session}/events": _get(
            "Replay the missed events of a session, then follow it",
            _events("events of the session's runs, in order") | nothing,
            _LAST,
        ),
        f"{session}/cancel": _post(
            "Cancel the active run", _ANY, _object(cancelled={"type": "boolean"})
        ),
        f"{session}/steer": _post(
            "Send a message to the active run, for its next turn",
            {"type": "object", "required": ["text"], "properties": {"text": _STRING}},
            _object(steered={"type": "boolean"}),
        ),
        f"{session}/permissions/{{toolId}}": _post(
            "Answer a permission_request",
            {
                "type": "object",
                "required": ["answer"],
                "properties": {"answer": _ANSWER, "text": _STRING},
            },
            _object(toolId=_STRING, answer=_ANSWER),
        ),
        "/api/news": _get("Stream what every run adds from now on", _events("events")),
        "/api/models": _get("List the models", _list(_ANY)),
        "/api/schema": _get("Return the JSON Schema of an event", _json(_ANY)),
        "/openapi.json": _get("Return this document", _json(_ANY)),
        "/api/ai-sdk": _post("Run a prompt for the AI SDK", _ANY, _events("UI message chunks")),
        "/api/ai-sdk/{session}/stream": _get(
            "Stream the active run from its beginning", _events("UI message chunks") | nothing
        ),
        "/v1/chat/completions": _post(
            "Run a prompt for an OpenAI client",
            _ANY,
            {"200": {"description": "a completion, or its chunks if `stream` is true"}},
        ),
        "/v1/models": _get("List the models, as OpenAI does", _json(_ANY)),
        "/v1/models/{model}": _get("Return one model, as OpenAI does", _json(_ANY)),
    }


def _places(path: str) -> Json:
    """Return the parameters in the path itself."""
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
    told = {"description": "refused; the message says why", "content": content}
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
    """Return the schema of an event, with its definitions inlined."""
    schema = schema_document()
    del schema["$schema"]
    return {"title": schema["title"], "oneOf": list(schema["$defs"].values())}
