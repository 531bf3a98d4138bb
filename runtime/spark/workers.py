"""What tasks written in Python do against the overhead of Spark's workers."""

from __future__ import annotations

import sys
from zipimport import zipimporter


def forget_zip_archives() -> None:
    """Spare the next task of this worker a tenth of a second, on a cluster a third.

    Before every task PySpark's worker invalidates the import system's caches, and each archive among them, such as
    `pyspark.zip` and the code that a cluster was sent, is then read anew. Those that are needed later are found again
    by `sys.path`.
    """
    for path, finder in list(sys.path_importer_cache.items()):
        if isinstance(finder, zipimporter):
            del sys.path_importer_cache[path]
