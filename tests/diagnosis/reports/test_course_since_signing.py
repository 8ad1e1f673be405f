"""Laboratory results and next steps in a report, and what is said when they are others than the report tells."""

import datetime
import json
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from diagnosis.followup.at_signing import Chosen
from diagnosis.followup.models import LesionPlan
from diagnosis.followup.services import cancel_plan, complete_plan, state_plan
from diagnosis.outcomes.closures import close_lesion
from diagnosis.outcomes.pathology import withdraw_result
from diagnosis.outcomes.specimens import withdraw_specimen
from diagnosis.reports.addendum_content import plan_to_ask_about
from diagnosis.reports.content import build_content
from diagnosis.reports.errors import RecordChangedSince
from diagnosis.reports.models import Report
from diagnosis.reports.report_view import present
from diagnosis.reports.services import release_report
from diagnosis.reports.validity import unreported_changes_of
from tests.diagnosis.outcomes.records import add_photograph, confirmed, days_ago, entered, photographed, sent
from tests.diagnosis.reporting import signed_addendum, signed_report

pytestmark = pytest.mark.django_db

REASON = "The patient moved to another town."


def in_days(days: int) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=days)


def course(report: Report) -> dict[str, tuple[str, str]]:
    """What has changed in the course of its lesions, by what it is: then and now."""
    report = Report.objects.get(pk=report.pk)
    return {each.what: (each.then, each.now) for each in unreported_changes_of(report).record if each.is_of_course}


@pytest.fixture
def lesion(patient):
    return photographed(patient, 30)


@pytest.fixture
def visit(lesion):
    return lesion.images.get().visit


class TestContent:
    def test_it_holds_what_the_laboratory_stated(self, lesion, visit, dermatologist):
        specimen = sent(lesion, dermatologist, kind="excision", number="H26-1", laboratory="Pathology East")
        confirmed(
            specimen, dermatologist, invasion="invasive", breslow_mm=Decimal("0.80"), ulceration="yes",
            margins="involved", reported_by="Dr Beck",
        )  # fmt: skip
        outcome = build_content(visit)["lesions"][0]["outcome"]
        assert (outcome["state"], outcome["closed"]) == ("excised", None)
        (row,) = outcome["specimens"]
        facts = {name: row[name] for name in ("id", "kind", "number", "sent_on", "laboratory")}
        assert facts == {
            "id": str(specimen.pk), "kind": "excision", "number": "H26-1", "sent_on": days_ago(10).isoformat(),
            "laboratory": "Pathology East",
        }  # fmt: skip
        stated = {name: row["result"][name] for name in ("answer", "invasion", "breslow_mm", "ulceration", "margins")}
        assert stated == {
            "answer": "mel", "invasion": "invasive", "breslow_mm": "0.8", "ulceration": "yes", "margins": "involved",
        }  # fmt: skip
        (line,) = present(build_content(visit))["lesions"][0]["specimens"]
        assert all(word in line for word in ("H26-1", "Pathology East", "Breslow 0.8 mm", "ulcerated", "Dr Beck"))

    def test_a_result_that_nobody_confirmed_is_awaited(self, lesion, visit, dermatologist):
        entered(sent(lesion, dermatologist), dermatologist)
        outcome = build_content(visit)["lesions"][0]["outcome"]
        assert (outcome["state"], outcome["specimens"][0]["result"]) == ("sent", None)

    def test_a_withdrawn_specimen_and_result_are_not_in_it(self, lesion, visit, dermatologist):
        result = confirmed(sent(lesion, dermatologist), dermatologist)
        withdraw_result(result=result, by=dermatologist, reason=REASON)
        withdraw_specimen(specimen=sent(lesion, dermatologist), by=dermatologist, reason=REASON)
        (row,) = build_content(visit)["lesions"][0]["outcome"]["specimens"]
        assert row["result"] is None

    def test_a_closed_lesion_says_when_and_why(self, lesion, visit, dermatologist):
        confirmed(sent(lesion, dermatologist, kind="excision"), dermatologist, "nv")
        close_lesion(lesion=lesion, by=dermatologist, why="excised", note="Told at the telephone.")
        outcome = build_content(visit)["lesions"][0]["outcome"]
        assert outcome["state"] == "closed"
        assert (outcome["closed"]["on"], outcome["closed"]["why"]) == (timezone.localdate().isoformat(), "excised")
        assert "telephone" not in json.dumps(build_content(visit)), "the note is the clinic's own"

    def test_the_patient_reads_it_once_it_is_released(self, sign_in, lesion, visit, dermatologist, patient_user):
        confirmed(sent(lesion, dermatologist, number="H26-9"), dermatologist, "nv")
        report = signed_report(visit, dermatologist, released=True)
        page = sign_in(patient_user).get(reverse("my-visit", args=[visit.pk]))
        assert "H26-9" in page.text
        downloaded = sign_in(patient_user).get(reverse("report-json", args=[report.pk])).json()
        assert downloaded["lesions"][0]["outcome"]["specimens"][0]["number"] == "H26-9"

    def test_a_report_without_these_facts_is_shown_as_it_was(self, sign_in, lesion, visit, dermatologist):
        report = signed_report(visit, dermatologist)
        content = json.loads(report.content)
        for row in content["lesions"]:
            del row["outcome"]
        presented = present(content)["lesions"][0]
        assert (presented["specimens"], presented["closed"]) == ([], "")
        report.content = json.dumps(content)
        confirmed(sent(lesion, dermatologist), dermatologist)
        assert not [each for each in unreported_changes_of(report).record if each.is_of_course]


class TestResults:
    def test_one_that_arrives_later_is_told_by_an_addendum(self, sign_in, lesion, visit, dermatologist):
        specimen = sent(lesion, dermatologist, kind="punch", number="H26-2")
        report = signed_report(visit, dermatologist)
        assert course(report) == {}
        confirmed(specimen, dermatologist, "mel", invasion="invasive", breslow_mm=Decimal("1.2"), margins="clear")
        ((what, (then, now)),) = course(report).items()
        assert "H26-2" in what
        assert then == "result awaited"
        assert "Breslow 1.2 mm" in now
        assert "clear" in now
        page = sign_in(dermatologist).get(visit.get_absolute_url())
        assert page.context["unreported"].is_misleading
        assert reverse("visit-addendum", args=[visit.pk]) in page.text
        addendum = signed_addendum(report, dermatologist, replaces_plan=True)
        assert "Breslow 1.2 mm" in addendum.content
        assert course(report) == {}

    def test_an_amended_one_and_a_withdrawn_one_are_told(self, lesion, visit, dermatologist):
        specimen = sent(lesion, dermatologist)
        confirmed(specimen, dermatologist, "nv")
        report = signed_report(visit, dermatologist)
        second = confirmed(specimen, dermatologist, "nv", reason="Margins added", margins="involved")
        assert "involved" in next(iter(course(report).values()))[1]
        withdraw_result(result=second, by=dermatologist, reason=REASON)
        assert course(report) == {}, "the first one counts again"

    def test_a_specimen_of_another_visit_does_not_concern_an_older_report(self, lesion, visit, dermatologist):
        report = signed_report(visit, dermatologist)
        later = add_photograph(lesion, 2)
        specimen = sent(lesion, dermatologist, age=1, visit=later.visit)
        assert course(report) == {}
        confirmed(specimen, dermatologist, "nv")
        assert len(course(report)) == 1, "its result names the photograph of the older visit too"

    def test_the_patient_learns_nothing_before_the_addendum(self, sign_in, lesion, visit, dermatologist, patient_user):
        specimen = sent(lesion, dermatologist)
        signed_report(visit, dermatologist, released=True)
        confirmed(specimen, dermatologist, "mel", invasion="invasive", breslow_mm=Decimal("1.2"))
        page = sign_in(patient_user).get(reverse("my-visit", args=[visit.pk]))
        assert "Breslow" not in page.text
        assert "elanoma, invasive" not in page.text


class TestNextSteps:
    def planned(self, visit, lesion, by, step="see_again", due_on=None, at=None):
        chosen = {lesion.pk: Chosen(step, due_on or in_days(90), "Note", None)}
        return signed_report(visit, by, at=at, chosen=chosen)

    def test_what_was_planned_is_in_the_content(self, lesion, visit, dermatologist):
        report = self.planned(visit, lesion, dermatologist)
        step = json.loads(report.content)["lesions"][0]["next_step"]
        assert (step["step"], step["due_on"]) == ("see_again", in_days(90).isoformat())
        assert course(report) == {}
        assert "Note" not in report.content

    @pytest.mark.parametrize(
        ("then", "act", "is_told"),
        [
            ("see_again", "sooner", True),
            ("see_again", "biopsy", True),
            ("see_again", "cancelled", True),
            ("see_again", "done", False),
            ("see_again", "specimen", True),
            ("biopsy", "done", False),
            ("biopsy", "specimen", False),
            ("biopsy", "cancelled", True),
            ("biopsy", "sooner", True),
            ("none", "biopsy", True),
            ("none", "sooner", True),
            ("discharge", "biopsy", True),
        ],
    )
    def test_another_plan_since_is_told_and_what_carries_it_out_is_not(
        self, sign_in, lesion, visit, dermatologist, then, act, is_told
    ):
        due = None if then in ("none", "discharge") else in_days(90)
        report = signed_report(visit, dermatologist, chosen={lesion.pk: Chosen(then, due)})
        plan = LesionPlan.objects.standing().filter(lesion=lesion).first()
        if act in ("sooner", "biopsy"):
            step = "biopsy" if act == "biopsy" or then == "biopsy" else "see_again"
            state_plan(lesion=lesion, by=dermatologist, step=step, due_on=in_days(7))
        elif act == "specimen":
            sent(lesion, dermatologist, age=0)
        elif plan is not None:
            if act == "done":
                complete_plan(plan=plan, by=dermatologist)
            else:
                cancel_plan(plan=plan, by=dermatologist, reason=REASON)
        assert bool(course(report)) == is_told
        page = sign_in(dermatologist).get(visit.get_absolute_url())
        assert (reverse("visit-addendum", args=[visit.pk]) in page.text and 'id="otherwise"' in page.text) == is_told

    @pytest.mark.parametrize(("step", "is_told"), [("see_again", False), ("biopsy", True)])
    def test_a_typed_plan_may_ask_to_come_again_but_not_for_a_biopsy(
        self, lesion, visit, dermatologist, step, is_told
    ):
        visit.plan = "Come again in nine months."
        report = signed_report(visit, dermatologist, chosen={})
        state_plan(lesion=lesion, by=dermatologist, step=step, due_on=in_days(270))
        assert bool(course(report)) == is_told

    def test_such_a_report_is_released_after_an_addendum_alone(self, lesion, visit, dermatologist):
        report = self.planned(visit, lesion, dermatologist)
        state_plan(lesion=lesion, by=dermatologist, step="biopsy", due_on=in_days(7))
        with pytest.raises(RecordChangedSince):
            release_report(report=report, by=dermatologist)
        addendum = signed_addendum(report, dermatologist, replaces_plan=True)
        assert "Biopsy" in addendum.content
        assert course(Report.objects.get(pk=report.pk)) == {}
        release_report(report=Report.objects.get(pk=report.pk), by=dermatologist)

    def test_the_addendum_asks_whether_it_replaces_the_plan(self, lesion, visit, dermatologist):
        report = self.planned(visit, lesion, dermatologist)
        addendum = json.loads(signed_addendum(report, dermatologist, replaces_plan=False).content)
        assert plan_to_ask_about(report, addendum) == ""
        state_plan(lesion=lesion, by=dermatologist, step="biopsy", due_on=in_days(7))
        report = Report.objects.get(pk=report.pk)
        addendum = json.loads(signed_addendum(report, dermatologist, replaces_plan=True).content)
        assert plan_to_ask_about(report, addendum) != ""

    def test_a_newer_report_of_the_lesion_tells_the_newer_plan(self, lesion, visit, dermatologist):
        older = self.planned(visit, lesion, dermatologist, at=timezone.now() - datetime.timedelta(days=1))
        later = add_photograph(lesion, 0).visit
        newer = self.planned(later, lesion, dermatologist, "biopsy", in_days(7))
        assert course(older) == course(newer) == {}
        state_plan(lesion=lesion, by=dermatologist, step="see_again", due_on=in_days(30))
        assert course(older) == {}
        assert len(course(newer)) == 1

    def test_the_patient_does_not_read_it_before_the_addendum(
        self, sign_in, lesion, visit, dermatologist, patient_user
    ):
        visit.plan = "Come again."
        visit.save()
        signed_report(visit, dermatologist, released=True, chosen={lesion.pk: Chosen("see_again", in_days(90))})
        state_plan(lesion=lesion, by=dermatologist, step="biopsy", due_on=in_days(7))
        page = sign_in(patient_user).get(reverse("my-visit", args=[visit.pk]))
        assert "Biopsy" not in page.text
