"""Does the store hold what the warrant names, and does it answer?

Every byte is compared with the digest in the ledger before anything parses it; a version that does
not answer for its own schema's example is refused before it can replace one that does.
"""

from modelwarrant.bundle import open_bundle
from modelwarrant.canonical import digest_bytes
from modelwarrant.errors import BundleError
from modelwarrant.records import BUNDLE_FILES, Blob
from modelwarrant.registry import read_blob
from modelwarrant.storage import ObjectStore
from serving.served import Served
from serving.trial import Trial
from serving.warrants import Warrant, check_decision

__all__ = ["fetch_blobs", "load_served", "warrant_blobs"]

_DECISION_FILE = "decision.json"


def warrant_blobs(warrant: Warrant) -> dict[str, tuple[str, Blob]]:
    """Return what a version is served from: attempt and blob, by file name.

    Raises:
        BundleError: the ledger's entries do not name all of it.
    """
    named = {blob.name: (warrant.version.attempt, blob) for blob in warrant.version.blobs}
    found = {name: named[name] for name in BUNDLE_FILES if name in named}
    for blob in warrant.decided.blobs:
        if blob.name == _DECISION_FILE and blob.digest == warrant.decided.decision_digest:
            found[_DECISION_FILE] = (warrant.decided.attempt, blob)
    absent = [name for name in (*BUNDLE_FILES, _DECISION_FILE) if name not in found]
    if absent:
        raise BundleError(f"the ledger names no {absent[0]} for version {warrant.version.number}")
    return found


def fetch_blobs(store: ObjectStore, model: str, warrant: Warrant) -> dict[str, bytes]:
    """Return the bytes a version is served from, by file name, each with the right digest.

    Raises:
        TamperedError: bytes are gone or altered; names the object.
    """
    return {
        name: read_blob(store, model, attempt, blob)
        for name, (attempt, blob) in warrant_blobs(warrant).items()
    }


def load_served(
    model: str, warrant: Warrant, blobs: dict[str, bytes], *, trial: Trial | None
) -> Served:
    """Load a version and let it answer once.

    Args:
        model: whose ledger it was.
        warrant: the version's.
        blobs: as ``fetch_blobs`` returned them.
        trial: lets another process parse the model first; None trusts it.

    Raises:
        WarrantError: the decision does not stand behind the version, or the bundle is broken.
    """
    of = f"{model} version {warrant.version.number}"
    check_decision(
        warrant,
        blobs[_DECISION_FILE],
        manifest_digest=digest_bytes(blobs["manifest.json"]),
        name=f"{_DECISION_FILE} of {of}",
    )
    if trial is not None:
        trial.check(blobs["model.onnx"], name=f"model.onnx of {of}")
    bundle = open_bundle(blobs, name=of, digest=warrant.version.digest)
    if bundle.schema.digest != warrant.version.schema_digest:
        raise BundleError(f"{of} has another schema than its register entry says")
    if bundle.manifest.model != model:
        raise BundleError(f"{of} was made for the model {bundle.manifest.model!r}")
    served = Served(
        model=model,
        version=warrant.version.number,
        decision_id=warrant.decided.decision_digest,
        seq=warrant.seq,
        bundle=bundle,
    )
    served.prepare()
    return served
