"""What did the services say of a version that listened beside production?

Each service keeps one object for a pair of versions and writes it anew; the objects of one pair
are added up. One that cannot be read counts for nothing.
"""

from modelwarrant.errors import RecordError
from modelwarrant.records import ShadowReport
from modelwarrant.storage import ObjectStore

__all__ = ["read_shadow", "shadow_prefix"]


def shadow_prefix(model: str, digest: str) -> str:
    """Return below which prefix the services report on a version, by its digest."""
    return f"shadow/{model}/{digest.removeprefix('sha256:')}/"


def read_shadow(store: ObjectStore, model: str, digest: str, *, beside: str) -> ShadowReport | None:
    """Return all services' reports on a version as one; None where nothing was compared.

    Args:
        store: where serving writes.
        model: whose versions they are.
        digest: of the version that listened.
        beside: digest of the version that answered.
    """
    whole: ShadowReport | None = None
    for key in store.list(shadow_prefix(model, digest)):
        try:
            found = ShadowReport.from_bytes(store.get(key) or b"", name=key)
        except RecordError:
            continue
        is_of = (found.model, found.version_digest, found.production_digest) == (
            model,
            digest,
            beside,
        )
        if is_of:
            whole = found if whole is None else whole.plus(found)
    return whole
