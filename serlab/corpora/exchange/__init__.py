"""Corpora from and to the formats of others: audformat databases, dataset folders of Hugging Face.

Read only are tables of any other columns, and folders whose names say all. Nothing of what lies in such a
folder is run: no loading script, no pickled table, no YAML that makes objects. Each module has
``read(folder, ...) -> Imported``, those of :data:`FORMATS` ``write(table, folder, ...)``.
"""

from __future__ import annotations

from types import ModuleType

from serlab.corpora.exchange import audformat, huggingface, names, table

#: Name of a format -> module that reads and writes it.
FORMATS: dict[str, ModuleType] = {"audformat": audformat, "huggingface": huggingface}
#: What is read, by name.
READ: dict[str, ModuleType] = {**FORMATS, "table": table, "names": names}
