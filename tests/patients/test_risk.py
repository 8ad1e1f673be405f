"""What is known of a patient's risk: recorded by adding, shown on every page, and never a reason to be calmer."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from diagnosis.assessment.photographs import photograph_of
from diagnosis.reports.content import build_content, canonical_json
from diagnosis.reviews.services import record_review
from patients.edits import edit_token
from patients.models import RiskFact, RiskKind
from patients.risk_words import risk_banner
from patients.services import RiskStatement, record_risk, risk_facts_of
from patients.services.risk import risk_values
from patients.services.same_clinic import AnotherClinic
from tests import factories
from tests.hooks import wording

pytestmark = pytest.mark.django_db

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def client(sign_in, staff):
    return sign_in(staff)


@pytest.fixture
def address(patient):
    return reverse("patient-risk", args=[patient.pk])


def answers(patient, **changes) -> dict[str, str]:
    """The form as it is shown now, with changes."""
    values = risk_values(patient, risk_facts_of([patient.pk]).get(patient.pk, {}))
    return {**values, "made_from": edit_token(values), **changes}


class TestRecording:
    def test_what_nobody_asked_is_not_a_no(self, patient):
        banner = risk_banner(patient)
        assert banner.raised == banner.procedures == banner.denied == []
        assert banner.not_asked == [*(str(kind.label) for kind in RiskKind), "Skin type"]

    def test_answers_are_saved_with_who_and_when(self, client, staff, patient, address):
        sent = answers(patient, melanoma="yes", melanoma_detail="2015, back", moles="over_100", skin_type="I")
        assert client.post(address, sent | {"anticoagulants": "no"}).url == patient.get_absolute_url()
        patient.refresh_from_db()
        rows = {(row.kind, row.answer, row.detail, row.recorded_by_id) for row in RiskFact.objects.all()}
        assert rows == {
            ("melanoma", "yes", "2015, back", staff.pk),
            ("moles", "over_100", "", staff.pk),
            ("anticoagulants", "no", "", staff.pk),
        }
        assert (patient.skin_type, patient.changed_by) == ("I", staff.user)
        banner = risk_banner(patient)
        assert [line.words.split(" –")[0] for line in banner.raised] == [
            "Previous melanoma: 2015, back",
            "Over 100 moles",
            "Skin type I",
        ]
        assert [line.words for line in banner.denied] == ["No anticoagulants"]
        assert "Immunosuppression" in banner.not_asked

    def test_a_new_answer_is_added_and_the_newest_counts(self, client, patient, address):
        client.post(address, answers(patient, melanoma="yes"))
        client.post(address, answers(patient, melanoma="not_asked"))
        assert list(RiskFact.objects.order_by("number").values_list("number", "answer")) == [
            (1, "yes"),
            (2, "not_asked"),
        ]
        assert "Previous melanoma" in risk_banner(patient).not_asked

    def test_the_same_answers_again_add_nothing(self, client, patient, address):
        sent = answers(patient, melanoma="yes", allergies="unknown")
        for _ in range(2):
            assert client.post(address, sent).status_code == 302
        assert RiskFact.objects.count() == 2

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"allergies": "yes"}, "allergies_detail"),
            ({"melanoma": "no", "melanoma_detail": "2015"}, "melanoma_detail"),
            ({"melanoma": "over_100"}, "melanoma"),
            ({"moles": "yes"}, "moles"),
            ({"melanoma": ""}, "melanoma"),
            ({"moles": "x\0"}, "moles"),
            ({"melanoma": "yes", "melanoma_detail": "x" * 201}, "melanoma_detail"),
            ({"skin_type": "VII"}, "skin_type"),
        ],
    )
    def test_says_what_to_change(self, client, patient, address, changes, field):
        for headers, status in (({}, 200), (HTMX, 422)):
            response = client.post(address, answers(patient, **changes), **headers)
            assert response.status_code == status
            assert list(response.context["form"].errors) == [field]
        assert not RiskFact.objects.exists()

    def test_a_stale_form_does_not_undo_a_colleagues_answer(self, client, dermatologist, patient, address):
        stale = answers(patient, melanoma="no", immunosuppression="no")
        record_risk(patient=patient, by=dermatologist, statements={"melanoma": RiskStatement("yes", "2015")})
        response = client.post(address, stale)
        assert response.status_code == 409
        conflict = response.context["form"].conflict
        assert [(row.field.name, row.yours, row.saved) for row in conflict.differences] == [
            ("melanoma", "No", "Yes"),
            ("melanoma_detail", "", "2015"),
        ]
        assert conflict.by == dermatologist.name
        assert RiskFact.objects.count() == 1

    def test_another_clinics_member_is_refused_by_the_service_too(self, stranger, patient):
        with pytest.raises(AnotherClinic):
            record_risk(patient=patient, by=stranger, statements={"melanoma": RiskStatement("no")})


class TestInPlace:
    def test_the_form_and_the_banner_replace_each_other(self, client, patient, address):
        form = client.get(address, {"back": "/visits/"}, **HTMX)
        assert "<html" not in form.text
        assert 'name="back" value="/visits/"' in form.text
        saved = client.post(address, answers(patient, melanoma="yes", back="/visits/"), **HTMX)
        assert (saved.status_code, "<html" in saved.text) == (200, False)
        assert "Previous melanoma" in saved.text
        assert 'href="/visits/"' in saved.text, "the page's advice is older: it can be shown again"
        assert "Edit risk" in client.get(address, {"shown": "1"}, **HTMX).text

    @pytest.mark.parametrize("back", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)"])
    def test_leads_back_to_our_own_pages_only(self, client, patient, address, back):
        assert client.post(address, answers(patient, back=back)).url == patient.get_absolute_url()

    def test_leads_back_to_where_one_came_from(self, client, patient, address):
        visit = factories.VisitFactory(patient=patient)
        assert client.post(address, answers(patient, back=visit.get_absolute_url())).url == visit.get_absolute_url()


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("risk_fact_kind_is_known", {"kind": "height"}),
        ("risk_fact_answer_fits_its_kind", {"kind": "moles", "answer": "yes"}),
        ("risk_fact_answer_fits_its_kind", {"kind": "melanoma", "answer": "under_50"}),
        ("risk_fact_number_starts_at_one", {"number": 0}),
        ("risk_fact_with_a_detail_was_answered", {"answer": "no", "detail": "x"}),
        ("allergy_is_named", {"kind": "allergies", "answer": "yes"}),
    ],
)
def test_the_database_refuses(patient, rule, changes):
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        factories.RiskFactFactory(patient=patient, **changes)


def test_an_answer_is_never_overwritten(patient):
    fact = factories.RiskFactFactory(patient=patient)
    with pytest.raises(IntegrityError, match="risk_fact_is_append_only"), transaction.atomic():
        RiskFact.objects.filter(pk=fact.pk).update(answer="no")
    other = factories.PatientFactory(clinic=patient.clinic)
    RiskFact.objects.filter(pk=fact.pk).update(patient=other)  # records can be merged


def test_one_number_is_given_once(patient):
    factories.RiskFactFactory(patient=patient, number=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.RiskFactFactory(patient=patient, number=1)


class TestAdvice:
    @pytest.fixture
    def calm(self, patient):
        image = factories.ImageFactory(lesion__patient=patient)
        factories.PredictionFactory(image=image, code="nv", tier="calm")
        return image

    @pytest.mark.parametrize("kind", ["melanoma", "immunosuppression"])
    def test_a_calm_answer_does_not_outweigh_it(self, client, patient, calm, kind):
        assert wording("Nothing needs doing today") in client.get(calm.get_absolute_url()).text
        factories.RiskFactFactory(patient=patient, kind=kind)
        assert photograph_of(calm).chip_of_answer.tone == "watch"
        page = client.get(calm.get_absolute_url()).text
        assert wording("Nothing needs doing today") not in page
        assert "The patient&#x27;s record says" in page

    def test_the_other_facts_are_shown_and_change_nothing(self, client, patient, calm):
        before = photograph_of(calm).chip_of_answer
        for kind in ("other_skin_cancer", "family_melanoma", "anticoagulants"):
            factories.RiskFactFactory(patient=patient, kind=kind)
        factories.RiskFactFactory(patient=patient, kind="moles", answer="over_100")
        assert photograph_of(calm).chip_of_answer == before

    def test_no_answer_makes_an_urgent_one_calmer(self, patient):
        image = factories.ImageFactory(lesion__patient=patient)
        factories.PredictionFactory(image=image, code="mel", tier="urgent")
        before = photograph_of(image).chip_of_answer
        for kind in RiskKind.values:
            answer = "under_50" if kind == "moles" else "no"
            factories.RiskFactFactory(patient=patient, kind=kind, answer=answer)
        assert photograph_of(image).chip_of_answer == before

    def test_a_dermatologists_label_settles_it(self, client, patient, calm, dermatologist):
        factories.RiskFactFactory(patient=patient)
        record_review(image=calm, reviewer=dermatologist, answer="nv", certainty="certain", reason="")
        assert photograph_of(calm).chip_of_answer.tone != "watch"


@pytest.mark.parametrize("page", ["patient", "visit", "lesion", "image", "review", "sign"])
def test_every_page_on_which_one_decides_shows_it(sign_in, dermatologist, patient, page):
    factories.RiskFactFactory(patient=patient, detail="2015, back")
    image = factories.ImageFactory(lesion__patient=patient)
    factories.PredictionFactory(image=image)
    addresses = {
        "patient": patient.get_absolute_url(),
        "visit": image.visit.get_absolute_url(),
        "lesion": image.lesion.get_absolute_url(),
        "image": image.get_absolute_url(),
        "review": reverse("admin:review-photograph", args=[image.pk]),
        "sign": reverse("visit-sign", args=[image.visit_id]),
    }
    text = sign_in(dermatologist).get(addresses[page]).text
    assert text.count('id="risk"') == 1
    assert "Previous melanoma: 2015, back" in text
    assert "Not asked" in text


class TestReport:
    @pytest.fixture
    def visit(self, patient):
        factories.RiskFactFactory(patient=patient, kind="family_melanoma", detail="her mother")
        image = factories.ImageFactory(lesion__patient=patient)
        factories.PredictionFactory(image=image)
        return image.visit

    def test_is_printed_only_where_the_clinic_wants_it(self, visit):
        assert "her mother" not in canonical_json(build_content(visit))
        clinic = visit.patient.clinic
        clinic.prints_risk = True
        clinic.save()
        risk = build_content(visit)["risk"]
        assert risk["raised"] == ["Melanoma in the family: her mother"]
        assert "Allergies" in risk["not_asked"]
