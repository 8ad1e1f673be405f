"""The filter of the lists of visits and lesions: each part alone, together, of the own clinic, and hostile ones."""

import datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from diagnosis.assessment.exclusions import exclude_image
from diagnosis.followup.services import cancel_plan, complete_plan
from diagnosis.images.models import ExclusionReason
from diagnosis.record.search.summaries import calculate_everything_stale
from diagnosis.reviews.models import SeenAnswer
from diagnosis.reviews.services import record_review
from patients.models import Lesion, Member, Patient, Visit, VisitStatus
from tests import factories
from tests.diagnosis.outcomes.records import sent
from tests.hooks import codes

TODAY = timezone.localdate()
LISTS = ["lesions", "visits"]


def photographed(patient: Patient, *tiers: str, site: str = "back", **visit) -> Lesion:
    """A lesion of the patient, photographed once at one visit for each tier; without a tier it was not judged."""
    lesion = factories.LesionFactory(patient=patient, body_site=site)
    shown = factories.VisitFactory(patient=patient, **visit)
    for tier in tiers:
        image = factories.ImageFactory(lesion=lesion, visit=shown)
        if tier:
            factories.PredictionFactory(image=image, tier=tier, code="nv")
    return lesion


def label(lesion: Lesion, by: Member, answer: str, **values) -> None:
    for image in lesion.images.all():
        record_review(image=image, reviewer=by, answer=answer, certainty="certain", **values)


def found(client, listing: str, **query: str) -> list[Lesion]:
    """The lesions that a list shows: those photographed at its visits, in the list of visits."""
    page = client.get(reverse(listing), query).context["page"]
    if listing == "lesions":
        return sorted(page, key=lambda lesion: (lesion.patient_id, lesion.number))
    return sorted(
        Lesion.objects.filter(images__visit__in=[visit.pk for visit in page]).distinct(),
        key=lambda lesion: (lesion.patient_id, lesion.number),
    )


@pytest.fixture
def client(sign_in, staff):
    return sign_in(staff)


@pytest.fixture
def elsewhere(other_clinic) -> Lesion:
    """A lesion of another clinic that fulfils whatever the tests ask for."""
    stranger = factories.PatientFactory(clinic=other_clinic, family_name="Almond", record_number="R-1")
    lesion = photographed(stranger, "urgent", site="nail")
    sent(lesion, factories.MemberFactory(clinic=other_clinic), age=60)
    return lesion


@pytest.mark.parametrize("listing", LISTS)
def test_the_tier_is_the_most_urgent_that_is_shown(client, patient, elsewhere, listing):
    lesions = {
        "urgent": photographed(patient, "calm", "urgent"),
        "watch": photographed(patient, "watch", "calm", ""),
        "not-judged": photographed(patient, "calm", ""),
        "calm": photographed(patient, "calm", "calm"),
    }
    bare = factories.LesionFactory(patient=patient)
    for tier, lesion in lesions.items():
        assert found(client, listing, tier=tier) == [lesion], tier
    everything = found(client, listing)
    assert (bare in everything) is (listing == "lesions")
    assert elsewhere not in everything


@pytest.mark.parametrize("listing", LISTS)
def test_the_plans_whose_date_has_passed(client, patient, elsewhere, listing):
    late, due, ended = (photographed(patient, "calm") for _number in range(3))
    yesterday = TODAY - datetime.timedelta(days=1)
    for lesion, day in ((late, yesterday), (due, TODAY), (ended, yesterday)):
        plan = factories.LesionPlanFactory(lesion=lesion, due_on=day, step="biopsy")
    complete_plan(plan=plan, by=plan.stated_by)
    assert elsewhere.plans.get().is_overdue
    assert found(client, listing, plan="overdue") == [late]


@pytest.mark.parametrize("listing", LISTS)
def test_a_phones_photograph_is_not_calm(client, patient, listing):
    lesion = photographed(patient, "calm")
    lesion.images.update(measures={"smartphone": 1.0})
    assert found(client, listing, tier="calm") == []
    assert found(client, listing, tier="watch") == [lesion]


@pytest.mark.parametrize("listing", LISTS)
def test_an_excluded_photograph_counts_for_nothing(client, patient, dermatologist, listing):
    lesion = photographed(patient, "urgent", "calm")
    urgent = lesion.images.get(predictions__tier="urgent")
    exclude_image(image=urgent, by=dermatologist, reason=ExclusionReason.UNFIT, note="Out of focus.")
    assert found(client, listing, tier="urgent") == []
    assert found(client, listing, tier="calm") == [lesion]


@pytest.mark.parametrize("listing", LISTS)
def test_labels(client, patient, dermatologist, elsewhere, listing):
    melanoma, nevus, mixed, bare = (photographed(patient, "calm") for _number in range(4))
    label(melanoma, dermatologist, "mel")
    label(nevus, dermatologist, "nv")
    factories.ImageFactory(lesion=mixed, visit=mixed.images.get().visit)
    first, second = mixed.images.order_by("created_at")
    for image, answer in ((first, "mel"), (second, "nv")):
        record_review(image=image, reviewer=dermatologist, answer=answer, certainty="certain")
    assert found(client, listing, label="malignant") == [melanoma, mixed]
    assert found(client, listing, label="mel") == [melanoma, mixed]
    assert found(client, listing, label="nv") == [nevus, mixed]
    assert found(client, listing, label="benign") == [nevus]
    assert found(client, listing, label="disputed") == [mixed]
    assert found(client, listing, label="none") == [bare]


@pytest.mark.parametrize("listing", LISTS)
def test_words_find_patients_as_their_own_list_does(client, clinic, elsewhere, listing):
    patient = factories.PatientFactory(
        clinic=clinic, given_name="Jürgen", family_name="Almond", record_number="R-1", birth_date="1961-03-14"
    )
    lesion = photographed(patient, "calm")
    photographed(factories.PatientFactory(clinic=clinic, family_name="Other", birth_date="1970-01-01"), "calm")
    for words in ("almond", "juergen almond", "R-1", "14/03/1961"):
        assert found(client, listing, q=words) == [lesion], words
    assert found(client, listing, q="nobody") == []


@pytest.mark.parametrize("listing", LISTS)
def test_site_date_state_and_reader(client, patient, dermatologist, clinic, elsewhere, listing):
    old = photographed(patient, "calm", site="nail", date=datetime.date(2024, 2, 29), status=VisitStatus.SIGNED)
    new = photographed(patient, "calm", date=datetime.date(2025, 5, 5))
    label(old, dermatologist, "nv")
    colleague = factories.MemberFactory(clinic=clinic, role="dermatologist")
    assert found(client, listing, site="nail") == [old]
    assert found(client, listing, since="2024-02-29", until="2024-02-29") == [old]
    assert found(client, listing, since="2024-03-01") == [new]
    assert found(client, listing, until="2025-05-04") == [old]
    assert found(client, listing, status="signed") == [old]
    assert found(client, listing, reader=str(dermatologist.pk)) == [old]
    assert found(client, listing, reader=str(colleague.pk)) == []


def test_void_visits_are_shown_only_if_asked_for(client, patient):
    void = factories.VisitFactory(patient=patient, status=VisitStatus.VOID)
    visit = factories.VisitFactory(patient=patient)
    assert list(client.get(reverse("visits")).context["page"]) == [visit]
    assert list(client.get(reverse("visits"), {"status": "void"}).context["page"]) == [void]


@pytest.mark.parametrize("listing", LISTS)
def test_no_result_after_30_days(client, patient, staff, elsewhere, listing):
    late, early = photographed(patient, "calm"), photographed(patient, "calm")
    sent(late, staff, age=31)
    sent(early, staff, age=30)
    assert found(client, listing, result="late") == [late]


@pytest.mark.parametrize("listing", LISTS)
def test_no_plan_lists_what_needs_one_and_has_none(client, patient, dermatologist, elsewhere, listing):
    calm, urgent, watch, seen, planned = (
        photographed(patient, tier) for tier in ("calm", "urgent", "watch", "watch", "urgent")
    )
    label(seen, dermatologist, "nv")
    plan = factories.LesionPlanFactory(lesion=planned)
    assert found(client, listing, plan="none") == [urgent, watch]
    plan.ended_at, plan.ended_by, plan.ending = timezone.now(), dermatologist, "done"
    plan.save()
    assert found(client, listing, plan="none") == [urgent, watch, planned]
    factories.LesionSymptomsFactory(lesion=calm, visit=calm.images.get().visit, bleeding="yes")
    assert calm in found(client, listing, plan="none")


@pytest.mark.parametrize("listing", LISTS)
def test_filters_combine(client, patient, dermatologist, staff, elsewhere, listing):
    wanted, _unlabelled, elsewhere_on_the_body = (
        photographed(patient, "urgent", site=site, date=datetime.date(2025, 5, 5)) for site in ("nail", "nail", "back")
    )
    for lesion in (wanted, elsewhere_on_the_body):
        label(lesion, dermatologist, "mel")
    sent(wanted, staff, age=40)
    cancel_plan(plan=wanted.plans.standing().get(), by=dermatologist, reason="The result was asked for by telephone.")
    query = {
        "q": patient.family_name,
        "tier": "urgent",
        "label": "mel",
        "site": "nail",
        "since": "2025-05-05",
        "until": "2025-05-05",
        "status": "open",
        "reader": str(dermatologist.pk),
        "plan": "none",
        "result": "late",
    }
    assert found(client, listing, **query) == [wanted]
    assert len(client.get(reverse(listing), query).context["chips"]) == 10
    assert found(client, listing, **query | {"site": "back"}) == []


@pytest.mark.parametrize("listing", LISTS)
def test_a_chip_takes_one_filter_off(client, patient, listing):
    photographed(patient, "calm", site="nail")
    chips = client.get(reverse(listing), {"tier": "urgent", "site": "nail"}).context["chips"]
    assert [(chip.value, chip.without) for chip in chips] == [("Urgent", "site=nail"), ("Nail", "tier=urgent")]
    response = client.get(reverse(listing), {"tier": "urgent"})
    assert f'href="{reverse(listing)}"' in response.text
    assert {"no_visits_found", "no_lesions_found"} & {*codes(response)}


HOSTILE = [
    {"tier": "' OR 1=1 --"}, {"tier": "\0"}, {"label": "cannot_tell"}, {"label": "<script>"}, {"site": "moon"},
    {"since": "yesterday"}, {"since": "0001-01-01"}, {"until": "9999-12-31"}, {"until": "\0"},
    {"since": "2025-02-01", "until": "2025-01-01"}, {"status": "deleted"}, {"reader": "1"}, {"reader": "\0"},
    {"plan": "all"}, {"result": "x"}, {"q": "x" * 101}, {"q": "\0"},
]  # fmt: skip


@pytest.mark.parametrize("address", [*LISTS, "lesions-csv", "visits-csv"])
@pytest.mark.parametrize("query", HOSTILE, ids=repr)
def test_what_no_list_offers_is_refused_in_words(client, patient, address, query):
    photographed(patient, "urgent")
    response = client.get(reverse(address), query)
    assert response.status_code == 400
    assert list(response.context["page"]) == []
    assert any(name in response.context["form"].errors for name in query)
    assert "error-summary" in response.text


@pytest.mark.parametrize("address", LISTS)
def test_a_reader_of_another_clinic_does_not_exist(client, stranger, address):
    assert client.get(reverse(address), {"reader": str(stranger.pk)}).status_code == 400


def test_lesions_come_by_their_newest_photograph(client, patient, monkeypatch):
    first, second, bare = (factories.LesionFactory(patient=patient) for _number in range(3))
    visit = factories.VisitFactory(patient=patient)
    for lesion in (first, second, first):
        factories.ImageFactory(lesion=lesion, visit=visit)
    assert [row.lesion for row in client.get(reverse("lesions")).context["rows"]] == [first, second, bare]
    narrow = {"q": patient.family_name}
    assert [row.lesion for row in client.get(reverse("lesions"), narrow).context["rows"]] == [first, second, bare]
    # The same order where too many are found to sort them.
    monkeypatch.setattr("diagnosis.record.search.found.SORTED_AT_MOST", 1)
    monkeypatch.setattr("diagnosis.record.search.conditions.FEW", 0)
    assert [row.lesion for row in client.get(reverse("lesions"), narrow).context["rows"]] == [first, second, bare]


@pytest.mark.parametrize("listing", LISTS)
def test_many_are_found_as_few_are(client, patient, dermatologist, listing, monkeypatch):
    urgent, calm = photographed(patient, "urgent"), photographed(patient, "calm")
    label(calm, dermatologist, "nv")
    monkeypatch.setattr("diagnosis.record.search.found.SORTED_AT_MOST", 0)
    monkeypatch.setattr("diagnosis.record.search.conditions.FEW", 0)
    assert found(client, listing, q=patient.family_name, tier="urgent") == [urgent]
    assert found(client, listing, label="nv", reader=str(dermatologist.pk)) == [calm]


def test_pages_and_their_queries(client, clinic, django_assert_max_num_queries):
    for _number in range(27):
        photographed(factories.PatientFactory(clinic=clinic), "calm")
    calculate_everything_stale()
    with django_assert_max_num_queries(29):
        page = client.get(reverse("lesions"), {"tier": "calm"})
    assert len(page.context["rows"]) == 25
    assert len(client.get(reverse("lesions"), {"tier": "calm", "page": "2"}).context["rows"]) == 2
    assert "tier=calm&amp;page=2" in page.text


def test_privacy_mode_hides_who_it_is(client, patient):
    photographed(patient, "calm")
    client.post(reverse("privacy-mode"), {"on": "1"})
    for listing in LISTS:
        assert patient.family_name not in client.get(reverse(listing)).text


def test_the_answers_that_a_dermatologist_sees_are_recorded(sign_in, client, dermatologist, patient):
    lesion = photographed(patient, "calm")
    client.get(reverse("lesions"))
    assert not SeenAnswer.objects.exists()
    sign_in(dermatologist).get(reverse("lesions"))
    assert SeenAnswer.objects.get().image == lesion.images.get()
    assert Visit.objects.count() == 1
