"""What is read from a file about how the photograph was taken, whatever the file says."""

import datetime
import io

import pytest
from PIL import Image

from mlmodel.pictures.camera_facts import CameraFacts, read_camera_facts

MOMENT = datetime.datetime(2024, 5, 3, 10, 20, 30)
NOTHING = CameraFacts()


def file_with(format_: str = "JPEG", size: tuple[int, int] = (40, 30), **tags: object) -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "Camera"  # Pillow leaves out a block that holds nothing else
    details = exif.get_ifd(0x8769)
    numbers = {"taken": 0x9003, "digitized": 0x9004, "offset": 0x9011, "zoom": 0xA404, "wide": 0xA002, "high": 0xA003}
    for name, value in tags.items():
        details[numbers[name]] = value
    exif[0x8769] = details
    file = io.BytesIO()
    Image.new("RGB", size, "tan").save(file, format_, exif=exif)
    return file.getvalue()


def read(data: bytes, size: tuple[int, int] = (40, 30)) -> CameraFacts:
    return read_camera_facts(data, width=size[0], height=size[1])


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_the_time_is_read_from_every_format(format_):
    assert read(file_with(format_, taken="2024:05:03 10:20:30")).taken_at == MOMENT


def test_the_time_with_its_zone_and_the_second_choice():
    zone = datetime.timezone(-datetime.timedelta(hours=3, minutes=30))
    assert read(file_with(taken="2024:05:03 10:20:30", offset="-03:30")).taken_at == MOMENT.replace(tzinfo=zone)
    assert read(file_with(taken="    :  :     :  :  ", digitized="2024:05:03 10:20:30")).taken_at == MOMENT
    assert read(file_with(taken="2024:05:03 10:20:30", offset="+99:99")).taken_at == MOMENT


@pytest.mark.parametrize("time", ["2024:13:45 99:00:00", "yesterday", "", "0000:00:00 00:00:00"])
def test_a_time_that_is_none_is_not_read(time):
    assert read(file_with(taken=time)) == NOTHING


@pytest.mark.parametrize(
    ("tags", "is_cropped"),
    [
        ({"zoom": 2.0}, True),
        ({"zoom": 1.0}, False),
        ({"zoom": 0.0}, False),
        ({"wide": 4000, "high": 3000}, False),
        ({"wide": 3000, "high": 4000}, False),
        ({"wide": 4000, "high": 2250}, True),
        ({"wide": 0, "high": 3000}, False),
        ({}, False),
    ],
)
def test_a_part_of_the_frame_is_recognised_where_the_file_says_so(tags, is_cropped):
    assert read(file_with(**tags)).is_cropped is is_cropped


def test_damaged_and_hostile_metadata_say_nothing():
    whole = file_with(taken="2024:05:03 10:20:30")
    start = whole.index(b"Exif\0\0")
    for cut in range(start, start + 60, 3):
        damaged = whole[:cut] + b"\xff" * 8 + whole[cut + 8 :]
        assert isinstance(read(damaged), CameraFacts)
    for data in (b"", b"Exif\0\0II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff" + b"\xff" * 40, b"eXIfMM\0*"):
        assert read(data) == NOTHING
