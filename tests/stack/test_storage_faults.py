"""A real MinIO that refuses: every action says why in one line."""

from dataclasses import replace

import pytest

from runtime.storage.opening import open_store
from tests.runtime.storage.test_store import ACTIONS, complaint


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    ("changes", "said"),
    [({"minio_access_key": "nobody"}, "MINIO_ACCESS_KEY"), ({"minio_secret_key": "wrong-secret"}, "MINIO_SECRET_KEY")],
)
def test_wrong_keys_are_named(stack, action, changes, said, tmp_path):
    store = open_store("s3a://bucket-0/raw", replace(stack.settings, **changes))
    assert said in complaint(action, store, tmp_path)


# A HEAD request's answer can't tell a missing bucket from a missing file, so `etag` and `download` say the latter.
@pytest.mark.parametrize("action", [a for a in ACTIONS if a not in ("etag", "download")])
def test_a_missing_bucket_is_named(stack, action, tmp_path):
    text = complaint(action, open_store("s3a://no-such-bucket/raw", stack.settings), tmp_path)
    assert "no-such-bucket" in text and "bucket" in text.split(": ", 1)[1]
