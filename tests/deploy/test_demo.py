"""The demo clinic is complete, created once, and never in production."""

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from diagnosis.followup.models import NextStep
from diagnosis.images.models import Image, QualityVerdict
from diagnosis.opinions.models import OpinionRequest
from diagnosis.outcomes.models import Specimen
from diagnosis.record.demo import DEMO_PASSWORD, USER_NAMES
from diagnosis.reports.models import Report
from diagnosis.reviews.models import Review
from diagnosis.similar.services import search_cases
from mlmodel.network.quality import Reliability
from patients.models import Clinic, Lesion, Member, OutgoingMessage, Patient, Purpose, Role, User, Visit, VisitStatus
from tests import factories
from tests.places import ROOT


def create() -> str:
    out = StringIO()
    call_command("create_demo_clinic", stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_it_is_refused_where_the_settings_forbid_it(settings):
    settings.DEMO_ALLOWED = False
    with pytest.raises(CommandError, match="password is published"):
        create()
    assert not User.objects.exists()


def in_production(command: str, data: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", command],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "dermascan.settings.production",
            "DERMASCAN_SECRET_KEY": "for-this-test-" + "7" * 50,
            "DERMASCAN_HOSTS": "clinic.example",
            "DERMASCAN_DATA_DIR": str(data),
        },
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.slow
def test_production_refuses(tmp_path):
    before = in_production("create_demo_clinic", tmp_path)
    assert before.returncode == 1
    assert "manage.py migrate" in before.stderr
    assert "Traceback" not in before.stderr
    assert in_production("migrate", tmp_path).returncode == 0
    outcome = in_production("create_demo_clinic", tmp_path)
    assert outcome.returncode == 1
    assert "password is published" in outcome.stderr


@pytest.mark.django_db
def test_accounts_of_real_people_are_not_changed():
    factories.UserFactory(username="manager")
    with pytest.raises(CommandError, match="manager"):
        create()
    assert not Clinic.objects.exists()


def unreviewed_photographs() -> list[Image]:
    return list(Image.objects.filter(verdict=QualityVerdict.ACCEPTED, reviews=None))


@pytest.mark.slow
@pytest.mark.django_db
class TestTheClinic:
    def test_it_is_complete(self):
        """One test for everything, because creating the clinic is slow."""
        assert DEMO_PASSWORD in create()

        assert {(m.user.username, m.role) for m in Member.objects.all()} == {
            ("staff", Role.STAFF),
            ("dermatologist", Role.DERMATOLOGIST),
            ("manager", Role.MANAGER),
        }
        assert set(User.objects.values_list("username", flat=True)) == set(USER_NAMES)
        for user in User.objects.all():
            validate_password(DEMO_PASSWORD, user)

        assert Patient.objects.count() == 6
        assert Patient.objects.values("sex").distinct().count() == 2
        assert Patient.objects.values("skin_type").distinct().count() >= 4
        assert all(patient.visits.exists() and patient.lesions.exists() for patient in Patient.objects.all())

        by_status = {status: Visit.objects.filter(status=status) for status in VisitStatus}
        assert by_status[VisitStatus.SIGNED].count() == 1
        assert by_status[VisitStatus.RELEASED].count() == 2
        assert Report.objects.count() == 3
        unreviewed = Image.objects.filter(verdict=QualityVerdict.ACCEPTED, reviews=None)
        assert unreviewed.filter(visit__status=VisitStatus.OPEN).count() >= 3
        assert Review.objects.filter(image__visit__status=VisitStatus.OPEN).exists()
        refused = Image.objects.exclude(verdict=QualityVerdict.ACCEPTED)
        assert [image.verdict for image in refused] == [QualityVerdict.BLURRED]

        followed = [lesion for lesion in Lesion.objects.all() if lesion.images.values("visit").distinct().count() >= 3]
        assert len(followed) == 1
        assert Visit.objects.values("date").distinct().count() >= 8
        self.today_and_the_record_have_something_to_show()
        self.each_signs_in()
        self.there_are_similar_cases_to_compare_with()
        self.the_patient_reads_what_was_released()
        self.a_second_time_changes_nothing()

    def today_and_the_record_have_something_to_show(self):
        client = Client()
        client.force_login(User.objects.get(username="dermatologist"))
        found = {each.code.value: each.found for each in client.get(reverse("today")).context["sections"]}
        for code in ("urgent", "visits", "results", "unplanned", "opinions", "procedures", "overdue", "due"):
            assert found[code] >= 1, code
        assert Specimen.objects.awaited().late().exists()
        assert OpinionRequest.objects.waiting().exists()
        # No plan contradicts what was sent: a lesion whose result is missing waits for it.
        for specimen in Specimen.objects.awaited():
            assert specimen.lesion.plans.standing().get().step == NextStep.RESULT_AWAITED
        letters = OutgoingMessage.objects.filter(kind__in=["opinion_asked", "opinion_answered"])
        assert set(letters.values_list("state", flat=True)) == {"cancelled"}, "nobody invented is written to"

    def each_signs_in(self):
        for name in USER_NAMES:
            answer = Client().post(reverse("account_login"), {"login": name, "password": DEMO_PASSWORD}, follow=True)
            assert answer.status_code == 200
            assert answer.context["user"].username == name

    def there_are_similar_cases_to_compare_with(self):
        assert Patient.objects.consenting_to(Purpose.SHARING).count() == 2
        dermatologist = Member.objects.get(role=Role.DERMATOLOGIST)
        cases: list[Any] = []
        for image in unreviewed_photographs():
            similar = search_cases(image=image, member=dermatologist)
            assert (similar.compared > 5, image.reliability) == (True, Reliability.CALIBRATED), image.original_name
            cases += similar.cases
        assert cases, "one of them is alike"

    def the_patient_reads_what_was_released(self):
        user = User.objects.get(username="patient")
        assert Visit.objects.released_to(user).count() == 2
        client = Client()
        client.force_login(user)
        for report in Report.objects.released_to(user):
            answer = client.get(reverse("report-pdf", args=[report.pk]))
            assert b"".join(answer).startswith(b"%PDF")

    def a_second_time_changes_nothing(self):
        before = (User.objects.count(), Patient.objects.count(), Visit.objects.count(), Image.objects.count())
        assert "already" in create()
        assert before == (User.objects.count(), Patient.objects.count(), Visit.objects.count(), Image.objects.count())


def test_every_sample_is_attributed():
    samples = settings.BASE_DIR / "static" / "samples"
    attribution = (samples / "ATTRIBUTION.md").read_text()
    assert "10.7910/DVN/DBW86T" in attribution
    for photograph in samples.glob("*.jpg"):
        line = next(line for line in attribution.splitlines() if f"`{photograph.name}`" in line)
        assert "CC BY-NC 4.0" in line
