"""What a part of the package loads when it is imported: tables are read without what computes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

#: Statement -> libraries that are not loaded after it; one after the other in one Python, light ones first.
LIGHT: dict[str, tuple[str, ...]] = {
    "import serlab.asr.settings": ("numpy", "scipy", "torch"),
    "import serlab.training.objectives": ("torch",),
    "import serlab.methods": (
        "torch", "sklearn", "scipy", "librosa", "transformers", "soundfile", "matplotlib", "skada"
    ),
    "import serlab.papers; [paper.published for paper in serlab.papers.PAPERS.values()]": (
        "torch", "sklearn", "scipy", "matplotlib", "librosa"
    ),
    "import serlab.features.augmentation": ("torch",),
    "import serlab.plotting": ("seaborn", "sklearn.manifold"),
}  # fmt: skip

PROGRAM = """
import json, sys
for statement, names in json.loads(sys.argv[1]).items():
    exec(statement)
    loaded = [name for name in names if name in sys.modules]
    assert not loaded, f"{statement} loads {loaded}"
"""


def test_tables_are_read_without_what_computes() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(LIGHT)],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
