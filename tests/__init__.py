"""Tests of serlab.

Workers beside each other share the cores: a library that starts a thread for every core in each of them waits
for the others most of its time. Libraries read this when they are loaded, hence here, before all of them.
"""

import os

_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0"))
if _WORKERS:
    for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(_name, str(max(1, (os.cpu_count() or 1) // _WORKERS)))
