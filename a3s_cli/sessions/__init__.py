"""Sessions on disk: conversations that outlive their process.

One append-only file per session: the stream of its runs, one after another,
and between the events what a model must be told to go on. A few ideas hold the
package together. A step of the conversation is one line, so that it is whole or
absent. The kernel holds the lock, so that no lock outlives its holder. And
whatever helps to find a session (`recent`) can be thrown away.
"""
