"""Photographs to send, and what to expect of every problem."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image as Pillow

from diagnosis.images.models import Image, ImageFeatures, Prediction
from patients.models import Visit
from tests.conftest import PHOTOGRAPHS
from tests.mlmodel.hostile import png_bomb

PREDICT = "/api/v1/predict/"
BATCH = "/api/v1/predict/batch/"
EXPLANATION = "/api/v1/explanation/"
STATUS = "/api/v1/status/"


def upload(data: bytes, name: str = "mole.jpg", media_type: str = "image/jpeg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type=media_type)


def sample(number: int = 0) -> bytes:
    """One of the photographs that come with the project."""
    return sorted(PHOTOGRAPHS.glob("*.jpg"))[number].read_bytes()


def refused_photograph() -> bytes:
    """A night without a lamp: a photograph, but one that cannot be judged."""
    return encoded(Pillow.new("RGB", (600, 450), (2, 2, 2)))


def encoded(picture: Pillow.Image, format: str = "JPEG", **options: Any) -> bytes:  # noqa: A002 - Pillow's word
    file = io.BytesIO()
    picture.save(file, format, **options)
    return file.getvalue()


def png_header_of(width: int, height: int) -> bytes:
    """A PNG that promises so many pixels and holds none."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def bomb() -> bytes:
    """35 KB that unpack to 300 MB."""
    return png_bomb(17000, 17000)


def assert_problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """Check everything that RFC 9457 and we promise of a problem, and return it."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["code"] == code, problem
    assert problem["type"] == f"urn:problem-type:dermascan:{code}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["detail"] != problem["title"], "it says what is wrong, and not what to do"
    assert problem["instance"] == response.wsgi_request.path
    return problem


def stored_files() -> set[Path]:
    return {path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()}


def assert_nothing_kept() -> None:
    """No row and no file."""
    assert not Image.objects.exists()
    assert not Prediction.objects.exists()
    assert not ImageFeatures.objects.exists()
    assert not stored_files()


def count_visits() -> int:
    return Visit.objects.count()
