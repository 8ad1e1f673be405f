"""A second opinion in a browser: asked at the clinic, answered by a doctor who has only a link and a code."""

import pytest
from django.urls import reverse

from diagnosis.opinions.links import signature_of
from diagnosis.opinions.models import AccessKind, OpinionRequest
from diagnosis.reviews.models import Review
from tests.browser.conftest import DESKTOP, PHONE, sign_in
from tests.browser.test_accessibility import problems_of
from tests.factories import ImageFactory, LesionFactory, VisitFactory


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_doctor_outside_answers_with_link_and_code(open_browser, dermatologist, patient, size):
    lesion = LesionFactory(patient=patient)
    visit = VisitFactory(patient=patient)
    images = [ImageFactory(lesion=lesion, visit=visit) for _number in range(2)]
    page = open_browser(size)
    sign_in(page, dermatologist)
    page.goto(lesion.get_absolute_url())
    page.get_by_role("link", name="Ask for a second opinion").click()
    page.get_by_role("button", name="Share and ask").click()
    page.get_by_role("heading", name="There is a problem").wait_for()
    assert list(problems_of(page, "ask")) == []
    page.get_by_role("radio", name="A doctor outside the clinic").check()
    page.get_by_label("Doctor's name").fill("Dr Ines Prado")
    page.get_by_label("Doctor's e-mail address").fill("prado@hospital.example")
    page.get_by_label("Your question").fill("Would you excise it?")
    page.get_by_role("button", name="Share and ask").click()
    code = page.locator(".secret").inner_text()
    assert list(problems_of(page, "opinion")) == []

    request = OpinionRequest.objects.get()
    doctor = open_browser(size)
    doctor.goto(reverse("shared-opinion", args=[request.pk, signature_of(request)]))
    assert list(problems_of(doctor, "door")) == []
    doctor.get_by_label("Code").fill("0000 0000")
    doctor.get_by_role("button", name="Show the photographs").click()
    doctor.get_by_role("heading", name="There is a problem").wait_for()
    doctor.get_by_label("Code").fill(code)
    doctor.get_by_role("button", name="Show the photographs").click()
    doctor.get_by_text("Would you excise it?").wait_for()
    assert doctor.locator("main img").count() == len(images)
    assert all(doctor.locator("main img").evaluate_all("all => all.map(each => each.naturalWidth > 0)"))
    assert list(problems_of(doctor, "shared")) == []
    doctor.get_by_label("What is it?").select_option("bcc")
    doctor.get_by_role("radio", name="Probable").check()
    doctor.get_by_label("Why, and what do you advise?").fill("Arborising vessels. Excise it.")
    doctor.get_by_role("button", name="Send the answer").click()
    doctor.get_by_role("heading", name="Thank you for your opinion").wait_for()

    page.goto(reverse("opinions"))
    page.get_by_role("heading", name="New answers").wait_for()
    assert list(problems_of(page, "opinions")) == []
    page.locator("main li a").first.click()
    page.get_by_text("Arborising vessels").wait_for()

    reviews = Review.objects.filter(second_opinion__request=request)
    assert {review.image_id for review in reviews} == {image.pk for image in images}
    assert set(reviews.values_list("outside_reader__email", "answer")) == {("prado@hospital.example", "bcc")}
    kinds = list(request.accesses.order_by("pk").values_list("kind", flat=True))
    assert kinds == [AccessKind.LINK, AccessKind.WRONG_CODE, AccessKind.CODE, AccessKind.SHOWN, AccessKind.ANSWER]
