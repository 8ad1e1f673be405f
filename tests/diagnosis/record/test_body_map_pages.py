"""The pages of the body map: list, drawings, setting a pin, and the map in the form of a lesion."""

import datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from diagnosis.assessment.chips import chip_of_label
from diagnosis.record.lesion_pins import PinState, state_of
from diagnosis.record.views.body_map import on_map
from diagnosis.reviews.services import record_review
from patients.body_map.child import shown_at
from patients.models import BodySite, Lesion, LesionPlacement, MapView, Side
from patients.services import place_lesion
from tests.diagnosis.outcomes.records import confirmed, sent
from tests.factories import ImageFactory, LesionFactory, PatientFactory, PredictionFactory


@pytest.fixture
def lesion(patient):
    return LesionFactory(patient=patient, number=1, body_site=BodySite.BACK, side=Side.LEFT)


def states(patient) -> dict[int, str]:
    return {each.lesion.number: each.state for each in on_map(patient, shown_to=None)}


def place_url(lesion) -> str:
    return reverse("lesion-place", args=[lesion.pk])


def test_the_list_stands_before_the_drawings_and_names_every_site(sign_in, staff, patient, lesion):
    html = sign_in(staff).get(reverse("body-map", args=[patient.pk])).content.decode()

    assert html.index('id="map-list"') < html.index('<svg class="body-drawing"')
    for site in BodySite:
        assert f"?body_site={site.value}" in html
    assert html.count('class="body-frame"') == 4
    assert place_url(lesion) in html


def test_a_pins_state_is_the_most_serious_of_the_lesion(patient, dermatologist):
    bare, calm, urgent, benign, cancer, refused = (
        LesionFactory(patient=patient, number=number, body_site=BodySite.BACK) for number in range(1, 7)
    )
    PredictionFactory(image__lesion=calm, tier="calm")
    PredictionFactory(image__lesion=urgent, tier="urgent", code="mel", share=0.9)
    ImageFactory(lesion=refused, verdict="blurred")
    for lesion, answer in ((benign, "nv"), (cancer, "mel")):
        image = PredictionFactory(image__lesion=lesion, tier="calm").image
        record_review(image=image, reviewer=dermatologist, answer=answer, certainty="certain", basis="histopathology")

    assert states(patient) == {
        bare.number: PinState.BARE,
        calm.number: PinState.CALM,
        urgent.number: PinState.URGENT,
        benign.number: PinState.BENIGN,
        cancer.number: PinState.MALIGNANT,
        refused.number: PinState.REFUSED,
    }


def test_a_malignant_label_on_an_older_photograph_still_shows(patient, dermatologist, lesion):
    old = PredictionFactory(image__lesion=lesion, image__visit__date=datetime.date(2024, 5, 1), tier="calm").image
    record_review(image=old, reviewer=dermatologist, answer="mel", certainty="certain", basis="histopathology")
    PredictionFactory(image__lesion=lesion, tier="calm")

    assert states(patient) == {1: PinState.MALIGNANT}


def test_what_was_cut_out_shows_so_unless_something_dangerous_is_open():
    benign, cancer = (chip_of_label(answer) for answer in ("nv", "mel"))

    assert state_of([benign], is_excised=True) is PinState.EXCISED
    assert state_of([cancer], is_excised=True) is PinState.URGENT
    assert state_of([benign], is_malignant=True, is_excised=True) is PinState.MALIGNANT


def test_what_was_sent_waits_and_what_was_excised_is_cut_out(sign_in, staff, dermatologist, patient):
    awaited, urgent, cut_out, cancer = (
        LesionFactory(patient=patient, number=number, body_site=BodySite.BACK) for number in range(1, 5)
    )
    for each in (awaited, cut_out, cancer):
        PredictionFactory(image__lesion=each, tier="calm")
    PredictionFactory(image__lesion=urgent, tier="urgent", code="mel", share=0.9)
    sent(awaited, staff)
    sent(urgent, staff)
    confirmed(sent(cut_out, staff, kind="excision"), dermatologist, "nv")
    confirmed(sent(cancer, staff, age=4000, kind="excision"), dermatologist, "mel")

    for name in ("body-map", "patient"):
        page = sign_in(staff).get(reverse(name, args=[patient.pk]))
        assert {state.value: count for state, count in page.context["states"] if count} == {
            "awaited": 1,
            "urgent": 1,
            "excised": 1,
            "malignant": 1,
        }
        assert "pin-awaited" in page.text


def test_a_pin_is_set_by_numbers(sign_in, staff, lesion):
    client = sign_in(staff)
    response = client.post(place_url(lesion), {"view": "back", "x": "450", "y": "300", "drawing": "adult"})

    assert response.status_code == 302
    row = LesionPlacement.objects.get()
    assert (row.view, row.x, row.y, row.member, row.side) == ("back", 450, 300, staff, "left")
    behind = client.get(reverse("body-map", args=[lesion.patient_id])).context["views"][1]
    assert [(pin.x, pin.y, pin.mark.is_placed) for pin in behind.pins] == [(450, 300, True)]


def test_a_childs_pin_is_kept_in_the_adults_drawing(sign_in, staff, clinic):
    born = timezone.localdate() - datetime.timedelta(days=6 * 365)
    lesion = LesionFactory(
        patient=PatientFactory(clinic=clinic, birth_date=born), body_site=BodySite.KNEE, side=Side.LEFT
    )
    x, y = (round(value) for value in shown_at(MapView.FRONT, (555, 745), is_child=True))
    assert y > 760

    client = sign_in(staff)
    assert 'value="child"' in client.get(place_url(lesion)).content.decode()
    client.post(place_url(lesion), {"view": "front", "x": x, "y": y, "drawing": "child"})

    row = LesionPlacement.objects.get()
    assert abs(row.x - 555) <= 1
    assert abs(row.y - 745) <= 1


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"view": "above", "x": "1", "y": "1"},
        {"view": "back", "x": "-1", "y": "300"},
        {"view": "back", "x": "1001", "y": "300"},
        {"view": "back", "x": "4e2", "y": "300"},
        {"view": "back", "x": "9" * 400, "y": "300"},
        {"view": "back", "x": "5", "y": "5"},  # beside the body
        {"view": "back", "x": "560", "y": "300"},  # the right of the back
        {"view": "back", "x": "450", "y": "300", "drawing": "giant"},
    ],
)
def test_hostile_places_are_refused_with_a_message(sign_in, staff, lesion, data):
    response = sign_in(staff).post(place_url(lesion), {"made_from": "", **data})

    assert response.status_code == 200
    assert response.context["form"].errors
    assert not LesionPlacement.objects.exists()


def test_a_stale_form_does_not_move_a_colleagues_pin(sign_in, staff, dermatologist, lesion):
    place_lesion(lesion=lesion, by=staff, view=MapView.BACK, x=440, y=300)
    client = sign_in(staff)
    form = client.get(place_url(lesion)).context["form"]
    place_lesion(lesion=lesion, by=dermatologist, view=MapView.BACK, x=450, y=320)

    data = {"view": "back", "x": "430", "y": "280", "made_from": form.made_from}
    response = client.post(place_url(lesion), data)

    assert response.status_code == 409
    assert LesionPlacement.objects.count() == 2


def test_a_point_of_the_form_becomes_the_new_lesions_place(sign_in, staff, patient):
    url = reverse("lesion-new", args=[patient.pk])
    data = {"body_site": "back", "side": "left", "map-view": "back", "map-x": "450", "map-y": "300"}
    wrong = sign_in(staff).post(url, {**data, "side": "right"})
    assert wrong.status_code == 200
    assert not Lesion.objects.exists()

    assert sign_in(staff).post(url, data).status_code == 302
    assert Lesion.objects.get().placements.get().x == 450


def test_a_lesion_needs_no_point(sign_in, staff, patient):
    data = {"body_site": "back", "side": "left", "map-view": "", "map-x": "", "map-y": ""}

    assert sign_in(staff).post(reverse("lesion-new", args=[patient.pk]), data).status_code == 302
    assert not LesionPlacement.objects.exists()


def test_the_lists_link_fills_in_the_site(sign_in, staff, patient):
    response = sign_in(staff).get(reverse("lesion-new", args=[patient.pk]) + "?body_site=elbow&side=left")
    assert response.context["form"]["body_site"].value() == "elbow"

    nonsense = sign_in(staff).get(reverse("lesion-new", args=[patient.pk]) + "?body_site=tail&side=up")
    assert nonsense.context["form"]["body_site"].value() == ""


@pytest.mark.parametrize(
    "query", ["?sheet=head", "?sheet=nowhere", "?view=palms&region=left-palm", "?view=x&region=y"]
)
def test_every_drawing_opens(sign_in, staff, patient, lesion, query):
    response = sign_in(staff).get(reverse("body-map", args=[patient.pk]) + query)

    assert response.status_code == 200
    assert len(response.context["views"]) == (1 if "palms" in query else 4)


def test_the_patients_page_shows_the_map_in_small_once_there_are_lesions(sign_in, staff, patient):
    client = sign_in(staff)
    url = reverse("patient", args=[patient.pk])
    assert client.get(url).context["map_views"] == []

    LesionFactory(patient=patient)
    assert len(client.get(url).context["map_views"]) == 2
