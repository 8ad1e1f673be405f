"""Today's results, decisions after them and second opinions: each lesion once, nothing given away to the blinded."""

import datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from diagnosis.corrections.acts.photograph import move_photograph
from diagnosis.corrections.acts.void import void_visit
from diagnosis.followup.models import LesionPlan, NextStep
from diagnosis.opinions.models import OpinionRequest
from diagnosis.opinions.services import answer_request, ask_for_opinion, revoke_request
from diagnosis.outcomes.closures import close_lesion, reopen_lesion
from diagnosis.outcomes.pathology import withdraw_result
from diagnosis.record.today.page import header_count
from diagnosis.reviews.models import QueueEntry, SeenAnswer
from patients.models import Reading, Role
from tests import factories
from tests.diagnosis.outcomes.records import confirmed, days_ago, entered, photographed, sent
from tests.diagnosis.reporting import signed_addendum, signed_report

pytestmark = pytest.mark.django_db


def section(client, code: str):
    return next((each for each in client.get(reverse("today")).context["sections"] if each.code == code), None)


def lesions_in(client, code: str) -> list[str]:
    return [row.what.split(":")[0] for row in section(client, code).rows]


def test_results_are_listed_by_what_is_most_pressing_each_lesion_once(sign_in, patient, staff, dermatologist):
    late, fresh, benign, malignant, by_hand, both = lesions = [photographed(patient, 80) for _number in range(6)]
    sent(late, staff, age=41)
    sent(late, staff, age=3)
    sent(fresh, staff, age=1)
    entered(sent(benign, staff, age=20), staff, "nv")
    entered(sent(malignant, staff, age=5), staff, "mel")
    factories.LesionPlanFactory(lesion=by_hand, step=NextStep.RESULT_AWAITED)
    entered(sent(both, staff, age=6), staff, "bcc", received_on=days_ago(2))
    sent(both, staff, age=4)
    closed = photographed(patient, 80)
    confirmed(sent(closed, staff), dermatologist, "nv")

    client = sign_in(staff)
    assert sorted(lesions_in(client, "results")) == sorted(str(lesion) for lesion in lesions)
    assert lesions_in(client, "results")[:3] == [str(both), str(malignant), str(benign)]
    assert lesions_in(client, "results")[3] == str(late)
    rows = {row.what.split(":")[0]: row for row in section(client, "results").rows}
    assert rows[str(late)].badge.startswith("41 ")
    assert (rows[str(fresh)].badge, rows[str(benign)].badge) == ("", "")
    assert rows[str(malignant)].badge
    assert len(client.get(reverse("today-section", args=["results"])).context["rows"]) == 6


def test_a_result_that_needs_a_decision_stays_until_there_is_one(sign_in, patient, staff, dermatologist, other_clinic):
    lesion, reopened = photographed(patient, 20), photographed(patient, 20)
    confirmed(sent(lesion, staff), dermatologist, "mel")
    close_lesion(lesion=reopened, by=dermatologist, why="gone")
    reopen_lesion(lesion=reopened, by=dermatologist, reason="It has come back.")
    client = sign_in(dermatologist)
    assert lesions_in(client, "unplanned") == [str(lesion), str(reopened)]
    assert section(client, "unplanned").is_pressing
    for each in (lesion, reopened):
        client.post(reverse("lesion-plan", args=[each.pk]), {"step": "biopsy", "due_in": "1w", "seen": ""})
    assert lesions_in(client, "unplanned") == []
    assert LesionPlan.objects.standing().count() == 2


def test_filters_reach_the_new_sections(sign_in, patient, staff, dermatologist):
    lesion = photographed(patient, 20)
    sent(lesion, staff)
    client = sign_in(staff)
    for sent_form, found in (
        ({"whose": "mine"}, 1),
        ({"whose": "all", "body_site": lesion.body_site}, 1),
        ({"whose": "all", "body_site": "scalp"}, 0),
        ({"whose": "all", "section": "results"}, 1),
    ):
        client.post(reverse("today-filter"), sent_form)
        assert section(client, "results").found == found, sent_form
    assert [each.code for each in client.get(reverse("today")).context["sections"]] == ["results"]


def test_the_header_counts_what_waits(clinic, patient, staff, dermatologist):
    assert header_count(staff).found == 0
    late = photographed(patient, 80)
    sent(late, staff, age=41)
    assert header_count(staff).found == 1, "a late specimen and its overdue plan are one thing"
    confirmed(sent(photographed(patient, 20), staff), dermatologist, "mel")
    entered(sent(photographed(patient, 20), staff), staff, "mel")
    entered(sent(photographed(patient, 20), staff), staff, "nv")
    count = header_count(staff)
    assert (count.found, count.is_pressing) == (3, True)


class TestOpinions:
    @pytest.fixture
    def colleague(self, clinic):
        return factories.MemberFactory(clinic=clinic, role=Role.DERMATOLOGIST)

    def ask(self, patient, by, of) -> OpinionRequest:
        lesion = photographed(patient, 5)
        images = list(lesion.images.all())
        request, _code = ask_for_opinion(lesion=lesion, by=by, of=of, images=images, question="What is it?", days=7)
        return request

    def test_what_is_asked_answered_and_expired(self, sign_in, patient, staff, dermatologist, colleague):
        asked = self.ask(patient, colleague, dermatologist)
        answered = self.ask(patient, dermatologist, colleague)
        self.ask(patient, dermatologist, colleague)
        answer_request(
            request=answered, by=colleague, answer="nv", certainty="certain", other_text="", reason="Even network."
        )
        long_ago = timezone.now() - datetime.timedelta(days=9)
        expired = OpinionRequest.objects.create(
            lesion=photographed(patient, 5),
            asked_by=dermatologist,
            colleague=colleague,
            question="Is it growing?",
            created_at=long_ago,
            expires_at=long_ago + datetime.timedelta(days=7),
        )
        client = sign_in(dermatologist)
        rows = section(client, "opinions").rows
        assert [row.url for row in rows] == [each.get_absolute_url() for each in (asked, answered, expired)]
        client.get(answered.get_absolute_url())
        assert len(section(client, "opinions").rows) == 2
        assert section(sign_in(staff), "opinions") is None
        assert header_count(colleague).found > 0


@pytest.mark.parametrize(
    ("role", "names"),
    [
        (Role.STAFF, {"outcomes-awaited"}),
        (Role.MANAGER, {"outcomes-awaited", "outcomes-misses"}),
        (Role.DERMATOLOGIST, {"outcomes-awaited", "outcomes-misses", "opinions"}),
    ],
)
def test_the_lists_beside_it_are_those_that_a_member_may_open(sign_in, clinic, role, names):
    client = sign_in(factories.MemberFactory(clinic=clinic, role=role))
    page = client.get(reverse("today"))
    assert {name for name, _words in page.context["links"]} == names
    main = page.text[page.text.index("<main") :]
    for name in ("outcomes-awaited", "outcomes-misses", "opinions"):
        assert (f'href="{reverse(name)}"' in main) is (name in names)
        assert client.get(reverse(name)).status_code == (200 if name in names else 403)


class TestBlinded:
    @pytest.fixture
    def image(self, patient):
        lesion = photographed(patient, 1, tier="urgent")
        image = lesion.images.get()
        QueueEntry.objects.create(
            image=image,
            clinic=patient.clinic,
            state="waiting",
            needs=1,
            reason="urgent",
            reasons=["urgent"],
            priority=101.0,
            entered_at=timezone.now(),
        )
        return image

    def test_an_urgent_lesion_is_counted_and_not_named(self, sign_in, image, dermatologist, staff):
        client = sign_in(dermatologist)
        urgent = section(client, "urgent")
        assert (urgent.rows, urgent.found, urgent.unnamed) == ([], 1, 1)
        page = client.get(reverse("today-section", args=["urgent"]))
        assert page.context["rows"] == []
        assert str(image.lesion) not in page.text
        assert reverse("admin:review") in page.text
        assert not SeenAnswer.objects.exists()
        assert section(sign_in(staff), "urgent").rows[0].url == image.get_absolute_url()

    def test_it_is_named_once_the_answer_was_seen(self, sign_in, image, dermatologist):
        client = sign_in(dermatologist)
        client.get(image.get_absolute_url())
        urgent = section(client, "urgent")
        assert (len(urgent.rows), urgent.found, urgent.unnamed) == (1, 1, 0)

    def test_a_clinic_that_shows_the_answer_names_it(self, sign_in, image, clinic, dermatologist):
        clinic.reading = Reading.NETWORK_SHOWN
        clinic.save(update_fields=["reading"])
        assert len(section(sign_in(dermatologist), "urgent").rows) == 1

    def test_a_laboratory_result_that_is_named_is_recorded_as_seen(self, sign_in, patient, staff, dermatologist):
        lesion = photographed(patient, 20)
        entered(sent(lesion, staff), staff, "mel")
        sign_in(dermatologist).get(reverse("today"))
        assert SeenAnswer.objects.get().image == lesion.images.get()


def test_a_report_that_a_result_contradicts_waits_for_an_addendum(
    sign_in, patient, staff, dermatologist, stranger, manager
):
    lesion = photographed(patient, 30)
    report = signed_report(lesion.images.get().visit, dermatologist)
    harmless = photographed(patient, 30)
    signed_report(harmless.images.get().visit, dermatologist)
    for each, answer in ((lesion, "mel"), (harmless, "nv")):
        confirmed(sent(each, staff), dermatologist, answer)
    factories.LesionPlanFactory(lesion=lesion)
    for member, name in ((dermatologist, "visit-addendum"), (staff, "visit"), (manager, "visit")):
        (row,) = section(sign_in(member), "contradicted").rows
        assert (row.url, bool(row.badge)) == (reverse(name, args=[report.visit_id]), True)
        assert (header_count(member).found, header_count(member).is_pressing) == (1, True)
    assert not section(sign_in(stranger), "contradicted").rows
    page = sign_in(staff).get(reverse("visits"), {"result": "contradicted"}).context["page"]
    assert [visit.pk for visit in page] == [report.visit_id]
    assert list(sign_in(staff).get(reverse("lesions"), {"result": "contradicted"}).context["page"]) == [lesion]
    assert SeenAnswer.objects.filter(member=dermatologist, image__lesion=lesion).exists(), "the row names the result"
    signed_addendum(report, dermatologist)
    assert not section(sign_in(dermatologist), "contradicted").rows
    assert header_count(staff).is_pressing is False


@pytest.mark.parametrize("ending", ["void", "withdrawn"])
def test_a_report_that_no_result_contradicts_any_longer_does_not_wait(sign_in, patient, staff, dermatologist, ending):
    lesion = photographed(patient, 30)
    report = signed_report(lesion.images.get().visit, dermatologist)
    result = confirmed(sent(lesion, staff), dermatologist, "mel")
    assert len(section(sign_in(staff), "contradicted").rows) == 1
    if ending == "void":
        void_visit(visit=report.visit, by=dermatologist, reason="The visit was entered for nobody at all.")
    else:
        withdraw_result(result=result, by=dermatologist, reason="It is of another patient.")
    assert not section(sign_in(staff), "contradicted").rows


def test_a_question_that_a_correction_revoked_waits_to_be_asked_again(sign_in, patient, staff, dermatologist):
    lesion, other = photographed(patient, 5), factories.LesionFactory(patient=patient)
    image = lesion.images.get()
    colleague = factories.MemberFactory(clinic=staff.clinic, role=Role.DERMATOLOGIST)
    asked = {"by": dermatologist, "of": colleague, "question": "Excise it?", "days": 7}
    revoked, _code = ask_for_opinion(lesion=lesion, images=[image], **asked)
    reason = "The photograph shows another spot, as its note says."
    move_photograph(image=image, patient=patient, lesion=other, by=staff, reason=reason)
    client = sign_in(dermatologist)
    (row,) = section(client, "opinions").rows
    assert (row.url, bool(row.badge)) == (revoked.get_absolute_url(), True)
    assert list(client.get(reverse("opinions")).context["unanswered"]) == [revoked]
    assert not section(sign_in(colleague), "opinions").rows
    again, _code = ask_for_opinion(lesion=lesion, images=[factories.ImageFactory(lesion=lesion)], **asked)
    assert not section(client, "opinions").rows
    revoke_request(request=again, by=dermatologist)
    assert len(section(client, "opinions").rows) == 1, "a question taken back replaces none"
