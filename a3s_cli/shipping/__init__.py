"""A workspace on its way to the machines of a batch, and its changes on their way back.

What is sent is decided here, before anything leaves; the rest runs on the other machine.

    archive   what leaves this machine: files that git does not ignore, without secrets
    depot     the workspace on another machine: unpacked once there, and copies of it
    janitor   removes it after the processes that use it, however they end
    patch     what a run has changed in its copy, as `git apply` takes it
    tree      trees in which any command may have worked: listed, copied and removed
    git       the few commands of git that this needs
"""
