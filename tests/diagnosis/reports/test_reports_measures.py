"""ABCD measures in a report: frozen when it is signed."""

import json
import re
from decimal import Decimal

import pytest
from django.template.loader import render_to_string
from django.urls import reverse

from diagnosis.measures.models import Measurement, PictureScale
from diagnosis.measures.services import measures_of
from diagnosis.reports.content import build_content
from diagnosis.reports.report_view import present
from mlmodel.segmentation.segmenter import OutlineProblem, get_segmenter
from tests.diagnosis.photographing import measured_as
from tests.diagnosis.reporting import MELANOMA, NEVUS, photographed_visit, signed_report
from tests.hooks import codes, wording

NOTHING = dict.fromkeys(("asymmetry", "border", "colours", "hair", "diameter"))


@pytest.fixture
def visit(patient):
    return photographed_visit(patient, MELANOMA)


@pytest.fixture
def image(visit):
    return visit.images.get()


def measures_in(content):
    """The measures of the first photograph."""
    return content["lesions"][0]["photographs"][0]["measures"]


def words_of(measures) -> list[str]:
    return [f"{line['name']}: {line['value']} {line['words']}".replace("\xa0", " ") for line in measures["lines"]]


def paper(content) -> str:
    """The text that is laid out as a PDF."""
    shown = render_to_string("reports/report.html", {"title": "-", "content": present(content)})
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", shown)).replace("\xa0", " ")


def test_a_line_of_four_measures_in_plain_words(visit, image):
    measured_as(image)

    measures = measures_in(build_content(visit))

    assert words_of(measures) == [
        wording("Asymmetry: 12 % lies outside its own mirror image"),
        wording("Border: 1.27 where 1 is a circle; higher if long or irregular"),
        wording("Colours: 2 of 6 light brown, dark brown"),
        wording("Diameter: 45 % of the photograph’s width"),
    ]
    assert wording("play no part in the probabilities") in measures["note"]
    assert measures["asymmetry"]["shape"] == 0.123
    assert measures["border"]["solidity"] == 0.94
    assert measures["colours"]["light_brown"] == 0.61
    assert measures["diameter"] == {"share_of_width": 0.45, "mm": None, "stated_width_mm": None}
    assert measures["segmenter_sha256"] == get_segmenter().sha256


def test_the_newest_stated_width_gives_millimetres(visit, image, staff):
    measured_as(image)
    for width in ("29", "14.5"):
        PictureScale.objects.create(image=image, member=staff, width_mm=Decimal(width))

    measures = measures_in(build_content(visit))

    assert words_of(measures)[3] == (
        wording("Diameter: 6.5 mm across, if the photograph is 14.5 mm wide, as your clinic stated")
    )
    assert measures["diameter"] == {"share_of_width": 0.45, "mm": 6.5, "stated_width_mm": 14.5}


def test_a_cut_lesion_has_a_least_diameter_and_no_shape(visit, image):
    measured_as(image, is_cut=True, asymmetry=None, border=None)

    words = words_of(measures_in(build_content(visit)))

    assert words[0] == wording("Asymmetry: not measured because only part of it is in the photograph")
    assert words[1] == wording("Border: not measured because only part of it is in the photograph")
    assert words[3].startswith(wording("Diameter: at least 45 %"))


@pytest.mark.parametrize("doubt", OutlineProblem)
def test_an_outline_that_is_not_trusted_is_not_spoken_of(visit, image, doubt):
    measured_as(image, doubt=str(doubt), **NOTHING)

    content = build_content(visit)

    assert measures_in(content) is None
    assert "Measured on" not in paper(with_signature(content))
    assert "draws its edge" not in paper(with_signature(content))


def test_nothing_is_measured_for_a_report(visit):
    Measurement.objects.all().delete()
    assert measures_in(build_content(visit)) is None
    assert not Measurement.objects.exists()


def test_each_photograph_has_its_own(patient):
    visit = photographed_visit(patient, MELANOMA, NEVUS)
    first, second = visit.images.order_by("created_at")
    measured_as(first)
    measured_as(second, doubt="tiny")

    photographs = build_content(visit)["lesions"][0]["photographs"]

    assert [photograph["measures"] is None for photograph in photographs] == [False, True]


def test_the_newest_measurement_speaks(visit, image):
    Measurement.objects.all().delete()
    Measurement.objects.create(image=image, segmenter_sha256="0" * 64, values={"doubt": "tiny"})
    measured_as_found = measures_of(image=image).values

    assert measures_in(build_content(visit))["asymmetry"] == measured_as_found["asymmetry"]


def test_the_clinic_sees_what_will_be_signed(visit, image, dermatologist, sign_in):
    client, address = sign_in(dermatologist), reverse("visit-sign", args=[visit.pk])
    measured_as(image, doubt="tiny")
    assert "no_measures" in codes(client.get(address).content.decode())
    measured_as(image)
    page = client.get(address).content.decode().replace("\xa0", " ")
    assert "Asymmetry 12 % · Border 1.27 · Colours 2 of 6 · Diameter 45 %" in page


def test_what_nobody_has_looked_at_is_measured_before_it_is_checked(visit, image, dermatologist, sign_in):
    image.measurements.all().delete()  # as of one that was judged before there was a segmenter
    page = sign_in(dermatologist).get(reverse("visit-sign", args=[visit.pk])).content.decode()
    assert image.measurements.count() == 1
    assert image.measurements.get().values["doubt"] is None
    assert "no_measures" not in codes(page)
    assert "Asymmetry" in page
    image.original.delete()
    again = sign_in(dermatologist).get(reverse("visit-sign", args=[visit.pk])).content.decode()
    assert "Asymmetry" in again, "what has been measured is not measured again"


def test_what_is_measured_after_signing_changes_nothing(visit, image, dermatologist, patient, patient_user, sign_in):
    measured_as(image)
    report = signed_report(visit, dermatologist, released=True)
    signed = report.content
    measured_as(image, asymmetry={"shape": 0.9, "axes": [0.9, 0.9], "colour": 1.0})
    PictureScale.objects.create(image=image, member=dermatologist, width_mm=Decimal("14.5"))

    data = sign_in(patient_user).get(reverse("report-json", args=[report.pk]))
    page = sign_in(patient_user).get(reverse("my-visit", args=[visit.pk])).content.decode()

    assert data.content.decode() == signed
    assert "Measured on this photograph" in page
    assert wording("lies outside its own mirror image") in page
    assert "90\xa0%" not in page
    assert "mm wide" not in page
    assert "Asymmetry 12 % lies outside" in paper(json.loads(signed))
    assert paper(json.loads(signed)).count("draws its edge") == 1


def test_a_report_of_before_still_reads(visit, dermatologist, patient_user, sign_in):
    """Its content is as it was hashed: it says nothing of measures, not even that there are none."""
    from diagnosis.reports import content as writer

    def photograph_of_before(image, case_context):
        photograph = now(image, case_context)
        del photograph["measures"]
        return photograph

    now = writer._photograph
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "_photograph", photograph_of_before)
        report = signed_report(visit, dermatologist, released=True)

    assert '"measures"' not in report.content
    assert "Melanoma" in paper(json.loads(report.content))
    page = sign_in(patient_user).get(reverse("my-visit", args=[visit.pk]))
    assert page.status_code == 200
    assert "Measured on this photograph" not in page.content.decode()


def with_signature(content):
    signature = {"id": "-", "signed_by": "-", "signed_at": "2026-01-01T00:00:00Z"}
    return {**content, "report": signature}
