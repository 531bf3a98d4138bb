"""Who may send to the collector, as the object that `learn sources` writes tells others."""

from __future__ import annotations

import json
from typing import Any

from runtime.storage.store import StorageError, Store

PATH = "sources.json"


def declared_senders(store: Store) -> list[dict[str, Any]]:
    """The sources without what is kept of their keys; none where none was declared. StorageError where damaged."""
    try:
        told = json.loads(store.read(PATH))
        return [{name: value for name, value in one.items() if name != "digest"} for one in told["sources"]]
    except FileNotFoundError:
        return []
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise StorageError(f"'{PATH}' in {store.uri}: must be whole; got {type(error).__name__}") from error
