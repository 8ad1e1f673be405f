"""The pages of a report: no nearly empty page, no heading alone at the foot, no table split."""

import io
import itertools
import json
import re
import subprocess
from pathlib import Path

import pytest
from django.utils import timezone
from django.utils.formats import date_format
from PIL import Image as PillowImage
from PIL import ImageChops

from diagnosis.reports.content import attach_signature, build_content
from diagnosis.reports.pdf import render_addendum, render_pdf
from diagnosis.reports.report_pictures import heat_map_url, photograph_url
from diagnosis.reviews.answers import Certainty
from diagnosis.reviews.services import record_review
from tests.diagnosis.photographing import measured_as
from tests.diagnosis.reporting import MELANOMA, photographed_visit, refused_photograph, signed_addendum, signed_report
from tests.hooks import wording

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
        starts = sum("What it could be, according to the software" in line for line in lines)
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


def addenda_as_pdf(visit, by, *, lengths: tuple[int, ...]) -> bytes:
    """A report to which was added as often as there are ``lengths``, with as many lines."""
    report = signed_report(visit, by)
    image, addenda = visit.images.earliest("created_at"), []
    for number, lines in enumerate(lengths, 1):
        answer = ("nv", "mel")[number % 2]
        record_review(image=image, reviewer=by, answer=answer, certainty=Certainty.CERTAIN, reason="Histology.")
        words = "\n".join(f"Line {line} of what is said the {number}. time." for line in range(lines))
        addenda.append(signed_addendum(report, by, words=words, replaces_plan=number == 2))
    *earlier, newest = addenda
    return render_addendum(
        json.loads(newest.content),
        content_sha256=newest.content_sha256,
        report=report,
        earlier=earlier,
        figures=figures_for(json.loads(report.content)),
    )


@pytest.mark.parametrize("lengths", [(3,), (1, 1, 1, 1, 1), (2, 75, 20), (9, 16, 30)])
def test_addenda_share_pages_and_the_report_begins_on_one_of_its_own(visit, dermatologist, tmp_path, lengths):
    pdf = addenda_as_pdf(visit, dermatologist, lengths=lengths)
    filled = pages_of(pdf, tmp_path)
    pages = [lines for _fill, lines in filled]

    count = len(lengths)
    of_report = next(page for page, lines in enumerate(pages) if "Skin examination report" in lines)
    told = [line for lines in pages[:of_report] for line in lines]
    titles = [f"Addendum {number} to the skin examination report" for number in range(count, 0, -1)]
    assert [line for line in told if line in titles] == titles, "the newest first, each once"
    assert sum("What was added" in line for line in told) == count
    for number, lines in enumerate(lengths, 1):
        assert sum(f"of what is said the {number}. time." in line for line in told) == lines, "nothing is cut"
    assert sum("signed on" in line.lower() for line in told) == count
    assert sum("How to read th" in line for line in told) == 1
    if max(lengths) == 1:
        assert of_report == 3, "five of a line each take no page each"
    for fill, lines in filled[:of_report]:
        assert fill > 0.15, lines
        assert lines[-1] not in titles, "no heading alone at the foot"
        assert not lines[-1].startswith(("What ", "Added by"))
    heads = [lines[0] for lines in pages[:of_report]]
    assert ["· " in head for head in heads] == [False, *[True] * (len(heads) - 1)], "its letterhead, then heads"
    assert wording("pages before the report") not in " ".join(told), "they are those pages"
    for lines in pages[of_report:]:
        assert wording("the pages before the report count") in lines[0]
    assert overprinted(tmp_path / "report.pdf") == []


def test_what_a_newer_addendum_overtakes_is_marked(visit, dermatologist, tmp_path):
    pdf = addenda_as_pdf(visit, dermatologist, lengths=(1, 1, 1, 1))
    told = " ".join(line for _fill, lines in pages_of(pdf, tmp_path) for line in lines)
    today = date_format(timezone.localdate(), "j F Y")

    newest, third, middle, oldest = re.split(r"Addendum [123] to the skin examination report", told)
    assert wording("Replaced by addendum") not in newest
    for older in (third, middle):
        assert wording(f"Replaced by addendum 4 of {today}") in older
    # The second replaces the plan of the report; what the first said of that plan is no longer so.
    assert wording("This replaces what was planned before.") in middle
    assert wording(f"Its plan was replaced by addendum 2 of {today}.") in oldest
    assert wording("Its plan was replaced") not in middle
    assert told.count(wording("where parts differ, the newest addendum counts")) == 1


def overprinted(file: Path) -> list[tuple[str, str]]:
    """The pairs of words of which one is printed over the other."""
    boxes = subprocess.run(["pdftotext", "-bbox", file, "-"], check=True, capture_output=True, text=True).stdout
    pairs = []
    for page in boxes.split("<page ")[1:]:
        words = [
            (tuple(map(float, found[:4])), found[4])
            for found in re.findall(r'xMin="(.*?)" yMin="(.*?)" xMax="(.*?)" yMax="(.*?)">(.*?)</word>', page)
        ]
        for (one, first), (other, second) in itertools.combinations(words, 2):
            width = min(one[2], other[2]) - max(one[0], other[0])
            height = min(one[3], other[3]) - max(one[1], other[1])
            # Boxes of lines that follow each other closely touch.
            if width > 1 and height > 0.4 * min(one[3] - one[1], other[3] - other[1]):
                pairs.append((first, second))
    return pairs
