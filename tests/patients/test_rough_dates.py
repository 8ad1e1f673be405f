"""When a lesion was first noticed: stored and shown with the precision that was entered."""

import datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from dermascan.core.rough_dates import RoughDate
from patients.models import Lesion
from tests import factories
from tests.page_forms import filled_in, form_with

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate()
TOMORROW = TODAY + datetime.timedelta(1)


def typed(day="", month="", year="") -> dict[str, str]:
    return {"noticed_day": day, "noticed_month": month, "noticed_year": year}


@pytest.fixture
def client(sign_in, staff):
    return sign_in(staff)


@pytest.fixture
def born(patient) -> datetime.date:
    """A day in the middle of a month in the middle of a year."""
    patient.birth_date = datetime.date(1965, 3, 14)
    patient.save()
    return patient.birth_date


def add(client, patient, **parts):
    address = reverse("lesion-new", args=[patient.pk])
    return client.post(address, {"body_site": "back", "side": "left", **typed(**parts)}, follow=True)


VALID = [
    ({"year": "2024"}, "2024", "2024"),
    ({"month": "6", "year": "2024"}, "2024-06", "June 2024"),
    ({"day": "3", "month": "6", "year": "2024"}, "2024-06-03", "3 June 2024"),
    ({"day": " 29 ", "month": "02", "year": " 2024"}, "2024-02-29", "29 February 2024"),
    ({"year": "1965"}, "1965", "1965"),  # the year of birth
    ({"month": "3", "year": "1965"}, "1965-03", "March 1965"),
    ({"year": str(TODAY.year)}, str(TODAY.year), str(TODAY.year)),
    ({"month": str(TODAY.month), "year": str(TODAY.year)}, f"{TODAY:%Y-%m}", f"{TODAY:%B %Y}"),
    ({"year": "٢٠٢٤"}, "2024", "2024"),
]


def test_a_date_is_stored_and_shown_as_entered(client, patient, born):
    for parts, data, words in VALID:
        page = add(client, patient, **parts)
        noticed = Lesion.objects.latest("created_at").noticed
        assert noticed == RoughDate.parse(data)
        assert noticed.isoformat() == data
        assert f"first noticed {words}" in page.text
    page = add(client, patient)
    assert Lesion.objects.latest("created_at").noticed is None
    assert "first noticed" not in page.text


REFUSED = [
    (("31", "2", "2025"), "That month has no day 31."),
    (("29", "2", "2025"), "That month has no day 29."),
    *(((day, "2", "2025"), "number from 1 to 31") for day in ("0", "32", "abc", "-1", "1.5")),
    *((("", month, "2025"), "Choose the month from the list") for month in ("0", "13", "June", "²")),
    *((("", "", year), "four digits") for year in ("0", "24", "abc", "0000", "20245", "-2024", "9" * 5000, "²⁰²⁴")),
    (("", "6", ""), "Enter the year too"),
    (("3", "6", ""), "Enter the year too"),
    (("3", "", "2025"), "Choose the month too"),
    (("", "", str(TODAY.year + 1)), "in the future"),
    (("", "", "9999"), "in the future"),
    ((str(TOMORROW.day), str(TOMORROW.month), str(TOMORROW.year)), "in the future"),
    (("", "", "1964"), "before the patient was born"),
    (("", "2", "1965"), "before the patient was born"),
    (("13", "3", "1965"), "before the patient was born"),
]  # fmt: skip


def test_an_invalid_date_is_refused_and_stays_in_the_form(client, patient, born):
    wrong = []
    for parts, message in REFUSED:
        page = add(client, patient, **dict(zip(("day", "month", "year"), parts, strict=True)))
        errors = page.context["form"].errors
        (error,) = errors.get("noticed", [""])
        in_summary = f'href="#id_noticed_0">First noticed: {error}' in page.text and 'id="id_noticed_0"' in page.text
        data = form_with(page.text, "noticed_year").data
        is_preserved = (data["noticed_day"], data["noticed_year"]) == ([parts[0]], [parts[2]])
        if not (list(errors) == ["noticed"] and message in error and in_summary and is_preserved):
            wrong.append((parts, dict(errors), data))
    assert wrong == []
    assert not Lesion.objects.exists()


def test_the_form_shows_what_is_stored_and_saves_it_unchanged(client, patient):
    lesion = factories.LesionFactory(patient=patient, noticed=RoughDate.parse("2024-06"))
    address = reverse("lesion-edit", args=[lesion.pk])
    form = form_with(client.get(address).text, "noticed_year").data
    assert [form[name] for name in typed()] == [[""], ["6"], ["2024"]]
    assert client.post(address, form).status_code == 302
    lesion.refresh_from_db()
    assert lesion.noticed == RoughDate.parse("2024-06")
    assert client.post(address, filled_in(client, address, "noticed_year", **typed())).status_code == 302
    lesion.refresh_from_db()
    assert (lesion.noticed, lesion.noticed_on) == (None, None)


def test_a_stale_form_shows_both_dates_and_saves_the_chosen_one(client, patient):
    lesion = factories.LesionFactory(patient=patient)
    address = reverse("lesion-edit", args=[lesion.pk])
    stale = filled_in(client, address, "noticed_year")
    client.post(address, stale | typed(month="6", year="2024"))
    page = client.post(address, stale | typed(year="2023"))
    assert page.status_code == 409
    (difference,) = page.context["form"].conflict.differences
    assert (difference.yours, difference.saved) == ("2023", "June 2024")
    again = form_with(page.text, "noticed_year").data | {"keep-noticed": "theirs"}
    assert client.post(address, again).status_code == 302
    lesion.refresh_from_db()
    assert str(lesion.noticed) == "June 2024"


def test_every_page_shows_the_same_precision(client, sign_in, dermatologist, staff, patient):
    lesion = factories.LesionFactory(patient=patient, noticed=RoughDate.parse("2024-06"))
    assert "first noticed June 2024" in client.get(lesion.get_absolute_url()).text
    admin = sign_in(dermatologist)
    for name, arguments in [
        ("patients_lesion_changelist", []),
        ("patients_lesion_change", [lesion.pk]),
        ("patients_patient_change", [patient.pk]),
    ]:
        text = admin.get(reverse(f"admin:{name}", args=arguments)).text
        assert "June 2024" in text
        assert "1 Jun" not in text


@pytest.mark.parametrize("text", ["", "24", "2024-6", "2024-13", "2024-06-31", "2024-06-03T00:00", "June 2024"])
def test_parse_refuses_other_formats(text):
    with pytest.raises(ValueError, match=r"date|day|month"):
        RoughDate.parse(text)
