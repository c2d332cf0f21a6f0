"""Confines what bash runs: its files, its processes, its sockets and its system calls.

The kernel does it, by way of bubblewrap: `probe` finds out whether that works
here, `view` decides what a command sees of the file system, `hidden` lists what
it does not see, `seccomp` which system calls it has, and `bwrap` puts these
together into the one program that runs a command.
"""
