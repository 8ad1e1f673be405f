import datetime
import io
import threading
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from PIL import Image as Pillow

from dermascan.core.site import site_link
from diagnosis.images.models import Image, Tier
from mlmodel.network import analyser
from mlmodel.taxonomy import BY_CODE, CODES, MALIGNANT_CODES
from mlmodel.versions.serving import active_version
from patients.models import Role, Visit, VisitStatus
from tests import factories
from tests.api.helpers import (
    BATCH,
    PREDICT,
    assert_nothing_kept,
    assert_problem,
    encoded,
    refused_photograph,
    sample,
    stored_files,
    upload,
)
from tests.conftest import PHOTOGRAPHS
from tests.hooks import wording

pytestmark = pytest.mark.django_db


def test_a_photograph_is_answered_in_full_and_not_kept(api, staff, photograph):
    response = api(staff).post(PREDICT, {"file": upload(photograph)})

    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"
    answer = response.json()
    assert set(answer["probabilities"]) == set(answer["equal_prior_scores"]) == set(CODES)
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert sum(answer["equal_prior_scores"].values()) == pytest.approx(1, abs=1e-4)
    assert answer["equal_prior_scores"] != answer["probabilities"]
    code = max(CODES, key=answer["probabilities"].get)
    assert answer["predicted_code"] == code
    assert answer["predicted_class"] == BY_CODE[code].name
    assert answer["confidence"] == answer["probabilities"][code]
    malignant = sum(answer["probabilities"][code] for code in MALIGNANT_CODES)
    assert answer["malignant_probability"] == pytest.approx(malignant, abs=1e-4)
    assert answer["tier"] == {"code": answer["tier"]["code"], "text": str(Tier(answer["tier"]["code"]).label)}
    assert answer["prediction_set"]
    assert set(answer["prediction_set"]) <= set(CODES)
    assert answer["model_version"] == active_version().name
    assert answer["answer_settings"] is None
    assert answer["quality"]["verdict"] == "accepted"
    assert answer["quality"]["measures"]["sharpness"] > 0
    assert answer["explanation"]["source"] == "library"
    assert answer["explanation"]["sections"]["what_it_is"]
    assert answer["explanation"]["sections"]["when_to_seek_care"]
    assert answer["image"] is None
    assert wording("not a diagnosis") in answer["disclaimer"]
    assert_nothing_kept()


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize(
    ("tier", "words", "speaker"),
    [
        ("urgent", "Your result says: See a dermatologist within two weeks.", "result"),
        ("watch", "See a ", "condition"),
        ("calm", "No appointment is needed while it stays the same.", "condition"),
    ],
)
def test_the_explanation_never_asks_for_less_haste_than_the_tier(
    api, staff, lesion, every_result_is, tier, words, speaker, keep
):
    every_result_is(tier)
    nevus = (PHOTOGRAPHS / "ISIC_0024320.jpg").read_bytes()
    form = {"file": upload(nevus)} | ({"lesion": str(lesion.pk)} if keep else {})

    answer = api(staff).post(PREDICT, form).json()

    assert (answer["predicted_code"], answer["tier"]["code"]) == ("nv", tier)
    assert answer["explained"]["code"] == answer["explanation"]["code"]
    assert (answer["explained"]["code"] in MALIGNANT_CODES) == (tier != "calm")
    assert answer["explained"]["because"] == ("most_probable" if tier == "calm" else "leading_malignant")
    assert answer["explanation"]["urgency"].startswith(words)
    assert answer["explanation"]["urgency_from"] == speaker
    assert (answer["image"] is not None) == keep


@pytest.mark.parametrize("role", Role.values)
def test_every_role_of_a_clinic_may_ask(api, clinic, role, photograph):
    member = factories.MemberFactory(clinic=clinic, role=role)
    assert api(member).post(PREDICT, {"file": upload(photograph)}).status_code == 200


def test_it_is_kept_in_the_visit_that_is_named(api, staff, visit, lesion, photograph):
    form = {"file": upload(photograph), "visit": str(visit.pk), "lesion": str(lesion.pk)}
    answer = api(staff).post(PREDICT, form).json()

    image = Image.objects.get()
    assert (image.visit, image.lesion, image.uploaded_by) == (visit, lesion, staff)
    assert Path(image.original.path).read_bytes() == photograph
    assert answer["image"] == {
        "id": str(image.pk),
        "kind": None,
        "taken_at": None,
        "url": site_link(f"/images/{image.pk}/"),
        "lesion": str(lesion.pk),
        "visit": str(visit.pk),
    }
    prediction = image.predictions.get()
    assert answer["predicted_code"] == prediction.code
    assert answer["probabilities"] == pytest.approx(prediction.probabilities, abs=1e-5)


def test_what_is_kept_is_answered_as_what_is_not(api, staff, visit, lesion, photograph):
    """The stored answer is put together from the database: it must say the same as the network just did."""
    client = api(staff)
    fleeting = client.post(PREDICT, {"file": upload(photograph)}).json()
    kept = client.post(PREDICT, {"file": upload(photograph), "visit": visit.pk, "lesion": lesion.pk}).json()

    assert kept.pop("image") is not None
    assert fleeting.pop("image") is None
    for numbers in ("probabilities", "equal_prior_scores"):
        assert kept.pop(numbers) == pytest.approx(fleeting.pop(numbers), abs=2e-6)
    assert kept == fleeting


def test_without_a_visit_it_joins_the_open_visit_of_today(api, staff, patient, visit, lesion, photograph):
    form = {"file": upload(photograph), "patient": patient.pk, "lesion": lesion.pk}
    assert api(staff).post(PREDICT, form).status_code == 200
    assert Image.objects.get().visit == visit
    assert Visit.objects.count() == 1


@pytest.mark.parametrize("closed", [{"status": VisitStatus.SIGNED}, {"date": datetime.date(2020, 1, 1)}])
def test_without_a_visit_of_today_that_is_open_one_is_logged(api, staff, patient, visit, lesion, closed, photograph):
    Visit.objects.update(**closed)
    client = api(staff)
    for number in (0, 1):
        assert client.post(PREDICT, {"file": upload(sample(number)), "lesion": lesion.pk}).status_code == 200

    logged = Visit.objects.exclude(pk=visit.pk).get()
    assert (logged.patient, logged.clinician, logged.date) == (patient, staff, timezone.localdate())
    assert logged.is_open
    assert logged.images.count() == 2


def test_no_visit_is_logged_for_a_file_that_cannot_be_read(api, staff, lesion):
    assert_problem(api(staff).post(PREDICT, {"file": upload(b"text"), "lesion": lesion.pk}), 415, "not-an-image")
    assert not Visit.objects.exists()
    assert_nothing_kept()


def test_a_refused_photograph_is_422_with_reason_and_advice(api, staff):
    problem = assert_problem(api(staff).post(PREDICT, {"file": upload(refused_photograph())}), 422, "cannot-be-judged")
    assert problem["quality"]["verdict"] != "accepted"
    assert problem["quality"]["measures"]["brightness"] >= 0
    assert problem["reason"]
    assert problem["advice"]
    assert problem["image"] is None
    assert "probabilities" not in problem
    assert_nothing_kept()


def test_a_refused_photograph_is_kept_with_the_record(api, staff, visit, lesion):
    form = {"file": upload(refused_photograph()), "visit": visit.pk, "lesion": lesion.pk}
    problem = assert_problem(api(staff).post(PREDICT, form), 422, "cannot-be-judged")
    image = Image.objects.get()
    assert problem["image"]["id"] == str(image.pk)
    assert image.verdict == problem["quality"]["verdict"]
    assert not image.predictions.exists()


def test_the_same_photograph_twice_is_a_conflict_that_names_the_first(api, staff, visit, lesion, photograph):
    client = api(staff)
    form = {"visit": visit.pk, "lesion": lesion.pk}
    client.post(PREDICT, {"file": upload(photograph), **form})
    files = stored_files()
    problem = assert_problem(client.post(PREDICT, {"file": upload(photograph), **form}), 409, "already-uploaded")
    image = Image.objects.get()
    assert problem["image"]["id"] == str(image.pk)
    assert problem["image"]["url"] == site_link(image.get_absolute_url())
    assert stored_files() == files


def test_a_signed_visit_takes_no_more(api, staff, visit, lesion, photograph):
    Visit.objects.update(status=VisitStatus.SIGNED)
    form = {"file": upload(photograph), "visit": visit.pk, "lesion": lesion.pk}
    assert_problem(api(staff).post(PREDICT, form), 409, "visit-is-closed")
    assert_nothing_kept()


@pytest.mark.parametrize("named", ["patient", "lesion", "visit"])
def test_ids_of_another_clinic_are_answered_as_unknown_ones(
    api, staff, lesion, visit, other_lesion, other_visit, named, photograph
):
    others = {"patient": other_lesion.patient_id, "lesion": other_lesion.pk, "visit": other_visit.pk}
    answers = []
    for key in (others[named], "6f2b1d0e-1111-4111-8111-111111111111"):
        form = {"file": upload(photograph), "lesion": lesion.pk, "visit": visit.pk, named: key}
        answers.append(assert_problem(api(staff).post(PREDICT, form), 404, "not-found"))
    assert answers[0] == answers[1]
    assert named in answers[0]["detail"]
    assert_nothing_kept()


def test_ids_that_do_not_belong_together_are_refused(api, staff, clinic, lesion, visit, photograph):
    neighbour = factories.LesionFactory(patient__clinic=clinic)
    for form in (
        {"visit": visit.pk},
        {"patient": visit.patient_id},
        {"visit": visit.pk, "lesion": neighbour.pk},
        {"patient": visit.patient_id, "lesion": neighbour.pk},
    ):
        problem = assert_problem(api(staff).post(PREDICT, {"file": upload(photograph), **form}), 400, "invalid")
        assert list(problem["errors"]) == ["lesion"]
    assert_nothing_kept()


@pytest.mark.parametrize("key", ["7", "not-a-uuid", "\0", "9" * 5000, "' OR 1=1 --", "ü" * 36])
def test_ids_that_are_none_are_refused(api, staff, key, photograph):
    problem = assert_problem(api(staff).post(PREDICT, {"file": upload(photograph), "lesion": key}), 400, "invalid")
    assert list(problem["errors"]) == ["lesion"]
    assert_nothing_kept()


@pytest.mark.parametrize("named", ["lesion", "visit", "patient"])
@pytest.mark.parametrize("empty", ["", "  "])
@pytest.mark.parametrize(("address", "files"), [(PREDICT, "file"), (BATCH, "files")])
def test_an_empty_id_is_a_mistake(api, staff, lesion, visit, photograph, named, empty, address, files):
    """A shell variable that was not set; the rest of the request looks as if the photograph were to be kept."""
    form = {files: upload(photograph), "lesion": lesion.pk, "visit": visit.pk, named: empty}
    problem = assert_problem(api(staff).post(address, form), 400, "invalid")
    assert list(problem["errors"]) == [named]
    assert "empty" in problem["errors"][named][0]
    assert_nothing_kept()


@pytest.mark.parametrize("unknown", ["lesion_id", "Lesion", "lesion[]", "images", "\0", "x" * 500])
@pytest.mark.parametrize(("address", "files"), [(PREDICT, "file"), (BATCH, "files")])
def test_unknown_fields_are_named(api, staff, lesion, photograph, unknown, address, files):
    client = api(staff)
    for value in (lesion.pk, "", upload(photograph)):
        form = {files: upload(photograph), "language": "en", "reading_level": "patient"}
        problem = assert_problem(client.post(address, {**form, unknown: value}), 400, "invalid")
        assert list(problem["errors"]) == [unknown]
        assert "lesion" in problem["errors"][unknown][0]
    assert_nothing_kept()


@pytest.mark.parametrize("unknown", ["lesion", "lesion_id", "language"])
@pytest.mark.parametrize(("address", "files"), [(PREDICT, "file"), (BATCH, "files")])
def test_what_is_in_the_address_instead_of_the_form_is_named(api, staff, lesion, photograph, unknown, address, files):
    response = api(staff).post(f"{address}?{unknown}={lesion.pk}", {files: upload(photograph)})
    assert list(assert_problem(response, 400, "invalid")["errors"]) == [unknown]
    assert_nothing_kept()


def test_what_browsers_and_the_framework_send_is_no_mistake(api, staff, photograph):
    form = {"file": upload(photograph), "csrfmiddlewaretoken": "x", "language": ""}
    assert api(staff).post(f"{PREDICT}?format=json", form).json()["image"] is None


def test_the_file_is_needed(api, staff):
    client = api(staff)
    for form in ({}, {"files": upload(b"x")}):
        assert list(assert_problem(client.post(PREDICT, form), 400, "invalid")["errors"]) == ["file"]


def test_two_files_belong_to_the_batch(api, staff, photograph):
    form = {"file": [upload(photograph), upload(photograph)]}
    problem = assert_problem(api(staff).post(PREDICT, form), 413, "too-many-files")
    assert "/api/v1/predict/batch/" in problem["detail"]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
def test_every_format_is_read_whatever_its_name(api, staff, photograph, kind):
    data = encoded(Pillow.open(io.BytesIO(photograph)), kind)
    response = api(staff).post(PREDICT, {"file": upload(data, "mole.txt", "text/plain")})
    assert response.status_code == 200, response.content


@pytest.mark.django_db(transaction=True)
def test_photographs_that_come_at_once_share_the_new_visit(api, staff, lesion):
    clients = [api(staff) for _number in range(3)]
    statuses: list[int] = []

    def send(number: int) -> None:
        form = {"file": upload(sample(number)), "lesion": lesion.pk}
        statuses.append(clients[number].post(PREDICT, form).status_code)
        connection.close()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 422}
    assert Visit.objects.get().images.count() == 3


def test_an_answer_that_is_not_kept_takes_four_queries(api, staff, django_assert_num_queries):
    """The token with its member, the active version, the clinic's settings, and the explanation."""
    client = api(staff)
    assert client.post(PREDICT, {"file": upload(sample())}).status_code == 200

    with django_assert_num_queries(4):
        client.post(PREDICT, {"file": upload(sample())})


def test_an_answer_that_is_not_kept_draws_no_heat_map(api, staff, monkeypatch):
    drawn, draw = [], analyser.grad_cam

    def draw_counted(*args, **options):
        drawn.append(args)
        return draw(*args, **options)

    monkeypatch.setattr(analyser, "grad_cam", draw_counted)
    assert api(staff).post(PREDICT, {"file": upload(sample())}).status_code == 200
    assert not drawn
