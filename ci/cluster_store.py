"""Does the cluster's store have its buckets, users and policies?

MinIO's own Secret decides: each user gets the password that its Secret holds and exactly the policy
of ``manifests/base/minio/policies/<user>.json``, again at every deployment, so that a store that
lost its volume, or a policy that somebody widened, is put right.
"""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3
from minio import Minio, MinioAdmin
from minio.credentials.providers import StaticProvider
from minio.error import MinioAdminException, MinioException, S3Error

from ci.cluster_secrets import ACCESS_KEY, ROOT, SECRET_KEY, STORE_USERS, read
from ci.kubectl import Kubectl
from modelwarrant.errors import StoreError, StoreUnavailableError

__all__ = ["BUCKETS", "Administrator", "policies", "prepare"]

BUCKETS = ("modelwarrant", "mlpipeline")
"""The ledger's and its packages', and Kubeflow Pipelines' own."""

POLICIES = Path(__file__).resolve().parent.parent / "manifests" / "base" / "minio" / "policies"


class Administrator:
    """Root of one MinIO.

    Args:
        endpoint: ``http://HOST:PORT``.
        user: root's name.
        password: root's password.
    """

    def __init__(self, endpoint: str, user: str, password: str) -> None:
        address = urlsplit(endpoint)
        is_tls = address.scheme == "https"
        pool = urllib3.PoolManager(
            retries=urllib3.Retry(
                total=4, backoff_factor=0.3, status_forcelist=[500, 502, 503, 504]
            ),
            timeout=urllib3.Timeout(connect=5.0, read=60.0),
        )
        self._endpoint = endpoint
        self._client = Minio(
            address.netloc,
            access_key=user,
            secret_key=password,
            secure=is_tls,
            region="us-east-1",
            http_client=pool,
        )
        self._admin = MinioAdmin(
            endpoint=address.netloc,
            credentials=StaticProvider(user, password),
            secure=is_tls,
            region="us-east-1",
            http_client=pool,
        )

    def add_bucket(self, name: str) -> bool:
        """Make a bucket where there is none; return whether it was made."""
        try:
            if self._client.bucket_exists(name):
                return False
            self._client.make_bucket(name)
        except S3Error as error:
            if error.code == "BucketAlreadyOwnedByYou":
                return False
            raise StoreError(f"{self._endpoint}: bucket {name}: {error.message}") from error
        except (MinioException, urllib3.exceptions.HTTPError) as error:
            raise StoreUnavailableError(f"{self._endpoint}: bucket {name}: {error}") from error
        return True

    def add_user(self, name: str, password: str, policy: dict[str, Any]) -> None:
        """Make a user, or set the one that is there, with this policy and no other."""
        try:
            self._admin.policy_add(name, policy=policy)
            self._admin.user_add(name, password)
            self._admin.policy_set(name, user=name)
        except MinioAdminException as error:
            raise StoreError(f"{self._endpoint}: user {name}: {error}") from error
        except (MinioException, urllib3.exceptions.HTTPError) as error:
            raise StoreUnavailableError(f"{self._endpoint}: user {name}: {error}") from error


def policies() -> dict[str, dict[str, Any]]:
    """Return every shipped policy, by its user."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(POLICIES.glob("*.json"))}


def prepare(kubectl: Kubectl) -> None:
    """Make buckets and users in the cluster's MinIO, through a port-forward.

    Raises:
        TemporaryError: MinIO is not up.
        StoreError: it refuses.
    """
    root = read(kubectl, ROOT)
    shipped = policies()
    with kubectl.forward("modelwarrant-store", "service/minio", 9000) as port:
        administrator = Administrator(f"http://127.0.0.1:{port}", root["user"], root["password"])
        for bucket in BUCKETS:
            administrator.add_bucket(bucket)
        for user in STORE_USERS:
            credentials = read(kubectl, user.spec)
            if credentials[ACCESS_KEY] != user.name:
                raise StoreError(
                    f"{user.spec.label} names the user {credentials[ACCESS_KEY]!r} instead of "
                    f"{user.name!r}; delete it to have a new one made"
                )
            administrator.add_user(user.name, credentials[SECRET_KEY], shipped[user.name])
