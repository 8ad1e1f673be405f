"""The picture with all of the original's pixels: made once, without metadata, for whoever may see the photograph."""

import io

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from PIL import Image as PillowImage

from diagnosis.images.models import FullPicture
from tests import factories
from tests.diagnosis.photographing import kept, sample, with_gps

pytestmark = pytest.mark.slow


@pytest.fixture
def large(patient, staff):
    """A photograph of 1800 × 2400 upright pixels, turned on its side, that says where it was taken."""
    picture = io.BytesIO()
    PillowImage.open(io.BytesIO(sample(7))).resize((2400, 1800)).save(picture, "JPEG")
    visit = factories.VisitFactory(patient=patient)
    return kept(visit, factories.LesionFactory(patient=patient), staff, with_gps(picture.getvalue()))


def full(image) -> str:
    return reverse("image-file", args=[image.pk, "full"])


def test_it_has_every_pixel_upright_and_no_metadata(large, staff, sign_in):
    assert not FullPicture.objects.exists()
    body = sign_in(staff).get(full(large)).getvalue()
    picture = PillowImage.open(io.BytesIO(body))
    assert picture.size == (large.width, large.height) == (1800, 2400)
    assert not picture.getexif()
    assert b"SecretCamera" not in body


def test_it_is_made_once(large, staff, sign_in):
    first = sign_in(staff).get(full(large))
    large.original.storage.delete(large.original.name)
    again = sign_in(staff).get(full(large))
    assert first.getvalue() == again.getvalue()
    assert FullPicture.objects.get().image == large


def test_where_the_display_has_every_pixel_it_is_the_same(patient, staff, sign_in, photograph):
    image = kept(factories.VisitFactory(patient=patient), factories.LesionFactory(patient=patient), staff, photograph)
    display = sign_in(staff).get(reverse("image-file", args=[image.pk, "display"]))
    assert sign_in(staff).get(full(image)).getvalue() == display.getvalue()
    assert not FullPicture.objects.exists()


def test_it_is_closed_to_others(large, stranger, patient_user, sign_in, client):
    assert sign_in(stranger).get(full(large)).status_code == 404
    assert sign_in(patient_user).get(full(large)).status_code == 404, "not released"
    assert client.get(full(large)).status_code == 302
    assert not FullPicture.objects.exists()


def test_without_its_original_it_is_not_found(large, staff, sign_in):
    large.original.storage.delete(large.original.name)
    assert sign_in(staff).get(full(large)).status_code == 404


def test_the_database_keeps_one_with_a_file(large, staff, sign_in):
    sign_in(staff).get(full(large)).getvalue()
    with pytest.raises(IntegrityError), transaction.atomic():
        FullPicture.objects.create(image=large, file="images/aa/x.jpg")
    with pytest.raises(IntegrityError, match="full_picture_has_a_file"), transaction.atomic():
        FullPicture.objects.update(file="")
