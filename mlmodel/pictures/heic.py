"""HEIC: detection of damage that its codec does not report.

HEIC has no checksums. But the lengths of the parts must add up, and lost blocks leave byte sequences that no encoder
writes.
"""

from collections.abc import Iterator

from mlmodel.pictures.hevc import check_coded
from mlmodel.pictures.picture_errors import OTHER_KIND, VIDEO, BrokenPicture, UnsupportedPicture
from mlmodel.texts import Text

# HEVC (ITU-T H.265, 7.3.1.1) inserts a 3 after two zeros, so that these never occur in a unit.
_NEVER_IN_HEVC = (b"\0\0\0", b"\0\0\1", b"\0\0\2")


def check_heic(data: bytes) -> None:
    """Check that a HEIC has no byte sequences in its coded data that no encoder writes.

    Raises:
        BrokenPicture: it is damaged.
        UnsupportedPicture: it contains only a video.
    """
    try:
        kinds = {kind for kind, _, _ in _boxes(data, 0, len(data))}
        pictures = list(_pictures(data))
    except BrokenPicture:
        raise
    except (IndexError, ValueError):
        return  # an unknown layout is left to the decoder
    if b"moov" in kinds and b"meta" not in kinds:
        raise UnsupportedPicture(Text(OTHER_KIND, {"kind": VIDEO}), reason="no still picture")
    for _, units in pictures:
        for start, end in units:
            if end > len(data) or any(data.find(pattern, start, end) >= 0 for pattern in _NEVER_IN_HEVC):
                raise BrokenPicture(reason="coded data are damaged")
    check_coded([*parameters, *(data[start:end] for start, end in units)] for parameters, units in pictures)


def _pictures(data: bytes) -> Iterator[tuple[list[bytes], list[tuple[int, int]]]]:
    """Yield the parameters of each coded picture in the file, and the start and end of each of its units."""
    meta = next(((start + 4, end) for kind, start, end in _boxes(data, 0, len(data)) if kind == b"meta"), None)
    if meta is None:
        return
    boxes = {kind: (start, end) for kind, start, end in _boxes(data, *meta)}
    coded = [item for item, kind in _items(data, *boxes[b"iinf"]) if kind == b"hvc1"] if b"iinf" in boxes else []
    places = _places(data, boxes[b"iloc"][0]) if b"iloc" in boxes else {}
    parameters = _parameters(data, *boxes[b"iprp"]) if b"iprp" in boxes else {}
    used_items = _used_items(data, boxes)
    # Thumbnails, gain maps and depth maps are not used, so they are not checked.
    for item in sorted(item for item in coded if not used_items or item in used_items):
        units = []
        for start, length in places.get(item, ()):
            at, end = start, start + length
            while at + 4 <= end:
                begins = at + 4
                at = begins + int.from_bytes(data[at:begins], "big")
                if at > end:
                    raise BrokenPicture(reason="a unit reaches beyond its picture")
                units.append((begins, at))
        yield parameters.get(item, []), units


def _used_items(data: bytes, boxes: dict[bytes, tuple[int, int]]) -> set[int]:
    """Return the primary item and its tiles; empty if the file does not state them."""
    if b"pitm" not in boxes:
        return set()
    start, end = boxes[b"pitm"]
    items = {int.from_bytes(data[start + 4 : end], "big")}
    start, end = boxes.get(b"iref", (0, 0))
    size = 2 if not end or data[start] == 0 else 4
    for kind, at, _ in _boxes(data, start + 4, end):
        numbers = [int.from_bytes(data[at : at + size], "big")]
        count = int.from_bytes(data[at + size : at + size + 2], "big")
        at += size + 2
        numbers += [int.from_bytes(data[at + size * n : at + size * (n + 1)], "big") for n in range(count)]
        if kind == b"dimg" and numbers[0] in items:
            items.update(numbers[1:])
    return items


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind, content start and content end of each box (ISO/IEC 14496-12)."""
    while at + 8 <= end:
        size, kind, start = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], at + 8
        if size == 1:
            size, start = int.from_bytes(data[at + 8 : at + 16], "big"), at + 16
        ends = end if size == 0 else at + size
        if ends < start:
            raise ValueError("a box shorter than its header")
        yield kind, start, min(ends, end)
        at = ends


def _items(data: bytes, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Yield the number and kind of each item in an item information box."""
    start += 6 if data[start] == 0 else 8
    for kind, at, _ in _boxes(data, start, end):
        version = data[at]
        if kind == b"infe" and version in (2, 3):
            size = 2 if version == 2 else 4
            number = int.from_bytes(data[at + 4 : at + 4 + size], "big")
            yield number, data[at + 6 + size : at + 10 + size]


def _parameters(data: bytes, start: int, end: int) -> dict[int, list[bytes]]:
    """Return the units with the decoder parameters by item, from an item properties box."""
    units_by_item: dict[int, list[bytes]] = {}
    properties: list[tuple[bytes, int]] = []
    for kind, at, ends in _boxes(data, start, end):
        if kind == b"ipco":
            properties = [(kind, at) for kind, at, _ in _boxes(data, at, ends)]
        elif kind == b"ipma":
            for item, index in _associations(data, at):
                if 0 < index <= len(properties) and properties[index - 1][0] == b"hvcC":
                    units_by_item[item] = _units_of_hvcc(data, properties[index - 1][1])
    return units_by_item


def _associations(data: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Yield the item number and property index of each entry in an item property association box."""
    item_size = 2 if data[at] == 0 else 4
    is_long = data[at + 3] & 1
    count = int.from_bytes(data[at + 4 : at + 8], "big")
    at += 8
    for _ in range(count):
        item = int.from_bytes(data[at : at + item_size], "big")
        at += item_size + 1
        for _ in range(data[at - 1]):
            yield item, int.from_bytes(data[at : at + 2], "big") & 0x7FFF if is_long else data[at] & 0x7F
            at += 2 if is_long else 1


def _units_of_hvcc(data: bytes, at: int) -> list[bytes]:
    """Return the units in a decoder configuration record (ISO/IEC 14496-15, 8.3.3.1)."""
    units = []
    arrays = data[at + 22]
    at += 23
    for _ in range(arrays):
        count = int.from_bytes(data[at + 1 : at + 3], "big")
        at += 3
        for _ in range(count):
            length = int.from_bytes(data[at : at + 2], "big")
            units.append(data[at + 2 : at + 2 + length])
            at += 2 + length
    return units


def _places(data: bytes, start: int) -> dict[int, list[tuple[int, int]]]:
    """Return the start and length of the parts of each item within the file, from an item location box."""
    version, sizes = data[start], data[start + 4 : start + 6]
    offset_size, length_size, base_size = sizes[0] >> 4, sizes[0] & 15, sizes[1] >> 4
    index_size = sizes[1] & 15 if version in (1, 2) else 0
    at = start + 6

    def number(size: int) -> int:
        nonlocal at
        at += size
        return int.from_bytes(data[at - size : at], "big")

    parts_by_item = {}
    for _ in range(number(2 if version < 2 else 4)):
        item = number(2 if version < 2 else 4)
        method = number(2) & 15 if version in (1, 2) else 0
        number(2)  # the index of the file: this one
        base = number(base_size)
        parts = []
        for _ in range(number(2)):
            number(index_size)
            offset = base + number(offset_size)
            parts.append((offset, number(length_size)))
        if at > len(data):
            raise ValueError("an item location box reaches beyond the end of the file")
        if method == 0:
            parts_by_item[item] = parts
    return parts_by_item
