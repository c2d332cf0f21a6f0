"""`a3s serve`: the event stream over HTTP, for a browser and for the UIs that people have.

A prompt that is posted begins a run, and from then on the run belongs to nobody's
connection. Its lines are kept in their order (`log`, and the session's file behind
it); whoever wants them reads from there, from any place, as often as it likes. So
a connection that drops loses nothing and runs nothing twice, a reader that does
not read costs its place in the log and no more, and leaving is not cancelling.

`server` is the process: sockets, signals, the printed address. `app` has the
routes; `guard` stands before them and decides who may ask at all. `runs` holds
what goes on, `follow` brings a run's lines to one client, in the bytes of the
native stream or through a pure mapper (`ai_sdk`, `openai`) of another protocol.

starlette and uvicorn, because both do one thing: uvicorn's writes wait for a
client that is slow, which is what bounds its cost, and starlette's routes are
plain ASGI, so that a response of ours can be a loop over a log. They come with
the extra `serve` and are imported below this package only.
"""
