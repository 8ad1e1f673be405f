"""A catalogue of translations, as a translator delivers it."""

import struct
from collections.abc import Mapping
from pathlib import Path

HEADER = "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=n != 1;\n"


def write_catalogue(folder: Path, language: str, texts: Mapping[str, str]) -> None:
    """Write ``texts`` as the compiled catalogue of a language; ``folder`` is one of ``settings.LOCALE_PATHS``."""
    rows = [(key.encode(), value.encode()) for key, value in sorted({"": HEADER, **texts}.items())]
    place = 28 + 16 * len(rows)
    tables, strings = [b"", b""], b""
    for column in (0, 1):
        for row in rows:
            tables[column] += struct.pack("<2I", len(row[column]), place + len(strings))
            strings += row[column] + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(rows), 28, 28 + 8 * len(rows), 0, 0)
    path = folder / language / "LC_MESSAGES" / "django.mo"
    path.parent.mkdir(parents=True)
    path.write_bytes(head + tables[0] + tables[1] + strings)
