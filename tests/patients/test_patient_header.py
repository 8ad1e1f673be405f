"""Every page that belongs to one patient says in its header, once, whose it is."""

from collections.abc import Iterator

import pytest
from django.test import Client, override_settings

from tests.permissions.addresses import ADDRESSES
from tests.permissions.world import World, undone

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

HEADER = '<div class="patient-header"'
# Their keys in the address belong to a patient.
OF_A_PATIENT = {"patient_id", "visit_id", "lesion_id", "image_id"}
NOT_A_PAGE = {"image-file", "image-explanation", "admin:review-others", "my-visit"}


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[World]:
    media = tmp_path_factory.mktemp("media")
    with django_db_blocker.unblock(), override_settings(MEDIA_ROOT=media), undone():
        yield World()


def test_every_page_of_a_patient_has_the_header(world):
    client = Client()
    client.cookies["sessionid"] = world.sessions["dermatologist"]
    patient, lacking, having = world.objects["patient"], [], set()
    for address in ADDRESSES:
        for case in address.cases():
            is_of_a_patient = OF_A_PATIENT & set(case.ids) and address.name not in NOT_A_PAGE
            if case.get["dermatologist"] != 200 or not is_of_a_patient or address.name.startswith("api-"):
                continue
            path = address.path(case, world)
            with undone():
                text = client.get(path).text
            header = text.partition(HEADER)[2].partition("</div>\n</div>")[0]
            if text.count(HEADER) != 1 or patient.name not in header or patient.record_number not in header:
                lacking.append(path)
            having.add(address.name)
    assert lacking == []
    assert {"patient", "visit", "lesion", "image", "upload", "visit-sign", "visit-addendum", "image-exclude"} <= having
    assert {"patient-edit", "patient-consent", "patient-account", "admin:review-photograph"} <= having
