"""Bodies that a service must refuse, or read, but never break on."""

import json

from tests.serving.tiny import ROW

SECRET = "9119119"  # noqa: S105 - a number
"""Stands in a request where a value is wrong; no answer may hold it."""


def _deep(opening: str, closing: str, inside: str, depth: int) -> str:
    return opening * depth + inside + closing * depth


def _row_with(raw: str) -> str:
    """Return the JSON of a row whose distance is this raw text."""
    return json.dumps(ROW).replace('"distance": 500.0', f'"distance": {raw}')


NUMBERS = [
    "NaN",
    "Infinity",
    "-Infinity",
    "nan",
    "1e999",
    "-1e999",
    "1E400",
    "0x10",
    "1_000",
    "01",
    "-01",
    "+1",
    ".5",
    "5.",
    "1e",
    "1e+",
    "--1",
    "-",
    "1.2.3",
    "1,2",
    "9" * 400,
    "9" * 5000,
    "-" + "9" * 400,
    "0." + "0" * 5000 + "1x",
    "1e-400000000000",
    "1e400000000000",
    "Inf",
    "1d",
    "1n",
    "1f",
    "½",
    "١",
]
VALUES = [
    "null",
    "true",
    "false",
    '""',
    '"9119119"',
    "[]",
    "{}",
    "[9119119]",
    '{"9119119": 1}',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\u0000"',
    '"\u202e"',
    '"\\x41"',
    '"\t"',
    "'9119119'",
    "undefined",
    "None",
    "True",
    '"' + "a" * 10_000 + '"',
    "// 1",
    "/* 1 */ 1",
    "1 /* x */",
    '"\\',
    '"\\u12"',
    '"\\uZZZZ"',
    "[[[[[[]]]]]]",
    "9119119",
    "-9119119",
    "9119119e0",
    '"1e3"',
    "1 2",
    "[1",
    "1]",
    "{1}",
    '{"a"}',
]
BODIES = [
    "",
    " ",
    "\n",
    "\x00",
    "\ufeff" + json.dumps(ROW),
    "null",
    "true",
    "0",
    '"text"',
    "[]",
    "[{}]",
    "{}",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "{]",
    "[}",
    "{}}",
    "{}{}",
    "{},",
    "{,}",
    '{"a":}',
    '{"a"}',
    "{:1}",
    '{"a" 1}',
    "{'a': 1}",
    "{a: 1}",
    '{"a": 1,}',
    '{"rows"}',
    '{"rows": }',
    '{"rows": null}',
    '{"rows": {}}',
    '{"rows": 1}',
    '{"rows": "9119119"}',
    '{"rows": []}',
    '{"rows": [null]}',
    '{"rows": [1]}',
    '{"rows": [[]]}',
    '{"rows": ["9119119"]}',
    '{"rows": [{}, {}]}',
    '{"rows": [[{}]]}',
    '{"rows": [], "rows": []}',
    '{"rows": [], "distance": 1}',
    '{"": ""}',
    '{"\\ud800": 1}',
    '{"\\u0000": 1}',
    '{"' + "k" * 10_000 + '": 1}',
    "{" * 200,
    "[" * 200,
    '{"instances": [{}]}',
    '{"inputs": []}',
    '{"__proto__": {}}',
    "<xml/>",
    "distance=9119119",
    json.dumps(ROW) + "x",
    json.dumps([ROW]),
    json.dumps({"rows": [[ROW]]}),
    json.dumps(json.dumps(ROW)),
    _deep("[", "]", "", 500),
    _deep("[", "]", "", 100_000),
    _deep('{"a":', "}", "1", 100_000),
    _deep('{"rows":[', "]}", "", 5_000),
    "[" * 1_000_000,
    '{"rows": [' + "{}," * 9_999 + "{}]}",
]
BYTES = [
    b"\xff",
    b"\xfe\xff\x00{\x00}",
    b"\xff\xfe{\x00}\x00",
    "{}".encode("utf-16"),
    "{}".encode("utf-32"),
    b'{"distance": "\xff"}',
    b'{"\xc3": 1}',
    b'"\xed\xa0\x80"',
    b'"\xf4\x90\x80\x80"',
    b"\x80" * 100,
    b"\x1f\x8b\x08\x00",
    b"\x00" * 1000,
    b'{"distance": "\xc0\xaf"}',
    bytes(range(256)),
]


def bodies() -> list[bytes]:
    """Return bodies that no service should answer with anything but a refusal of theirs."""
    rows = [_row_with(raw) for raw in (*NUMBERS, *VALUES)]
    rows += [json.dumps(ROW).replace('"UA"', raw) for raw in (*NUMBERS, *VALUES)]
    rows += [json.dumps(ROW).replace("true", raw) for raw in (*NUMBERS, *VALUES)]
    rows += [json.dumps(ROW).replace('"2013-01-01T05:15:00Z"', raw) for raw in (*NUMBERS, *VALUES)]
    rows += [json.dumps(ROW)[:-1] + f', "{name}": 9119119}}' for name in (*ROW, "other")]
    batches = [f'{{"rows": [{json.dumps(ROW)}, {row}]}}' for row in rows]
    return [text.encode("utf-8", "surrogatepass") for text in (*BODIES, *rows, *batches)] + BYTES
