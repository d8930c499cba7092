"""Workers that a batch system starts: SLURM, PBS, LSF, by dask-jobqueue."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from serlab import extras
from serlab.errors import ParameterError, meant

#: Name on the command line -> class of dask_jobqueue.
SYSTEMS: dict[str, str] = {"slurm": "SLURMCluster", "pbs": "PBSCluster", "lsf": "LSFCluster"}

#: What a worker gets where nobody says: one unit at a time, on one core.
DEFAULTS: dict[str, Any] = {"cores": 1, "memory": "4GB"}


def cluster(system: str, options: Mapping[str, Any] | None = None) -> Any:
    """A cluster of dask-jobqueue; nothing is submitted before it is scaled.

    Parameters
    ----------
    system : str
        Of :data:`SYSTEMS`.
    options : mapping of str to value, optional
        Of dask-jobqueue: ``queue``, ``account``, ``cores``, ``memory``, ``walltime``,
        ``job_extra_directives`` ...; what is not given comes from its configuration
        (``~/.config/dask/jobqueue.yaml``), and then from :data:`DEFAULTS`.

    Returns
    -------
    dask_jobqueue.JobQueueCluster

    Raises
    ------
    ParameterError
        For an unknown system or option.
    """
    if system not in SYSTEMS:
        known = ", ".join(SYSTEMS)
        raise ParameterError(f"unknown batch system {system!r}{meant(system, SYSTEMS)}; known: {known}")
    extras.require("dask_jobqueue", extra="cluster", purpose=f"workers by {system}")
    import dask
    import dask_jobqueue

    configured = dask.config.get(f"jobqueue.{system}", {})
    chosen = {name: value for name, value in DEFAULTS.items() if configured.get(name) is None}
    chosen |= dict(options or {})
    # One unit at a time a worker, on one core: of more cores, each has a worker.
    chosen.setdefault("processes", int(chosen.get("cores") or configured.get("cores") or 1))
    # The Python of this environment: on all nodes in the same place, or said by the option ``python``.
    chosen.setdefault("python", sys.executable)
    try:
        return getattr(dask_jobqueue, SYSTEMS[system])(**chosen)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"workers by {system}: {error}; see --cluster-option") from None


def job_script(system: str, options: Mapping[str, Any] | None = None) -> str:
    """What would be submitted for each worker, to be read before anything is."""
    with cluster(system, options) as made:
        return str(made.job_script())
