"""Corpora from and to the formats of others: audformat databases, dataset folders of Hugging Face.

Nothing of what lies in such a folder is run: no loading script, no pickled table, no YAML that
makes objects. Each module has ``read(folder, ...) -> Imported`` and ``write(table, folder, ...)``.
"""

from __future__ import annotations

from types import ModuleType

from serlab.corpora.exchange import audformat, huggingface

#: Name of a format -> module that reads and writes it.
FORMATS: dict[str, ModuleType] = {"audformat": audformat, "huggingface": huggingface}
