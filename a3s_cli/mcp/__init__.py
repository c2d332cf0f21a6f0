"""Tools of other people's servers (the Model Context Protocol), under our laws.

`servers` holds the servers of one run: it starts them, waits for them, and says what
they offer. A `connection` is one of them, over a `session` that speaks the protocol by
way of `stdio` or `http`. What it lists becomes a `tool`; what a call returns is put into
words by `results`. Nothing here is imported by a run without servers.
"""
