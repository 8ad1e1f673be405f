"""Two patients of one clinic, and the way through a correction's pages."""

import pytest

from diagnosis.reviews.queue import refresh_queue_entry
from tests import factories
from tests.page_forms import form_with

REASON = "Filed in the wrong place, the label on the slide says so."


@pytest.fixture
def other(clinic):
    """Another patient of the same clinic."""
    return factories.PatientFactory(clinic=clinic, given_name="Bruno", birth_date="1970-02-02")


@pytest.fixture
def photographs(patient):
    """Photographs of one lesion at one visit, with answers, in the queue."""

    def _photographs(count=1, *, lesion=None, visit=None, of=patient):
        lesion = lesion or factories.LesionFactory(patient=of)
        visit = visit or factories.VisitFactory(patient=of)
        made = [factories.ImageFactory(lesion=lesion, visit=visit) for _ in range(count)]
        for image in made:
            factories.PredictionFactory(image=image)
            refresh_queue_entry(image=image)
        return made

    return _photographs


@pytest.fixture
def correct(sign_in):
    """Preview a correction and confirm it as its page offers it; return the preview and the last response."""

    def _correct(who, address, *, reason=REASON, meanwhile=None, **target):
        client = sign_in(who)
        preview = client.get(address, {"preview": "1", **target})
        if preview.context["plan"] is None or preview.context["refusal"]:
            return preview, preview
        data = form_with(preview.text, "seen").data
        if meanwhile:
            meanwhile()
        return preview, client.post(address, {**data, "reason": reason})

    return _correct
