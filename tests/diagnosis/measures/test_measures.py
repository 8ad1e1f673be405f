"""ABCD on the result page: shown beside the probabilities, with an outline, or with the reason why not."""

import re
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from diagnosis.images.models import Prediction
from diagnosis.measures.measure_words import doubt_in_words, outline_in_pixels, present_measures
from diagnosis.measures.models import Measurement, PictureScale
from diagnosis.measures.services import measures_of
from mlmodel.segmentation.dermoscopic_colours import COLOURS
from mlmodel.segmentation.segmenter import OutlineProblem, get_segmenter
from tests import factories
from tests.diagnosis.photographing import MEASURED, blurred, kept, measured_as, sample
from tests.hooks import wording
from tests.page_forms import token_of


@pytest.fixture
def visit(patient, staff):
    return factories.VisitFactory.create(patient=patient, clinician=staff)


@pytest.fixture
def lesion(patient):
    return factories.LesionFactory.create(patient=patient)


@pytest.fixture
def image(visit, lesion, staff, photograph):
    return kept(visit, lesion, staff, photograph)


def text_of(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())).replace("\xa0", " ")


def test_a_photograph_is_measured_as_it_is_judged_or_else_by_the_first_view(image, staff, sign_in):
    judged = Measurement.objects.get()
    Measurement.objects.all().delete()  # as of one that was judged before there was a segmenter
    client = sign_in(staff)

    first, again = client.get(image.get_absolute_url()), client.get(image.get_absolute_url())

    row = Measurement.objects.get()
    assert (row.segmenter_sha256, row.values) == (get_segmenter().sha256, judged.values)
    assert "ABCD, measured" in text_of(first)
    assert text_of(first).count("how it is measured") in (0, 4)
    assert wording("The network does not use these numbers") in text_of(again)


def test_measuring_leaves_the_answer_alone(image, staff, sign_in):
    before = Prediction.objects.values().get()

    sign_in(staff).get(image.get_absolute_url())

    assert Prediction.objects.values().get() == before


def test_four_rows_with_value_words_definition_and_source(image, staff, sign_in):
    measured_as(image)

    answer = sign_in(staff).get(image.get_absolute_url())

    text, page = text_of(answer), answer.content.decode()
    assert "Asymmetry 12 %" in text
    assert "Border 1.27" in text
    assert "It fills 94 % of its convex hull." in text
    assert "Colours 2 of 6 light brown 61 % dark brown 25 %" in text
    assert "45 % of the picture’s width" in text, "the square's side is not the picture's width"
    assert "to get the diameter in millimetres" in text
    assert "Nachbar et al., J Am Acad Dermatol 30:551 (1994)" in text
    assert "total dermoscopy score" not in text.lower()
    assert page.count("<details") >= 4
    assert "style=" not in page


def test_the_outline_lies_over_the_whole_photograph(image, staff, sign_in):
    """600×450: the square begins 75 pixels from the left."""
    measured_as(image)

    page = sign_in(staff).get(image.get_absolute_url()).content.decode()

    assert 'viewBox="0 0 600 450"' in page
    assert 'points="165.0,90.0 435.0,90.0 435.0,360.0 165.0,360.0"' in page
    assert "data-outline-toggle" in page
    assert 'aria-pressed="false"' in page
    assert outline_in_pixels(MEASURED, width=450, height=600)[0] == (90.0, 165.0)


@pytest.mark.parametrize("doubt", OutlineProblem)
def test_a_doubtful_outline_is_not_shown_and_the_page_says_why(image, staff, sign_in, doubt):
    nothing = dict.fromkeys(("asymmetry", "border", "colours", "hair", "diameter"))
    measured_as(image, doubt=str(doubt), **nothing)

    answer = sign_in(staff).get(image.get_absolute_url())

    assert doubt_in_words(doubt) in text_of(answer)
    assert wording("neither good nor bad") in text_of(answer)
    assert "data-outline" not in answer.content.decode().replace("outline.js", "")
    assert "how it is measured" not in text_of(answer)


def test_a_cut_lesion_says_so_and_has_colours_only(image, staff, sign_in):
    measured_as(image, is_cut=True, asymmetry=None, border=None)

    text = text_of(sign_in(staff).get(image.get_absolute_url()))

    assert wording("extends beyond the square") in text
    assert text.count("Only part of the lesion is in the picture.") == 2
    assert "at least 45 %" in text
    assert "Colours 2 of 6" in text


def test_a_lesion_without_any_of_the_six_colours(image):
    view = present_measures(
        {**MEASURED, "colours": {str(colour): 0.01 for colour in COLOURS}}, width=600, height=450, scale=None
    )

    assert view.rows[2].value == "0 of 6"
    assert wording("hardly differs from the skin") in view.rows[2].words


def test_a_refused_photograph_is_not_measured(visit, lesion, staff, photograph, sign_in):
    refused = kept(visit, lesion, staff, blurred(photograph))

    assert "ABCD, measured" not in text_of(sign_in(staff).get(refused.get_absolute_url()))
    assert not Measurement.objects.exists()


def test_an_original_that_is_gone_leaves_the_result_standing(image, staff, sign_in, caplog):
    Measurement.objects.all().delete()
    image.original.storage.delete(image.original.name)

    answer = sign_in(staff).get(image.get_absolute_url())

    assert answer.status_code == 200
    assert "What it could be" in text_of(answer)
    assert "ABCD, measured" not in text_of(answer)
    assert "was not measured" in caplog.text


def test_another_segmenters_measures_stay_beside_the_new_ones(image, staff, sign_in):
    Measurement.objects.create(image=image, segmenter_sha256="0" * 64, values=MEASURED)

    found = measures_of(image=image)

    assert found.segmenter_sha256 == get_segmenter().sha256
    assert found.values != MEASURED
    assert Measurement.objects.filter(image=image).count() == 2


# The scale


def test_stating_the_width_gives_millimetres(image, staff, sign_in):
    measured_as(image)
    client = sign_in(staff)

    answer = client.post(reverse("image-scale", args=[image.pk]), {"width_mm": "14.5"}, follow=True)

    # 0.6 of the square's side, which is 450 of 600 pixels, which are 14.5 mm.
    assert "Diameter 6.5 mm" in text_of(answer)
    assert "whole picture: 14.5 mm" in text_of(answer)
    row = PictureScale.objects.get()
    assert (row.member, row.width_mm) == (staff, Decimal("14.5"))


def test_a_correction_is_another_row_and_the_newest_counts(image, staff, sign_in):
    measured_as(image)
    client = sign_in(staff)
    for width in ("14.5", "29"):
        typed = {"width_mm": width, **token_of(client, image.get_absolute_url())}
        answer = client.post(reverse("image-scale", args=[image.pk]), typed, follow=True)

    assert "Diameter 13.1 mm" in text_of(answer) or "Diameter 13.0 mm" in text_of(answer)
    assert PictureScale.objects.count() == 2


@pytest.mark.parametrize("width", ["", "0", "-3", "501", "NaN", "wide", "1e9", "12.345", "1\x00"])
def test_an_impossible_width_is_refused_with_what_to_do(image, staff, sign_in, width):
    answer = sign_in(staff).post(reverse("image-scale", args=[image.pk]), {"width_mm": width}, follow=True)

    assert answer.status_code == 200
    assert 'role="status"' in answer.content.decode() or "messages" in answer.content.decode()
    assert not PictureScale.objects.exists()


def test_no_other_clinic_states_a_width(image, stranger, patient_user, sign_in):
    address = reverse("image-scale", args=[image.pk])

    assert sign_in(stranger).post(address, {"width_mm": "10"}).status_code == 404
    assert sign_in(patient_user).post(address, {"width_mm": "10"}).status_code == 403
    assert not PictureScale.objects.exists()


# The database itself


def test_one_measurement_for_an_image_and_a_segmenter(image):
    measured_as(image)

    with pytest.raises(IntegrityError, match=r"measurement|UNIQUE"), transaction.atomic():
        Measurement.objects.create(image=image, segmenter_sha256=get_segmenter().sha256, values=MEASURED)


@pytest.mark.parametrize("sha256", ["", "x" * 64, "A" * 64])
def test_a_segmenter_is_known_by_a_hash(image, sha256):
    with pytest.raises(IntegrityError, match="segmenter_sha256_is_a_hash"), transaction.atomic():
        Measurement.objects.create(image=image, segmenter_sha256=sha256, values=MEASURED)


@pytest.mark.parametrize("width", ["0.5", "500.5"])
def test_a_width_is_plausible(image, staff, width):
    with pytest.raises(IntegrityError, match="picture_width_is_plausible"), transaction.atomic():
        PictureScale.objects.create(image=image, member=staff, width_mm=Decimal(width))


def test_the_api_says_what_was_measured(visit, lesion, staff, sign_in):
    from tests.api.helpers import PREDICT, upload

    client = sign_in(staff)
    kept_answer = client.post(PREDICT, {"file": upload(sample(3)), "lesion": str(lesion.pk), "visit": str(visit.pk)})
    quick_answer = client.post(PREDICT, {"file": upload(sample(3))})

    found, quick = kept_answer.json()["measurements"], quick_answer.json()["measurements"]
    assert found == quick
    assert found["segmenter"] == get_segmenter().sha256
    assert set(found) == {
        "doubt", "is_cut", "outline", "asymmetry", "border", "colours", "diameter", "segmenter", "note",
    }  # fmt: skip
    assert found["doubt"] is None
    assert found["diameter"]["mm"] is None
    assert set(found["colours"]["present"]) <= set(found["colours"]["shares"])
    assert all(0 <= x <= 600 and 0 <= y <= 450 for x, y in found["outline"])
