"""A photograph is decoded once and its lesion looked for once, from whichever door to the page behind it."""

import csv
import io
from dataclasses import dataclass

import pytest
from django.core.management import call_command
from django.urls import reverse

from diagnosis.assessment import case_context
from diagnosis.images.models import Image
from diagnosis.measures.services import measure_visit
from diagnosis.reports.content import build_content
from mlmodel.pictures import picture as pictures
from mlmodel.segmentation.segmenter import Segmenter
from tests import factories
from tests.api.helpers import BATCH, PREDICT
from tests.conftest import PHOTOGRAPHS
from tests.diagnosis.photographing import blurred, kept, sample, upload_of
from tests.mlmodel.ham10000_like import write_kaggle_layout

SCRIPT = {"Accept": "application/json"}


@dataclass
class Work:
    """How often a picture was decoded, and a lesion looked for."""

    decoded: int = 0
    segmented: int = 0

    def taken(self) -> tuple[int, int]:
        """What was done since this was last asked."""
        taken = self.decoded, self.segmented
        self.decoded = self.segmented = 0
        return taken


@pytest.fixture
def work(monkeypatch) -> Work:
    """Count while the real decoder and the real segmenter do their work."""
    counted = Work()
    decode, look = pictures.decode_elsewhere, Segmenter.probabilities

    def decode_counted(*args, **options):
        counted.decoded += 1
        return decode(*args, **options)

    def look_counted(self, pixels):
        counted.segmented += len(pixels)
        return look(self, pixels)

    monkeypatch.setattr(pictures, "decode_elsewhere", decode_counted)
    monkeypatch.setattr(Segmenter, "probabilities", look_counted)
    return counted


@pytest.fixture
def lesion(patient):
    return factories.LesionFactory.create(patient=patient)


@pytest.fixture
def visit(patient, staff):
    return factories.VisitFactory.create(patient=patient, clinician=staff)


def pages_of(image: Image, client) -> None:
    for address in (image.get_absolute_url(), image.visit.get_absolute_url(), image.lesion.get_absolute_url()):
        assert client.get(address).status_code == 200
    for kind in ("original", "display", "thumbnail", "heat-map"):
        assert client.get(reverse("image-file", args=[image.pk, kind])).getvalue()


@pytest.mark.parametrize("headers", [SCRIPT, {}], ids=["script", "form"])
def test_from_an_upload_to_its_pages_and_its_report(work, visit, lesion, staff, sign_in, headers):
    client = sign_in(staff)
    sent = {"lesion": str(lesion.pk), "files": [upload_of(sample(0))]}
    assert client.post(reverse("upload", args=[visit.pk]), sent, headers=headers).status_code in (200, 302)
    assert work.taken() == (1, 1)
    image = Image.objects.get()
    pages_of(image, client)
    measure_visit(visit=visit)
    (photograph,) = build_content(visit)["lesions"][0]["photographs"]
    assert photograph["measures"]
    assert work.taken() == (0, 0)


def test_several_uploads_are_read_once_each(work, visit, lesion, staff, sign_in):
    sent = {"lesion": str(lesion.pk), "files": [upload_of(sample(number)) for number in range(3)]}
    assert sign_in(staff).post(reverse("upload", args=[visit.pk]), sent).status_code == 200
    assert work.taken() == (3, 3)


def test_a_refused_photograph_is_read_once_and_once_more_to_be_analysed_anyway(
    work, visit, lesion, staff, dermatologist, sign_in
):
    image = kept(visit, lesion, staff, blurred(sample(0)))
    client = sign_in(dermatologist)
    client.get(image.get_absolute_url())
    assert work.taken() == (1, 1)
    client.post(reverse("image-override", args=[image.pk]), {"reason": "The only one there is."})
    assert image.predictions.exists()
    assert work.taken() == (1, 1)
    pages_of_a_result = client.get(image.get_absolute_url())
    assert pages_of_a_result.status_code == 200
    assert work.taken() == (0, 0)


def test_the_quick_check(work, client, db):
    answer = client.post(reverse("quick-check"), {"file": upload_of(sample(0))})
    assert answer.status_code == 200
    assert work.taken() == (1, 1)


@pytest.mark.parametrize("place", ["nowhere", "lesion", "visit"])
def test_the_api(work, visit, lesion, staff, sign_in, place):
    """Without a visit, one of today is looked for and made: for a photograph that can be read."""
    visit.date = visit.date.replace(year=visit.date.year - 1)
    visit.save()
    where = {
        "nowhere": {},
        "lesion": {"lesion": str(lesion.pk)},
        "visit": {"lesion": str(lesion.pk), "visit": str(visit.pk)},
    }[place]
    client = sign_in(staff)
    answer = client.post(PREDICT, {"file": upload_of(sample(0)), **where})
    assert answer.json()["measurements"]["outline"]
    assert work.taken() == (1, 1)
    answer = client.post(BATCH, {"files": [upload_of(sample(1)), upload_of(sample(2))], **where})
    assert answer.json()["failed"] == 0
    assert work.taken() == (2, 2)
    if place != "nowhere":
        pages_of(Image.objects.all()[0], client)
        assert work.taken() == (0, 0)


def test_predict(work):
    call_command("predict", str(PHOTOGRAPHS / "ISIC_0024310.jpg"), stdout=io.StringIO())
    assert work.taken() == (1, 0)


def test_import_ham10000(work, tmp_path):
    archive = write_kaggle_layout(tmp_path / "archive")
    call_command("import_ham10000", str(archive), output=tmp_path / "out", stdout=io.StringIO())
    with (tmp_path / "out" / "manifest.csv").open(newline="") as file:
        assert work.taken() == (len(list(csv.DictReader(file))), 0)


def test_what_others_of_a_lesion_are_told_of_a_photograph_is_worded_once(monkeypatch, lesion):
    """A lesion may have a hundred photographs, and each names all the others."""
    factories.ImageFactory.create_batch(6, lesion=lesion)
    worded, word = [], case_context._sibling

    def word_counted(image):
        worded.append(image.pk)
        return word(image)

    monkeypatch.setattr(case_context, "_sibling", word_counted)
    known = case_context.read_case_contexts(Image.objects.all())

    assert [len(each.case_context.siblings) for each in known] == [5] * 6
    assert sorted(worded) == sorted(image.pk for image in Image.objects.all())
