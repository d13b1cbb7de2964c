"""The bundle's verifier reads SSH signatures and lists of signers as ``ssh-keygen`` does."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelwarrant.registry.evidence import evidence_files
from modelwarrant.registry.payloads import Ratify
from modelwarrant.registry.ssh import is_available, sign
from modelwarrant.registry.verify_bundle import check_ssh
from tests.registry.test_evidence_bundle import said, summed, verdict, written
from tests.registry.test_ssh_approvals import allowed, approved, key, signed_ratification
from tests.registry.world import POLICY, Scribe, digest

__all__ = ["key"]

pytestmark = pytest.mark.skipif(not is_available(), reason="ssh-keygen is not installed")

AT = "2026-03-01T12:00:00.000Z"


def stock(
    text: bytes,
    signature: Path,
    signers: Path,
    *,
    signer: str = "bob",
    namespace: str = "modelwarrant",
    at: str = "20260301120000Z",
) -> bool:
    """What ``ssh-keygen -Y verify`` says."""
    done = subprocess.run(
        [
            *("ssh-keygen", "-Y", "verify", "-n", namespace, "-I", signer),
            *("-f", signers, "-s", signature, "-O", f"verify-time={at}"),
        ],
        input=text,
        capture_output=True,
        check=False,
        env={"TZ": "UTC", "PATH": "/usr/bin:/bin:/usr/local/bin"},
    )
    return done.returncode == 0


FORMS: dict[str, tuple[str, bool]] = {
    "as it is": ("bob {key}", True),
    "with a comment": ("# us\n\nbob {key} bob@laptop", True),
    "indented": ("  \tbob\t{key}", True),
    "a comment only": ("#bob {key}", False),
    "nobody": ("{key}", False),
    "another name": ("eve {key}", False),
    "another case": ("Bob {key}", False),
    "quoted": ('"bob" {key}', True),
    "quoted, with a space": ('"bob,eve x" {key}', True),
    "a list": ("eve,bob {key}", True),
    "a pattern": ("b?b,x* {key}", True),
    "everybody": ("* {key}", True),
    "brackets are letters": ("[b]ob {key}", False),
    "a dot is a dot": ("b.b {key}", False),
    "everybody but him": ("*,!bob {key}", False),
    "everybody but another": ("!eve,* {key}", True),
    "nobody but another": ("!eve {key}", False),
    "another line": ("eve {other}\nbob {key}", True),
    "another key": ("bob {other}", False),
    "another key first": ("bob {other}\nbob {key}", True),
    "a broken line first": ('bob valid-after="never" {key}\nbob {key}', True),
    "an authority": ("bob cert-authority {key}", False),
    "an authority, too": ('bob cert-authority,namespaces="modelwarrant" {key}', False),
    "no such option": ("bob no-pty {key}", False),
    "for git": ('bob namespaces="git" {key}', False),
    "for us too": ('bob namespaces="git,modelwarrant" {key}', True),
    "for all": ('bob namespaces="*" {key}', True),
    "for all but us": ('bob namespaces="*,!modelwarrant" {key}', False),
    "in capitals": ('bob NAMESPACES="modelwarrant" {key}', True),
    "not yet": ('bob valid-after="20270101Z" {key}', False),
    "no longer": ('bob valid-before="20260101Z" {key}', False),
    "still": ('bob valid-after="20250101Z",valid-before="20270101Z" {key}', True),
    "until the second": ('bob valid-before="20260301120000Z" {key}', True),
    "until the second before": ('bob valid-before="20260301115959Z" {key}', False),
    "from the second": ('bob valid-after="20260301120000Z" {key}', True),
    "from the minute after": ('bob valid-after="202603011201Z" {key}', False),
    "no zone is UTC": ('bob valid-before="20260301120001" {key}', True),
    "no time": ('bob valid-before="soon" {key}', False),
    "no such day": ('bob valid-before="20269999Z" {key}', False),
    "a list for another program, then ours": ('bob namespaces="git" {key}\nbob {key}', True),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_list_of_signers_is_read_as_ssh_keygen_reads_it(
    key: Callable[[str], Path], tmp_path: Path, form: str
) -> None:
    """Principals, patterns, options and times."""
    text, expected = FORMS[form]
    bob, other = key("bob"), key("other")
    named = {
        name: " ".join(path.with_suffix(".pub").read_text().split()[:2])
        for name, path in (("key", bob), ("other", other))
    }
    signers = tmp_path / "allowed"
    signers.write_text(text.format(**named) + "\n")
    signature = tmp_path / "said.sig"
    signature.write_text(sign(b"text", key=bob))
    found = check_ssh(b"text", signature.read_text(), "bob", signers.read_text(), AT)

    assert expected == stock(b"text", signature, signers)
    assert expected == (found == "proven")


@pytest.mark.parametrize("change", ["text", "name", "namespace", "armor"])
def test_a_changed_signature_is_refused_by_both(
    key: Callable[[str], Path], tmp_path: Path, change: str
) -> None:
    """One byte of the text, another name, another program's, a byte of the signature."""
    bob = key("bob")
    signers, signature = tmp_path / "allowed", tmp_path / "said.sig"
    signers.write_bytes(allowed("bob", bob) + allowed("eve", key("eve")))
    (tmp_path / "said").write_bytes(b"text")
    namespace = "git" if change == "namespace" else "modelwarrant"
    words = ["-q", "-Y", "sign", "-n", namespace, "-f", bob, tmp_path / "said"]
    subprocess.run(["ssh-keygen", *words], check=True)
    if change == "armor":
        lines = signature.read_text().split("\n")
        lines[2] = lines[2][:9] + ("A" if lines[2][9] != "A" else "B") + lines[2][10:]
        signature.write_text("\n".join(lines))
    text, signer = (b"texT" if change == "text" else b"text"), "eve" if change == "name" else "bob"
    found = check_ssh(text, signature.read_text(), signer, signers.read_text(), AT)

    assert not stock(text, signature, signers, signer=signer)
    assert found != "proven"
    assert not found.startswith("not checked")


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_another_kind_of_key_is_left_to_ssh_keygen(tmp_path: Path, kind: str) -> None:
    """Unchecked where it may be right; a key that is not allowed is refused all the same."""
    path = tmp_path / "bob"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", path], check=True)
    signers, signature = tmp_path / "allowed", tmp_path / "said.sig"
    signers.write_bytes(allowed("bob", path))
    signature.write_text(sign(b"text", key=path))
    armored = signature.read_text()

    assert stock(b"text", signature, signers)
    assert check_ssh(b"text", armored, "bob", signers.read_text(), AT).startswith("not checked")
    assert "was not allowed for eve" in check_ssh(b"text", armored, "eve", signers.read_text(), AT)


@pytest.mark.parametrize("text", ["", "x", "-----BEGIN SSH SIGNATURE-----\n!\n-----END SSH"])
def test_what_is_no_ssh_signature_proves_nothing(text: str) -> None:
    """Garbage is said to be garbage."""
    found = check_ssh(b"text", text, "bob", "", AT)

    assert found == "no SSH signature" or found.startswith("unreadable")


def ratified(scribe: Scribe, who: Path, **changes: Any) -> Ratify:
    """Let Bob ratify another policy with a key, once his list is in force; return the payload."""
    payload = signed_ratification(scribe, who, b'{"policy":"signed"}')
    payload = payload.model_copy(update=changes)
    scribe.append(payload, "signed-policy")
    return payload


def test_a_bundle_lets_ssh_keygen_check_every_signature(
    scribe: Scribe, key: Callable[[str], Path], tmp_path: Path
) -> None:
    """Statement and signature lie side by side, for approvals and ratifications."""
    bob = key("bob")
    scribe.ratify(allowed("bob", bob), "signers")
    ratified(scribe, bob)
    approved(scribe, "run-1", bob)
    folder = written(evidence_files(scribe.ledger, 5), tmp_path / "bundle")
    signers = folder / "documents/000000000003/signers.json"
    code, text = verdict(folder)

    assert (code, text.count("by bob: proven")) == (0, 2)
    signed = sorted(path.name for path in (folder / "signed").iterdir())
    assert [
        f"{place}.{kind}"
        for place in ("000000000004-1", "000000000007-2")
        for kind in ("json", "sig")
    ] == signed
    for place in ("000000000004-1", "000000000007-2"):
        statement = (folder / "signed" / f"{place}.json").read_bytes()
        signature = folder / "signed" / f"{place}.sig"
        assert stock(statement, signature, signers)
        assert not stock(statement.replace(b"bob", b"bab"), signature, signers)
        assert not stock(statement, signature, signers, signer="eve")
        assert not stock(statement, signature, signers, namespace="git")


FORGERIES: dict[str, dict[str, Any]] = {
    "another reason": {"reason": "another"},
    "another person": {"approver": "carl"},
    "another author": {"author": "carl"},
    "another request": {"request": "another"},
    "another answer": {"answer": "another"},
    "another time": {"answered": "2026-03-01T12:00:00.001Z"},
}


@pytest.mark.parametrize("what", FORGERIES)
def test_a_ratification_that_was_not_signed_like_this_is_found(
    scribe: Scribe,
    key: Callable[[str], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    what: str,
) -> None:
    """Whoever holds the ledger's key cannot put words into a person's mouth."""
    bob = key("bob")
    scribe.ratify(allowed("bob", bob) + allowed("carl", bob), "signers")
    ratified(scribe, bob, **FORGERIES[what])
    approved(scribe, "run-1", None)
    folder = written(evidence_files(scribe.ledger, 5), tmp_path / "bundle")

    assert "ledger/000000000004.json: a signature of" in said(capsys, folder)


def test_another_document_under_a_signature_is_found(
    scribe: Scribe, key: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The signature is over the document's digest."""
    bob = key("bob")
    scribe.ratify(allowed("bob", bob), "signers")
    payload = signed_ratification(scribe, bob, b'{"policy":"signed"}')
    blob = payload.blobs[0].model_copy(update={"digest": digest("x"), "size": 1})
    scribe.store.create(f"m/flights/blob/{payload.attempt}/{digest('x')[7:]}", b"x")
    scribe.append(payload.model_copy(update={"digest": digest("x"), "blobs": (blob,)}), "forged")
    scribe.ratify(POLICY + b" ")
    approved(scribe, "run-1", None)
    folder = written(evidence_files(scribe.ledger, 6), tmp_path / "bundle")

    assert "ledger/000000000004.json: a signature of bob: wrong" in said(capsys, folder)


@pytest.mark.parametrize("part", ["json", "sig"])
def test_a_signed_file_that_no_entry_holds_is_found(
    scribe: Scribe,
    key: Callable[[str], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    part: str,
) -> None:
    """What lies beside the ledger for ssh-keygen is what the ledger says."""
    bob = key("bob")
    scribe.ratify(allowed("bob", bob), "signers")
    approved(scribe, "run-1", bob)
    files = evidence_files(scribe.ledger, 4)
    name = f"signed/000000000006-1.{part}"
    changed = summed(files | {name: files[name] + b" "})
    added = summed(files | {"signed/x": b""})

    assert f"{name}: is not what an entry holds" in said(capsys, written(changed, tmp_path / "a"))
    assert "signed/x: is not what" in said(capsys, written(added, tmp_path / "b"))


def test_a_missing_list_of_signers_is_found(
    scribe: Scribe, key: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Taking the list out does not turn a forgery into something that cannot be checked."""
    scribe.ratify(allowed("bob", key("bob")), "signers")
    approved(scribe, "run-1", key("eve"))
    files = evidence_files(scribe.ledger, 4)
    del files["documents/000000000003/signers.json"]

    assert "signers.json is missing" in said(capsys, written(summed(files), tmp_path / "bundle"))
