"""Which store does an address name?"""

from dataclasses import replace
from pathlib import Path

from modelwarrant.errors import MissingExtraError, StoreError
from modelwarrant.storage.directory import DirectoryStore
from modelwarrant.storage.protocol import ObjectStore
from modelwarrant.storage.settings import S3Settings

__all__ = ["open_store"]


def open_store(uri: str, *, s3: S3Settings | None = None) -> ObjectStore:
    """Open a store.

    Args:
        uri: a folder, ``s3://bucket/prefix``, or what a store's own ``uri`` says:
            ``s3+http://host/bucket/prefix`` names the endpoint too.
        s3: how to reach S3; see ``S3Settings.from_environment``.

    Raises:
        StoreError: no such kind of store, a file where a folder should be, or no S3 settings.
        MissingExtraError: minio is not installed.
    """
    scheme, mark, rest = uri.partition("://")
    if not mark:
        if not uri:
            raise StoreError("the store has no name; give a folder or s3://bucket/prefix")
        return DirectoryStore(Path(uri))
    if scheme not in ("s3", "s3+http", "s3+https"):
        raise StoreError(f"{uri!r} is no store: give a folder or s3://bucket/prefix")
    if s3 is None:
        raise StoreError(f"{uri} needs S3 settings; set AWS_ACCESS_KEY_ID and its companions")
    try:
        from modelwarrant.storage.s3 import S3Store
    except ImportError as error:
        raise MissingExtraError(
            f"{uri} needs minio, which is not installed: pip install 'modelwarrant[s3]'"
        ) from error
    if scheme != "s3":
        host, _, rest = rest.partition("/")
        s3 = replace(s3, endpoint=f"{scheme.removeprefix('s3+')}://{host}")
    bucket, _, prefix = rest.partition("/")
    return S3Store(bucket, prefix.strip("/"), settings=s3)
