import io
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from dermascan.samples import samples
from diagnosis.images.models import Tier
from mlmodel.pictures.picture_errors import MAX_BYTES
from mlmodel.taxonomy import MALIGNANT_CODES
from tests.dermascan.pages import assert_in_our_frame
from tests.hooks import codes, wording

pytestmark = pytest.mark.django_db


def upload(data: bytes, name: str = "spot.jpg") -> dict[str, SimpleUploadedFile]:
    return {"file": SimpleUploadedFile(name, data, content_type="image/jpeg")}


def encoded(image: Image.Image, kind: str = "JPEG") -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def everything_stored() -> tuple[dict[str, int], set[Path]]:
    rows = {model._meta.label: model._default_manager.count() for model in apps.get_models()}
    return rows, set(Path(settings.MEDIA_ROOT).rglob("*"))


def test_a_photograph_gets_a_complete_result(client, photograph):
    response = client.post("/quick-check/", upload(photograph))
    assert response.status_code == 200
    page = assert_in_our_frame(response)
    view = response.context["view"]
    assert view.tier in {"urgent", "watch", "calm"}
    assert view.title in page
    assert sum(bar.probability for bar in view.bars) == pytest.approx(1, abs=1e-3)
    assert page.count('class="bar-value"') == 7
    assert page.count('src="data:image/') == 2
    assert wording("not a diagnosis") in page
    assert response.context["model_version"] in page


def test_a_sample_gets_the_result_of_its_own_photograph(client):
    sample = next(sample for sample in samples().values() if sample.code == "mel")
    by_name = client.post("/quick-check/", {"sample": sample.name})
    by_file = client.post("/quick-check/", upload(sample.read()))
    assert by_name.status_code == 200
    assert by_name.context["view"].bars == by_file.context["view"].bars
    assert "confirmed as: Melanoma" in by_name.content.decode()


@pytest.mark.parametrize("tier", Tier.values)
def test_the_explanation_is_never_less_urgent_than_the_tier(client, every_result_is, tier):
    every_result_is(tier)
    response = client.post("/quick-check/", {"sample": "ISIC_0024320"})
    page = response.content.decode()
    view = response.context["view"]
    assert (view.code, view.tier) == ("nv", tier)
    assert (view.explained_code in MALIGNANT_CODES) == (tier != Tier.CALM)
    assert response.context["explained"].code == view.explained_code
    assert (wording("No appointment is needed") in page) == (tier == Tier.CALM)
    # The article and heat map of the most probable class are there too, behind a disclosure and a button.
    assert (wording(f"Your result says: {Tier(tier).label}.") in page) == (tier != Tier.CALM)
    assert re.findall(r'data-other-article="(\w+)"', page) == ([] if tier == Tier.CALM else ["nv"])
    assert re.findall(r'data-heat-map="(\w+)"', page) == list(dict.fromkeys((view.explained_code, "nv")))


def test_nothing_is_stored(client, photograph):
    before = everything_stored()
    assert client.post("/quick-check/", upload(photograph)).status_code == 200
    assert everything_stored() == before


def test_an_unusable_photograph_is_refused_with_reason_and_advice(client):
    response = client.post("/quick-check/", upload(encoded(Image.new("RGB", (600, 600), (3, 3, 3)))))
    assert response.status_code == 422
    page = assert_in_our_frame(response)
    refusal = response.context["refusal"]
    assert refusal.title in page
    assert refusal.tips[0] in page
    assert 'class="bar-value"' not in page


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 400),
        (b"not a picture at all", 415),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", 415),
        (b"\xff\xd8\xff\xe0" + b"\x00" * 200, 422),
    ],
)
def test_a_broken_file_gets_a_clear_error(client, data, status):
    response = client.post("/quick-check/", upload(data))
    assert response.status_code == status
    page = assert_in_our_frame(response)
    assert response.context["form"].errors["file"][0] in page
    assert 'aria-invalid="true"' in page


def test_a_truncated_photograph_gets_a_clear_error(client, photograph):
    response = client.post("/quick-check/", upload(photograph[: len(photograph) // 3]))
    assert response.status_code == 422
    assert response.context["form"].errors["file"]


def test_a_file_that_is_too_large_gets_413(client):
    response = client.post("/quick-check/", upload(b"\xff" * (MAX_BYTES + 1)))
    assert response.status_code == 413
    assert_in_our_frame(response)


def test_a_body_that_is_too_large_is_not_parsed(client):
    response = client.post("/quick-check/", upload(b"\xff" * (MAX_BYTES + 1024 * 1024)))
    assert response.status_code == 413
    page = assert_in_our_frame(response)
    assert "20 MB" in page


@pytest.mark.parametrize("data", [{}, {"sample": "../labels"}, {"sample": "\x00"}, {"sample": "x" * 5000}])
def test_a_missing_photograph_is_an_error(client, data):
    response = client.post("/quick-check/", data)
    assert response.status_code == 400
    assert "error-summary" in assert_in_our_frame(response)


def test_a_form_from_another_site_is_refused(photograph):
    response = Client(enforce_csrf_checks=True).post("/quick-check/", upload(photograph))
    assert response.status_code == 403
    assert "form_out_of_date" in codes(assert_in_our_frame(response))


def test_the_form_from_the_page_is_accepted():
    client = Client(enforce_csrf_checks=True)
    token = client.get("/quick-check/").context["csrf_token"]
    response = client.post("/quick-check/", {"sample": "nothing", "csrfmiddlewaretoken": str(token)})
    assert response.status_code == 400


def test_the_eleventh_check_in_a_minute_waits_and_a_forged_address_does_not_help(client):
    assert settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]["quick_check"] == "10/min"
    for number in range(10):
        assert client.post("/quick-check/", HTTP_X_FORWARDED_FOR=f"10.0.0.{number}").status_code == 400
    response = client.post("/quick-check/", HTTP_X_FORWARDED_FOR="10.9.9.9")
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 120
    assert "throttled" in codes(assert_in_our_frame(response))
    assert client.post("/quick-check/", REMOTE_ADDR="192.0.2.7").status_code == 400
    assert client.get("/quick-check/").status_code == 200
