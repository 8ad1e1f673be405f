"""How often the quality check refuses good photographs and spoiled ones.

    python -m research.quality [DATA_FOLDER]     (default: ../shared/data)

Prints three tables: the shares refused among good photographs (all) and spoiled ones (the first 40 of each set); the
sharpness measure compared with two better-known ones, each at the threshold that refuses as few good photographs; and
times.
"""

import csv
import random
import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.beginning import run
from mlmodel.network.quality import Verdict, judge, sharpness
from mlmodel.pictures.picture import Picture

FEW = 40
Spoil = Callable[[np.ndarray], np.ndarray]


def main(data: Path) -> None:
    good = load(data)
    print(
        "Share refused (%)".ljust(30) + "".join(f"{name} ({len(photos)})".rjust(17) for name, photos in good.items())
    )
    for title, spoil in SPOILS.items():
        few = None if title == "as they are" else FEW
        refused = {name: share_refused(photos[:few], spoil) for name, photos in good.items()}
        print(title.ljust(30) + "".join(f"{100 * share:.1f}".rjust(17) for share in refused.values()))
    print()
    compare(good)
    print()
    print_times(next(iter(good.values()))[0])


def load(data: Path) -> dict[str, list[np.ndarray]]:
    with (data / "ham10000" / "metadata.csv").open() as rows:
        sources = {row["image_id"]: row["source"] for row in csv.DictReader(rows)}
    ham = sorted(sources)
    random.Random(7).shuffle(ham)
    folder = data / "ham10000" / "images"
    return {
        "uploads": read(sorted((data / "uploads").glob("*.jpg"))),
        "phone": read(sorted((data / "phone").glob("*.jpg"))),
        "HAM sharp": read([folder / f"{name}.jpg" for name in ham if sources[name] == "sharp"][:250]),
        "HAM soft": read([folder / f"{name}.jpg" for name in ham if sources[name] != "sharp"][:250]),
    }


def read(paths: list[Path]) -> list[np.ndarray]:
    return [np.asarray(Image.open(path).convert("RGB")) for path in paths]


def share_refused(photos: list[np.ndarray], spoil: Spoil) -> float:
    verdicts = [judge(picture_of(spoil(pixels))).verdict for pixels in photos]
    return float(np.mean([verdict is not Verdict.ACCEPTED for verdict in verdicts]))


def picture_of(pixels: np.ndarray) -> Picture:
    return Picture(pixels=pixels, format="JPEG", media_type="image/jpeg")


# Ways to spoil a photograph. Lengths are per cent of its shortest side, so that they do not depend on resolution.


def as_camera_saves(pixels: np.ndarray) -> np.ndarray:
    """Return the photograph with sensor noise and JPEG compression, without which blur is too easy to detect."""
    noisy = pixels + np.random.default_rng(0).normal(0, 2, pixels.shape)
    out = BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=85)
    return np.asarray(Image.open(out).convert("RGB"))


def out_of_focus(percent: float) -> Spoil:
    def spoil(pixels: np.ndarray) -> np.ndarray:
        sigma = percent / 100 * min(pixels.shape[:2])
        return as_camera_saves(
            filtered(pixels, lambda down, across: np.exp(-2 * (np.pi * sigma) ** 2 * (down**2 + across**2)))
        )

    return spoil


def shaken(percent: float, degrees: float) -> Spoil:
    def spoil(pixels: np.ndarray) -> np.ndarray:
        length, angle = percent / 100 * min(pixels.shape[:2]), np.deg2rad(degrees)
        return as_camera_saves(
            filtered(pixels, lambda down, across: np.sinc(length * (np.sin(angle) * down + np.cos(angle) * across)))
        )

    return spoil


def filtered(pixels: np.ndarray, transfer: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
    """Return the image blurred by a transfer function of frequency (cycles per pixel), edges mirrored."""
    height, width = pixels.shape[:2]
    margin = min(height, width) // 4
    padded = np.pad(pixels.astype(np.float32), ((margin, margin), (margin, margin), (0, 0)), mode="reflect")
    down = np.fft.fftfreq(padded.shape[0])[:, None]
    across = np.fft.rfftfreq(padded.shape[1])[None]
    spectrum = np.fft.rfft2(padded, axes=(0, 1)) * transfer(down, across)[..., None]
    blurred = np.fft.irfft2(spectrum, s=padded.shape[:2], axes=(0, 1))
    return blurred[margin : margin + height, margin : margin + width].clip(0, 255).astype(np.uint8)


def exposed(factor: float) -> Spoil:
    return lambda pixels: as_camera_saves((pixels.astype(np.float32) * factor).clip(0, 255))


def flat(level: int) -> Spoil:
    return lambda pixels: np.full_like(pixels, level)


SPOILS: dict[str, Spoil] = {
    "as they are": lambda pixels: pixels,
    "noise and JPEG 85 only": as_camera_saves,
    "Gaussian blur, sigma 0.5 %": out_of_focus(0.5),
    "Gaussian blur, sigma 1 %": out_of_focus(1),
    "Gaussian blur, sigma 1.5 %": out_of_focus(1.5),
    "Gaussian blur, sigma 2 %": out_of_focus(2),
    "Gaussian blur, sigma 4 %": out_of_focus(4),
    "motion 3 %, level": shaken(3, 0),
    "motion 6 %, level": shaken(6, 0),
    "motion 10 %, level": shaken(10, 0),
    "motion 10 %, slanting": shaken(10, 35),
    "exposure x0.7": exposed(0.7),
    "exposure x0.5": exposed(0.5),
    "exposure x0.3": exposed(0.3),
    "exposure x0.2": exposed(0.2),
    "exposure x0.1": exposed(0.1),
    "exposure x1.3": exposed(1.3),
    "exposure x2": exposed(2),
    "exposure x3": exposed(3),
    "exposure x4": exposed(4),
    "exposure x5": exposed(5),
    "all black": flat(0),
    "all white": flat(255),
    "one colour": flat(150),
}


# Two better-known sharpness measures, for comparison.


def laplacian_variance(luma: np.ndarray) -> float:
    centre = luma[1:-1, 1:-1]
    return float((4 * centre - luma[:-2, 1:-1] - luma[2:, 1:-1] - luma[1:-1, :-2] - luma[1:-1, 2:]).var())


def reblur(luma: np.ndarray) -> float:
    """Return the sharpness of Crete et al., "The blur effect" (2007): the share of differences lost by blurring."""
    values = []
    for axis in (0, 1):
        rows = np.moveaxis(luma, axis, 1)
        sums = np.cumsum(np.pad(rows, ((0, 0), (5, 4)), mode="edge"), axis=1)
        smooth = (sums[:, 9:] - sums[:, :-9]) / 9
        differences, left = np.abs(np.diff(rows)), np.abs(np.diff(smooth))
        values.append(np.maximum(0, differences[:, : left.shape[1]] - left).sum() / max(differences.sum(), 1e-6))
    return float(min(values))


def compare(good: dict[str, list[np.ndarray]]) -> None:
    measures = {"this one": sharpness, "Laplacian variance": laplacian_variance, "re-blur (Crete)": reblur}
    spoils = {title: spoil for title, spoil in SPOILS.items() if "blur" in title or "motion" in title}
    lumas = {name: [canonical_luma(pixels) for pixels in photos] for name, photos in good.items()}
    thresholds = {
        title: min(np.percentile([measure(luma) for luma in set_of_lumas], 1.5) for set_of_lumas in lumas.values())
        for title, measure in measures.items()
    }
    print("Share below the threshold that keeps 98.5 % of every good set (%)")
    print("".ljust(30) + "".join(title.rjust(20) for title in measures))
    for title, spoil in spoils.items():
        spoiled = [canonical_luma(spoil(pixels)) for photos in good.values() for pixels in photos[:FEW]]
        shares = [
            np.mean([measure(luma) < thresholds[name] for luma in spoiled]) for name, measure in measures.items()
        ]
        print(title.ljust(30) + "".join(f"{100 * share:.1f}".rjust(20) for share in shares))


def print_times(photo: np.ndarray) -> None:
    large = np.asarray(Image.fromarray(photo).resize((4000, 3000)))
    for title, pixels, times in ((f"{photo.shape[1]}x{photo.shape[0]}", photo, 50), ("4000x3000", large, 10)):
        picture = picture_of(pixels)
        took = []
        for _ in range(times):
            start = time.perf_counter()
            judge(picture)
            took.append(time.perf_counter() - start)
        print(f"judge({title}): median {1000 * float(np.median(took)):.1f} ms")


def canonical_luma(pixels: np.ndarray) -> np.ndarray:
    square = Image.fromarray(Picture(pixels=pixels, format="", media_type="").square)
    return np.asarray(square.convert("L"), dtype=np.float32)


if __name__ == "__main__":
    default = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
    run(lambda: main(Path(sys.argv[1]) if len(sys.argv) > 1 else default))
