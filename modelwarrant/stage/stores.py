"""How does a process open the store that it was told of?"""

import os

from modelwarrant.storage import ObjectStore, S3Settings, open_store

__all__ = ["open_told_store"]


def open_told_store(uri: str) -> ObjectStore:
    """Open a folder, or an S3 store with the credentials of the environment.

    Args:
        uri: as ``open_store`` takes it; an opened store's own ``uri``, which a command hands to its
            stages, is one too.

    Raises:
        StoreError: no such kind of store, or no credentials for it.
        MissingExtraError: the store's client is not installed.
    """
    is_s3 = uri.startswith(("s3://", "s3+http://", "s3+https://"))
    s3 = S3Settings.from_environment(os.environ) if is_s3 else None
    return open_store(uri, s3=s3)
