"""The only place that speaks HTTP, and the only one that imports httpx.

`post` asks a provider and streams its answer, `get` fetches one page from
addresses that were checked before, `download` one file whose size is known;
`client` is what they share: TLS, proxies, and failures in words.
"""
