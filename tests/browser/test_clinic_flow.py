"""The clinic's day in a browser: from sign-in to the result, to the report, to the patient."""

import hashlib

import pytest

from diagnosis.images.models import Image, Prediction, QualityOverride
from diagnosis.reports.models import Report
from diagnosis.reviews.models import Review
from patients.models import Lesion, Patient, Visit, VisitStatus
from tests.browser.conftest import DESKTOP, PHONE, sign_in
from tests.conftest import PHOTOGRAPHS
from tests.diagnosis.photographing import blurred, kept, sample
from tests.diagnosis.reporting import signed_report
from tests.factories import LesionFactory, VisitFactory
from tests.hooks import at_code, wording

MELANOMA = PHOTOGRAPHS / "ISIC_0024310.jpg"
NEVUS = PHOTOGRAPHS / "ISIC_0024322.jpg"


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_from_sign_in_to_the_result(open_browser, staff, tmp_path, size):
    page = open_browser(size)
    sign_in(page, staff)

    page.get_by_role("link", name="Find a patient").click()
    page.get_by_role("link", name="Register patient").first.click()
    page.get_by_label("Record number").fill("N-1001")
    page.get_by_label("Given name").fill("Ines")
    page.get_by_label("Family name").fill("Moreau")
    page.get_by_label("Birth date").fill("1961-03-14")
    page.get_by_role("button", name="Register patient").click()

    page.get_by_role("link", name="Log a visit").first.click()
    page.get_by_label("Complaint").fill("A mole on the back that has grown")
    page.get_by_role("button", name="Log visit").click()

    page.get_by_role("link", name="Add photographs").first.click()
    page.get_by_role("link", name="Add the first lesion").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Body site").select_option("back")
    dialog.get_by_role("radio", name="Left").check()
    dialog.get_by_role("button", name="Add lesion").click()
    dialog.wait_for(state="hidden")

    assert page.get_by_role("radio", name="Lesion 1, left back").is_checked(), "the lesion just added is chosen"
    text = tmp_path / "letter.jpg"
    text.write_text("This is a letter, not a photograph.")
    page.locator("#id_files").set_input_files([MELANOMA, text, NEVUS])
    page.get_by_role("button", name="Upload and analyse").click()
    page.get_by_text("3 of 3 done, 1 not stored").wait_for()
    rows = page.locator("#uploads > li")
    assert "Not stored" in rows.nth(1).inner_text()
    rows.nth(0).get_by_role("link", name="Open").click()

    image = Image.objects.get(sha256=hashlib.sha256(MELANOMA.read_bytes()).hexdigest())
    prediction = image.predictions.get()
    shown = page.locator("main").inner_text()
    assert prediction.get_tier_display() in shown
    assert prediction.condition.name in shown
    assert wording("not a diagnosis") in shown
    assert prediction.model_version.name in shown

    patient = Patient.objects.get(clinic=staff.clinic)
    assert (patient.record_number, patient.name) == ("N-1001", "Ines Moreau")
    assert Lesion.objects.get().place == "left back"
    assert Image.objects.count() == 2, "two photographs were kept; the letter was not"
    assert Prediction.objects.count() == 2
    assert image.uploaded_by == staff


def test_the_heat_map_fades_with_its_slider(open_browser, staff, patient):
    visit, lesion = VisitFactory(patient=patient), LesionFactory(patient=patient)
    image = kept(visit, lesion, staff, MELANOMA.read_bytes())
    page = open_browser()
    sign_in(page, staff)
    page.goto(image.get_absolute_url())
    slider = page.get_by_role("slider")
    overlay = page.locator("img[src*='heat-map']")

    def opacity() -> float:
        return float(overlay.evaluate("element => getComputedStyle(element).opacity"))

    assert overlay.is_hidden(), "the clean photograph is shown first"
    slider.focus()
    page.keyboard.press("End")
    overlay.wait_for()
    page.wait_for_load_state("networkidle")
    most = opacity()
    page.keyboard.press("Home")

    assert opacity() == 0
    assert most > 0.9
    assert overlay.evaluate("element => element.naturalWidth") > 0
    assert Prediction.objects.get().image == image


def test_a_refused_photograph_says_why_and_a_dermatologist_may_override(open_browser, staff, dermatologist, patient):
    visit = VisitFactory(patient=patient)
    LesionFactory(patient=patient)
    page = open_browser(PHONE)
    sign_in(page, staff)
    page.goto(f"/visits/{visit.pk}/upload/")
    page.get_by_role("radio").first.check()
    page.locator("#id_files").set_input_files(
        [{"name": "shaky.jpg", "mimeType": "image/jpeg", "buffer": blurred(sample(5))}]
    )
    page.get_by_role("button", name="Upload and analyse").click()
    page.get_by_role("link", name="Open").click()
    assert "blurred" in page.locator("main").inner_text().lower()
    assert page.get_by_role("link", name="Take it again").is_visible()
    assert page.get_by_role("button", name="Analyse anyway").count() == 0, "staff may not override"
    image = Image.objects.get()
    assert (image.verdict, image.predictions.count()) == ("blurred", 0)

    other = open_browser()
    sign_in(other, dermatologist)
    other.goto(image.get_absolute_url())
    other.get_by_role("button", name="Analyse anyway").click()
    assert QualityOverride.objects.count() == 0, "a reason is required"
    other.get_by_label("Why should it be analysed anyway?").fill("The lesion itself is in focus.")
    other.get_by_role("button", name="Analyse anyway").click()
    other.locator(at_code("overridden")).first.wait_for()

    override = QualityOverride.objects.get()
    assert (override.image, override.member) == (image, dermatologist)
    assert override.reason == "The lesion itself is in focus."
    assert image.predictions.count() == 1


def test_a_photograph_of_another_lesion_is_added_there_and_put_back(open_browser, staff, patient):
    visit = VisitFactory(patient=patient)
    wrong, right = LesionFactory(patient=patient), LesionFactory(patient=patient, body_site="scalp")
    image = kept(visit, wrong, staff, MELANOMA.read_bytes())
    page = open_browser(PHONE)
    sign_in(page, staff)

    page.goto(image.get_absolute_url())
    page.get_by_role("link", name="Wrong record? Exclude it").click()
    page.get_by_role("button", name="Exclude photograph").click()
    page.get_by_role("alert").locator(at_code("required")).first.wait_for()
    page.get_by_label("It shows another lesion").check()
    page.get_by_label("Which lesion should it be added to?").select_option(str(right.pk))
    page.get_by_role("button", name="Exclude photograph").click()
    page.locator(at_code("photograph_added_here")).first.wait_for()
    added = Image.objects.in_use().get()
    assert (added.lesion, added.visit, added.predictions.count()) == (right, visit, 1)

    page.goto(visit.get_absolute_url())
    page.locator(at_code("exclusions")).locator("summary").click()
    page.locator("main details").get_by_role("link").click()
    page.get_by_role("button", name="Undo").click()
    page.locator(at_code("exclusion_undone")).first.wait_for()
    row = image.exclusions.get()
    assert (row.reason, row.ended_by) == ("other_lesion", staff)
    assert Image.objects.in_use().count() == 2


def test_reviewed_signed_released_and_read_by_the_patient(open_browser, staff, dermatologist, patient, patient_user):
    visit, lesion = VisitFactory(patient=patient), LesionFactory(patient=patient)
    image = kept(visit, lesion, staff, MELANOMA.read_bytes())
    hidden = VisitFactory(patient=patient, complaint="Not for the patient yet")
    page = open_browser()
    sign_in(page, dermatologist)

    page.goto(image.get_absolute_url())
    page.get_by_label("What is it?").select_option("mel")
    page.get_by_label("Certain", exact=True).check()
    page.get_by_role("button", name="Record review").click()
    page.get_by_text("Confirmed: Melanoma").wait_for()

    page.goto(visit.get_absolute_url())
    page.get_by_role("link", name="Check and sign").click()
    page.get_by_role("textbox", name="Plan (optional)", exact=True).fill("We take the mole out next week.")
    assert page.get_by_label("Release the report to the patient at once").count() == 0, "a melanoma is released later"
    page.get_by_label("Biopsy or excision").check()
    page.get_by_label("1 week").check()
    page.get_by_role("button", name="Sign report").click()
    page.wait_for_url(f"**{visit.get_absolute_url()}")
    page.get_by_text("Release to the patient", exact=True).first.click()
    page.get_by_role("button", name="Release report").click()
    page.locator(at_code("report_released")).first.wait_for()

    visitor = open_browser(PHONE)
    sign_in(visitor, patient_user)
    visitor.goto("/my/")
    visitor.locator(f"a[href*='{visit.pk}']").first.click()
    shown = visitor.locator("main").inner_text()
    assert "Melanoma" in shown
    assert "We take the mole out next week." in shown
    assert hidden.complaint not in shown
    with visitor.expect_download() as download:
        visitor.get_by_role("link", name="Download as PDF").click()
    pdf = download.value.path().read_bytes()

    report = Report.objects.get()
    visit.refresh_from_db()
    assert visit.status == VisitStatus.RELEASED
    assert (report.visit, report.signed_by, report.released_by) == (visit, dermatologist, dermatologist)
    assert hashlib.sha256(pdf).hexdigest() == report.pdf_sha256
    assert Review.objects.get().answer == "mel"
    assert visitor.goto(hidden.get_absolute_url()).status == 403


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_release_is_asked_about_first(open_browser, dermatologist, patient, patient_user, size):
    report = signed_report(VisitFactory(patient=patient), dermatologist)
    page = open_browser(size)
    sign_in(page, dermatologist)
    page.goto(report.visit.get_absolute_url())
    page.get_by_text("Release to the patient").click()
    panel = page.locator(at_code("release_question"))
    panel.wait_for()
    box = panel.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= size[0], "the question is all on the screen"
    assert not Report.objects.filter(released_at__isnull=False).exists(), "nothing is released by opening it"
    page.get_by_role("button", name="Release report").click()
    page.locator(at_code("report_released")).first.wait_for()

    report.refresh_from_db()
    assert report.released_by == dermatologist
    assert Visit.objects.get().status == VisitStatus.RELEASED
