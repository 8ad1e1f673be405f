"""The same form sent twice is stored once, and both requests get the same response."""

import re
import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from dermascan.core.submission import Submission
from dermascan.models import ContactMessage
from dermascan.tasks import delete_old_submissions
from diagnosis.images.models import Image
from diagnosis.measures.models import PictureScale
from diagnosis.reviews.models import Review
from patients.models import Clinic, Lesion, Member, OutgoingMessage, Patient, User, Visit
from tests import factories
from tests.api.helpers import BATCH, PREDICT
from tests.forms import key_in

pytestmark = pytest.mark.django_db

WRITTEN = {"name": "Ada Example", "email": "ada@clinic.example", "message": "The bars are hard to read."}
PATIENT = {"family_name": "Moreau", "birth_date": "1961-03-14", "sex": "unknown", "record_number": "N-1"}
REVIEW = {"answer": "nv", "certainty": "high", "basis": "dermatoscopy", "reason": ""}
LESION = {"body_site": "face", "side": "left"}


def member_form(**changes):
    return {
        "username": "ines",
        "first_name": "Ines",
        "last_name": "Moreau",
        "email": "ines@clinic.example",
        "role": "staff",
        **changes,
    }


@pytest.fixture
def image(patient):
    return factories.ImageFactory(lesion__patient=patient)


@pytest.fixture
def certainty():
    from diagnosis.reviews.answers import Certainty

    return Certainty.values[0]


def twice(client, address, data):
    """Send the form twice; both responses must be the same."""
    key = key_in(client.get(address))
    first, second = (client.post(address, {**data, "idempotency_key": key}) for _ in range(2))
    assert (first.status_code, second.status_code) == (302, 302), first.content
    assert first["Location"] == second["Location"]
    assert second["Idempotency-Replayed"] == "true"
    return first


class TestSentTwice:
    def test_a_patient(self, staff, sign_in):
        client = sign_in(staff)
        response = twice(client, "/patients/new/", PATIENT)
        assert Patient.objects.count() == 1
        # The first message is repeated, because the browser may have dropped the first response.
        assert "N-1" in client.get(response["Location"]).content.decode()

    def test_a_namesake_too(self, staff, sign_in):
        client = sign_in(staff)
        twice(client, "/patients/new/", PATIENT)
        twice(client, "/patients/new/", {**PATIENT, "record_number": "N-2", "is_somebody_else": "on"})
        assert Patient.objects.count() == 2

    def test_a_patients_account(self, staff, sign_in, patient):
        twice(sign_in(staff), f"/patients/{patient.pk}/account/", {"email": "amara@example.org"})
        assert User.objects.filter(patient=patient).count() == 1
        assert OutgoingMessage.objects.count() == 1

    def test_a_message(self, client):
        twice(client, "/contact/", WRITTEN)
        assert ContactMessage.objects.count() == 1

    def test_a_scale(self, staff, sign_in, image):
        key = str(uuid.uuid4())
        client = sign_in(staff)
        for _ in range(3):
            client.post(f"/images/{image.pk}/scale/", {"width_mm": "14.5", "idempotency_key": key})
        assert PictureScale.objects.count() == 1

    @pytest.mark.parametrize("address", ["/images/{}/review/", "/admin/review/{}/"])
    def test_a_review(self, dermatologist, sign_in, image, address, certainty):
        factories.PredictionFactory(image=image)
        client = sign_in(dermatologist)
        data = {**REVIEW, "certainty": certainty, "idempotency_key": str(uuid.uuid4())}
        for _ in range(6):
            assert client.post(address.format(image.pk), data).status_code == 302
        assert Review.objects.count() == 1

    def test_undo_withdraws_one_review(self, dermatologist, sign_in, patient, certainty):
        client = sign_in(dermatologist)
        images = [factories.ImageFactory(lesion__patient=patient) for _ in range(2)]
        for image in images:
            factories.PredictionFactory(image=image)
            client.post(f"/admin/review/{image.pk}/", {**REVIEW, "certainty": certainty})
        key = str(uuid.uuid4())
        for _ in range(2):
            client.post("/admin/review/undo/", {"idempotency_key": key})
        assert Review.objects.filter(retraction=None).count() == 1

    def test_a_colleague_in_the_admin(self, manager, sign_in):
        before = Member.objects.count()
        twice(sign_in(manager), "/admin/patients/member/add/", member_form())
        assert Member.objects.count() == before + 1

    def test_a_clinic_and_a_clinic_in_a_popup(self):
        client = Client()
        client.force_login(factories.UserFactory(is_superuser=True, is_staff=True))
        rules = {"review_rule": Clinic().review_rule, "reading": Clinic().reading}
        twice(client, "/admin/patients/clinic/add/", {"name": "Lakeside", **rules})
        key = key_in(client.get("/admin/patients/clinic/add/?_popup=1"))
        data = {"name": "Hillside", **rules, "_popup": "1", "idempotency_key": key}
        pages = [client.post("/admin/patients/clinic/add/?_popup=1", data) for _ in range(2)]
        assert pages[0].content == pages[1].content
        assert sorted(Clinic.objects.values_list("name", flat=True)) == ["Hillside", "Lakeside"]

    def test_photographs_sent_by_the_script(self, staff, sign_in, patient, photograph):
        visit, lesion = factories.VisitFactory(patient=patient), factories.LesionFactory(patient=patient)
        headers = {"Accept": "application/json", "Idempotency-Key": "one-file"}
        client = sign_in(staff)

        def send(data):
            form = {"lesion": lesion.pk, "files": SimpleUploadedFile("a.jpg", data)}
            return client.post(f"/visits/{visit.pk}/upload/", form, headers=headers)

        first, second = send(photograph), send(photograph)
        assert (first.status_code, second.status_code) == (200, 200)
        assert first.json() == second.json()
        assert first.json()["id"] == str(Image.objects.get().pk)


class TestNotTheSame:
    def test_other_content_with_the_same_key_is_another_record(self, staff, sign_in, patient):
        """A user went back in the browser, changed the form and sent it again."""
        client, address = sign_in(staff), f"/patients/{patient.pk}/lesions/new/"
        key = key_in(client.get(address))
        for site in ("face", "back"):
            client.post(address, {**LESION, "body_site": site, "idempotency_key": key})
        assert sorted(Lesion.objects.values_list("body_site", flat=True)) == ["back", "face"]

    def test_a_key_of_another_user_has_no_effect(self, staff, dermatologist, sign_in, patient):
        address, key = f"/patients/{patient.pk}/lesions/new/", str(uuid.uuid4())
        for member in (staff, dermatologist):
            sign_in(member).post(address, {**LESION, "idempotency_key": key})
        assert Lesion.objects.count() == 2

    def test_a_key_of_another_url_has_no_effect(self, staff, sign_in, clinic):
        key, client = str(uuid.uuid4()), sign_in(staff)
        for patient in (factories.PatientFactory(clinic=clinic), factories.PatientFactory(clinic=clinic)):
            client.post(f"/patients/{patient.pk}/lesions/new/", {**LESION, "idempotency_key": key})
        assert Lesion.objects.count() == 2

    def test_a_form_with_errors_may_be_sent_again(self, staff, sign_in):
        client, key = sign_in(staff), str(uuid.uuid4())
        wrong = {**PATIENT, "birth_date": "tomorrow", "idempotency_key": key}
        assert [client.post("/patients/new/", wrong).status_code for _ in range(2)] == [200, 200]
        assert not Submission.objects.exists()
        assert client.post("/patients/new/", {**PATIENT, "idempotency_key": key}).status_code == 302

    @pytest.mark.parametrize("key", ["", "\0", "x" * 256, "ü" * 200, "\ud800"])
    def test_a_strange_key_is_ignored(self, staff, sign_in, key):
        data = {**PATIENT, "idempotency_key": key.encode("utf-8", "surrogatepass")}
        assert sign_in(staff).post("/patients/new/", data).status_code == 302
        assert Patient.objects.count() == 1

    def test_the_session_may_end_and_begin_in_between(self, staff, sign_in, patient):
        data = {**LESION, "idempotency_key": str(uuid.uuid4())}
        for _ in range(2):
            sign_in(staff).post(f"/patients/{patient.pk}/lesions/new/", data)
        assert Lesion.objects.count() == 1


def at_once(count, act):
    start, answers = threading.Barrier(count), []

    def run():
        try:
            start.wait()
            answers.append(act())
        except Exception as error:
            answers.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.django_db(transaction=True)
@pytest.mark.services
class TestAtTheSameMoment:
    def test_one_form_makes_one_visit(self, staff, sign_in, patient):
        session = sign_in(staff).cookies
        data = {
            "date": timezone.localdate().isoformat(),
            "clinician": staff.pk,
            "complaint": "A mole",
            "idempotency_key": str(uuid.uuid4()),
        }

        def send():
            client = Client()
            client.cookies = session
            return client.post(f"/patients/{patient.pk}/visits/new/", data)

        answers = at_once(4, send)
        visit = Visit.objects.get()
        assert [answer["Location"] for answer in answers] == [f"/visits/{visit.pk}/"] * 4

    def test_anonymous_messages(self):
        data = {**WRITTEN, "idempotency_key": str(uuid.uuid4())}
        answers = at_once(4, lambda: Client().post("/contact/", data))
        assert [answer.status_code for answer in answers] == [302] * 4
        assert ContactMessage.objects.count() == 1

    @pytest.mark.parametrize("same_form", [True, False])
    def test_one_member_is_added_twice(self, manager, sign_in, same_form):
        """By one form sent twice, and by two people with the same user name, which is an error of the form."""
        session = sign_in(manager).cookies
        before = Member.objects.count()

        def send():
            client = Client(raise_request_exception=False)
            client.cookies = session
            key = "one" if same_form else str(uuid.uuid4())
            return client.post("/admin/patients/member/add/", member_form(idempotency_key=key)).status_code

        assert sorted(at_once(2, send)) == ([302, 302] if same_form else [200, 302])
        assert Member.objects.count() == before + 1

    def test_one_photograph_is_sent_twice(self, staff, sign_in, patient, photograph):
        visit, lesion = factories.VisitFactory(patient=patient), factories.LesionFactory(patient=patient)
        session = sign_in(staff).cookies

        def send():
            client = Client()
            client.cookies = session
            form = {"lesion": lesion.pk, "files": SimpleUploadedFile("a.jpg", photograph)}
            headers = {"Accept": "application/json", "Idempotency-Key": "one-file"}
            return client.post(f"/visits/{visit.pk}/upload/", form, headers=headers)

        answers = at_once(2, send)
        image = Image.objects.get()
        assert 200 in {answer.status_code for answer in answers}
        assert {answer.json()["url"] for answer in answers} == {image.get_absolute_url()}

    def test_a_form_without_the_script_gets_the_same_response(self, staff, sign_in, patient, photograph):
        visit, lesion = factories.VisitFactory(patient=patient), factories.LesionFactory(patient=patient)
        session = sign_in(staff).cookies

        def send():
            client = Client()
            client.cookies = session
            form = {"lesion": lesion.pk, "idempotency_key": "k", "files": SimpleUploadedFile("a.jpg", photograph)}
            return client.post(f"/visits/{visit.pk}/upload/", form)

        answers = at_once(3, send)
        image = Image.objects.get()
        assert [answer["Location"] for answer in answers] == [image.get_absolute_url()] * 3


@pytest.mark.django_db
@pytest.mark.parametrize("doubled", [False, True])
@pytest.mark.parametrize("way", ["form", "script", "api", "api batch"])
def test_a_second_click_before_the_first_result_is_stored(staff, sign_in, patient, photograph, way, doubled):
    """Photographs are stored one by one: one from the same request does not count as already uploaded."""
    visit, lesion = factories.VisitFactory(patient=patient), factories.LesionFactory(patient=patient)
    page, headers = f"/visits/{visit.pk}/upload/", {"Idempotency-Key": "once"}
    clients = {"api": Client(headers={"authorization": f"Token {factories.api_key(staff)}"}), "page": sign_in(staff)}
    files = [photograph, photograph] if doubled and way in ("form", "api batch") else [photograph]

    def send(files):
        sent = [SimpleUploadedFile("a.jpg", each) for each in files]
        if way.startswith("api"):
            address, field = (BATCH, "files") if way == "api batch" else (PREDICT, "file")
            form = {"lesion": lesion.pk, "visit": visit.pk, field: sent}
            return clients["api"].post(address, form, headers=headers)
        script = {"Accept": "application/json"} if way == "script" else {}
        return clients["page"].post(page, {"lesion": lesion.pk, "files": sent}, headers={**headers, **script})

    first = send(files)
    assert first.status_code < 400
    Submission.objects.exclude(result="").delete()
    second = send(files)
    assert (second.status_code, second.get("Location")) == (first.status_code, first.get("Location"))
    assert content_of(second) == content_of(first)
    assert Image.objects.count() == 1
    if way != "form":
        headers["Idempotency-Key"] = "another"
        assert "already" in send(files).content.decode(), "another request is told what there is"


def content_of(response) -> Any:
    """Return the page's content without the parts that differ on every page."""
    if response["Content-Type"].startswith("application/json"):
        return response.json()
    return re.sub(r'(value=|nonce=|"X-CSRFToken": )"[^"]{20,}"', "", response.content.decode())


def test_old_results_are_deleted_by_the_schedule(settings, staff, sign_in, patient):
    client = sign_in(staff)
    for age in (25, 1):
        client.post(f"/patients/{patient.pk}/lesions/new/", {**LESION, "idempotency_key": str(age)})
        newest = Submission.objects.latest("created_at")
        Submission.objects.filter(pk=newest.pk).update(created_at=timezone.now() - timedelta(hours=age))
    Submission.objects.create(key_digest="a", content_digest="b")
    Submission.objects.filter(key_digest="a").update(created_at=timezone.now() + timedelta(days=365))
    delete_old_submissions()
    assert Submission.objects.count() == 1
    tasks = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert "dermascan.tasks.delete_old_submissions" in tasks


def test_only_digests_are_stored_with_the_key(client):
    client.post("/contact/", {**WRITTEN, "idempotency_key": "a-key"})
    row = Submission.objects.values().get()
    assert "Ada" not in str(row)
    assert "a-key" not in str(row)


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"key_digest": "a", "content_digest": "b"}, "a_submission_has_one_result"),
        ({"key_digest": "", "content_digest": "b"}, "submission_has_a_key"),
    ],
)
def test_the_database_enforces_it(values, constraint):
    Submission.objects.create(key_digest="a", content_digest="b")
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        Submission.objects.create(**values)
    assert constraint in str(error.value) or "UNIQUE" in str(error.value)
