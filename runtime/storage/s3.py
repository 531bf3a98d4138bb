"""A bucket of an S3 store, MinIO for one, and a folder in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectionError,
    HTTPClientError,
    SSLError,
)
from urllib3.exceptions import HTTPError

from runtime.storage.store import Conflict, Entry, StorageError, Store
from runtime.storage.tls_mismatch import mismatch

DELETED_AT_ONCE = 1000
CONNECT_SECONDS = 3
# How long a store may say nothing, where the request is repeated then, and where it isn't.
REPEATED_SECONDS, ONLY_SECONDS = 15, 30
# How long the first of the pauses is after a request that went astray.
ASTRAY_SECONDS = 0.2
REQUEST_ID = "x-amz-request-id"
MISSING = {"NoSuchKey", "404", "NotFound"}
TAKEN = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
# By which a server shows that it expects TLS, or another certificate.
REFUSING = (ConnectionClosedError, SSLError, HTTPError)
REASONS = {
    "InvalidAccessKeyId": "the access key is unknown; check MINIO_ACCESS_KEY",
    "SignatureDoesNotMatch": "the secret key is wrong; check MINIO_SECRET_KEY",
    "AccessDenied": "access denied to these credentials",
    "403": "access denied; check MINIO_ACCESS_KEY and MINIO_SECRET_KEY",
    "NoSuchBucket": "the bucket doesn't exist",
}


class _Astray(BotoCoreError):  # type: ignore[misc]
    """A request got to another server than an S3 store, which answered it: nothing of that is to be believed.

    On Kubernetes a connection that is made while a service has no pod may lead out of the cluster, to a gateway that
    answers for every address, and stays: its 404 isn't the store's.
    """

    fmt = "no S3 store answers there (status {status}); is MINIO_ENDPOINT right?"


def _is_of_a_store(endpoint: str, headers: Mapping[str, str]) -> bool:
    """Whether an answer is an S3 store's: its certificate says so or, without TLS, the id that S3 gives each answer."""
    return endpoint.startswith("https:") or REQUEST_ID in headers


@cache
def _client(endpoint: str, access_key: str, secret_key: str, authority: str | None, tries: int) -> Any:
    """One client per process and purpose: making one takes as long as dozens of requests, and they may be shared."""
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=REPEATED_SECONDS if tries > 1 else ONLY_SECONDS,
        retries={"mode": "standard", "total_max_attempts": tries},
        s3={"addressing_style": "path"},
        signature_version="s3v4",
        max_pool_connections=32,
    )
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=config,
        verify=authority,
    )

    _distrust_others(client, endpoint, tries)
    return client


def _distrust_others(client: Any, endpoint: str, tries: int) -> None:
    """Let `client` ask again, by another connection, where one is dead or leads astray; _Astray after as many tries."""

    def empty(response_dict: dict[str, Any], **_: Any) -> None:
        if not _is_of_a_store(endpoint, response_dict["headers"]):
            response_dict["body"] = b""  # it may be a page for people

    def judge(attempts: int, response: Any = None, caught_exception: Exception | None = None, **_: Any) -> float | None:
        astray = None
        if response is not None and not _is_of_a_store(endpoint, response[0].headers):
            astray = _Astray(status=response[0].status_code)
        # Where one connection is dead, the kept ones mostly are: a pod that is gone answers nothing, not even that it
        # is gone. Each of them would cost its own wait; the next attempt makes one of its own.
        if caught_exception is not None or astray:
            client.close()
        # What is redirected botocore asks for, by a request that is redirected too.
        if astray and (attempts == tries or response[0].status_code // 100 == 3):
            raise astray
        return ASTRAY_SECONDS * attempts if astray else None

    client.meta.events.register("before-parse.s3", empty)
    client.meta.events.register_first("needs-retry.s3", judge)


class S3Store(Store):
    """Objects of `uri` at `endpoint`, addressed in path style."""

    def __init__(self, uri: str, endpoint: str, access_key: str, secret_key: str, authority: str | None = None) -> None:
        parts = urlsplit(uri)
        self.uri, self.bucket, self.folder = uri.rstrip("/"), parts.netloc, parts.path.strip("/")
        self._connection = (endpoint, access_key, secret_key, authority)

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in ("_client", "_strict_client")}

    @cached_property
    def _client(self) -> Any:
        return self._connected(tries=4)

    @cached_property
    def _strict_client(self) -> Any:
        # A repeated conditional write could collide with its own first attempt, so these aren't repeated.
        return self._connected(tries=1)

    def _connected(self, tries: int) -> Any:
        with self._reported():
            return _client(*self._connection, tries)

    @contextmanager
    def _reported(self, path: str = "") -> Iterator[None]:
        endpoint, who = self._connection[0], f"storage {self.uri}"
        try:
            try:
                yield
            except Boto3Error as error:  # a transfer's, around the answer that it got
                raise error.__context__ if isinstance(error.__context__, ClientError) else error from None
        except ClientError as error:
            code = str(error.response["Error"]["Code"])
            if code in MISSING:
                raise FileNotFoundError(f"{who}: no file {path}") from error
            if code in TAKEN:
                raise FileExistsError(f"{who}: {path} was written by another") from error
            reason = REASONS.get(code, error.response["Error"].get("Message") or code)
            raise StorageError(f"{who} at {endpoint}: {reason}") from error
        except (ConnectionError, HTTPClientError, HTTPError) as error:  # the last of an answer that broke off
            reason = mismatch(endpoint, str(error)) if isinstance(error, REFUSING) else ""
            reason = reason or f"can't reach {endpoint}; is it running, is MINIO_ENDPOINT right?"
            raise StorageError(f"{who}: {reason}") from error
        except (BotoCoreError, Boto3Error, ValueError) as error:
            if isinstance(error, _Astray) and error.kwargs["status"] == 400 and (wrong := mismatch(endpoint, "")):
                raise StorageError(f"{who}: {wrong}") from error
            raise StorageError(f"{who} at {endpoint}: {' '.join(str(error).split())}") from error

    def _key(self, path: str) -> str:
        return f"{self.folder}/{path}" if self.folder else path

    def list(self, prefix: str = "") -> list[Entry]:
        skip = len(self._key(""))
        with self._reported():
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self._key(prefix))
            found = [o for page in pages for o in page.get("Contents", ())]
        entries = [Entry(o["Key"][skip:], o["Size"], o["ETag"]) for o in found if not o["Key"].endswith("/")]
        return sorted(entries, key=lambda e: e.path)

    def read(self, path: str) -> bytes:
        with self._reported(path):
            return bytes(self._client.get_object(Bucket=self.bucket, Key=self._key(path))["Body"].read())

    def write(self, path: str, data: bytes) -> None:
        with self._reported(path):
            self._client.put_object(Bucket=self.bucket, Key=self._key(path), Body=data)

    def create(self, path: str, data: bytes) -> None:
        with self._reported(path):
            self._strict_client.put_object(Bucket=self.bucket, Key=self._key(path), Body=data, IfNoneMatch="*")

    def swap(self, path: str, data: bytes, etag: str | None) -> None:
        condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
        try:
            with self._reported(path):
                self._strict_client.put_object(Bucket=self.bucket, Key=self._key(path), Body=data, **condition)
        except (FileExistsError, FileNotFoundError) as error:
            raise Conflict(f"storage {self.uri}: {path} was changed by another writer") from error

    def etag(self, path: str) -> str | None:
        try:
            with self._reported(path):
                return str(self._client.head_object(Bucket=self.bucket, Key=self._key(path))["ETag"])
        except FileNotFoundError:
            return None

    def download(self, path: str, local: str | Path) -> None:
        with self._reported(path):
            self._client.download_file(self.bucket, self._key(path), str(local))

    def upload(self, local: str | Path, path: str) -> None:
        with self._reported(path):
            self._client.upload_file(str(local), self.bucket, self._key(path))

    def delete(self, paths: Iterable[str]) -> None:
        keys = [{"Key": self._key(p)} for p in paths]
        for start in range(0, len(keys), DELETED_AT_ONCE):
            batch = {"Objects": keys[start : start + DELETED_AT_ONCE], "Quiet": True}
            with self._reported():
                refused = self._client.delete_objects(Bucket=self.bucket, Delete=batch).get("Errors")
            if refused:
                raise StorageError(f"storage {self.uri}: can't delete {refused[0]['Key']}: {refused[0]['Message']}")
