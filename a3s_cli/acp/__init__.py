"""An agent for editors: the Agent Client Protocol, version 1, over stdin and stdout.

The third way into a run beside the command line and the page: `agent` answers the
editor's requests, `conversation` opens the runs of one session like any other front
end, and the rest translates, purely: what a prompt's blocks say (`blocks`), what an
event looks like in an editor (`updates`, `calls`), which modes there are (`modes`).
"""
