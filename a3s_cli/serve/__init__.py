"""`a3s serve`: the event stream over HTTP, for a browser and for existing chat UIs.

A posted prompt starts a run, which from then on is independent of any
connection. Its lines are kept in order (`log`, and the session's file behind
it), and clients read them from any position, as often as they like. A dropped
connection therefore loses nothing and runs nothing twice, a reader that does not
read costs only its position in the log, and disconnecting does not cancel.

`server` is the process: sockets, signals, the printed address. `app` has the
routes; `guard` stands before them and decides which requests are admitted. `runs`
holds the active runs. `follow` streams a run's lines to one client, as native
events or through a pure mapper (`ai_sdk`, `openai`) to another protocol.

Both starlette and uvicorn do one thing well: uvicorn's writes wait for a slow
client, which bounds its cost, and starlette's routes are plain ASGI, so that a
response of ours can be a loop over a log. They come with the extra `serve` and
are imported only in this package.
"""
