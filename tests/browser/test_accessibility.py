"""Every page of every role: no serious axe violation, nothing that scrolls sideways, in light and in dark."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse

from diagnosis.assessment.exclusions import exclude_image
from diagnosis.images.models import ExclusionReason, Image
from diagnosis.monitoring.tasks import watch_clinics
from diagnosis.reports.addenda import sign_addendum
from diagnosis.reports.models import Report
from diagnosis.reports.services import release_report, sign_visit
from diagnosis.reviews.services import record_review
from tests.browser.conftest import DESKTOP, PHONE, sign_in
from tests.candidates import candidate
from tests.diagnosis.monitoring.test_watch import photographs
from tests.diagnosis.photographing import blurred, kept, sample
from tests.factories import DeviceFactory, LesionFactory, VisitFactory

# Axe would read imported style sheets by writing them into the page again, which the page's security policy forbids.
# Only one experimental rule needs them.
AXE_OPTIONS = {"preload": {"assets": ["media"]}}
LOOKS = [(DESKTOP, "light"), (PHONE, "dark")]


NETWORK_PAGES = ("network", "versions", "watch", "thresholds")


@pytest.fixture
def records(staff, dermatologist, patient, patient_user) -> dict[str, str]:
    """A patient with an open visit (one photograph judged, one refused) and one that was signed and released."""
    lesion = LesionFactory(patient=patient)
    open_visit, released = VisitFactory.create_batch(2, patient=patient, plan="Come again in a year.")
    judged = kept(open_visit, lesion, staff, sample(0))
    refused = kept(open_visit, lesion, staff, blurred(sample(1)))
    reviewed = kept(released, lesion, staff, sample(2))
    record_review(image=reviewed, reviewer=dermatologist, answer="nv", certainty="certain", reason="Typical network")
    report: Report = sign_visit(visit=released, by=dermatologist)
    release_report(report=report, by=dermatologist)
    sign_addendum(report=report, by=dermatologist, words="The laboratory has answered: all is well.")
    aside = kept(open_visit, lesion, staff, sample(3))
    exclude_image(image=aside, by=staff, reason=ExclusionReason.OTHER_PATIENT, note="The next one in the room.")
    exclude_image(image=reviewed, by=staff, reason=ExclusionReason.OTHER_LESION)
    return {
        "patient": reverse("patient", args=[patient.pk]),
        "patient-risk": reverse("patient-risk", args=[patient.pk]),
        "symptoms": reverse("lesion-symptoms", args=[open_visit.pk, lesion.pk]),
        "patient-edit": reverse("patient-edit", args=[patient.pk]),
        "visit-new": reverse("visit-new", args=[patient.pk]),
        "lesion-new": reverse("lesion-new", args=[patient.pk]),
        "visit": reverse("visit", args=[open_visit.pk]),
        "visit-edit": reverse("visit-edit", args=[open_visit.pk]),
        "upload": reverse("upload", args=[open_visit.pk]),
        "facts": reverse("image-facts", args=[judged.pk]),
        "device": reverse("device", args=[DeviceFactory(clinic=patient.clinic, created_by=dermatologist).pk]),
        "visit-sign": reverse("visit-sign", args=[open_visit.pk]),
        "lesion": reverse("lesion", args=[lesion.pk]),
        "plan": reverse("lesion-plan", args=[lesion.pk]),
        "body-map": reverse("body-map", args=[patient.pk]),
        "body-map-enlarged": reverse("body-map", args=[patient.pk]) + "?view=front&region=left-shoulder",
        "lesion-place": reverse("lesion-place", args=[lesion.pk]),
        "result": judged.get_absolute_url(),
        "refused": refused.get_absolute_url(),
        "set-aside": reverse("image-exclude", args=[judged.pk]),
        "aside": aside.get_absolute_url(),
        "released": reverse("visit", args=[released.pk]),
        "addendum": reverse("visit-addendum", args=[released.pk]),
        "my-visit": reverse("my-visit", args=[released.pk]),
        "admin-image": reverse("admin:diagnosis_image_change", args=[judged.pk]),
    }


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_public_pages(open_browser, db, size, scheme):
    page = open_browser(size, color_scheme=scheme)
    names = ["home", "about", "contact", "quick-check", "account_login", "account_reset_password"]

    assert list(_problems(page, {name: reverse(name) for name in names} | {"missing": "/no-such-page/"})) == []


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_the_clinics_pages(open_browser, dermatologist, records, size, scheme):
    page = open_browser(size, color_scheme=scheme)
    sign_in(page, dermatologist)
    names = ["today", "patients", "patient-new", "visits", "lesions", "reminders", "devices", "device-new"]
    lists = {name: reverse(name) for name in (*names, "mfa_index", *NETWORK_PAGES)}
    lists |= {name: reverse(f"admin:{name}") for name in ("review", "review-lesions", "review-agreement")}
    lists |= {"candidate": reverse("version", args=[candidate(verdict="hold").pk]), "runs": "/admin/retraining/"}
    pages = {name: path for name, path in records.items() if name not in ("my-visit", "admin-image")}

    assert list(_problems(page, lists | pages)) == []
    assert Image.objects.in_use().count() == 2, "looking changes nothing"


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_the_managers_pages(open_browser, manager, records, size, scheme):
    page = open_browser(size, color_scheme=scheme)
    sign_in(page, manager)

    assert list(_problems(page, {name: reverse(name) for name in ("audit", "audit-unusual")})) == []


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_the_patients_pages(open_browser, patient_user, records, size, scheme):
    page = open_browser(size, color_scheme=scheme)
    sign_in(page, patient_user)

    pages = {name: reverse(name) for name in ("my-visits", "my-access")} | {"my-visit": records["my-visit"]}
    assert list(_problems(page, pages)) == []
    assert Report.objects.get().released_at is not None


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_the_watch_with_its_charts_and_tables_open(open_browser, clinic, dermatologist, records, size, scheme):
    photographs(clinic, 120, shift=2)
    watch_clinics()
    dermatologist.user.is_superuser = True
    dermatologist.user.save(update_fields=["is_superuser"])
    page = open_browser(size, color_scheme=scheme)
    sign_in(page, dermatologist)

    for name in ("watch", "watch-site"):
        page.goto(reverse(name))
        assert page.get_by_role("img", name="Agreement with confirmed labels, by week and version").is_visible()
        assert page.get_by_text("They differ.").is_visible()
        for summary in page.get_by_text("The figures as a table").all():
            if not summary.evaluate("element => element.parentElement.open"):
                summary.click()
        assert page.get_by_role("rowheader", name="30 days or more").is_visible()
        assert list(problems_of(page, name)) == []
    page.emulate_media(media="print")
    assert not page.get_by_text("The figures as a table").first.is_visible()
    assert page.get_by_role("img", name="Agreement with confirmed labels, by week and version").is_visible()


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_the_admin(open_browser, dermatologist, records, size, scheme):
    page = open_browser(size, color_scheme=scheme)
    sign_in(page, dermatologist)
    names = ("index", "diagnosis_image_changelist", "diagnosis_queueentry_changelist", "patients_patient_changelist")
    pages = {name: reverse(f"admin:{name}") for name in names} | {"image": records["admin-image"]}
    pages["review-queue"] = f"{pages['diagnosis_image_changelist']}?review=needed"

    assert list(_problems(page, pages)) == []
    assert Image.objects.in_use().count() == 2


def _problems(page, addresses: dict[str, str]) -> Iterator[str]:
    for name, address in addresses.items():
        page.goto(address)
        page.wait_for_load_state("networkidle")
        yield from problems_of(page, name)


def problems_of(page, name: str) -> Iterator[str]:
    """What is wrong with the page as it stands."""
    for violation in Axe().run(page, options=AXE_OPTIONS).response["violations"]:
        if violation["impact"] in ("serious", "critical"):
            where = "; ".join(node["html"][:160] for node in violation["nodes"][:3])
            yield f"{name}: {violation['id']}: {violation['help']}: {where}"
    excess = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if excess > 0:
        yield f"{name}: scrolls sideways by {excess} px"
