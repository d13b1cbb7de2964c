"""Each user of a cluster's store may do what the design says, and nothing else."""

import io
from collections.abc import Callable
from dataclasses import replace
from itertools import product

import pytest
from minio import Minio as Client
from minio import MinioAdmin
from minio.credentials import StaticProvider
from minio.error import MinioAdminException, S3Error

from ci.cluster_secrets import STORE_USERS
from ci.cluster_store import Administrator, policies
from modelwarrant.storage import open_store
from modelwarrant.storage.probe import probe, refuse_unfit
from tests.storage.conftest import Minio

AREAS = {
    "log": "m/weather/log/000000000001.json",
    "head": "m/weather/head.json",
    "snap": "m/weather/snap/000000000001.json",
    "blob": "m/weather/blob/attempt/0f1e",
    "in": "in/weather/run-1/package.json",
    "payload": "payload/weather/2026-01-01/pod-1.parquet",
    "shadow": "shadow/weather/0f1e/pod-1.json",
    "labels": "labels/weather/2026-01-01.parquet",
    "probe": "probe/0f1e/race",
    "other": "requests/1.json",
}
LEDGER = {"log", "head", "snap", "blob"}
HANDED_IN = {"in", "labels"}
EVERYTHING = set(AREAS)
MAY: dict[str, dict[str, set[str]]] = {
    "pipelines": {
        "get": LEDGER | {"payload"} | HANDED_IN,
        "list": LEDGER | {"payload"} | HANDED_IN,
        "put": HANDED_IN,
        "delete": set(),
    },
    "gate": {
        "get": EVERYTHING,
        "list": EVERYTHING,
        "put": LEDGER | {"probe"},
        "delete": set(),
    },
    "serving": {"get": LEDGER, "list": LEDGER, "put": {"payload", "shadow"}, "delete": set()},
    "collector": {
        "get": LEDGER,
        "list": LEDGER | {"probe", "payload", "shadow"},
        "put": set(),
        "delete": {"blob", "snap", "probe", "payload", "shadow"},
    },
    "reviewer": {
        "get": LEDGER | {"in", "shadow"},
        "list": LEDGER | {"in", "shadow"},
        "put": set(),
        "delete": set(),
    },
    "kfp": {"get": set(), "list": set(), "put": set(), "delete": set()},
}
ACTIONS: dict[str, Callable[[Client, str], object]] = {
    "get": lambda client, key: client.get_object("modelwarrant", key).read(),
    "put": lambda client, key: client.put_object("modelwarrant", key, io.BytesIO(b"new"), 3),
    "delete": lambda client, key: client.remove_object("modelwarrant", key),
    "list": lambda client, key: list(client.list_objects("modelwarrant", prefix=f"{key[:-1]}")),
}


@pytest.fixture(scope="module")
def as_user(minio: Minio) -> Callable[[str], Client]:
    """Return a client that acts as a user, who was made as a deployment makes him."""
    root = minio.settings
    administrator = Administrator(root.endpoint, root.access_key, root.secret_key)
    for name, policy in policies().items():
        administrator.add_user(name, f"{name}-secret-key", policy)

    def client(name: str) -> Client:
        secret = root.secret_key if name == root.access_key else f"{name}-secret-key"
        address = root.endpoint.removeprefix("http://")
        return Client(address, name, secret, secure=False, region="us-east-1")

    return client


def _code(call: Callable[[], object]) -> str:
    """Return what the server answered."""
    try:
        call()
    except S3Error as error:
        return str(error.code)
    return "OK"


def test_every_policy_has_a_user_and_every_user_a_policy() -> None:
    """Nobody exists without a policy, and the table below names everybody."""
    assert set(MAY) == set(policies())
    assert set(MAY) == {user.name for user in STORE_USERS}


@pytest.mark.parametrize(("user", "action"), list(product(MAY, ACTIONS)))
def test_a_user_may_do_this_there_and_nowhere_else(
    minio: Minio, as_user: Callable[[str], Client], user: str, action: str
) -> None:
    """What is not allowed is answered 403, whether or not the object exists."""
    root, client = as_user(minio.settings.access_key), as_user(user)
    expected, seen = {}, {}
    for area, key in AREAS.items():
        root.put_object("modelwarrant", key, io.BytesIO(b"old"), 3)
        expected[area] = "OK" if area in MAY[user][action] else "AccessDenied"
        seen[area] = _code(lambda key=key: ACTIONS[action](client, key))  # type: ignore[misc]

    assert expected == seen


@pytest.mark.parametrize("user", MAY)
def test_an_absent_object_reads_as_absent_where_it_could_be_read(
    as_user: Callable[[str], Client], user: str
) -> None:
    """The end of the log is a 404 for its readers: a 403 would read as a broken store."""
    expected = {area: "NoSuchKey" if area in MAY[user]["get"] else "AccessDenied" for area in AREAS}
    seen = {
        area: _code(lambda key=key: ACTIONS["get"](as_user(user), f"{key}.absent"))  # type: ignore[misc]
        for area, key in AREAS.items()
    }

    assert expected == seen


@pytest.mark.parametrize("user", MAY)
def test_nobody_lists_the_whole_bucket_but_the_gate(
    as_user: Callable[[str], Client], user: str
) -> None:
    """A listing without a prefix names every model and run."""
    expected = "OK" if user == "gate" else "AccessDenied"

    assert expected == _code(lambda: list(as_user(user).list_objects("modelwarrant")))


@pytest.mark.parametrize("user", MAY)
def test_nobody_reaches_the_artifacts_of_runs_but_kubeflow_pipelines(
    as_user: Callable[[str], Client], user: str
) -> None:
    """The second bucket belongs to its one user, who may do there what he likes."""
    client = as_user(user)
    expected = "OK" if user == "kfp" else "AccessDenied"

    assert expected == _code(lambda: client.put_object("mlpipeline", "v2/a", io.BytesIO(b"x"), 1))
    assert expected == _code(lambda: client.remove_object("mlpipeline", "v2/a"))


@pytest.mark.parametrize("user", MAY)
def test_nobody_makes_users(minio: Minio, as_user: Callable[[str], Client], user: str) -> None:
    """The administration of the store is root's."""
    assert as_user(user)
    admin = MinioAdmin(
        endpoint=minio.settings.endpoint.removeprefix("http://"),
        credentials=StaticProvider(user, f"{user}-secret-key"),
        secure=False,
    )

    with pytest.raises(MinioAdminException, match="AccessDenied"):
        admin.user_list()


def test_large_objects_are_written_in_parts(as_user: Callable[[str], Client]) -> None:
    """A stage hands in a package larger than one part."""
    size = 6 * 2**20

    written = as_user("pipelines").put_object(
        "modelwarrant", "in/weather/run-1/window", io.BytesIO(bytes(size)), size
    )

    assert "in/weather/run-1/window" == written.object_name


def test_the_gate_can_carry_a_ledger(minio: Minio, as_user: Callable[[str], Client]) -> None:
    """The probe that the gate runs at its start passes with the gate's rights."""
    assert as_user("gate")
    settings = replace(minio.settings, access_key="gate", secret_key="gate-secret-key")  # noqa: S106 - this server lives for one test session
    store = open_store("s3://modelwarrant", s3=settings)

    refuse_unfit(store, probe(store))


def test_a_widened_policy_is_put_right(minio: Minio, as_user: Callable[[str], Client]) -> None:
    """A deployment sets the shipped policy again, whatever somebody made of it."""
    root = minio.settings
    administrator = Administrator(root.endpoint, root.access_key, root.secret_key)
    shipped = policies()
    administrator.add_user("reviewer", "reviewer-secret-key", shipped["gate"])
    before = _code(lambda: ACTIONS["put"](as_user("reviewer"), "probe/widened"))
    administrator.add_user("reviewer", "reviewer-secret-key", shipped["reviewer"])

    assert "OK" == before
    assert "AccessDenied" == _code(lambda: ACTIONS["put"](as_user("reviewer"), "probe/widened"))
