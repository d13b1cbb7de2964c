"""How does an S3 bucket keep the store's promises?

Only three things are asked of the server: GET, LIST, and PUT with ``If-None-Match: *``. minio-py
has no conditional PUT (``put_object`` turns the header into metadata and overwrites), so ``create``
sends its own request to a presigned URL, through a pool that never retries: a retried PUT whose
first answer was lost is answered 412 although it was won.
"""

import base64
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
)

from modelwarrant.errors import (
    OutcomeUnknownError,
    StoreError,
    StoreUnavailableError,
    WarrantError,
)
from modelwarrant.storage.protocol import checked_key, checked_prefix
from modelwarrant.storage.settings import S3Settings

__all__ = ["S3Store"]

_PRESIGNED_FOR = timedelta(minutes=15)
"""Longer than any request lives, shorter than a leaked log line stays useful."""

_TAKEN = frozenset({409, 412})
"""409: another conditional write of this key is under way. Both mean: read the key."""

_NEVER_SENT = (NewConnectionError, ConnectTimeoutError, NameResolutionError)

_NOT_THERE = frozenset({"NoSuchKey", "NoSuchVersion", "ResourceNotFound"})


class S3Store:
    """A store in an S3 bucket, below a prefix. The bucket must exist.

    Args:
        bucket: the bucket's name.
        prefix: put before every key with a slash; may be empty.
        settings: endpoint and credentials.

    Raises:
        StoreError: the endpoint is no http(s) URL, or the bucket's name is no name.
    """

    def __init__(self, bucket: str, prefix: str, *, settings: S3Settings) -> None:
        address = urlsplit(settings.endpoint)
        if address.scheme not in ("http", "https") or not address.netloc:
            raise StoreError(
                f"the S3 endpoint {settings.endpoint!r} is not http://HOST or https://HOST"
            )
        self._bucket = bucket
        self._prefix = f"{checked_key(prefix)}/" if prefix else ""
        self._endpoint = settings.endpoint.rstrip("/")
        timeout = urllib3.Timeout(connect=settings.connect_timeout_s, read=settings.read_timeout_s)
        self._once = urllib3.PoolManager(retries=False, timeout=timeout, maxsize=32)
        self._client = Minio(
            address.netloc,
            access_key=settings.access_key,
            secret_key=settings.secret_key,
            session_token=settings.session_token,
            secure=address.scheme == "https",
            region=settings.region,
            http_client=urllib3.PoolManager(
                # GET, LIST, DELETE and plain overwrites may be sent again.
                retries=urllib3.Retry(
                    total=3, backoff_factor=0.1, status_forcelist=[500, 502, 503, 504]
                ),
                timeout=timeout,
                maxsize=32,
            ),
        )

    @property
    def uri(self) -> str:
        """``s3+<endpoint>/<bucket>/<prefix>``: the same bucket name elsewhere is another store."""
        return f"s3+{self._endpoint}/{self._bucket}/{self._prefix}".rstrip("/")

    def get(self, key: str) -> bytes | None:
        """Return the object's bytes, or None where there is none or a delete marker."""
        name = self._prefix + checked_key(key)
        with self._failures(f"{key} cannot be read"):
            try:
                response = self._client.get_object(self._bucket, name)
            except S3Error as error:
                if error.code in _NOT_THERE:
                    return None
                raise
            try:
                return bytes(response.read())
            finally:
                response.close()
                response.release_conn()

    def create(self, key: str, data: bytes) -> bool:
        """Write the object if there is none, with one request; see ``ObjectStore.create``."""
        name = self._prefix + checked_key(key)
        with self._failures(f"{key} was not written"):
            url = self._client.presigned_put_object(self._bucket, name, expires=_PRESIGNED_FOR)
        checksum = hashlib.md5(data, usedforsecurity=False).digest()
        headers = {
            "If-None-Match": "*",
            "Content-Type": "application/octet-stream",
            "Content-MD5": base64.b64encode(checksum).decode(),
            # MinIO hangs up after a 412 without saying so: 3 to 6 % of 1,600 racing writes on kept
            # connections ended as "outcome unknown", none of 3,000 on fresh ones, at equal speed.
            "Connection": "close",
        }
        try:
            response = self._once.request("PUT", url, body=data, headers=headers)
        except HTTPError as error:
            raise self._unsent_or_unknown(key, error) from error
        if response.status in _TAKEN:
            return False
        if response.status == 200:
            return True
        raise self._write_failure(key, response.status, response.data)

    def put(self, key: str, data: bytes) -> None:
        """Write or overwrite the object."""
        name = self._prefix + checked_key(key)
        with self._failures(f"{key} was not written"):
            self._client.put_object(self._bucket, name, io.BytesIO(data), len(data))

    def list(self, prefix: str) -> Iterator[str]:
        """Yield the keys that begin with the prefix, in ascending order."""
        name = self._prefix + checked_prefix(prefix)
        with self._failures(f"{prefix} cannot be listed"):
            found = [
                str(item.object_name)[len(self._prefix) :]
                for item in self._client.list_objects(self._bucket, prefix=name, recursive=True)
            ]
        return iter(sorted(found))

    def delete(self, key: str) -> None:
        """Remove the object; one that is not there is no error."""
        name = self._prefix + checked_key(key)
        with self._failures(f"{key} was not deleted"):
            self._client.remove_object(self._bucket, name)

    @contextmanager
    def _failures(self, what: str) -> Iterator[None]:
        """Turn the client's exceptions into ours."""
        try:
            yield
        except S3Error as error:
            raise self._refusal(what, error) from error
        except (MinioException, HTTPError) as error:
            raise StoreUnavailableError(f"the store {self.uri} failed: {what}: {error}") from error
        except ValueError as error:
            raise StoreError(f"the store {self.uri} refuses: {what}: {error}") from error

    def _refusal(self, what: str, error: S3Error) -> WarrantError:
        if error.response.status >= 500 or error.code == "SlowDown":
            return StoreUnavailableError(
                f"the store {self.uri} failed: {what}: {error.code}: {error.message}"
            )
        return StoreError(
            f"the store {self.uri} refuses: {what}: {error.code}: {error.message}; "
            "check bucket, endpoint, region and credentials"
        )

    def _unsent_or_unknown(self, key: str, error: Exception) -> WarrantError:
        if isinstance(error, _NEVER_SENT):
            return StoreUnavailableError(f"the store {self.uri} does not answer: {error}")
        return OutcomeUnknownError(
            f"the store {self.uri} did not answer the write of {key}: {error}"
        )

    def _write_failure(self, key: str, status: int, body: bytes) -> WarrantError:
        detail = f"HTTP {status} {body[:300].decode('utf-8', 'replace')}".strip()
        if status == 501:
            return StoreError(
                f"the store {self.uri} has no conditional PUT, which the ledger needs: {detail}"
            )
        if status >= 500:
            return OutcomeUnknownError(f"the store {self.uri} failed at {key}: {detail}")
        return StoreError(
            f"the store {self.uri} refuses: {key} was not written: {detail}; "
            "check bucket, endpoint, region and credentials"
        )
