import pytest

from diagnosis.images.models import Image
from patients.models import Visit
from tests.api.helpers import BATCH, assert_nothing_kept, assert_problem, refused_photograph, sample, upload

pytestmark = pytest.mark.django_db


def test_each_file_has_its_answer_or_its_problem_in_order(api, staff):
    files = [
        upload(sample(0), "first.jpg"),
        upload(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "drawing.svg", "image/svg+xml"),
        upload(b"", "empty.jpg"),
        upload(refused_photograph(), "night.jpg"),
        upload(sample(0)[:4000], "half.jpg"),
        upload(sample(1), "last.jpg"),
    ]
    response = api(staff).post(BATCH, {"files": files})

    assert response.status_code == 200, response.content
    answer = response.json()
    assert (answer["count"], answer["failed"]) == (6, 4)
    items = answer["results"]
    assert [item["index"] for item in items] == [0, 1, 2, 3, 4, 5]
    names = ["first.jpg", "drawing.svg", "empty.jpg", "night.jpg", "half.jpg", "last.jpg"]
    assert [item["filename"] for item in items] == names
    assert [item["status"] for item in items] == [200, 415, 400, 422, 422, 200]
    for item in items:
        assert ("result" in item) == (item["status"] == 200)
        assert ("problem" in item) == (item["status"] != 200)
        if "problem" in item:
            assert item["problem"]["status"] == item["status"]
            assert item["problem"]["instance"] == f"{BATCH}#{item['index']}"
    assert items[0]["result"]["predicted_code"]
    assert items[3]["problem"]["quality"]["verdict"] != "accepted"
    assert_nothing_kept()


def test_kept_together_in_one_new_visit(api, staff, lesion):
    files = [upload(b"no photograph"), upload(sample(0)), upload(sample(1)), upload(sample(0))]
    answer = api(staff).post(BATCH, {"files": files, "lesion": lesion.pk}).json()

    assert [item["status"] for item in answer["results"]] == [415, 200, 200, 409]
    visit = Visit.objects.get()
    assert visit.images.count() == Image.objects.filter(lesion=lesion).count() == 2
    kept = {str(image.pk) for image in Image.objects.all()}
    assert answer["results"][3]["problem"]["image"]["url"] == answer["results"][1]["result"]["image"]["url"]
    assert {item["result"]["image"]["id"] for item in answer["results"] if item["status"] == 200} == kept


def test_nothing_but_rubbish_logs_no_visit(api, staff, lesion):
    answer = api(staff).post(BATCH, {"files": [upload(b"1"), upload(b"2")], "lesion": lesion.pk}).json()
    assert answer["failed"] == 2
    assert not Visit.objects.exists()


def test_another_clinics_lesion_sinks_the_whole(api, staff, other_lesion):
    form = {"files": [upload(sample(0))], "lesion": other_lesion.pk}
    assert_problem(api(staff).post(BATCH, form), 404, "not-found")
    assert_nothing_kept()


@pytest.mark.parametrize("count", [33, 64, 65, 200])
def test_more_than_32_are_too_many(api, staff, count):
    files = [upload(b"x", f"{number}.jpg") for number in range(count)]
    assert_problem(api(staff).post(BATCH, {"files": files}), 413, "too-many-files")


def test_32_are_not(api, staff):
    files = [upload(b"x", f"{number}.jpg") for number in range(32)]
    answer = api(staff).post(BATCH, {"files": files}).json()
    assert answer["count"] == answer["failed"] == 32


def test_files_are_needed(api, staff):
    client = api(staff)
    for form in ({}, {"file": upload(b"x")}):
        assert "files" in assert_problem(client.post(BATCH, form), 400, "invalid")["errors"]
