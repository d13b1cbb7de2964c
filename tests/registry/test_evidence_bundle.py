"""An evidence bundle verifies without modelwarrant, and no forgery in it does."""

import base64
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwarrant.canonical import canonical_json, digest_bytes
from modelwarrant.errors import UnknownModelError
from modelwarrant.registry import Ledger, Signer
from modelwarrant.registry.entries import signed_entry
from modelwarrant.registry.evidence import evidence_files
from modelwarrant.registry.payloads import parse_payload
from modelwarrant.registry.verify_bundle import is_signed, main
from tests.registry.test_ssh_approvals import allowed, approved, key, stated
from tests.registry.world import MODEL, NOW, MemoryStore, Scribe

__all__ = ["key"]

VERSION = 3
REJECTED = 6


@pytest.fixture
def full(scribe: Scribe) -> Scribe:
    """A ledger with a promotion, a REJECT and something after it."""
    scribe.promote("run-1", "bob")
    scribe.decide("run-2", None, verdict="REJECT")
    scribe.act("seen")
    return scribe


def written(files: dict[str, bytes], folder: Path) -> Path:
    """Write a bundle's files."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def summed(files: dict[str, bytes]) -> dict[str, bytes]:
    """A forger's bundle: its checksums are right."""
    rest = {name: data for name, data in files.items() if name != "SHA256SUMS"}
    lines = [f"{hashlib.sha256(rest[name]).hexdigest()}  {name}\n" for name in sorted(rest)]
    return {**rest, "SHA256SUMS": "".join(lines).encode()}


def verdict(folder: Path, *options: str) -> tuple[int, str]:
    """What the bundle's own program says, in an interpreter that sees nothing of ours."""
    done = subprocess.run(
        [sys.executable, "-I", "verify.py", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def said(capsys: pytest.CaptureFixture[str], folder: Path, *options: str) -> str:
    """What the verifier says, in this process."""
    main([str(folder), *options])
    return capsys.readouterr().out


def test_a_bundle_verifies_without_the_project(full: Scribe, tmp_path: Path) -> None:
    """The standard library is enough; the answer names version, decisions and what vouches."""
    code, text = verdict(written(evidence_files(full.ledger, VERSION), tmp_path))

    assert code == 0
    assert "7 entries, chained and signed; decisions: 1 NEEDS_APPROVAL, 1 REJECT" in text
    assert "in production at the end of this ledger: version 3" in text
    assert "approved by bob: asserted, not proven" in text
    assert "vouched for from outside up to entry 0" in text


def test_two_exports_are_the_same_bytes(full: Scribe) -> None:
    """Nothing in it depends on the time, the machine or the reader."""
    assert evidence_files(full.ledger, VERSION) == evidence_files(
        Ledger(full.store, MODEL), VERSION
    )


def test_the_published_verifier_is_the_bundles(full: Scribe) -> None:
    """Who does not trust the bundle takes the same file from the project."""
    published = Path("modelwarrant/registry/verify_bundle.py").read_bytes()

    assert published == evidence_files(full.ledger, VERSION)["verify.py"]


def test_no_model_and_no_rows_are_in_it(full: Scribe) -> None:
    """The model is named by its digest only."""
    names = set(evidence_files(full.ledger, VERSION))

    assert "documents/000000000003/manifest.json" in names
    assert not any("model.onnx" in name for name in names)


def test_what_is_not_proven_is_said(full: Scribe) -> None:
    """Asserted approvals, a laptop's names and the open end of the log are listed."""
    text = evidence_files(full.ledger, VERSION)["NOT-PROVEN.md"].decode()

    for part in ("bob approved: no signature", "different persons", "--anchor", "--genesis"):
        assert part in text


def test_a_version_that_is_not_there_has_no_evidence(full: Scribe) -> None:
    """A number that is no version is named."""
    with pytest.raises(UnknownModelError, match="no version 6"):
        evidence_files(full.ledger, REJECTED)


@pytest.mark.parametrize("name", ["ledger/000000000004.json", "NOT-PROVEN.md", "bundle.json"])
@pytest.mark.parametrize("change", [lambda data: data[:-2] + b"!" + data[-1:], lambda data: None])
def test_a_changed_or_missing_file_is_named(
    full: Scribe,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    change: Callable[[bytes], bytes | None],
) -> None:
    """SHA256SUMS covers everything."""
    files = evidence_files(full.ledger, VERSION)
    changed = change(files.pop(name))
    if changed is not None:
        files[name] = changed

    assert f"NOT VERIFIED: {name} is " in said(capsys, written(files, tmp_path))


def test_a_file_that_is_not_listed_is_named(
    full: Scribe, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing may be slipped in."""
    files = evidence_files(full.ledger, VERSION) | {"extra.txt": b"x"}

    assert "NOT VERIFIED: extra.txt is not what" in said(capsys, written(files, tmp_path))


def without(files: dict[str, bytes], gone: int, signer: Signer | None) -> dict[str, bytes]:
    """Take an entry out and chain the rest again; sign again where the forger has a key."""
    forged = {name: data for name, data in files.items() if not name.startswith("ledger/")}
    prev, seq = "", 0
    for name in sorted(name for name in files if name.startswith("ledger/")):
        entry = json.loads(files[name])
        if entry["seq"] == gone:
            continue
        seq += 1
        entry |= {"seq": seq, "prev": prev or entry["prev"]}
        data = canonical_json(entry)
        if signer is not None:
            data = signed_entry(
                parse_payload(entry["op"], entry["payload"], name=name),
                signer=signer,
                now=NOW,
                **{each: entry[each] for each in ("model", "seq", "prev", "txn", "actor")},
            ).to_bytes()
        forged[f"ledger/{seq:012d}.json"] = data
        prev = digest_bytes(data)
    about = json.loads(files["bundle.json"]) | {"head": prev}
    return summed(forged | {"bundle.json": canonical_json(about)})


def test_a_removed_reject_is_found(
    full: Scribe, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who takes a REJECT out and chains the rest again cannot sign it."""
    forged = without(evidence_files(full.ledger, VERSION), REJECTED, None)

    assert "ledger/000000000006.json: wrong signature" in said(capsys, written(forged, tmp_path))


def test_a_reject_removed_by_the_key_holder_is_found_by_an_anchor(
    full: Scribe, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who has the key can sign a shorter ledger, but not change what somebody remembers."""
    anchor = tmp_path / "anchor.json"
    anchor.write_text(json.dumps({"seq": 7, "hash": full.ledger.state().head}))
    forged = without(evidence_files(full.ledger, VERSION), REJECTED, full.signer)
    folder = written(forged, tmp_path / "bundle")

    assert said(capsys, folder).startswith("verified")
    assert "ledger/000000000007.json: is not the entry that your anchor vouches for" in said(
        capsys, folder, "--anchor", str(anchor)
    )


def test_an_anchor_and_a_first_entry_vouch(
    full: Scribe, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is remembered outside is said; another first entry is refused."""
    state = full.ledger.state()
    folder = written(evidence_files(full.ledger, VERSION), tmp_path / "bundle")
    anchor = tmp_path / "anchor.json"
    anchor.write_text(json.dumps({"seq": 7, "hash": state.head}))

    assert "vouched for from outside up to entry 7" in said(
        capsys, folder, "--anchor", str(anchor), "--genesis", str(state.genesis)
    )
    assert "you remember sha256:0" in said(capsys, folder, "--genesis", "sha256:0")


def test_a_swapped_document_is_found(
    full: Scribe, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Right checksums do not make another document the one that an entry names."""
    files = evidence_files(full.ledger, VERSION)
    name = "documents/000000000004/decision.json"
    folder = written(summed(files | {name: b"decision on run-9"}), tmp_path)

    assert f"{name}: is not the document" in said(capsys, folder)


def test_a_missing_document_is_found(
    full: Scribe, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The decision's documents must all be there."""
    files = evidence_files(full.ledger, VERSION)
    del files["documents/000000000004/decision.json"]

    assert "decision.json is missing" in said(capsys, written(summed(files), tmp_path))


def test_every_changed_byte_of_an_entry_is_found(
    full: Scribe, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With right checksums too: the newest entry is guarded by its signature alone."""
    files = evidence_files(full.ledger, VERSION)
    name = "ledger/000000000007.json"
    for place in range(0, len(files[name]), 37):
        changed = bytearray(files[name])
        changed[place] ^= 1 << place % 8
        data = bytes(changed)
        about = json.loads(files["bundle.json"]) | {"head": digest_bytes(data)}
        forged = summed(files | {name: data, "bundle.json": canonical_json(about)})

        assert f"NOT VERIFIED: {name}" in said(capsys, written(forged, tmp_path))


@settings(max_examples=25, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32), data=st.binary(max_size=80), place=st.integers(0))
def test_ed25519_agrees_with_openssl(seed: bytes, data: bytes, place: int) -> None:
    """A right signature holds; with one bit changed anywhere it does not."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = private.public_key().public_bytes_raw(), private.sign(data)
    changed = bytearray(signature)
    changed[place % 64] ^= 1 << place % 8

    assert is_signed(public, signature, data)
    assert not is_signed(public, bytes(changed), data)
    assert not is_signed(public, signature, data + b"x")


def test_a_signature_with_a_too_large_number_is_refused() -> None:
    """Adding the group's order gives another text of the same signature; RFC 8032 refuses it."""
    private = Ed25519PrivateKey.generate()
    signature = private.sign(b"x")
    number = (
        int.from_bytes(signature[32:], "little")
        + 2**252
        + int("27742317777372353535851937790883648493")
    )
    doubled = signature[:32] + number.to_bytes(32, "little")

    assert not is_signed(private.public_key().public_bytes_raw(), doubled, b"x")


def test_a_signed_approval_is_proven(
    scribe: Scribe, key: Callable[[str], Path], tmp_path: Path
) -> None:
    """The bundle's verifier reads SSH signatures and the ratified signers."""
    bob = key("bob")
    scribe.ratify(allowed("bob", bob), "signers")
    approved(scribe, "run-1", bob)
    code, text = verdict(written(evidence_files(scribe.ledger, 4), tmp_path / "bundle"))

    assert (code, "approved by bob: proven" in text) == (0, True)


def test_a_forged_ssh_signature_in_a_bundle_is_found(
    scribe: Scribe, key: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A key that the ratified list does not allow proves nothing, and is no weak proof either."""
    scribe.ratify(allowed("bob", key("bob")), "signers")
    approved(scribe, "run-1", key("eve"))
    memory = scribe.store
    assert isinstance(memory, MemoryStore)
    folder = written(evidence_files(Ledger(memory, MODEL), 4), tmp_path / "bundle")

    assert "a signature of bob: by a key that was not allowed for bob" in said(capsys, folder)


def test_the_statement_is_the_one_that_was_signed(scribe: Scribe) -> None:
    """The verifier's statement and ours have one spelling."""
    use = approved(scribe, "run-1", None)
    ours = json.loads(stated(use))

    assert ours["statement"] == "modelwarrant approval v2"
    assert base64.b64encode(canonical_json(ours)) == base64.b64encode(stated(use))
