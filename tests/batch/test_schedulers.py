"""The files in docs/batch.md: run where the scheduler can be had, else read by its schema."""

from __future__ import annotations

import re
import signal
import subprocess  # noqa: TID251 - other people's schedulers are started here
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..support import processes
from .bench import BatchBench
from .document import DOCUMENT, file
from .slurm import Slurm, wait_until


def test_the_workflow_is_one_that_github_takes(tmp_path: Path) -> None:
    path = tmp_path / "batch.yml"
    path.write_text(file("batch-workflow.yml"))
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    checked = subprocess.run(
        [*command, "vendor.github-workflows", str(path)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_manifest_says_what_a_job_needs() -> None:
    job: dict[str, Any] = yaml.safe_load(file("batch.yaml"))
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "Job")
    spec = job["spec"]
    assert spec["completionMode"] == "Indexed"
    fatal, node = spec["podFailurePolicy"]["rules"]
    assert fatal["action"] == "FailJob"
    # What passes is tried again, and so is a death by a signal.
    assert not {75, *range(128, 256)} & set(fatal["onExitCodes"]["values"])
    assert node == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}
    # A policy for failures needs pods that are not restarted in place.
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    (container,) = spec["template"]["spec"]["containers"]
    assert fatal["onExitCodes"]["containerName"] == container["name"]
    assert f"/{spec['completions']}" in container["args"][0]


#: The fields of KubeRay's RayJob that the document uses, by where they stand.
RAY_JOB = {
    "": {"apiVersion", "kind", "metadata", "spec"},
    "spec": {"entrypoint", "shutdownAfterJobFinishes", "rayClusterSpec"},
    "spec.rayClusterSpec": {"rayVersion", "authOptions", "headGroupSpec", "workerGroupSpecs"},
    "spec.rayClusterSpec.authOptions": {"mode"},
    "spec.rayClusterSpec.headGroupSpec": {"rayStartParams", "template"},
    "spec.rayClusterSpec.workerGroupSpecs.0": {
        "groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template"
    },
}  # fmt: skip


def test_the_ray_job_says_what_kuberay_knows() -> None:
    """Field by field: no package carries the schema of KubeRay's resources."""
    job: dict[str, Any] = yaml.safe_load(file("ray-job.yaml"))
    for where, fields in RAY_JOB.items():
        found: Any = job
        for name in filter(None, where.split(".")):
            found = found[int(name) if name.isdigit() else name]
        assert found.keys() == fields, where
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    assert cluster["authOptions"]["mode"] == "token"
    # Version 2.52 is the first one that knows tokens; the extra wants the one that is named.
    assert tuple(map(int, cluster["rayVersion"].split("."))) >= (2, 52, 0)
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for spec in (group["template"]["spec"] for group in groups):
        (container,) = spec["containers"]
        mounted = {one["name"] for one in container["volumeMounts"]}
        assert mounted == {one["name"] for one in spec["volumes"]}
        # Keys are the nodes' own, and so is the image, which has one version of everything.
        assert container["envFrom"] == groups[0]["template"]["spec"]["containers"][0]["envFrom"]
        assert container["image"] == groups[0]["template"]["spec"]["containers"][0]["image"]
    program, *_ = job["spec"]["entrypoint"].split()
    assert program == "a3s" and "--on ray" in job["spec"]["entrypoint"]


@pytest.mark.parametrize("index", [0, 1])
def test_the_manifest_s_command_runs_a_shard(batch: BatchBench, index: int) -> None:
    job: dict[str, Any] = yaml.safe_load(file("batch.yaml"))
    (container,) = job["spec"]["template"]["spec"]["containers"]
    batch.say(8)
    env = {**batch.model.environment(), "A3S_MODEL": "openai/m", "JOB_COMPLETION_INDEX": str(index)}
    command = [*container["command"], container["args"][0]]
    result = batch.bench.start(command, None, "none", True, env=env).finish()
    assert result.status == 0, result.stderr
    assert batch.texts("work") == {f"i{n}": str(n) for n in (index, index + 4)}


def test_the_line_for_parallel_runs_its_shards(batch: BatchBench) -> None:
    (line,) = re.findall(r"^parallel '(.*)' ::: 1 2 3 4$", DOCUMENT, re.M)
    batch.say(8)
    env = {**batch.model.environment(), "A3S_MODEL": "openai/m"}
    # What GNU parallel makes of it: the argument in place of the braces.
    for number in "13":
        command = ["sh", "-c", line.replace("{}", number)]
        assert batch.bench.start(command, None, "none", True, env=env).finish().status == 0
    assert batch.texts("work").keys() == {"i0", "i4", "i2", "i6"}


def test_the_sbatch_file_is_a_script() -> None:
    told = subprocess.run(
        ["bash", "-n", "-c", file("batch.sbatch")], capture_output=True, check=False
    )
    assert (told.returncode, told.stderr) == (0, b"")


@pytest.mark.heavy
@pytest.mark.timeout(600)
def test_shards_under_slurm_two_of_which_are_killed(batch: BatchBench, slurm: Slurm) -> None:
    """120 items in four shards on two nodes; two drivers are killed, and put into the queue."""
    batch.say(120)
    script = batch.work / "batch.sbatch"
    script.write_text(file("batch.sbatch"))
    strict = batch.model
    strict.rate = 20  # long enough to be killed in the middle
    env = {**batch.bench.environment(None), **batch.model.environment(), "A3S_MODEL": "openai/m"}
    kept = {name: value for name, value in env.items() if value is not None}
    told = slurm.run("sbatch", "--export=ALL", str(script), cwd=batch.work, env=kept)
    assert "Submitted batch job" in told
    for shard in (1, 2):
        journal = batch.work / f"work/shard-{shard}-of-4/journal.ndjson"
        wait_until(lambda journal=journal: journal.exists() and b"item_end" in journal.read_bytes())
        mine = [
            one for one in processes.survivors(batch.bench.mark)
            if f"--shard {shard}/4" in one.command and "a3s_cli" in one.command
        ]  # fmt: skip
        assert mine, "the shard is over already"
        processes.send(mine[0].pid, signal.SIGKILL, batch.bench.mark)
    wait_until(lambda: not slurm.run("squeue", "-h").strip(), 400)
    assert batch.texts("work") == {f"i{n}": str(n) for n in range(120)}
    logs = [(batch.work / f"shard-{shard}.ndjson").read_bytes() for shard in (1, 2, 3, 4)]
    assert [log.count(b'"batch_start"') for log in logs] == [2, 2, 1, 1]
