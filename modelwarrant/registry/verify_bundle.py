"""Does this evidence bundle say the truth, as far as bytes and signatures can show?

``python -I verify.py [--genesis sha256:...] [--anchor FILE]`` inside the bundle. Standard library
only, so it runs where modelwarrant is not installed. A forged bundle brings a forged verifier: take
this file from the project (``modelwarrant/registry/verify_bundle.py``), not from the bundle.

Exit code 0: everything holds. 1: something does not; the first finding is printed.
"""

import argparse
import base64
import binascii
import fnmatch
import hashlib
import json
import re
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

__all__ = ["main", "verify"]

NAMESPACE = "modelwarrant"
_OF = ("candidate_digest", "baseline_digest", "evidence_digest", "policy_digest")
SIGNED = (*_OF, "request", "approver", "reason")
"""What of an approval its SSH signature is over, beside model and verdict."""


class BadBundleError(Exception):
    """The bundle does not hold; the message names the first file that does not."""


def _bad(message: str) -> NoReturn:
    raise BadBundleError(message)


# Ed25519 (RFC 8032), verification only: speed matters, secrecy does not.

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]
NEUTRAL: Point = (0, 1, 1, 0)
WINDOW = 5
ROWS = -(-256 // WINDOW)


def _add(one: Point, other: Point) -> Point:
    x1, y1, z1, t1 = one
    x2, y2, z2, t2 = other
    a, b = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _decoded(data: bytes) -> Point | None:
    """Return the point that 32 bytes stand for."""
    y, sign = int.from_bytes(data, "little"), data[31] >> 7
    y &= (1 << 255) - 1
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT % P
    if x * x % P != square or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def _table(base: Point) -> list[list[Point]]:
    """Multiples of a point, so that a multiplication is ``ROWS`` additions."""
    table = []
    for _ in range(ROWS):
        row = [NEUTRAL]
        for _ in range((1 << WINDOW) - 1):
            row.append(_add(row[-1], base))
        table.append(row)
        base = _add(row[-1], base)
    return table


def _multiplied(table: list[list[Point]], number: int, start: Point) -> Point:
    mask = (1 << WINDOW) - 1
    for row in table:
        if number & mask:
            start = _add(start, row[number & mask])
        number >>= WINDOW
    return start


_BASE = _decoded((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


@lru_cache(maxsize=8)
def _base_table() -> list[list[Point]]:
    assert _BASE is not None  # noqa: S101 - a constant of the curve
    return _table(_BASE)


@lru_cache(maxsize=64)
def _key_table(public: bytes) -> list[list[Point]] | None:
    """Multiples of the negated key."""
    point = _decoded(public) if len(public) == 32 else None
    if point is None:
        return None
    x, y, z, t = point
    return _table((P - x, y, z, P - t))


def is_signed(public: bytes, signature: bytes, data: bytes) -> bool:
    """Return whether an Ed25519 signature over the data is by this key."""
    table = _key_table(public)
    if table is None or len(signature) != 64:
        return False
    first, number = signature[:32], int.from_bytes(signature[32:], "little")
    if number >= L:
        return False
    digest = hashlib.sha512(first + public + data).digest()
    challenge = int.from_bytes(digest, "little") % L
    x, y, z, _ = _multiplied(table, challenge, _multiplied(_base_table(), number, NEUTRAL))
    inverse = pow(z, P - 2, P)
    x, y = x * inverse % P, y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little") == first


# The ledger.


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _canonical(value: object) -> bytes:
    """Return the RFC 8785 bytes of a value without floats; entries hold none."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode()


def _no_float(text: str) -> NoReturn:
    raise ValueError(f"{text} is no whole number")


def _entry(name: str, data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data, parse_float=_no_float, parse_constant=_no_float)
        if not isinstance(value, dict) or _canonical(value) != data:
            _bad(f"{name}: its bytes are not canonical JSON")
    except (ValueError, RecursionError) as error:
        _bad(f"{name}: not JSON: {error}")
    texts = ("model", "prev", "op", "txn", "actor", "time", "key", "signature")
    if not all(isinstance(value.get(each), str) for each in texts) or not isinstance(
        value.get("payload"), dict
    ):
        _bad(f"{name}: not an entry of a ledger")
    return value


class _Ledger:
    """What the entries say, folded in order."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.head = _digest(f"modelwarrant ledger v1\n{model}".encode())
        self.digests: list[str] = [self.head]
        self.entries: list[dict[str, Any]] = []
        self.keys: dict[str, str] = {}
        self.mode = ""
        self.txns, self.used = set[str](), set[str]()
        self.versions: dict[int, dict[str, Any]] = {}
        self.decisions: dict[int, dict[str, Any]] = {}
        self.promoted, self.buried = set[int](), set[int]()
        self.production: int | None = None
        self.signers: list[dict[str, Any]] = []
        self.counts: dict[str, int] = {}

    def accept(self, name: str, data: bytes) -> None:
        entry, seq = _entry(name, data), len(self.entries) + 1
        payload = entry["payload"]
        for field, expected in (("model", self.model), ("seq", seq), ("prev", self.head)):
            if entry.get(field) != expected or isinstance(entry.get(field), bool):
                _bad(f"{name}: {field} is {entry.get(field)!r}, expected {expected!r}")
        if (seq == 1) != (entry["op"] == "genesis"):
            _bad(f"{name}: a ledger begins with genesis, once")
        if entry["op"] == "genesis":
            self.mode = payload["mode"]
            self.keys = self._added(name, payload["keys"])
        if entry["txn"] in self.txns:
            _bad(f"{name}: the transaction {entry['txn']!r} stands twice")
        self._demand_signed(name, entry)
        self._fold(name, entry["op"], seq, payload)
        self.txns.add(entry["txn"])
        self.head = _digest(data)
        self.digests.append(self.head)
        self.entries.append(entry)

    def _added(self, name: str, keys: list[dict[str, str]]) -> dict[str, str]:
        for key in keys:
            if _digest(base64.b64decode(key["public"], validate=True)) != key["id"]:
                _bad(f"{name}: the id of a key is not its digest")
        return {key["id"]: key["public"] for key in keys}

    def _demand_signed(self, name: str, entry: dict[str, Any]) -> None:
        public = self.keys.get(entry["key"])
        if public is None:
            _bad(f"{name}: not signed by a key in force (key {entry['key']})")
        signature = base64.b64decode(entry["signature"], validate=True)
        unsigned = _canonical({key: value for key, value in entry.items() if key != "signature"})
        if base64.b64encode(signature).decode() != entry["signature"] or not is_signed(
            base64.b64decode(public, validate=True), signature, unsigned
        ):
            _bad(f"{name}: wrong signature (key {entry['key']})")

    def _fold(self, name: str, op: str, seq: int, payload: dict[str, Any]) -> None:
        if op == "keys":
            self.keys = {k: v for k, v in self.keys.items() if k not in payload["remove"]}
            self.keys |= self._added(name, payload["add"])
        elif op == "register":
            self.versions[seq] = payload
        elif op == "decide":
            self.decisions[seq] = payload
            self.counts[payload["verdict"]] = self.counts.get(payload["verdict"], 0) + 1
        elif op == "promote":
            self._promote(name, payload)
        elif op == "rollback":
            if payload["to"] not in self.promoted - self.buried:
                _bad(f"{name}: rolls back to {payload['to']}, which may not be in production")
            self.production = payload["to"]
        elif op == "tombstone":
            self.buried.add(payload["version"])
        elif op == "ratify" and payload["kind"] == "signers":
            self.signers.append({**payload, "seq": seq})

    def _promote(self, name: str, payload: dict[str, Any]) -> None:
        decided = self.decisions.get(payload["decision"])
        version = self.versions.get(payload["version"])
        if decided is None or version is None or decided["version"] != payload["version"]:
            _bad(f"{name}: promotes a version that its decision is not of")
        if decided["verdict"] not in ("PROMOTE", "NEEDS_APPROVAL"):
            _bad(f"{name}: promotes on a {decided['verdict']}")
        if decided["candidate_digest"] != version["digest"] or payload["version"] in self.buried:
            _bad(f"{name}: promotes another model than was decided on, or a barred one")
        present = self.versions[self.production]["digest"] if self.production else None
        if decided["baseline_digest"] != present:
            _bad(f"{name}: decided against {decided['baseline_digest']}, in production {present}")
        needs = decided["verdict"] == "NEEDS_APPROVAL"
        if needs and len(payload["approvals"]) < max(1, decided["approvals_required"]):
            _bad(f"{name}: fewer approvals than the decision asks for")
        for use in payload["approvals"]:
            self._demand_approval(name, decided, use)
        self.production = payload["version"]
        self.promoted.add(payload["version"])

    def _demand_approval(self, name: str, decided: dict[str, Any], use: dict[str, Any]) -> None:
        who = f"{name}: the approval of {use['approver']}"
        if use["uid"] in self.used:
            _bad(f"{who} was used before")
        self.used.add(use["uid"])
        for field in (*_OF, "request", "requester"):
            if use[field] != decided[field]:
                _bad(f"{who} is for another {field}")
        persons = {use[name].strip().casefold() for name in ("approver", "requester")}
        is_self = len(persons) == 1
        if is_self != use["self_approved"] or (is_self and self.mode != "laptop"):
            _bad(f"{who}: the requester approved, unmarked or on a cluster")


# SSH signatures of approvals (PROTOCOL.sshsig); keys other than Ed25519 are left to ssh-keygen.


def _parts(data: bytes) -> list[bytes]:
    """Split what ``_packed`` joined."""
    parts = []
    while data:
        size = int.from_bytes(data[:4], "big")
        parts.append(data[4 : 4 + size])
        data = data[4 + size :]
    return parts


def _packed(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def check_ssh(statement: bytes, armored: str, signer: str, allowed: str, at: str) -> str:
    """Return ``proven``, ``not checked here`` or why a signature is wrong.

    ``allowed`` is the allowed-signers file, ``at`` the UTC time of the approval.
    """
    try:
        lines = [line.strip() for line in armored.strip().splitlines()]
        if (
            lines[0] != "-----BEGIN SSH SIGNATURE-----"
            or lines[-1] != "-----END SSH SIGNATURE-----"
        ):
            return "no SSH signature"
        raw = base64.b64decode("".join(lines[1:-1]), validate=True)
        if raw[:10] != b"SSHSIG" + (1).to_bytes(4, "big"):
            return "no SSH signature"
        key, namespace, reserved, method, blob = _parts(raw[10:])
        (kind, *public), (said, *signature) = _parts(key), _parts(blob)
        if namespace != NAMESPACE.encode() or said != kind:
            return "made for another program"
        hashed = hashlib.new({b"sha256": "sha256", b"sha512": "sha512"}[method], statement).digest()
        if not _is_allowed(signer, kind.decode(), key, allowed, at):
            return f"by a key that was not allowed for {signer} at {at}"
        if kind != b"ssh-ed25519":
            return "not checked here"
        message = b"SSHSIG" + _packed(namespace, reserved, method, hashed)
        return "proven" if is_signed(public[0], signature[0], message) else "wrong"
    except (ValueError, KeyError, IndexError, binascii.Error) as error:
        return f"unreadable: {error}"


def _is_allowed(signer: str, kind: str, key: bytes, allowed: str, at: str) -> bool:
    """Whether a line of the file allows this key to this person at that time."""
    encoded = base64.b64encode(key).decode()
    for line in allowed.splitlines():
        words = line.split()
        if line.lstrip().startswith("#") or encoded not in words or kind not in words:
            continue
        principals, options = words[0].strip('"').split(","), " ".join(words[1 : words.index(kind)])
        settings = dict(re.findall(r'([\w-]+)="([^"]*)"', options))
        negated = [name[1:] for name in principals if name.startswith("!")]
        moment = "".join(letter for letter in at[:19] if letter.isdigit())
        if (
            any(fnmatch.fnmatchcase(signer, name) for name in principals)
            and not any(fnmatch.fnmatchcase(signer, name) for name in negated)
            and NAMESPACE in settings.get("namespaces", NAMESPACE).split(",")
            and _moment(settings.get("valid-after"), "0") <= moment
            and moment <= _moment(settings.get("valid-before"), "9")
        ):
            return True
    return False


def _moment(text: str | None, fill: str) -> str:
    """A time of an allowed-signers file as 14 digits; where it has none, as far as it goes."""
    digits = "".join(letter for letter in (text or "") if letter.isdigit())
    return digits.ljust(14, "0") if digits else fill * 14


# The bundle.


def verify(folder: Path, *, genesis: str | None, anchors: list[dict[str, Any]]) -> list[str]:
    """Check everything; return what is said to the reader.

    Raises:
        BadBundleError: names the first file that does not hold.
    """
    files = _listed(folder)
    about = json.loads(files["bundle.json"])
    ledger = _Ledger(about["model"])
    logs = sorted(name for name in files if name.startswith("ledger/"))
    for seq, name in enumerate(logs, start=1):
        if name != f"ledger/{seq:012d}.json":
            _bad(f"ledger/{seq:012d}.json is missing")
        try:
            ledger.accept(name, files[name])
        except (KeyError, TypeError, binascii.Error, ValueError) as error:
            _bad(f"{name}: not an entry of a ledger: {error!r}")
    if not logs or (about["genesis"], about["head"]) != (ledger.digests[1], ledger.head):
        _bad("bundle.json: names another ledger than the one beside it")
    if genesis not in (None, ledger.digests[1]):
        _bad(f"{logs[0]}: is {ledger.digests[1]}, you remember {genesis}")
    vouched = int(genesis is not None)
    for anchor in anchors:
        seq, digest = int(anchor["seq"]), anchor.get("digest") or anchor["hash"]
        if seq >= len(ledger.digests) or ledger.digests[seq] != digest:
            _bad(f"ledger/{seq:012d}.json: is not the entry that your anchor vouches for")
        vouched = max(vouched, seq)
    documents = _documents(files, ledger, about["version"])
    proofs = _proofs(files, ledger)
    return _report(about, ledger, documents, proofs, vouched)


def _listed(folder: Path) -> dict[str, bytes]:
    """Every file of the bundle, as SHA256SUMS lists it."""
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "SHA256SUMS"
    }
    for name in sorted(found.keys() | sums.keys()):
        if name not in found:
            _bad(f"{name} is missing")
        if sums.get(name) != hashlib.sha256(found[name]).hexdigest():
            _bad(f"{name} is not what SHA256SUMS says")
    return found


def _documents(files: dict[str, bytes], ledger: _Ledger, version: int) -> int:
    """Hold every document against the digest in the entry that names it."""
    of_version = {version, *(s for s, d in ledger.decisions.items() if d["version"] == version)}
    wanted, named = set(), {}
    for entry in ledger.entries:
        for blob in entry["payload"].get("blobs", []):
            name = f"documents/{entry['seq']:012d}/{blob['name']}"
            named[name] = blob["digest"]
            if entry["seq"] in of_version and blob["name"] != "model.onnx":
                wanted.add(name)
    found = {name for name in files if name.startswith("documents/")}
    for name in sorted(found | wanted):
        if name not in found:
            _bad(f"{name} is missing: an entry names it")
        if _digest(files[name]) != named.get(name):
            _bad(f"{name}: is not the document that an entry names")
    return len(found)


def _proofs(files: dict[str, bytes], ledger: _Ledger) -> list[str]:
    """Say of each approval whether it is proven.

    A wrong signature is no weak proof but a forgery.
    """
    said = []
    for entry in ledger.entries:
        if entry["op"] != "promote":
            continue
        for use in entry["payload"]["approvals"]:
            who = f"entry {entry['seq']}: approved by {use['approver']}"
            signers = [each for each in ledger.signers if each["seq"] < entry["seq"]]
            if use.get("signature") is None:
                said.append(f"{who}: asserted, not proven")
                continue
            name = (
                f"documents/{signers[-1]['seq']:012d}/{signers[-1]['blobs'][0]['name']}"
                if (signers)
                else ""
            )
            if name not in files:
                said.append(f"{who}: signed, but no list of signers was in force")
                continue
            signed = {name: use[name] for name in SIGNED} | {
                "statement": "modelwarrant approval v1",
                "model": ledger.model,
                "verdict": "Approved",
            }
            result = check_ssh(
                _canonical(signed),
                use["signature"],
                use["approver"],
                files[name].decode(),
                use["time"],
            )
            if result not in ("proven", "not checked here"):
                _bad(f"ledger/{entry['seq']:012d}.json: a signature of {use['approver']}: {result}")
            said.append(f"{who}: {result}")
    return said


def _report(
    about: dict[str, Any], ledger: _Ledger, documents: int, proofs: list[str], vouched: int
) -> list[str]:
    version = ledger.versions.get(about["version"])
    if version is None:
        _bad(f"bundle.json: there is no version {about['version']}")
    counts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(ledger.counts.items()))
    return [
        f"{ledger.model}@{about['version']}: model {version['digest']}",
        f"in production at the end of this ledger: version {ledger.production}",
        f"{len(ledger.entries)} entries, chained and signed; decisions: {counts or 'none'}",
        f"{documents} documents are what the entries name",
        *proofs,
        f"first entry {ledger.digests[1]}",
        f"newest entry {ledger.head}",
        f"vouched for from outside up to entry {vouched}"
        + ("" if vouched else ": compare the first entry with one you trust (--genesis)"),
    ]


def main(arguments: list[str] | None = None) -> int:
    """Verify the bundle that this file lies in, or the one that is named."""
    parser = argparse.ArgumentParser(description="Verify an evidence bundle of modelwarrant.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--genesis", help="digest of the first entry, from a source you trust")
    parser.add_argument("--anchor", action="append", type=Path, default=[], help="JSON: seq, hash")
    told = parser.parse_args(arguments)
    try:
        anchors = [json.loads(path.read_bytes()) for path in told.anchor]
        lines = verify(told.folder, genesis=told.genesis, anchors=anchors)
    except (BadBundleError, OSError, ValueError, KeyError, TypeError, IndexError) as error:
        why = error if isinstance(error, BadBundleError) else f"it cannot be read: {error!r}"
        sys.stdout.write(f"NOT VERIFIED: {why}\n")
        return 1
    sys.stdout.write("\n".join(["verified", *lines]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
