"""The store that a path means."""

from __future__ import annotations

from urllib.parse import urlsplit

from runtime.settings import Settings
from runtime.storage.store import StorageError, Store


def open_store(uri: str, settings: Settings | None = None) -> Store:
    """The store at `uri`: a local path, `file://`, `s3a://` or `s3://`, or `hdfs://`."""
    parts = urlsplit(uri)
    if parts.scheme in ("", "file"):
        from runtime.storage.local import LocalStore

        return LocalStore(parts.path if parts.scheme else uri)
    if parts.scheme not in ("s3", "s3a", "s3n", "hdfs"):
        raise StorageError(f"storage: path must be local, file://, s3a:// or hdfs://; got {uri!r}")
    if not parts.hostname and parts.scheme != "hdfs":
        raise StorageError(f"storage: path must name a bucket, as in s3a://bucket-0/folder; got {uri!r}")
    settings = settings or Settings.load()
    if parts.scheme == "hdfs":
        from runtime.storage.hdfs import HdfsStore

        return HdfsStore(uri, int(settings.hdfs_http_port))
    from runtime.storage.s3 import S3Store

    keys = settings.minio_access_key, settings.minio_secret_key
    return S3Store(uri, settings.minio_endpoint, *keys, settings.minio_authority)
