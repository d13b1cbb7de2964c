"""How do the bytes of an address reach this machine?

Downloads go to a file, bounded in size and time. A server that may answer later raises a temporary
error; an address that is wrong, forbidden or absent a permanent one.
"""

import errno
import fnmatch
import http.client
import socket
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from modelwarrant.errors import MissingExtraError, SourceError, TemporaryError
from modelwarrant.sources.settings import SourceSettings

__all__ = ["download_http", "download_s3"]

_CHUNK = 1 << 20
_LATER = (408, 425, 429, 500, 502, 503, 504)
"""HTTP statuses after which the same request may succeed."""
_RETRY_AFTER_S = 30.0


class _Readable(Protocol):
    def read(self, amount: int, /) -> bytes: ...


def download_http(url: str, target: Path, settings: SourceSettings) -> None:
    """Write what an http:// or https:// address answers to a file.

    Raises:
        SourceError: the address is malformed, refused, absent or too large.
        TemporaryError: no answer in time, a cut connection, or a server's own fault.
    """
    _refuse_credentials(url)
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked by the caller
        url, headers={"User-Agent": "modelwarrant", "Accept-Encoding": "identity"}
    )
    opener = urllib.request.build_opener(_NoDowngrade())
    try:
        with opener.open(request, timeout=settings.timeout_s) as answer:
            declared = answer.headers.get("Content-Length", "")
            written = _copy(answer, target, shown_url(url), settings)
    except urllib.error.HTTPError as error:
        text = f"{shown_url(url)}: the server answered {error.code} {error.reason}"
        if error.code in _LATER:
            raise TemporaryError(f"{text}; try again", retry_after_s=_RETRY_AFTER_S) from error
        raise SourceError(f"{text}; check the address") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _unanswered(shown_url(url), error) from error
    if declared.isdigit() and written != int(declared):
        raise TemporaryError(
            f"{shown_url(url)}: the connection was cut after {written} of {declared} bytes; "
            "try again",
            retry_after_s=_RETRY_AFTER_S,
        )


def shown_url(url: str) -> str:
    """Return an address without its query, which may hold a signature.

    >>> shown_url("https://host/day.csv?X-Amz-Signature=1f")
    'https://host/day.csv'
    """
    return url.split("?", 1)[0].split("#", 1)[0]


def download_s3(source: str, folder: Path, settings: SourceSettings) -> list[tuple[str, Path]]:
    """Write the object of ``s3://bucket/key``, or all that match a glob, into a folder.

    Returns:
        (address, file) of each object, sorted by key.

    Raises:
        MissingExtraError: the extra ``s3`` is not installed.
        SourceError: no such bucket or key, access denied, or an object too large.
        TemporaryError: the store does not answer.
    """
    bucket, _, key = source.removeprefix("s3://").partition("/")
    if not bucket or not key:
        raise SourceError(f"{source}: write s3://bucket/key")
    client = _client(source, settings)
    found = []
    with _store_errors(source):
        keys = list(_matching(client, bucket, key)) if any(c in key for c in "*?[") else [key]
        for number, name in enumerate(sorted(keys)):
            answer = client.get_object(bucket, name)
            try:
                target = folder / str(number)
                _copy(answer, target, f"s3://{bucket}/{name}", settings)
            finally:
                answer.close()
                answer.release_conn()
            found.append((f"s3://{bucket}/{name}", target))
    return found


def _copy(answer: _Readable, target: Path, name: str, settings: SourceSettings) -> int:
    """Write an answer to a file and return its size."""
    deadline = time.monotonic() + settings.deadline_s
    written = 0
    with target.open("wb") as file:
        while chunk := answer.read(_CHUNK):
            written += len(chunk)
            if written > settings.max_bytes:
                raise SourceError(
                    f"{name}: longer than {settings.max_bytes:,} bytes; download it yourself and "
                    "name the file"
                )
            if time.monotonic() > deadline:
                raise TemporaryError(
                    f"{name}: {written:,} bytes after {settings.deadline_s:g} s; try again",
                    retry_after_s=_RETRY_AFTER_S,
                )
            file.write(chunk)
    return written


class _NoDowngrade(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never from https to anything else, nor to another scheme."""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        allowed = ("https://",) if req.full_url.startswith("https://") else ("http://", "https://")
        if not newurl.lower().startswith(allowed):
            raise SourceError(
                f"{shown_url(req.full_url)}: redirects to {shown_url(newurl)}, which is refused; "
                "name that address if you trust it"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _refuse_credentials(url: str) -> None:
    parts = urllib.parse.urlsplit(url)
    if "@" in parts.netloc:
        raise SourceError(
            f"{parts.scheme}://…@{parts.netloc.rpartition('@')[2]}{parts.path}: a source is "
            "recorded with every model; leave user and password out of it"
        )


def _unanswered(name: str, error: Exception) -> Exception:
    """Return the error for a connection that did not come about, or broke."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, ssl.SSLCertVerificationError):
        return SourceError(f"{name}: its certificate is not trusted: {reason.verify_message}")
    if isinstance(reason, socket.gaierror) and reason.errno != socket.EAI_AGAIN:
        return SourceError(f"{name}: no such host; check the address or the network")
    if isinstance(reason, OSError) and reason.errno in (errno.ENOSPC, errno.EDQUOT):
        return TemporaryError(f"{name}: cannot be kept: {reason.strerror}; make room and try again")
    if isinstance(reason, OSError | http.client.HTTPException):
        return TemporaryError(
            f"{name}: no answer ({reason or type(reason).__name__}); try again",
            retry_after_s=_RETRY_AFTER_S,
        )
    return SourceError(f"{name}: not an address: {reason}")


def _client(source: str, settings: SourceSettings) -> Any:
    try:
        import minio
        import urllib3
    except ImportError as error:
        raise MissingExtraError(
            f"{source}: s3:// needs the extra s3; install 'modelwarrant[s3]'"
        ) from error
    s3 = settings.s3
    endpoint = urllib.parse.urlsplit(s3.endpoint)
    if endpoint.scheme not in ("http", "https") or not endpoint.netloc:
        raise SourceError(f"WARRANT_S3_ENDPOINT is {s3.endpoint!r}; write https://host:port")
    return minio.Minio(
        endpoint.netloc,
        access_key=s3.access_key,
        secret_key=s3.secret_key,
        session_token=s3.session_token,
        region=s3.region,
        secure=endpoint.scheme == "https",
        http_client=urllib3.PoolManager(timeout=settings.timeout_s, retries=2),
    )


def _matching(client: Any, bucket: str, pattern: str) -> Iterator[str]:
    prefix = pattern[: min(pattern.index(c) for c in "*?[" if c in pattern)]
    for entry in client.list_objects(bucket, prefix=prefix, recursive=True):
        if fnmatch.fnmatchcase(entry.object_name, pattern) and not entry.is_dir:
            yield entry.object_name


@contextmanager
def _store_errors(source: str) -> Iterator[None]:
    """Turn what minio and urllib3 raise into our errors."""
    import minio.error
    import urllib3.exceptions

    try:
        yield
    except minio.error.S3Error as error:
        text = f"{source}: the store says {error.code}: {error.message}"
        if error.response is not None and error.response.status in _LATER:
            raise TemporaryError(f"{text}; try again", retry_after_s=_RETRY_AFTER_S) from error
        raise SourceError(f"{text}; check bucket, key and AWS_* credentials") from error
    except (minio.error.ServerError, minio.error.InvalidResponseError) as error:
        raise TemporaryError(
            f"{source}: the store failed; try again", retry_after_s=_RETRY_AFTER_S
        ) from error
    except urllib3.exceptions.HTTPError as error:
        raise _unanswered(source, OSError(type(error).__name__)) from error
    except OSError as error:
        raise _unanswered(source, error) from error
    except ValueError as error:  # a bucket name that no store allows
        raise SourceError(f"{source}: {error}") from error
