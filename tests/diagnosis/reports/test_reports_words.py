"""Every word in the JSON of a report is in its PDF; unprintable text prevents signing."""

import datetime
import json
import logging
import re
import subprocess
import unicodedata
from collections.abc import Iterator

import pytest
from django.urls import reverse
from django.utils import timezone

from diagnosis.images.models import Exclusion, ExclusionReason
from diagnosis.reports.addenda import sign_addendum
from diagnosis.reports.models import Report
from diagnosis.reports.paper_tags import MOST_LINES, on_paper
from diagnosis.reports.printable_text import (
    LettersCannotBePrinted,
    ensure_few_pictograms,
    unprintable_letters,
    without_controls,
)
from diagnosis.reports.services import preview_report, release_report, sign_visit
from tests import factories
from tests.diagnosis.reporting import MELANOMA, photographed_visit, signed_report
from tests.page_forms import filled_in

pytestmark = pytest.mark.django_db

WORDS = " ".join(f"word{number}" for number in range(60))
SCRIPTS = "ณัฐวุฒิ 王小明 देवनागरी ქართული Հայերեն አማርኛ தமிழ் বাংলা 한국어 ひらがな Ελληνικά Кириллица Nguyễn Şükrü 𠮷野家 😀"
RIGHT_TO_LEFT = "عبدالله שלום"
COMBINED = "e\u0301toile a\u0308rger n\u0303andu"


def printed(pdf_path: str) -> str:
    """The PDF's text without spaces and line ends, in one form of composed letters: breaks are the layout's affair."""
    text = subprocess.run(["pdftotext", "-raw", pdf_path, "-"], check=True, capture_output=True, text=True).stdout
    return squeezed(text)


def squeezed(text: str) -> str:
    kept = unicodedata.normalize("NFKC", text)
    return "".join(
        letter for letter in kept if not letter.isspace() and unicodedata.category(letter) not in ("Cf", "Cc")
    )


def typed_texts(content: dict) -> list[str]:
    visit, lesions = content["visit"], content["lesions"]
    return [
        content["clinic"]["name"], content["clinic"]["address"], content["clinic"]["phone"],
        content["patient"]["name"], content["patient"]["record_number"],
        visit["clinician"], visit["complaint"], visit["symptoms_since"], visit["history"], visit["plan"],
        *(lesion["description"] for lesion in lesions), content["report"]["signed_by"],
    ]  # fmt: skip


def is_printed(word: str, text: str) -> bool:
    """A word longer than a page has the foot of the page within."""
    return word in text if len(word) < 1500 else text.count(word[0]) >= len(word)


def words_of(texts: list[str]) -> Iterator[str]:
    for text in texts:
        yield from text.split()


HOSTILE = {
    "a divider and sixty words": {"history": "=" * 110 + "\n" + WORDS},
    "words that no column holds": {
        "history": "x" * 9000, "complaint": "W" * 300, "plan": "ä" * 2000 + " then rest",
        "symptoms_since": "since" * 20,
    },
    "sixteen hundred lines": {"history": "\n".join(f"line{number}" for number in range(1600))},
    "empty lines without end": {"history": "first" + "\n" * 8000 + "last", "plan": "a\r\n\r\n" * 2000 + "end"},
    "every script": {"history": SCRIPTS, "complaint": SCRIPTS, "plan": COMBINED},
    "control characters": {"history": "before\x07after \x1b[31mred\x0b tab\tbed"},
    "markup": {"history": "<b>bold</b> &amp; {{ plan }} <img src=x>", "plan": "]]> </body>"},
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_no_word_of_the_json_is_missing_on_the_pdf(name, patient, dermatologist):
    clinic = patient.clinic
    clinic.address, clinic.phone = "y" * 78 + "\nStreet 1", "0" * 40
    clinic.save()
    patient.given_name, patient.family_name = "Wolfeschlegel" * 6, "Steinhausenbergerdorff" * 3
    patient.save()
    visit = photographed_visit(patient, MELANOMA, **{"plan": "Cut it out.", **HOSTILE[name]})
    visit.images.get().lesion.__class__.objects.filter(patient=patient).update(description="z" * 200)

    report = sign_visit(visit=visit, by=dermatologist)

    content, text = json.loads(report.content), printed(report.pdf.path)
    typed = typed_texts(content)
    assert [word for word in words_of(typed) if not is_printed(squeezed(word), text)] == []
    letters = {letter for value in typed for letter in value if unicodedata.category(letter) == "Cc"}
    assert letters <= set("\n\t")


@pytest.mark.slow
def test_right_to_left_text_is_printed_whole(patient, dermatologist):
    """The order in which pdftotext gives such letters depends on its line, so letters are counted."""
    visit = photographed_visit(patient, MELANOMA, plan="Rest.", history=f"first\n{RIGHT_TO_LEFT}")
    text = printed(sign_visit(visit=visit, by=dermatologist).pdf.path)
    for word in RIGHT_TO_LEFT.split():
        assert squeezed(word) in text or squeezed(word)[::-1] in text


@pytest.mark.slow
def test_an_addendum_is_printed_whole_too(patient, dermatologist):
    report = signed_report(photographed_visit(patient, MELANOMA, plan="Rest."), dermatologist)
    words = "=" * 110 + "\n" + WORDS + "\n" + SCRIPTS
    text = printed(sign_addendum(report=report, by=dermatologist, words=words).pdf.path)
    assert [word for word in words.split() if squeezed(word) not in text] == []


def test_a_letter_that_no_font_has_stops_the_signature_and_is_named(sign_in, patient, dermatologist):
    patient.given_name = "A\U000f1234"
    patient.save()
    visit = photographed_visit(patient, MELANOMA, plan="Rest.")
    page = sign_in(dermatologist).get(reverse("visit-sign", args=[visit.pk]))
    assert "U+F1234" in page.content.decode(), "it is said before anything is typed"
    with pytest.raises(LettersCannotBePrinted, match="U\\+F1234"):
        sign_visit(visit=visit, by=dermatologist)
    assert not Report.objects.exists()
    visit.refresh_from_db()
    assert visit.is_open


@pytest.mark.parametrize("sign", ["😀", "👨‍👩‍👧‍👦", "✅", "1️⃣", "🇩🇪"])
def test_pictograms_without_end_are_refused_in_words(sign_in, patient, dermatologist, sign):
    visit = photographed_visit(patient, MELANOMA, plan="Rest.", history=sign * 250)
    client = sign_in(dermatologist)
    form = filled_in(client, reverse("visit-sign", args=[visit.pk]), "plan")
    assert "more than 200 pictograms" in client.get(reverse("visit-sign", args=[visit.pk])).text
    for name in ("visit-preview", "visit-sign"):
        answer = client.post(reverse(name, args=[visit.pk]), form)
        assert "more than 200 pictograms" in answer.text, name
        assert answer.status_code == 422
    assert not Report.objects.exists()
    ensure_few_pictograms({"history": sign * 20, "plan": "─" * 110 + "\n" + "•→™©" * 200})


@pytest.mark.slow
def test_the_log_spells_no_name(patient, dermatologist, caplog):
    patient.given_name = "ณัฐวุฒิ"
    patient.save()
    visit = photographed_visit(patient, MELANOMA, plan="Rest.")
    # Even where a letter gets as far as the layout, as on a draft.
    patient.__class__.objects.filter(pk=patient.pk).update(given_name="\U000f1234\U000f1235")
    with caplog.at_level(logging.INFO):
        preview_report(visit=visit, by=dermatologist, plan="Rest.")
    assert "\U000f1234" not in caplog.text
    assert "F1234" not in caplog.text.upper()


@pytest.mark.parametrize("text", [SCRIPTS, RIGHT_TO_LEFT, COMBINED, "O’Brien–Müller", "👩‍⚕️ 🇩🇪"])
def test_the_installed_fonts_have_the_letters_of_names(text):
    assert unprintable_letters({"name": [text]}) == []


def test_control_characters_become_blanks():
    assert without_controls({"a": ["x\x00\x07y\tz\n", 1, None]}) == {"a": ["x  y\tz\n", 1, None]}


def test_long_texts_run_on_and_lose_no_word():
    lines = [f"line{number}" for number in range(MOST_LINES + 1)]
    html = on_paper("\n\n\n".join(lines))
    assert html.count('class="line"') == 1
    assert re.sub(r"<[^>]+>", "", html).replace("¶", " ").split() == lines
    assert on_paper("\n".join(lines[:MOST_LINES])).count('class="line"') == MOST_LINES


def test_a_letter_keeps_its_marks_where_a_word_is_broken():
    html = on_paper("e\u0301" * 200)
    assert "<wbr>\u0301" not in html
    assert html.count("<wbr>") > 3


@pytest.fixture
def report_of_a_clock_ahead(patient, dermatologist):
    """Signed while the clock went an hour ahead; it was set right since."""

    def _signed(**state):
        moment = timezone.now().replace(microsecond=0) + datetime.timedelta(hours=1)
        return signed_report(photographed_visit(patient, MELANOMA, plan="Rest."), dermatologist, at=moment, **state)

    return _signed


def test_a_report_that_shows_another_patient_is_withheld_whatever_the_clock_says(
    report_of_a_clock_ahead, patient_user, dermatologist
):
    report = report_of_a_clock_ahead(released=True)
    image = report.visit.images.get()
    assert Report.objects.released_to(patient_user).exists()

    row = Exclusion.objects.create(image=image, reason=ExclusionReason.OTHER_PATIENT, member=dermatologist)

    assert row.created_at < report.signed_at
    assert not Report.objects.released_to(patient_user).exists()
    assert Report.objects.withheld_from(patient_user).get() == report


def test_what_is_not_in_a_report_does_not_withhold_it(report_of_a_clock_ahead, patient_user, dermatologist):
    report = report_of_a_clock_ahead(released=True)
    other = factories.ImageFactory(visit=report.visit, lesion=report.visit.images.get().lesion)
    Exclusion.objects.create(image=other, reason=ExclusionReason.OTHER_PATIENT, member=dermatologist)
    assert Report.objects.released_to(patient_user).get() == report


def test_a_clock_set_back_keeps_no_report_from_its_patient(report_of_a_clock_ahead, dermatologist):
    report = report_of_a_clock_ahead()
    released = release_report(report=report, by=dermatologist)
    assert released.released_at == report.signed_at
