"""How photographs were taken: stated, read from the file, corrected, and never made to reassure."""

import datetime
import itertools
import json

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from diagnosis.assessment.exclusions import exclude_image
from diagnosis.images.facts import StatedFacts, store_facts
from diagnosis.images.kinds import PhotographKind
from diagnosis.images.models import Image, PhotographFacts, Prediction, Tier
from diagnosis.images.reliability import reliability_of, tier_to_show
from diagnosis.reports.content import build_content
from diagnosis.reviews.models import QueueEntry, Reason
from mlmodel.network.quality import Reliability
from tests import factories
from tests.hooks import codes, wording
from tests.page_forms import form_with

DAY = datetime.timedelta(days=1)
URGENCY = {str(Tier.CALM): 0, str(Tier.WATCH): 1, str(Tier.URGENT): 2}


@pytest.fixture
def visit(patient):
    return factories.VisitFactory(patient=patient, date=timezone.localdate() - 10 * DAY)


@pytest.fixture
def lesion(patient):
    return factories.LesionFactory(patient=patient)


@pytest.fixture
def image(visit, lesion):
    return factories.ImageFactory(visit=visit, lesion=lesion)


@pytest.fixture
def device(clinic):
    return factories.DeviceFactory(clinic=clinic)


def correct(client, image, **typed):
    """Send the form of the photograph's page with other values."""
    shown = form_with(client.get(image.get_absolute_url()).text, "is_polarised").data
    return client.post(reverse("image-facts", args=[image.pk]), {**shown, **typed})


def test_facts_are_stated_on_the_photographs_page_and_corrected(image, staff, dermatologist, device, sign_in):
    client = sign_in(staff)
    taken = timezone.localtime(image.created_at - 10 * DAY).replace(microsecond=0)
    first = {
        "kind": "dermoscopic",
        "device": str(device.pk),
        "is_polarised": "True",
        "is_contact": "False",
        "taken_at": taken.strftime("%Y-%m-%dT%H:%M:%S"),
    }
    assert correct(client, image, **first).url == f"{image.get_absolute_url()}#facts"
    row = PhotographFacts.objects.get()
    assert (row.kind, row.device, row.is_polarised, row.is_contact) == ("dermoscopic", device, True, False)
    assert (row.taken_at, row.taken_at_source, row.member) == (taken, "member", staff)

    assert correct(client, image).status_code == 302
    assert PhotographFacts.objects.count() == 1, "nothing new was said"

    assert correct(sign_in(dermatologist), image, kind="close_up", device="").status_code == 302
    image.refresh_from_db()
    assert (image.kind, image.taken_at) == ("close_up", taken)
    assert [(each.kind, each.member) for each in image.facts.all()] == [
        ("close_up", dermatologist),
        ("dermoscopic", staff),
    ]
    page = client.get(image.get_absolute_url())
    assert [statement.by for statement in page.context["how_taken"].history] == [staff.name]


def test_a_stale_page_overrides_nobody(image, staff, dermatologist, sign_in):
    address, client = reverse("image-facts", args=[image.pk]), sign_in(staff)
    correct(client, image, kind="dermoscopic")
    stale = form_with(client.get(address).text, "kind").data
    correct(sign_in(dermatologist), image, kind="close_up")
    refused = client.post(address, {**stale, "kind": ["overview"]})
    assert refused.status_code == 409
    assert image.facts.count() == 2
    again = form_with(refused.text, "kind").data
    assert client.post(address, {**again, "keep-kind": "mine"}).status_code == 302
    assert image.facts.first().kind == "overview"


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"kind": "selfie"}, "kind"),
        ({"device": "no-uuid"}, "device"),
        ({"device": "\x00"}, "device"),
        ({"is_polarised": "perhaps"}, "is_polarised"),
        ({"taken_at": "1989-12-31T23:00"}, "taken_at"),
        ({"taken_at": "2999-01-01T00:00"}, "taken_at"),
        ({"taken_at": "0001-01-01T00:00"}, "taken_at"),
        ({"taken_at": "9999-12-31T23:59:59.999999"}, "taken_at"),
        ({"taken_at": "tomorrow"}, "taken_at"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(image, staff, sign_in, typed, field):
    answer = sign_in(staff).post(reverse("image-facts", args=[image.pk]), typed)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not PhotographFacts.objects.exists()


def test_another_clinics_devices_and_photographs_stay_its_own(image, staff, stranger, patient_user, sign_in):
    theirs = factories.DeviceFactory(clinic=stranger.clinic)
    address = reverse("image-facts", args=[image.pk])
    assert sign_in(staff).post(address, {"device": str(theirs.pk)}).status_code == 422
    assert sign_in(stranger).post(address, {"kind": "overview"}).status_code == 404
    assert sign_in(patient_user).post(address, {"kind": "overview"}).status_code == 403
    assert not PhotographFacts.objects.exists()


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        ({"kind": "selfie"}, "photograph_kind_is_known"),
        (
            {"taken_at": datetime.datetime(1989, 12, 31, tzinfo=datetime.UTC), "taken_at_source": "file"},
            "photograph_was_taken_at_a_plausible_time",
        ),
        (
            {"taken_at": datetime.datetime(2999, 1, 1, tzinfo=datetime.UTC), "taken_at_source": "file"},
            "photograph_was_taken_at_a_plausible_time",
        ),
        ({"taken_at": datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)}, "time_of_a_photograph_has_a_source"),
        ({"taken_at_source": "file"}, "time_of_a_photograph_has_a_source"),
        ({"is_own_overview": True}, "photograph_is_not_its_own_overview"),
        ({"kind": "overview", "has_overview": True}, "overview_belongs_to_no_overview"),
    ],
)
def test_the_database_keeps_the_rules(image, lesion, staff, broken, rule):
    values = {name: value for name, value in broken.items() if not name.startswith(("is_own", "has_"))}
    if "is_own_overview" in broken:
        values["overview"] = image
    if "has_overview" in broken:
        values["overview"] = factories.ImageFactory(lesion=lesion)
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        PhotographFacts.objects.create(image=image, member=staff, **values)


def test_statements_are_never_changed(image, staff):
    PhotographFacts.objects.create(image=image, member=staff, kind="overview")
    with pytest.raises(IntegrityError, match="photograph_facts_are_append_only"), transaction.atomic():
        PhotographFacts.objects.update(kind="dermoscopic")
    with pytest.raises(IntegrityError, match="image_kind_is_known"), transaction.atomic():
        Image.objects.update(kind="selfie")


def test_a_stated_kind_only_ever_makes_the_answer_more_cautious():
    kinds = PhotographKind.values
    for kind, is_smartphone, is_accepted, tier in itertools.product(kinds, (0.0, 1.0), (True, False), Tier.values):
        measures = {"smartphone": is_smartphone}
        without = reliability_of(measures, is_accepted=is_accepted)
        stated = reliability_of(measures, is_accepted=is_accepted, kind=kind)
        assert stated == without or (without is Reliability.CALIBRATED and stated is Reliability.SMARTPHONE)
        assert URGENCY[tier_to_show(tier, stated)] >= URGENCY[tier_to_show(tier, without)]
    assert reliability_of({"smartphone": 1.0}, kind="dermoscopic") is Reliability.SMARTPHONE
    assert reliability_of({}, kind="overview") is Reliability.SMARTPHONE


@pytest.mark.parametrize("kind", ["overview", "close_up"])
def test_a_calm_answer_to_one_without_a_dermatoscope_reassures_nowhere(image, staff, sign_in, kind):
    Image.objects.filter(pk=image.pk).update(measures={"smartphone": 0.0})
    factories.PredictionFactory(image=image, tier="calm")
    client = sign_in(staff)
    assert "badge-calm" in client.get(image.lesion.get_absolute_url()).text
    correct(client, image, kind=kind)

    image = Image.objects.get()
    assert [each.shown_tier for each in Prediction.objects.shown()] == ["watch"]
    assert list(Image.objects.not_reliable()) == [image]
    assert Prediction.objects.of_shown_tier("watch").count() == 1
    assert Reason.NO_DERMATOSCOPE in QueueEntry.objects.get(image=image).reasons
    view = client.get(image.get_absolute_url()).context["view"]
    assert (view.tier, view.bars) == ("watch", ())
    assert view.caution
    assert "badge-calm" not in client.get(image.lesion.get_absolute_url()).text


def test_an_urgent_overview_stays_urgent(image, staff, sign_in):
    factories.PredictionFactory(image=image, code="mel", tier="urgent")
    correct(sign_in(staff), image, kind="overview")
    assert [each.shown_tier for each in Prediction.objects.shown()] == ["urgent"]


def test_an_overview_and_its_detail_are_shown_together(image, visit, lesion, patient, staff, sign_in):
    client = sign_in(staff)
    overview = factories.ImageFactory(visit=visit, lesion=factories.LesionFactory(patient=patient))
    elsewhere = factories.ImageFactory(lesion__patient=factories.PatientFactory(clinic=patient.clinic))
    for each in (overview, elsewhere):
        store_facts(image=each, stated=StatedFacts(kind="overview"), by=staff)
    address = reverse("image-facts", args=[image.pk])
    assert client.post(address, {"overview": str(elsewhere.pk)}).status_code == 422
    assert client.post(address, {"overview": str(image.pk)}).status_code == 422
    assert correct(client, image, kind="dermoscopic", overview=str(overview.pk)).status_code == 302
    assert PhotographFacts.objects.newest().get(image=image).overview == overview
    assert client.get(image.get_absolute_url()).context["how_taken"].overview == overview
    assert client.get(overview.get_absolute_url()).context["how_taken"].below == (image,)
    (together,) = client.get(overview.lesion.get_absolute_url()).context["overviews"]
    assert (together.overview, together.below) == (overview, [image])

    exclude_image(image=overview, by=staff, reason="taken_twice")
    assert client.get(image.get_absolute_url()).context["how_taken"].overview is None


def test_a_photograph_of_another_time_says_so_and_stands_where_it_was_taken(patient, lesion, staff, sign_in):
    today = timezone.localdate()
    old, new = (factories.VisitFactory(patient=patient, date=today - days * DAY) for days in (400, 10))
    before = factories.ImageFactory(visit=old, lesion=lesion)
    brought, at_visit = factories.ImageFactory.create_batch(2, visit=new, lesion=lesion)
    moment = timezone.now() - 500 * DAY
    store_facts(image=brought, stated=StatedFacts(taken_at=moment), by=staff)
    store_facts(image=at_visit, stated=StatedFacts(taken_at=timezone.now() - 9 * DAY), by=staff)
    brought, at_visit = Image.objects.get(pk=brought.pk), Image.objects.get(pk=at_visit.pk)

    assert (brought.is_of_another_time, at_visit.is_of_another_time) == (True, False)
    client = sign_in(staff)
    shown = client.get(lesion.get_absolute_url()).context["photographs"]
    assert [each.image for each in shown] == [at_visit, before, brought]
    note = "not at this visit"
    assert client.get(new.get_absolute_url()).text.count(note) == 1
    assert "taken_at_another_time" in codes(client.get(brought.get_absolute_url()).text)
    assert "taken_at_another_time" not in codes(client.get(at_visit.get_absolute_url()).text)


def test_a_report_holds_the_kind_and_the_day(image, staff):
    taken = timezone.now() - 30 * DAY
    store_facts(image=image, stated=StatedFacts(kind="close_up", taken_at=taken), by=staff)
    (photograph,) = json.loads(json.dumps(build_content(image.visit)))["lesions"][0]["photographs"]
    assert (photograph["kind"], photograph["kind_words"]) == ("close_up", wording("Close-up without a dermatoscope"))
    assert photograph["taken_on"] == timezone.localdate(taken).isoformat()
    assert photograph["was_taken_at_another_time"] is True
