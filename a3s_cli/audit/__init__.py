"""What a finished or running stream is held against, and how the verdict is told.

`policy_file` reads what a run must and must not have done; `chain` proves that
a recording is the one that was made; `verdict` puts both together with the
checks that every stream must pass; the four reports tell it.
"""
