"""Several photographs, each to its own lesion and kind, by keyboard and by finger; and how they were taken after."""

import hashlib
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from diagnosis.images.models import Device, DeviceCalibration, Image, PhotographFacts
from patients.models import Lesion, LesionSymptoms
from tests.browser.conftest import DESKTOP, PHONE, sign_in
from tests.browser.test_accessibility import AXE_OPTIONS
from tests.conftest import PHOTOGRAPHS
from tests.factories import DeviceFactory, LesionFactory, VisitFactory

FILES = [PHOTOGRAPHS / f"ISIC_00243{number}.jpg" for number in ("10", "22", "27")]
SLOWEST = 60_000


def assert_accessible(page) -> None:
    problems = Axe().run(page, options=AXE_OPTIONS).response["violations"]
    assert [each["id"] for each in problems if each["impact"] in ("serious", "critical")] == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def image_of(file) -> Image:
    return Image.objects.get(sha256=hashlib.sha256(file.read_bytes()).hexdigest())


@pytest.mark.parametrize(("size", "touch"), [(DESKTOP, False), (PHONE, True)], ids=["keyboard", "finger"])
def test_each_photograph_goes_to_its_own_lesion(open_browser, staff, patient, size, touch):
    visit, first = VisitFactory(patient=patient), LesionFactory(patient=patient, number=1)
    device = DeviceFactory(clinic=patient.clinic, name="Dermatoscope", lens="", default_kind="dermoscopic")
    page = open_browser(size, has_touch=touch)
    sign_in(page, staff)
    page.goto(f"/visits/{visit.pk}/upload/")

    def press(control) -> None:
        if touch:
            control.tap()
        else:
            control.focus()
            page.keyboard.press("Enter")

    page.get_by_label("Taken with").select_option(str(device.pk))
    page.locator("#id_files").set_input_files(FILES[:2])
    page.locator("#id_files").set_input_files(FILES[2:])
    rows = page.locator("#uploads > li")
    expect(rows).to_have_count(3)
    expect(rows.locator("img.thumb")).to_have_count(3)
    expect(page.get_by_label(f"Kind: {FILES[0].name}")).to_have_value("dermoscopic")

    press(page.get_by_role("button", name="Upload and analyse"))
    expect(page.locator("#upload-problem")).to_be_visible()
    expect(page.get_by_label(f"Lesion: {FILES[0].name}")).to_be_focused()
    assert not Image.objects.exists(), "nothing is sent before every photograph has its lesion"

    page.get_by_label(f"Lesion: {FILES[1].name}").select_option("new")
    dialog = page.get_by_role("dialog")
    press(dialog.get_by_role("button", name="Add lesion"))
    expect(dialog.get_by_role("alert")).to_be_visible()
    dialog.get_by_label("Body site").select_option("back")
    dialog.get_by_role("radio", name="Left").check()
    assert_accessible(page)
    press(dialog.get_by_role("button", name="Add lesion"))
    expect(dialog).to_have_count(0)
    added = Lesion.objects.get(number=2)
    expect(page.get_by_label(f"Lesion: {FILES[1].name}")).to_have_value(str(added.pk))

    page.get_by_label(f"Kind: {FILES[1].name}").select_option("overview")
    page.get_by_role("radio", name="Lesion 1").check()
    expect(page.get_by_label(f"Lesion: {FILES[0].name}")).to_have_value(str(first.pk))
    expect(page.get_by_label(f"Lesion: {FILES[1].name}")).to_have_value(str(added.pk))
    assert_accessible(page)
    press(page.get_by_role("button", name="Upload and analyse"))
    expect(page.locator("#upload-progress")).to_have_text("3 of 3 done", timeout=SLOWEST)

    one, overview, three = (image_of(file) for file in FILES)
    assert (one.lesion, overview.lesion, three.lesion) == (first, added, first)
    assert (one.kind, overview.kind, three.kind) == ("dermoscopic", "overview", "dermoscopic")
    assert set(PhotographFacts.objects.values_list("device", flat=True)) == {device.pk}
    assert overview.shown_prediction is None or overview.shown_prediction.shown_tier != "calm"

    page.goto(one.get_absolute_url())
    page.get_by_text("Correct how it was taken").click()
    page.get_by_label("Belongs to the overview").select_option(str(overview.pk))
    assert_accessible(page)
    press(page.locator("form[action$='/facts/']").get_by_role("button", name="Save"))
    page.get_by_role("heading", name="The overview that it belongs to").wait_for()
    assert PhotographFacts.objects.newest().get(image=one).overview == overview


@pytest.mark.parametrize(("size", "touch"), [(DESKTOP, False), (PHONE, True)], ids=["keyboard", "finger"])
def test_the_first_lesion_and_its_symptoms_are_stated_where_photographs_are_added(
    open_browser, staff, patient, size, touch
):
    visit = VisitFactory(patient=patient)
    page = open_browser(size, has_touch=touch)
    sign_in(page, staff)
    page.goto(f"/visits/{visit.pk}/upload/")

    def press(control) -> None:
        if touch:
            control.tap()
        else:
            control.focus()
            page.keyboard.press("Space" if control.get_attribute("type") == "radio" else "Enter")

    page.locator("#id_files").set_input_files(FILES[:2])
    expect(page.locator("[data-symptoms] details:visible")).to_have_count(0)
    press(page.get_by_role("link", name="Add the first lesion"))
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Body site").select_option("back")
    dialog.get_by_role("radio", name="Left").check()
    press(dialog.get_by_role("button", name="Add lesion"))
    expect(dialog).to_have_count(0)
    first = Lesion.objects.get()
    for file in FILES[:2]:
        expect(page.get_by_label(f"Lesion: {file.name}")).to_have_value(str(first.pk))
    page.get_by_label(f"Lesion: {FILES[1].name}").select_option("new")
    dialog.get_by_label("Body site").select_option("abdomen")
    press(dialog.get_by_role("button", name="Add lesion"))
    expect(dialog).to_have_count(0)
    second = Lesion.objects.exclude(pk=first.pk).get()

    blocks = page.locator("[data-symptoms] details:visible")
    expect(blocks).to_have_count(2)
    press(blocks.first.locator("summary"))
    press(blocks.first.get_by_role("group", name="It bleeds").get_by_label("Yes"))
    press(blocks.last.locator("summary"))
    press(blocks.last.get_by_role("group", name="It itches").get_by_label("No", exact=True))
    # Choosing again loses nothing.
    page.get_by_label(f"Lesion: {FILES[1].name}").select_option(str(first.pk))
    expect(blocks).to_have_count(1)
    page.get_by_label(f"Lesion: {FILES[1].name}").select_option(str(second.pk))
    expect(blocks.last.get_by_role("group", name="It itches").get_by_label("No", exact=True)).to_be_checked()
    expect(blocks.first.get_by_role("group", name="It bleeds").get_by_label("Yes")).to_be_checked()
    assert_accessible(page)
    press(page.get_by_role("button", name="Upload and analyse"))
    expect(page.locator("#upload-progress")).to_have_text("2 of 2 done", timeout=SLOWEST)
    assert {(row.lesion, row.visit, row.itch, row.bleeding) for row in LesionSymptoms.objects.all()} == {
        (first, visit, "", "yes"),
        (second, visit, "no", ""),
    }


def test_a_manager_adds_a_device_and_calibrates_it(open_browser, manager):
    page = open_browser()
    sign_in(page, manager)
    page.goto("/devices/")
    page.get_by_role("link", name="Add a device").click()
    page.get_by_role("button", name="Add device").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    page.get_by_label("Name").fill("DermLite DL4")
    page.get_by_label("What it usually takes").select_option("dermoscopic")
    page.get_by_role("button", name="Add device").click()
    page.get_by_label("Width of the full frame on the skin").fill("14.5")
    page.get_by_label("Width of the full frame, in pixels").fill("4032")
    page.get_by_label("Height of the full frame").fill("3024")
    page.get_by_role("button", name="Save calibration").click()
    page.get_by_text(re.compile("14.50 mm wide at 4,?032 × 3,?024 pixels")).wait_for()
    page.reload()  # without the message that it was saved
    assert_accessible(page)
    row = DeviceCalibration.objects.get()
    assert (row.device, row.member, row.frame_width) == (Device.objects.get(), manager, 4032)
