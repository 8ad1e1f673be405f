"""The page that compares photographs of one lesion: which, for whom, and what it may say."""

import datetime
import io
import uuid
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.urls import reverse
from PIL import Image as PillowImage

from diagnosis.assessment.exclusions import exclude_image
from diagnosis.comparing import alignments
from diagnosis.comparing.alignments import matrix_onto_first
from diagnosis.comparing.services import compare
from diagnosis.images.models import ExclusionReason, Image
from diagnosis.measures.services import state_scale
from mlmodel.alignment.aligning import Alignment
from mlmodel.alignment.changes import Basis, Doubt, Measure, Verdict
from mlmodel.alignment.similarity import Similarity
from patients.models import Role
from tests import factories
from tests.diagnosis.photographing import kept, sample

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
NEVUS, MELANOMA = 5, 2


@pytest.fixture(autouse=True)
def _nothing_is_remembered():
    cache.clear()


@pytest.fixture
def lesion(patient):
    return factories.LesionFactory(patient=patient)


@pytest.fixture
def three(lesion, staff) -> list[Image]:
    """The same nevus in three years, the second turned a little; the third is another lesion's photograph."""
    files = [sample(NEVUS), turned(sample(NEVUS)), sample(MELANOMA)]
    return [
        kept(factories.VisitFactory(patient=lesion.patient, date=datetime.date(year, 3, 1)), lesion, staff, data)
        for year, data in zip((2023, 2024, 2025), files, strict=True)
    ]


def turned(data: bytes) -> bytes:
    """The photograph turned by 8° and taken from a little closer."""
    picture = PillowImage.open(io.BytesIO(data)).convert("RGB").rotate(8, PillowImage.Resampling.BICUBIC)
    width, height = picture.size
    picture = picture.crop((width // 12, height // 12, width - width // 12, height - height // 12))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=92)
    return file.getvalue()


def page_of(client, lesion, **query):
    return client.get(reverse("lesion-compare", args=[lesion.pk]), query)


def test_the_newest_two_are_compared_unless_others_are_chosen(client, staff, lesion, three):
    client.force_login(staff.user)

    assert page_of(client, lesion).context["images"] == three[1:]
    assert page_of(client, lesion, of=three[1].pk).context["images"] == three[:2]
    assert page_of(client, lesion, of=three[0].pk).context["images"] == three[:2]
    chosen = page_of(client, lesion, **{"with": [three[2].pk, three[0].pk, three[1].pk]})
    assert chosen.context["images"] == three
    assert [str(other.pk) in chosen.content.decode() for other in three] == [True] * 3


@pytest.mark.parametrize(
    "keys",
    [
        ["not a key"],
        [str(uuid.uuid4()), str(uuid.uuid4())],
        ["' OR 1=1 --", ""],
    ],
)
def test_a_choice_that_cannot_be_is_named(client, staff, lesion, three, keys):
    client.force_login(staff.user)

    response = page_of(client, lesion, **{"with": keys})

    assert response.status_code == 400
    assert response.context["images"] == []
    assert response.context["problem"]
    assert len(response.context["offered"]) == 3


def test_one_photograph_and_five_are_refused(client, staff, lesion, three):
    client.force_login(staff.user)
    visit = three[2].visit
    more = [kept(visit, lesion, staff, sample(number)) for number in (1, 3)]

    assert page_of(client, lesion, **{"with": [three[0].pk]}).status_code == 400
    assert page_of(client, lesion, **{"with": [each.pk for each in (*three, *more)]}).status_code == 400
    assert page_of(client, lesion, **{"with": [each.pk for each in (*three, more[0])]}).status_code == 200


def test_excluded_photographs_are_not_offered_nor_compared(client, staff, lesion, three):
    client.force_login(staff.user)
    exclude_image(image=three[1], by=staff, reason=ExclusionReason.OTHER_LESION)

    assert page_of(client, lesion).context["offered"] == [three[2], three[0]]
    assert page_of(client, lesion, **{"with": [three[0].pk, three[1].pk]}).status_code == 400
    assert client.get(reverse("lesion-change", args=[lesion.pk, three[0].pk, three[1].pk])).status_code == 404


def test_photographs_of_another_lesion_or_clinic_are_not_compared(client, staff, lesion, three):
    other_lesion = factories.LesionFactory(patient=lesion.patient)
    other = kept(three[0].visit, other_lesion, staff, sample(4))
    stranger = factories.MemberFactory(clinic=factories.ClinicFactory(), role=Role.DERMATOLOGIST)
    client.force_login(staff.user)

    assert page_of(client, lesion, **{"with": [three[0].pk, other.pk]}).status_code == 400
    assert client.get(reverse("lesion-change", args=[lesion.pk, three[0].pk, other.pk])).status_code == 404
    assert client.get(reverse("lesion-change", args=[lesion.pk, three[0].pk, three[0].pk])).status_code == 404
    client.force_login(stranger.user)
    assert page_of(client, lesion).status_code == 404
    assert client.get(reverse("lesion-change", args=[lesion.pk, three[0].pk, three[1].pk])).status_code == 404


def test_a_lesion_with_one_photograph_says_what_to_do(client, staff, lesion):
    client.force_login(staff.user)
    kept(factories.VisitFactory(patient=lesion.patient), lesion, staff, sample(NEVUS))

    response = page_of(client, lesion)

    assert response.status_code == 200
    assert response.context["images"] == []
    compare_url = reverse("lesion-compare", args=[lesion.pk])
    assert compare_url not in client.get(lesion.get_absolute_url()).content.decode()


def test_lesion_and_photograph_link_to_the_comparison(client, staff, lesion, three):
    client.force_login(staff.user)
    compare_url = reverse("lesion-compare", args=[lesion.pk])

    assert compare_url in client.get(lesion.get_absolute_url()).content.decode()
    assert f"{compare_url}?of={three[1].pk}" in client.get(three[1].get_absolute_url()).content.decode()


def test_the_same_lesion_is_aligned_and_remembered(client, staff, lesion, three, monkeypatch):
    first, second, _other = three

    found = compare(first=first, second=second)

    assert found.is_aligned
    assert found.alignment is not None
    assert found.alignment.to_second.degrees == pytest.approx(-8, abs=0.5)
    assert found.alignment.to_second.scale == pytest.approx(1.2, abs=0.02)
    area = next(change for change in found.changes if change.measure is Measure.AREA)
    assert area.verdict in (Verdict.WITHIN, Verdict.UNKNOWN)
    monkeypatch.setattr(alignments, "align", None)  # is not called again
    assert compare(first=first, second=second).alignment == found.alignment


def test_another_lesion_is_not_aligned_and_nothing_is_said_of_its_area(client, staff, lesion, three):
    client.force_login(staff.user)
    first, _second, other = three

    response = client.get(reverse("lesion-change", args=[lesion.pk, first.pk, other.pk]), {"overlay": "1"})

    assert response.context["matrix"] == ""
    assert not response.context["shows_overlay"]
    area = next(row for row in response.context["rows"] if row.code == "area")
    assert not area.is_known
    assert area.figures == ""


def test_stated_widths_give_square_millimetres(client, staff, lesion, three):
    first, second, _other = three
    for image, width in ((first, Decimal("12.0")), (second, Decimal("10.0"))):
        state_scale(image=image, by=staff, width_mm=width)

    found = compare(first=first, second=second)

    area = next(change for change in found.changes if change.measure is Measure.AREA)
    assert area.verdict is Verdict.WITHIN
    assert area.basis is Basis.WIDTHS
    assert area.value == pytest.approx(1.0, abs=0.2)


def test_mixed_kinds_and_versions_are_named(client, staff, lesion, three):
    client.force_login(staff.user)
    Image.objects.filter(pk=three[1].pk).update(measures={**three[1].measures, "smartphone": 1.0})
    prediction = three[2].predictions.get()
    prediction.__class__.objects.filter(pk=prediction.pk).update(model_version=factories.ModelVersionFactory())

    mixed = page_of(client, lesion, **{"with": [each.pk for each in three]}).context["differences"]
    change = client.get(reverse("lesion-change", args=[lesion.pk, three[0].pk, three[1].pk]))

    assert len(mixed) == 3, "kinds, how they were taken, versions"
    assert {doubt for each in change.context["comparison"].changes for doubt in each.doubts} == {Doubt.DIFFERENT_KINDS}
    assert not any(row.is_known for row in change.context["rows"])


def test_no_words_say_that_nothing_changed(client, staff, lesion, three):
    client.force_login(staff.user)

    page = client.get(reverse("lesion-change", args=[lesion.pk, three[0].pk, three[1].pk]))

    words = " ".join(row.words for row in page.context["rows"]).lower()
    assert words
    for calm in ("no change", "unchanged", "stable", "same size", "not changed"):
        assert calm not in words


def test_a_missing_file_is_no_fault_of_the_page(client, staff, lesion, three):
    client.force_login(staff.user)
    three[1].display.storage.delete(three[1].display.name)

    response = client.get(reverse("lesion-change", args=[lesion.pk, three[0].pk, three[1].pk]))

    assert response.status_code == 200
    assert response.context["comparison"].alignment is None


def test_htmx_gets_a_fragment_and_a_browser_without_script_a_page(client, staff, lesion, three):
    client.force_login(staff.user)
    url = reverse("lesion-change", args=[lesion.pk, three[0].pk, three[1].pk])

    fragment = client.get(url, {"overlay": "1"}, headers={"HX-Request": "true"})
    page = client.get(url)

    assert b"<html" not in fragment.content
    assert b"data-overlay" in fragment.content
    assert b"<html" in page.content


def test_the_matrix_carries_points_of_the_second_drawing_onto_the_first():
    """Two photographs of different shape: the same place must come to lie on itself."""
    first, second = Image(width=600, height=450), Image(width=300, height=400)
    to_second = Similarity(1.3 * complex(0.96, 0.28), 0.1 - 0.05j)
    a, b, c, d, e, f = matrix_onto_first(Alignment(to_second, 20, 20, 0.0, None), first=first, second=second)

    place = 0.4 + 0.6j  # in sides of the first
    there = to_second.factor * place + to_second.shift
    on_first = (place * 450 + complex(75, 0)) * 1000 / 600
    on_second = (there * 300 + complex(0, 50)) * 1000 / 300
    x, y = on_second.real, on_second.imag
    assert complex(a * x + c * y + e, b * x + d * y + f) == pytest.approx(on_first, abs=0.01)
