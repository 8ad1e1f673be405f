"""The pages of a report: none with two lines on it, no heading alone at its foot, no table cut in two."""

import io
import json
import subprocess
from pathlib import Path

import pytest
from PIL import Image as PillowImage
from PIL import ImageChops

from diagnosis.models import Certainty
from diagnosis.reports.content import attach_signature, build_content
from diagnosis.reports.figures import heat_map_url, photograph_url
from diagnosis.reports.pdf import render_addendum, render_pdf
from diagnosis.services.reviews import record_review

from .photographing import measured_as
from .reporting import MELANOMA, photographed_visit, refused_photograph, signed_addendum, signed_report

pytestmark = pytest.mark.slow

SHA256 = "ab" * 32
# At one pixel a millimetre: between the running head and the foot of an A4 page.
BODY = (0, 24, 210, 273)
FULL = BODY[3] - BODY[1]


@pytest.fixture
def visit(patient, dermatologist):
    """Three lesions: confirmed and measured, named by the software alone, and refused."""
    visit = photographed_visit(patient, MELANOMA, plan="Cut it out.", symptoms_since="since June", bleeding=True)
    image = visit.images.get()
    record_review(image=image, reviewer=dermatologist, answer="mel", certainty=Certainty.CERTAIN, reason="")
    measured_as(image)
    refused_photograph(visit)
    return visit


def pages_of(pdf: bytes, folder: Path) -> list[tuple[float, list[str]]]:
    """Of each page how far down it is filled, from 0 to 1, and its lines without those of the foot."""
    file = folder / "report.pdf"
    file.write_bytes(pdf)
    subprocess.run(["pdftoppm", "-r", "25.4", "-png", file, folder / "page"], check=True)
    text = subprocess.run(["pdftotext", "-layout", file, "-"], check=True, capture_output=True, text=True).stdout
    pages = []
    drawn = sorted(folder.glob("page*.png"))
    for picture, words in zip(drawn, text.split("\f")[:-1], strict=True):
        with PillowImage.open(picture) as page:
            body = page.convert("L").crop(BODY)
        ink = ImageChops.invert(body).point(lambda value: 255 if value > 8 else 0).getbbox()
        lines = [line.strip() for line in words.splitlines() if line.strip()]
        foot = next(number for number, line in enumerate(lines) if "Page " in line and " of " in line)
        pages.append((ink[3] / FULL if ink else 0.0, lines[:foot]))
        picture.unlink()
    return pages


def figures_for(content: dict) -> dict[str, bytes]:
    """A small picture for each that the report shows."""
    file = io.BytesIO()
    PillowImage.new("RGB", (40, 30), "sienna").save(file, "JPEG")
    ids = [photograph["id"] for lesion in content["lesions"] for photograph in lesion["photographs"]]
    return {address(each): file.getvalue() for each in ids for address in (photograph_url, heat_map_url)}


def report_of(visit, by, *, history: int, copies: int = 1) -> bytes:
    report = signed_report(visit, by)
    content = attach_signature(build_content(visit), report_id=report.pk, by=by, at=report.signed_at)
    content["visit"]["history"] = "\n".join(f"Line {number} of what he tells." for number in range(history))
    first, *others = content["lesions"]
    content["lesions"] = [{**first, "photographs": first["photographs"] * copies}, *others]
    return render_pdf(content, content_sha256=SHA256, figures=figures_for(content))


@pytest.mark.parametrize(("history", "copies"), [(0, 2), (9, 1), (38, 1)])
def test_every_page_is_worth_its_paper(visit, dermatologist, tmp_path, history, copies):
    pages = pages_of(report_of(visit, dermatologist, history=history, copies=copies), tmp_path)

    assert [round(fill, 2) for fill, _lines in pages if fill < 0.25] == []
    assert [lines for _fill, lines in pages if len(lines) < 9] == []
    tables = 0
    for _fill, lines in pages:
        last = lines[-1]
        is_heading = last.startswith(("Lesion ", "About: ", "How to read", "History", "What ", "Measured on"))
        assert not is_heading or last.endswith("."), last
        starts = sum("What it could be, by the software" in line for line in lines)
        # The seven classes stand with their heading, on one page.
        assert sum(line.startswith("Dermatofibroma") for line in lines) == starts
        assert sum("At a glance" in line for line in lines) == sum(line.startswith("Lesion  ") for line in lines)
        tables += starts
    assert tables == copies


def test_an_addendum_of_a_page_and_a_line(visit, dermatologist, tmp_path):
    report = signed_report(visit, dermatologist)
    addendum = signed_addendum(report, dermatologist)
    for lines in (1, 34):
        content = {**json.loads(addendum.content), "words": "\n".join(["The laboratory has answered."] * lines)}
        figures = figures_for(json.loads(report.content))
        pdf = render_addendum(content, content_sha256=SHA256, report=report, earlier=[], figures=figures)
        pages = pages_of(pdf, tmp_path)
        assert [round(fill, 2) for fill, _lines in pages if fill < 0.15] == []
