"""Whatever page tells a dermatologist the network's answer to a photograph records that they have seen it.

Every address is opened twice, with a calm and with an urgent answer. Where the page differs, it told the answer.
"""

import re
from collections.abc import Iterator

import pytest
from django.test import Client, override_settings

from diagnosis.images.models import Image
from diagnosis.reviews.models import SeenAnswer
from diagnosis.reviews.queue import refresh_queue_entry
from patients.models import Member
from tests import factories
from tests.permissions.addresses import ADDRESSES, Address
from tests.permissions.answers import Case
from tests.permissions.world import World, undone

pytestmark = pytest.mark.django_db

# What counts or sorts by urgency without naming which: a place in a list, see diagnosis.reviews.blinding.
PLACES = {"today", "today-section", "admin:index"}
QUEUE = {"admin:diagnosis_queueentry_changelist", "admin:review", "admin:review-lesions"}
# About no photograph: figures of the whole clinic, and what differs with the time or the factories' version names.
OF_NO_PHOTOGRAPH = {"api-docs", "api-status", "metrics", "session", "version-history", "watch"}
# What differs from one request to the next.
PASSING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}"
    r"|name=\"csrfmiddlewaretoken\" value=\"\w+\"|\"X-CSRFToken\": \"\w+\"|nonce=\"\S+\""
)


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[World]:
    media = tmp_path_factory.mktemp("media")
    with django_db_blocker.unblock(), override_settings(MEDIA_ROOT=media, REVIEW_RANDOM_SHARE=0), undone():
        yield World()


def opened(world: World, address: Address, case: Case, image: Image, *, tier: str) -> tuple[str, bool]:
    """Return the page with an answer of ``tier``, without what passes, and whether it was recorded as seen."""
    client = Client(raise_request_exception=False)
    if address.name.startswith("api-"):
        client.defaults["HTTP_AUTHORIZATION"] = f"Token {world.tokens['dermatologist']}"
    else:
        client.cookies["sessionid"] = world.sessions["dermatologist"]
    with undone():
        # In place of the answer that the world's photograph has, since that of the active version is shown.
        image.predictions.all().delete()
        code = "mel" if tier == "urgent" else "nv"
        factories.PredictionFactory(image=image, code=code, tier=tier, model_version=world.objects["version"])
        refresh_queue_entry(image=image)
        response = client.get(address.path(case, world))
        if response.streaming:
            list(response)
            return "", False
        member = Member.objects.get(user=world.users["dermatologist"])
        is_noted = SeenAnswer.objects.filter(image=image, member=member).exists()
        text = response.content.decode("utf-8", "replace")
        # The header counts what is urgent in the whole clinic.
        main = text[text.index("<main") : text.index("</main>")] if "<main" in text else text
        return PASSING.sub("", main), is_noted


@pytest.mark.slow
@pytest.mark.parametrize("name", ["open_image", "released_image"])
def test_every_page_that_tells_the_answer_records_it(world, name):
    image = world.objects[name]
    told: set[str] = set()
    silent: set[str] = set()
    with undone():
        for address in ADDRESSES:
            for case in address.cases():
                if case.get["dermatologist"] != 200 or address.name in PLACES | QUEUE | OF_NO_PHOTOGRAPH:
                    continue
                calm, _noted = opened(world, address, case, image, tier="calm")
                urgent, is_noted = opened(world, address, case, image, tier="urgent")
                if calm != urgent:
                    (told if is_noted else silent).add(address.name or address.route)
    assert not silent, " ".join(sorted(silent))
    # Of one that waits, every page that is opened to read its answer; of the other, lists name the label alone.
    assert len(told) > (3 if name == "open_image" else 1), " ".join(sorted(told))
