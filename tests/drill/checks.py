"""What the drill proves. Each check returns what is wrong, in words; an empty list means that nothing is."""

import datetime
import hashlib
from html import unescape
from typing import Any

from django.urls import reverse

from diagnosis.corrections.models import Correction as CorrectionRow
from diagnosis.images.models import Exclusion
from diagnosis.reports.models import Addendum
from patients.models import Patient, RecordChange, Visit
from tests.drill import expected
from tests.drill.desk import COLLEAGUE, DERMATOLOGIST, MANAGER, STAFF, Desk
from tests.drill.ledger import DAYS
from tests.drill.pages import Pages

EVERYONE = (STAFF, DERMATOLOGIST, COLLEAGUE, MANAGER)
# The performance page looks at twelve weeks.
FIGURES_OF = DAYS(days=84)


def nothing_is_forgotten(desk: Desk, pages: Pages) -> list[str]:
    """Every open thing stands on the member's Today with its date, in the counts, in the header and in the search."""
    book, today, who, wrong = desk.ledger, desk.today, pages.who, []
    counts = pages.counts()
    for code, wanted in expected.SECTIONS.items():
        rows = wanted(book, today, who)
        if code == "opinions" and who in (STAFF, MANAGER):
            wrong += _differ(f"{who}: {code} is for dermatologists", counts.keys() & {code}, set())
            continue
        wrong += _differ(f"{who}: count of {code}", {counts[code]}, {len(rows)})
        # A dermatologist who reads blinded is told how many lesions are urgent, and not which.
        shown = pages.section(code)
        if code == "urgent" and who in (DERMATOLOGIST, COLLEAGUE):
            wrong += _differ(f"{who}: {code} beyond what is so", shown - rows, set())
        else:
            wrong += _differ(f"{who}: {code}", shown, rows)
    wrong += _differ(f"{who}: the header", {pages.header()}, {expected.header(book, today, who)})
    for (listing, query), look in expected.SEARCHES.items():
        wrong += _differ(f"{who}: {listing}?{query}", pages.found(listing, query), look(book, today))
    return wrong


def every_correction_is_traceable(desk: Desk, pages: Pages) -> list[str]:
    """Who, when, why, before and after: on the correction’s page, on the records that it touched, in the tables."""
    book, wrong = desk.ledger, []
    for row in book.corrections:
        address = reverse("correction", args=[row.key])
        undone = [row.undone] if row.undone else []
        wrong += _tells(pages, address, row.reason, desk.name_of(row.by), _in_short(row.on), *undone)
        for page in row.pages:
            wrong += _differ(f"{page} names {address}", {address in pages.fetch(page).text}, {True})
        stored = CorrectionRow.objects.get(pk=row.key)
        steps = [(each["before"], each["after"]) for each in stored.steps]
        told = all(after and before.keys() == after.keys() for before, after in steps)
        wrong += _differ(f"{address} keeps before and after", {told}, {True})
        is_undone = stored.undone_at is not None
        wrong += _differ(f"{address}: undone", {is_undone}, {bool(row.undone)})
    in_clinic = CorrectionRow.objects.filter(clinic=desk.clinic)
    wrong += _differ("corrections stored", {in_clinic.count()}, {len(book.corrections)})
    return wrong + _histories_are_whole(desk, pages)


def _histories_are_whole(desk: Desk, pages: Pages) -> list[str]:
    """The history pages of exactly the records whose details were changed tell who, when, what and why."""
    book, wrong, changed = desk.ledger, [], set()
    for row in book.edits:
        wrong += _tells(pages, row.page, row.before, row.after, desk.name_of(row.by), _in_short(row.on))
        changed.add(row.page)
    for each in book.corrections:
        for page in each.histories:
            wrong += _tells(pages, page, each.reason, desk.name_of(each.by), _in_short(each.on))
            changed.add(page)
    kinds = ["patient", "visit", "lesion"]
    rows = RecordChange.objects.filter(clinic=desk.clinic, kind__in=kinds).values_list("kind", "record")
    wrong += _differ("records with a history", {reverse(f"{kind}-history", args=[key]) for kind, key in rows}, changed)
    exclusions = Exclusion.objects.filter(image__visit__patient__clinic=desk.clinic).exclude(reason="void_visit")
    return wrong + _differ("photographs excluded by hand", {exclusions.count()}, {0})


def _tells(pages: Pages, page: str, *words: str) -> list[str]:
    text = unescape(pages.fetch(page).text)
    return _differ(f"{page}: words it lacks", {each for each in words if each not in text}, set())


def _in_short(day: datetime.date) -> str:
    return f"{day.day} {day:%b} {day.year}"


def signed_bytes_are_unchanged(desk: Desk) -> list[str]:
    """What was signed is served as it was; what had to be corrected has its addenda."""
    wrong = []
    for report in desk.ledger.reports:
        address = reverse("report-pdf", args=[report.key])
        wrong += _differ(f"the bytes of {address}", {desk.sha256_of(address)}, {report.sha256})
        addenda = Addendum.objects.filter(report__pk=report.key)
        wrong += _differ(f"addenda of {address}", {addenda.count()}, {report.addenda})
        untold = any(row.report is report and row.is_miss and not row.told for row in desk.ledger.contradictions)
        if untold or report.addenda:
            # Without the addendum nobody gets a file that misleads; with it, the file has both.
            served = desk.client(DERMATOLOGIST).get(address)
            wrong += _differ(f"status of {address}", {served.status_code}, {409 if untold else 200})
            wrong += _differ(f"{address} with addenda", {_sha256(served) != report.sha256}, {True})
    return wrong


def figures_agree(desk: Desk, pages: Pages) -> list[str]:
    """Misses and confirmed labels of the performance page and of the list of misses are those of the ledger."""
    book, wrong = desk.ledger, []
    since = desk.today - FIGURES_OF + DAYS(days=1)
    context = pages.fetch(reverse("watch")).context
    counted = {"results": context["misses"].result_count, "reports": context["misses"].report_count}
    wrong += _differ("misses of twelve weeks", counted.items(), expected.misses(book, since).items())
    diagnosed = {row.answer: row.count for row in context["diagnoses"].rows}
    wrong += _differ("labels of twelve weeks", diagnosed.items(), expected.confirmed_labels(book, since).items())
    listed = pages.fetch(reverse("outcomes-misses")).context["page"].paginator.count
    wrong += _differ("misses of the year", {listed}, {expected.misses(book, datetime.date.min)["results"]})
    return wrong


def mail_went_out_once(desk: Desk, taken: list[tuple[str, str]]) -> list[str]:
    """Each reminder of the ledger reached its patient once, and none went to an address that refuses."""
    sent: dict[str, int] = {}
    for letter in desk.ledger.letters:
        if not letter.bounced:
            sent[letter.patient.name] = sent.get(letter.patient.name, 0) + 1
    received = {
        each.name: sum(address in each.addresses and "appointment" in text for address, text in taken)
        for each in desk.ledger.patients
    }
    return _differ("reminders", {each for each in received.items() if each[1]}, set(sent.items()))


def nothing_of_the_neighbour_shows(desk: Desk, neighbour: Desk, texts: list[tuple[str, str]]) -> list[str]:
    """No page named a patient or a record number of the other clinic, and none of its addresses opens."""
    marks = {neighbour.surname, *(patient.number for patient in neighbour.ledger.patients)}
    wrong = [f"{address} shows {mark}" for address, text in texts for mark in marks if mark in text]
    closed = (
        [reverse("patient", args=[each.key]) for each in neighbour.ledger.patients[:3]]
        + [reverse("lesion", args=[each.key]) for each in neighbour.ledger.lesions[:3]]
        + [reverse("visit", args=[each.key]) for each in neighbour.ledger.visits[:3]]
        + [reverse("image", args=[each.key]) for each in neighbour.ledger.photographs[:3]]
        + [reverse("pathology", args=[each.key]) for each in neighbour.ledger.results[:3]]
        + [reverse("opinion", args=[each.key]) for each in neighbour.ledger.opinions[:3]]
        + [reverse("correction", args=[each.key]) for each in neighbour.ledger.corrections[:3]]
        + [reverse("report-pdf", args=[each.key]) for each in neighbour.ledger.reports[:3]]
    )
    for address in closed:
        wrong += _differ(address, {desk.client(DERMATOLOGIST).get(address).status_code}, {404})
    return wrong


def as_many_as_planned(desk: Desk, *, patients: int) -> list[str]:
    """The year was as large as it should be: no story ended early."""
    book = desk.ledger
    wrong = _differ("patients", {sum(not each.merged for each in book.patients)}, {patients})
    visits = Visit.objects.filter(patient__clinic=desk.clinic)
    wrong += _differ("visits", {visits.count()}, {len(book.visits)})
    wrong += _differ("few visits", {visits.count() >= 3 * patients}, {True})
    stored = Patient.objects.filter(clinic=desk.clinic)
    return wrong + _differ("patients stored", {stored.count()}, {len(book.patients)})


def _sha256(served: Any) -> str:
    return hashlib.sha256(served.getvalue()).hexdigest()


def _differ(what: str, found: object, wanted: object) -> list[str]:
    got, must = set(found), set(wanted)  # type: ignore[call-overload]
    if got == must:
        return []
    more, less = sorted(map(str, got - must)), sorted(map(str, must - got))
    return [f"{what}: found {more}, missed {less}"]
