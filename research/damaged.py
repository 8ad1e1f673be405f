"""How often the decoder refuses an intact photograph as damaged, and how often it accepts a damaged one.

    python -m research.damaged DATA [--each 40]

DATA contains uploads/, phone/, not_skin/, ham10000/images/ and extra/. Every photograph is decoded as it is. Of each
folder, ``--each`` evenly spaced photographs are then saved again in many formats, altered to have uniform areas and
sharp edges, which are encoded as long runs of zeros, and damaged as by faulty memory cards and cables.
"""

import argparse
import random
from collections.abc import Callable, Iterable
from itertools import chain, product
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter, ImageOps

from benchmarks.beginning import run
from mlmodel.pictures.picture import decode
from mlmodel.pictures.picture_errors import BrokenPicture
from mlmodel.pictures.picture_files import find_pictures
from tests.mlmodel.damage import encoded, without, zeroed

FOLDERS = ("uploads", "phone", "not_skin", "ham10000/images", "extra/images", "extra/small")

Alter = Callable[[Image.Image], Image.Image]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--each", type=int, default=40)
    arguments = parser.parse_args()
    paths = {name: find_pictures(arguments.data / name).pictures for name in FOLDERS}
    print("intact, refused as damaged:")
    for name, files in paths.items():
        _print_share(f"{name}, as they are", (path.read_bytes() for path in files))
    drawn = [path for files in paths.values() for path in files[:: max(1, len(files) // arguments.each)]]
    for change, alter in ALTERED.items():
        for format_name, write in WRITTEN.items():
            _print_share(f"{change}, {format_name}", (write(alter(Image.open(path).convert("RGB"))) for path in drawn))
    print("damaged, accepted as intact:")
    for format_name, write in WRITTEN.items():
        photographs = (write(Image.open(path).convert("RGB")) for path in drawn[:: len(FOLDERS)])
        _print_share(format_name, chain.from_iterable(map(_damaged, photographs)), is_intact=False)


def _print_share(title: str, files: Iterable[bytes], *, is_intact: bool = True) -> None:
    """Print how many of ``files`` the decoder got wrong: intact ones refused, or damaged ones accepted."""
    outcomes = [_is_whole(data) is is_intact for data in files]
    print(f"  {title:48}{outcomes.count(False):>6} of {len(outcomes):>6,}", flush=True)


def _is_whole(data: bytes) -> bool:
    try:
        decode(data)
    except BrokenPicture:
        return False
    return True


def _damaged(data: bytes) -> Iterable[bytes]:
    """Yield damaged copies: with a random block zeroed, with a random sector missing, and truncated."""
    chance = random.Random(len(data))
    for spoil, length in product((zeroed, without), (512, 4096)):
        if len(data) > 4 * length:
            yield spoil(data, chance.random(), length)
    yield data[: len(data) * 2 // 3]


def _on_black(image: Image.Image) -> Image.Image:
    """Return the photograph with a dermatoscope's round field of view on black."""
    mask = Image.new("L", image.size)
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    ImageDraw.Draw(mask).ellipse((left, top, left + side, top + side), fill=255)
    return Image.composite(image, Image.new("RGB", image.size), mask)


def _framed(image: Image.Image) -> Image.Image:
    return ImageOps.expand(image, border=image.width // 2, fill="white")


ALTERED: dict[str, Alter] = {
    "unchanged": lambda image: image,
    "round on black": _on_black,
    "framed in white": _framed,
    "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(12)),
    "four levels a colour": lambda image: ImageOps.posterize(image, 2),
    "black and white": lambda image: image.convert("1").convert("RGB"),
    "twice as large": lambda image: image.resize((image.width * 2, image.height * 2), Image.Resampling.NEAREST),
}


def _written(plugin: str, **options: object) -> Callable[[Image.Image], bytes]:
    return lambda image: encoded(image, plugin, **options)


WRITTEN: dict[str, Callable[[Image.Image], bytes]] = {
    "JPEG 95": _written("JPEG", quality=95, subsampling=0),
    "JPEG 75": _written("JPEG", quality=75),
    "JPEG 30, optimised": _written("JPEG", quality=30, optimize=True),
    "JPEG 90, optimised, restarts": _written("JPEG", quality=90, optimize=True, restart_marker_rows=1),
    "JPEG 75, progressive": _written("JPEG", quality=75, progressive=True),
    "JPEG 95, progressive": _written("JPEG", quality=95, progressive=True),
    "grey JPEG 85": lambda image: encoded(image.convert("L"), "JPEG", quality=85, optimize=True),
    "WebP 80": _written("WEBP", quality=80, method=2),
    "HEIC 60": _written("HEIF", quality=60),
}

if __name__ == "__main__":
    run(main)
