"""The only room that speaks HTTP as a client, and the only one that imports httpx.

`post` sends a request to a provider and streams its answer, `get` fetches one web
page, `download` one file whose size is known. `direct` is our own connection to a
server; `client` opens what goes through a proxy.
"""
