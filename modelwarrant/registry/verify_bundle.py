"""Does this evidence bundle say the truth, as far as bytes and signatures can show?

``python -I verify.py [--genesis sha256:...] [--anchor FILE]`` inside the bundle. Standard library
only, so it runs where modelwarrant is not installed. A forged bundle brings a forged verifier: take
this file from the project (``modelwarrant/registry/verify_bundle.py``), not from the bundle.

Exit code 0: everything holds. 1: something does not; the first finding is printed.
"""

import argparse
import base64
import binascii
import hashlib
import json
import re
import sys
import unicodedata
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

__all__ = ["main", "verify"]

NAMESPACE, UNCHECKED = "modelwarrant", "not checked here"
PROMOTABLE = ("PROMOTE", "NEEDS_APPROVAL")
APPROVAL, RATIFICATION = "modelwarrant approval v2", "modelwarrant ratification v2"
_OF = ("candidate_digest", "baseline_digest", "evidence_digest", "policy_digest")
SIGNED = (*_OF, "request", "approver", "reason", "time")
RATIFIED = ("kind", "digest", "author", "reason", "request", "approver", "answer", "answered")
"""What of an approval and of a ratification its SSH signature is over, beside model and verdict."""

INVISIBLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800"
    + "".join(map(chr, range(0xFE00, 0xFE10)))
)
LOOKS = str.maketrans(
    "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442"
    "\u0443\u0445\u0455\u0456\u0458\u051b\u051d\u04bb\u0501\u04cf"  # Cyrillic
    "\u03b1\u03b2\u03b5\u03b6\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf"
    "\u03c1\u03c4\u03c5\u03c7\u03f3"  # Greek
    "\u0131\u0251\u0261",
    "abekmhopctyxsijqwhdlabezhikmnoptyxjiag",
)
"""As in ``modelwarrant/registry/names.py``."""


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

OPTIONAL = {
    "keys": "add remove",
    "promote": "approvals",
    "act": "attempt blobs",
    "ratify": "shipped_default backtest_digest request answer answered signature",
}
FIELDS = {
    "genesis": "mode keys",
    "keys": "",
    "register": "run attempt digest blobs schema_digest evidence_digest",
    "decide": "run request requester version verdict rule reason candidate_digest baseline_digest "
    "decision_digest evidence_digest policy_digest engine_version approvals_required attempt blobs",
    "promote": "version decision attempt",
    "rollback": "to reason actor",
    "act": "action evidence_digest reason",
    "tombstone": "version reason",
    "abort": "attempt reason",
    "ratify": "kind digest engine_version author approver reason self_approved attempt blobs",
}
"""What each operation says, and what it may leave out."""

TIME = re.compile(r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}[.][0-9]{3}Z", re.ASCII)
NUMBERS = ("version", "decision", "to", "approvals_required")


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
    texts = {"model", "prev", "op", "txn", "actor", "time", "key", "signature"}
    payload = value.get("payload")
    if (
        value.keys() != texts | {"schema_version", "seq", "payload"}
        or not all(isinstance(value[each], str) for each in texts)
        or not isinstance(payload, dict)
        or isinstance(value["schema_version"], bool)
        or value["schema_version"] != 1
    ):
        _bad(f"{name}: not an entry of schema 1 of a ledger")
    if value["op"] not in FIELDS:
        _bad(f"{name}: {value['op']!r} is no operation that this verifier knows")
    times = [value["time"], *(use["time"] for use in payload.get("approvals", ()))]
    times += [payload["answered"]] if payload.get("answered") is not None else []
    for time in times:
        if not TIME.fullmatch(time):
            _bad(f"{name}: {time!r} is no time in UTC with milliseconds")
        datetime.fromisoformat(time)
    if any(isinstance(payload.get(each), bool) for each in NUMBERS):
        _bad(f"{name}: a truth value stands where a number belongs")
    said, known = set(FIELDS[value["op"]].split()), set(OPTIONAL.get(value["op"], "").split())
    if not said <= payload.keys() <= said | known:
        _bad(f"{name}: {value['op']!r} does not say {sorted(payload.keys() ^ said)}")
    return value


def person_of(name: str) -> str:
    """Return what names of one person have in common: names that look alike are one person's."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    seen = (
        char
        for char in folded
        if char.isspace()
        or (unicodedata.category(char) not in ("Cc", "Cf") and char not in INVISIBLE)
    )
    return " ".join("".join(seen).translate(LOOKS).split())


def _is_machine(name: str) -> bool:
    return person_of(name).startswith("system:")


class _Ledger:
    """What the entries say, folded in order; each must be legal where it stands."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.head = _digest(f"modelwarrant ledger v1\n{model}".encode())
        self.digests: list[str] = [self.head]
        self.entries: list[dict[str, Any]] = []
        self.keys: dict[str, str] = {}
        self.mode = ""
        self.txns, self.used, self.runs = set[str](), set[str](), set[tuple[str, str]]()
        self.named, self.fenced = set[str](), set[str]()
        self.versions: dict[int, dict[str, Any]] = {}
        self.decisions: dict[int, dict[str, Any]] = {}
        self.promoted, self.buried = set[int](), set[int]()
        self.production: int | None = None
        self.moved, self.policy, self.policy_seq = 0, "", 0
        self.signers: dict[str, Any] | None = None
        self.judged: list[tuple[int, dict[str, Any] | None, dict[str, Any], dict[str, Any]]] = []
        """Approvals: entry, signers in force, what was approved and when, the approval."""
        self.counts: dict[str, int] = {}

    def accept(self, name: str, data: bytes) -> None:
        entry, seq = _entry(name, data), len(self.entries) + 1
        op, payload = entry["op"], entry["payload"]
        for field, expected in (("model", self.model), ("seq", seq), ("prev", self.head)):
            if entry[field] != expected or isinstance(entry[field], bool):
                _bad(f"{name}: {field} is {entry[field]!r}, expected {expected!r}")
        if (seq == 1) != (op == "genesis"):
            _bad(f"{name}: a ledger begins with genesis, once")
        if op == "genesis":
            self.keys, self.mode = self._added(name, payload["keys"], {}), payload["mode"]
        if entry["txn"] in self.txns:
            _bad(f"{name}: the transaction {entry['txn']!r} stands twice")
        self._demand_signed(name, entry)
        why = getattr(self, f"_{op}")(name, seq, payload, entry)
        if why:
            _bad(f"{name}: {why}")
        self.txns.add(entry["txn"])
        self.head = _digest(data)
        self.digests.append(self.head)
        self.entries.append(entry)

    def _added(
        self, name: str, keys: list[dict[str, str]], present: dict[str, str]
    ) -> dict[str, str]:
        added: dict[str, str] = {}
        for key in keys:
            raw = base64.b64decode(key["public"], validate=True)
            if _digest(raw) != key["id"] or key["id"] in added or key["id"] in present:
                _bad(f"{name}: the id of a key is not its digest, or it is in force already")
            added[key["id"]] = key["public"]
        return added

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

    # One method an operation: takes it in, or says why it is not legal here.

    def _genesis(self, name: str, seq: int, said: dict[str, Any], entry: dict[str, Any]) -> str:
        return "" if self.mode in ("laptop", "cluster") and self.keys else "no mode, or no keys"

    def _keys(self, name: str, seq: int, said: dict[str, Any], entry: dict[str, Any]) -> str:
        removed = set(said.get("remove", ()))
        added = self._added(name, said.get("add", []), self.keys)
        kept = {id: public for id, public in self.keys.items() if id not in removed}
        if not removed <= self.keys.keys() or not (added or removed) or not (kept | added):
            return "changes no key, removes one that is not in force, or the last one"
        self.keys = kept | added
        return ""

    def _register(self, name: str, seq: int, said: dict[str, Any], entry: dict[str, Any]) -> str:
        self.versions[seq] = said
        return self._once("register", said["run"]) or self._kept(said, "model.onnx", said["digest"])

    def _decide(self, name: str, seq: int, said: dict[str, Any], entry: dict[str, Any]) -> str:
        self.decisions[seq] = {**said, "time": entry["time"]}
        self.counts[said["verdict"]] = self.counts.get(said["verdict"], 0) + 1
        why = self._once("decide", said["run"])
        why = why or self._kept(said, "decision.json", said["decision_digest"])
        version = self.versions.get(said["version"])
        if why or (said["version"] is not None and version is None):
            return why or f"there is no version {said['version']}"
        if version and (version["run"], version["digest"]) != (
            said["run"],
            said["candidate_digest"],
        ):
            return "decides on a version of another run, or on another model"
        if said["verdict"] in PROMOTABLE:
            return self._current(said) if version else f"{said['verdict']} without a version"
        return "" if said["verdict"] in ("HOLD", "REJECT") else "no verdict"

    def _promote(self, name: str, seq: int, said: dict[str, Any], entry: dict[str, Any]) -> str:
        decided = self.decisions.get(said["decision"])
        if decided is None or said["version"] is None or decided["version"] != said["version"]:
            return "promotes a version that its decision is not of"
        if decided["verdict"] not in PROMOTABLE:
            return f"promotes on a {decided['verdict']}"
        if said["version"] in self.buried | self.promoted:
            return "promotes a version that is barred, or was in production before"
        if said["attempt"] in self.fenced or said["attempt"] != decided["request"]:
            return "promotes for another request than was decided, or one that was closed"
        if said["decision"] < max(self.moved, self.policy_seq):
            return "production or policy changed after it was decided on"
        why = self._current(decided)
        uses = said.get("approvals", [])
        persons = {person_of(use["approver"]) for use in uses}
        least = max(
            2 if self.mode == "cluster" and _is_machine(decided["requester"]) else 1,
            decided["approvals_required"],
        )
        if decided["verdict"] == "NEEDS_APPROVAL" and len(uses) < least:
            why = why or f"{len(uses)} of {least} approvals that the decision asks for"
        if len(persons) != len(uses):
            why = why or "one person approves twice"
        for use in uses:
            why = why or self._approved(seq, decided, use)
        self.production, self.moved = said["version"], seq
        self.promoted.add(said["version"])
        self.named.add(said["attempt"])
        return why

    def _approved(self, seq: int, decided: dict[str, Any], use: dict[str, Any]) -> str:
        who = f"the approval of {use['approver']}"
        for field in (*_OF, "request", "requester"):
            if use[field] != decided[field]:
                return f"{who} is for another {field}"
        is_self = person_of(use["approver"]) == person_of(use["requester"])
        if is_self is not use["self_approved"] or (is_self and self.mode != "laptop"):
            return f"{who}: the requester approved, unmarked or on a cluster"
        if self.mode != "laptop" and _is_machine(use["approver"]):
            return f"{who}: no person's"
        signed = {name: use[name] for name in SIGNED}
        signed |= {"statement": APPROVAL, "model": self.model, "verdict": "Approved"}
        at = max(use["time"], decided["time"])
        self.judged.append((seq, self.signers, {"said": signed, "at": at}, use))
        return self._use(use["uid"], who)

    def _rollback(self, name: str, seq: int, said: dict[str, Any], entry: dict[str, Any]) -> str:
        if said["to"] not in self.promoted - self.buried or said["to"] == self.production:
            return f"rolls back to {said['to']}, which may not be in production, or is"
        self.production, self.moved = said["to"], seq
        return ""

    def _act(self, name: str, seq: int, said: dict[str, Any], entry: dict[str, Any]) -> str:
        if said.get("attempt") is None:
            return "evidence without an attempt" if said.get("blobs") else ""
        return self._open(said["attempt"])

    def _tombstone(self, name: str, seq: int, said: dict[str, Any], entry: dict[str, Any]) -> str:
        version = said["version"]
        if version not in self.versions or version in self.buried or version == self.production:
            return f"bars {version}: unknown, barred already, or in production"
        self.buried.add(version)
        return ""

    def _abort(self, name: str, seq: int, said: dict[str, Any], entry: dict[str, Any]) -> str:
        if said["attempt"] in self.fenced | self.named:
            return f"{said['attempt']} is closed already, or in the ledger"
        self.fenced.add(said["attempt"])
        return ""

    def _ratify(self, name: str, seq: int, said: dict[str, Any], entry: dict[str, Any]) -> str:
        why = self._open(said["attempt"])
        if [blob["digest"] for blob in said["blobs"]] != [said["digest"]]:
            return "ratifies another document than it keeps"
        is_self = person_of(said["author"]) == person_of(said["approver"])
        if (is_self and not said["self_approved"]) or (
            said["self_approved"] and self.mode != "laptop"
        ):
            return f"{said['approver']} ratifies what he wrote, unmarked or on a cluster"
        if said.get("request") is not None:
            why = why or self._use(f"{said['request']}:{said['approver']}", "the ratification")
        signed = {field: said.get(field) for field in RATIFIED}
        signed |= {"statement": RATIFICATION, "model": self.model, "verdict": "Approved"}
        if not said.get("shipped_default"):
            at = said.get("answered") or entry["time"]
            self.judged.append((seq, self.signers, {"said": signed, "at": at}, said))
        if said["kind"] == "policy":
            self.policy, self.policy_seq = said["digest"], seq
        else:
            self.signers = {**said, "seq": seq}
        return why if said["kind"] in ("policy", "signers") else "ratifies neither"

    def _once(self, op: str, run: str) -> str:
        is_new = (op, run) not in self.runs
        self.runs.add((op, run))
        return "" if is_new else f"run {run} has a {op} already"

    def _open(self, attempt: str) -> str:
        self.named.add(attempt)
        return f"attempt {attempt} was closed" if attempt in self.fenced else ""

    def _kept(self, said: dict[str, Any], file: str, digest: str) -> str:
        names = {blob["name"]: blob["digest"] for blob in said["blobs"]}
        why = "" if names.get(file) == digest else f"{file} is not the one that it names"
        return why or self._open(said["attempt"])

    def _use(self, uid: str, who: str) -> str:
        is_new = uid not in self.used
        self.used.add(uid)
        return "" if is_new else f"{who} was used before"

    def _current(self, decided: dict[str, Any]) -> str:
        present = None if self.production is None else self.versions[self.production]["digest"]
        if decided["baseline_digest"] != present:
            return f"compared with {decided['baseline_digest']}, in production is {present}"
        in_force = decided["policy_digest"] == self.policy
        return "" if in_force else "decided by a policy that is not in force"


# SSH signatures (PROTOCOL.sshsig); keys other than Ed25519 are left to ssh-keygen.


def _parts(data: bytes) -> list[bytes]:
    """Split what ``_packed`` joined."""
    parts = []
    while data:
        size = int.from_bytes(data[:4], "big")
        parts.append(data[4 : 4 + size])
        if len(parts[-1]) != size:
            raise ValueError("a part is cut off")
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
        kind = key[4 : 4 + int.from_bytes(key[:4], "big")]
        if namespace != NAMESPACE.encode():
            return "made for another program"
        hashed = hashlib.new({b"sha256": "sha256", b"sha512": "sha512"}[method], statement).digest()
        if not _is_allowed(signer, kind.decode(), key, allowed, at):
            return f"by a key that was not allowed for {signer} at {at}"
        if kind != b"ssh-ed25519":
            return f"{UNCHECKED} (a key of kind {kind.decode()})"
        (_, public), (said, signature) = _parts(key), _parts(blob)
        message = b"SSHSIG" + _packed(namespace, reserved, method, hashed)
        return "proven" if said == kind and is_signed(public, signature, message) else "wrong"
    except (ValueError, KeyError, IndexError, binascii.Error) as error:
        return f"unreadable: {error}"


_LINE = re.compile(r'\s*(?:"([^"]*)"|([^\s"#][^\s"]*))\s+(.*)')
_OPTIONS = re.compile(r'((?:[^\s"]|"[^"]*")+)\s+(.*)')
_OPTION = re.compile(r'(namespaces|valid-after|valid-before)="([^"]*)"(?:,|$)', re.IGNORECASE)
_TIME = re.compile(r"([0-9]{8}|[0-9]{12}|[0-9]{14})(?:Z|UTC)?", re.IGNORECASE)


def _is_allowed(signer: str, kind: str, key: bytes, allowed: str, at: str) -> bool:
    """Whether a line of the file allows this key to this person at that time (UTC)."""
    public = [kind, base64.b64encode(key).decode()]
    for line in allowed.splitlines():
        if not (found := _LINE.fullmatch(line)):
            continue
        principals, rest, settings = found[1] or found[2], found[3], {}
        if rest.split()[:1] != public[:1]:
            if not (options := _OPTIONS.fullmatch(rest)):
                continue
            rest, left = options[2], options[1]
            while one := _OPTION.match(left):
                settings[one[1].lower()], left = one[2], left[one.end() :]
            if left:  # cert-authority among others: not a key that signs itself
                continue
        moments = [
            settings.get("valid-after", "19700101"),
            settings.get("valid-before", "99991231"),
        ]
        if (
            rest.split()[:2] == public
            and _is_listed(signer, principals)
            and _is_listed(NAMESPACE, settings.get("namespaces", NAMESPACE))
            and all(map(_is_time, moments))
            and _digits(moments[0]) <= _digits(at[:19]) <= _digits(moments[1])
        ):
            return True
    return False


def _is_listed(text: str, patterns: str) -> bool:
    """Whether a list of OpenSSH's patterns names a text: ``*``, ``?``, ``!`` takes out."""

    def fits(pattern: str) -> bool:
        wild = {"*": ".*", "?": "."}
        parts = (wild.get(char) or re.escape(char) for char in pattern)
        return re.fullmatch("".join(parts), text, re.DOTALL) is not None

    listed = patterns.split(",")
    return any(map(fits, listed)) and not any(fits(each[1:]) for each in listed if each[:1] == "!")


def _is_time(text: str) -> bool:
    """Whether a list of signers may say this of a key's first or last moment."""
    digits = _digits(text)
    try:
        return bool(_TIME.fullmatch(text) and datetime.strptime(f"{digits}+0000", "%Y%m%d%H%M%S%z"))
    except ValueError:
        return False


def _digits(text: str) -> str:
    """A time as 14 digits."""
    return "".join(char for char in text if char.isdigit()).ljust(14, "0")


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
        if (
            not 1 <= seq < len(ledger.digests)
            or ledger.digests[seq] != digest
            or anchor.get("model", ledger.model) != ledger.model
        ):
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
            is_rule = entry["op"] == "ratify"
            if (entry["seq"] in of_version or is_rule) and blob["name"] != "model.onnx":
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
    said: list[str] = []
    expected: dict[str, bytes] = {}
    for seq, signers, what, use in ledger.judged:
        is_ratified = "kind" in use
        who = f"entry {seq}: {'ratified' if is_ratified else 'approved'} by {use['approver']}"
        if use.get("signature") is None:
            said.append(f"{who}: asserted, not proven")
            continue
        statement = _canonical(what["said"])
        path = f"signed/{seq:012d}-{len(expected) // 2 + 1}"
        expected |= {f"{path}.json": statement, f"{path}.sig": use["signature"].encode()}
        if signers is None:
            said.append(f"{who}: signed, but no list of signers was in force")
            continue
        name = f"documents/{signers['seq']:012d}/{signers['blobs'][0]['name']}"
        result = check_ssh(
            statement, use["signature"], use["approver"], files[name].decode(), what["at"]
        )
        if result != "proven" and not result.startswith(UNCHECKED):
            _bad(f"ledger/{seq:012d}.json: a signature of {use['approver']}: {result}")
        said.append(f"{who}: {result}")
    for name in sorted(expected.keys() | {name for name in files if name.startswith("signed/")}):
        if files.get(name) != expected.get(name):
            _bad(f"{name}: is not what an entry holds")
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
