"""Sessions on disk: conversations that outlive their process.

Each session is one append-only file: the stream of its runs, one after another, and
between the events what the model needs to continue. A few ideas hold the package
together. A step of the conversation is one line, so that it is complete or absent.
The kernel holds the lock, so that no lock outlives its holder. And the index of
sessions (`recent`) is only a cache.
"""
