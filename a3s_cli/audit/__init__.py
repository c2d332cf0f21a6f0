"""Checks a finished or running stream against a policy, and reports the verdict.

`policy_file` reads what a run must and must not have done; `chain` verifies that a
recording was not changed; `verdict` combines both with the checks that every stream
must pass; the four reports present it.
"""
