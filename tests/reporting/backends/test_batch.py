"""What would be submitted to batch systems, as far as that can be seen without one."""

from __future__ import annotations

import re

import pytest

from serlab.errors import ParameterError

pytest.importorskip("dask_jobqueue")

from serlab.reporting.backends import batch

EXPECTED = {
    "slurm": ["#SBATCH -p short", "#SBATCH --cpus-per-task=2", "#SBATCH --mem=8G", "#SBATCH -t 01:30:00"],
    "pbs": ["#PBS -q short", "ncpus=2", "#PBS -l walltime=01:30:00"],
    "lsf": ["#BSUB -q short", "#BSUB -n 2", "#BSUB -W 01:30:00"],
}


@pytest.mark.parametrize("system", batch.SYSTEMS)
def test_the_job_script_says_what_was_asked_for(system):
    options = {
        "queue": "short",
        "cores": 2,
        "memory": "8GB",
        "walltime": "01:30:00",
        "python": "/opt/serlab/python",
    }
    script = batch.job_script(system, options)
    assert script.startswith("#!")
    assert not [line for line in EXPECTED[system] if line not in script], script
    (command,) = [line for line in script.splitlines() if "dask_worker" in line]
    assert command.startswith("/opt/serlab/python -m distributed.cli.dask_worker tcp://")
    assert re.search(r"--nthreads 1\b", command) and re.search(r"--nworkers 2\b", command), "one unit a core"


def test_what_nobody_says_has_a_default_and_more_can_be_said():
    options = {"job_extra_directives": ["--gres=gpu:1"], "worker_extra_args": ["--resources GPU=1"]}
    script = batch.job_script("slurm", options)
    assert "#SBATCH --mem=4G" in script and "#SBATCH --cpus-per-task=1" in script and "--nthreads 1" in script
    assert "#SBATCH --gres=gpu:1" in script and "--resources GPU=1" in script


def test_unknown_systems_and_options_are_named():
    with pytest.raises(ParameterError, match=r"unknown batch system 'slurmm' \(did you mean 'slurm'\?\)"):
        batch.job_script("slurmm")
    with pytest.raises(ParameterError, match=r"workers by slurm: .*quue"):
        batch.job_script("slurm", {"quue": "short"})
