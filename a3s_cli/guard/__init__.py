"""Keeps what other programs obey unasked as it was, whatever a command does to it.

A sandbox cannot make such places read-only without being seen: git, tar and every
build would stumble over the mounts. So a command may write them, and what it has
no right to leave behind is put back when its call ends.

    scan         finds the protected places of a tree, at any depth, and what has changed
    contents     what a path holds: its kind, mode and digest; reads, saves, restores
    git_config   the keys of git's configuration that run programs; pure
    refs         the tips of a repository's refs
    history      whether a recorded commit, or an ancestor, has a content at a path
    record       what is remembered of a workspace, safe from crashes and from commands
    neighbours   runs at work in trees above and below
    verdict      what a place may hold; pure
    whose        whether a change is the user's or a command's
    changes      which files a command has changed, for those who watch
    guard        one run's guard: before its first command, and after each
"""
