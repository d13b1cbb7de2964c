"""How small can a shared library be and still load?

The dynamic loader follows program headers; section headers, and the symbols and debugging tables
that only they lead to, serve debuggers. They are a tenth of most wheels and nine tenths of some.
"""

import struct
from pathlib import Path

__all__ = ["drop_sections"]

_MAGIC = b"\x7fELF\x02\x01"
"""64 bits, little-endian; other files stay as they are."""

_HEADER = struct.Struct("<16s2HI3QI6H")
_SEGMENT = struct.Struct("<2I6Q")


def drop_sections(path: Path) -> None:
    """Cut what lies behind the last segment of an ELF file, and forget its section headers."""
    with path.open("r+b") as file:
        head = file.read(_HEADER.size)
        if not head.startswith(_MAGIC):
            return
        ident, kind, machine, version, entry, start, _, flags, own, size, count, *_ = (
            _HEADER.unpack(head)
        )
        file.seek(start)
        table = file.read(size * count)
        segments = [_SEGMENT.unpack_from(table, n * size) for n in range(count)]
        ends = [offset + in_file for _, _, offset, _, _, in_file, _, _ in segments]
        file.seek(0)
        file.write(
            _HEADER.pack(
                ident, kind, machine, version, entry, start, 0, flags, own, size, count, 0, 0, 0
            )
        )
        file.truncate(max(start + len(table), *ends))
