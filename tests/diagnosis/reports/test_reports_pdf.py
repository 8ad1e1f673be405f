"""The PDF of a report: its text, its structure, and what it may load."""

import json
import subprocess

import pytest
from PIL import Image as PillowImage

from diagnosis.reports.services import sign_visit
from diagnosis.reviews.answers import Certainty
from diagnosis.reviews.services import record_review
from tests.diagnosis.photographing import measured_as
from tests.diagnosis.reporting import MELANOMA, photographed_visit, refused_photograph
from tests.hooks import wording

pytestmark = pytest.mark.slow


@pytest.fixture
def report(patient, dermatologist):
    patient.given_name, patient.family_name = "Zoë <b>", "O'Łukasz"
    patient.save()
    visit = photographed_visit(
        patient, MELANOMA, complaint="A mole & <img src='http://example.com/x.png'>", plan="Cut it out.\nThen rest."
    )
    refused_photograph(visit)
    image = visit.images.earliest("created_at")
    record_review(image=image, reviewer=dermatologist, answer="mel", certainty=Certainty.CERTAIN, reason="")
    measured_as(image)
    return sign_visit(visit=visit, by=dermatologist)


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_the_pdf(report, dermatologist, tmp_path):
    """One report, looked at from every side: each costs seconds to make."""
    path = report.pdf.path
    text = run("pdftotext", "-layout", path, "-")
    pages = text.split("\f")[:-1]

    # Who, what, and by whom.
    assert "Zoë <b> O'Łukasz" in text
    assert "A mole & <img src='http://example.com/x.png'>" in text, "typed text is shown, not interpreted"
    assert "Cut it out.\n" in text
    assert dermatologist.name in text
    assert "Melanoma" in text
    assert wording("could not analyse this photograph") in " ".join(text.split())
    assert wording("Decision support, not a diagnosis") in text
    assert text.count("Measured on this photograph") == 1, "and not on the one that was refused"
    assert wording("play no part in the probabilities") in " ".join(text.split())
    # Beside a label of danger the software neither comforts nor hurries, on paper and in the JSON alike.
    assert wording("nine times in ten") not in " ".join(text.split())
    (named,) = [
        each["assessment"] for each in json.loads(report.content)["lesions"][0]["photographs"] if each["confirmed"]
    ]
    assert named["heading"] in " ".join(text.split())
    assert named["tier_words"] == named["heading"]
    assert (named["meaning"], named["set_words"], named["next_steps"]) == ("", "", [])
    image = report.visit.images.order_by("created_at").first()
    assert image.sha256 in text
    assert image.predictions.get().model_version.name in text

    # Every page says whose it is, which it is, and what it was hashed to.
    for number, page in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in page
        assert report.content_sha256 in page
        assert report.visit.patient.record_number in page

    # Readable by machines and screen readers, with its fonts inside.
    facts = run("pdfinfo", path)
    assert "Tagged:          yes" in facts
    assert "Skin examination report" in facts
    assert "595.276 x 841.89 pts (A4)" in facts
    assert "pdfuaid:part" in run("pdfinfo", "-meta", path)
    fonts = run("pdffonts", path).splitlines()[2:]
    assert fonts
    assert all("Inter" in line and " yes " in line for line in fonts)

    # The photograph and its heat map, and no third picture for the one that was refused.
    run("pdfimages", "-png", path, str(tmp_path / "picture"))
    sizes = []
    for file in tmp_path.glob("*.png"):
        with PillowImage.open(file) as picture:
            sizes.append(picture.size)
    assert sizes.count((600, 450)) == 2
    assert sizes.count((64, 48)) == 1


def test_a_report_loads_nothing_from_outside(settings, report):
    from weasyprint import HTML
    from weasyprint.urls import FatalURLFetchingError

    from diagnosis.reports.pdf import _fetcher

    fetcher = _fetcher({"dermascan:photograph/1": b""})
    for address in ("http://127.0.0.1:9/x.png", "file:///etc/hostname", "dermascan:photograph/2", "data:,x"):
        with pytest.raises(FatalURLFetchingError):
            HTML(string=f'<img src="{address}">', url_fetcher=fetcher).write_pdf()


def test_the_web_process_starts_without_weasyprint():
    """It takes seconds to import, so it is imported by whoever signs first."""
    code = (
        "import django, sys; django.setup(); import dermascan.urls; "
        "sys.exit(any(name.split('.')[0] == 'weasyprint' for name in sys.modules))"
    )
    import os
    import sys

    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "dermascan.settings.test"}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
