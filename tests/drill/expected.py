"""What Today, the search and the figures must show, worked out from the ledger alone."""

import datetime
from collections.abc import Callable, Iterator

from django.urls import reverse

from tests.drill.desk import COLLEAGUE, DERMATOLOGIST, STAFF
from tests.drill.ledger import DAYS, LATE_AFTER, MALIGNANT, Ledger, Lesion, Plan, Visit

# Record number, when, and the address of what to do.
Row = tuple[str, str, str]
Rows = set[Row]


def day(date: datetime.date | None) -> str:
    assert date is not None
    return f"{date.day} {date:%B} {date.year}"


def plan_row(lesion: Lesion, plan: Plan) -> Row:
    return lesion.patient.number, f"due {day(plan.due)}", plan_address(lesion)


def plan_address(lesion: Lesion) -> str:
    return f"{reverse('lesion', args=[lesion.key])}#plan"


def planned(book: Ledger, *steps: str) -> list[tuple[Lesion, Plan]]:
    return [(each, each.plan) for each in book.lesions if each.plan and each.plan.step in steps]


def due_within(book: Ledger, first: datetime.date, last: datetime.date) -> Rows:
    return {
        plan_row(lesion, plan)
        for lesion, plan in planned(book, "see_again")
        if plan.due is not None and first <= plan.due <= last
    }


def overdue(book: Ledger, today: datetime.date, _who: str) -> Rows:
    return due_within(book, datetime.date.min, today - DAYS(days=1))


def due(book: Ledger, today: datetime.date, _who: str) -> Rows:
    return due_within(book, today, today + DAYS(days=7))


def procedures(book: Ledger, _today: datetime.date, _who: str) -> Rows:
    return {plan_row(*each) for each in planned(book, "biopsy", "refer")}


def results(book: Ledger, _today: datetime.date, _who: str) -> Rows:
    """One row for each lesion: a result to be confirmed, else the specimen sent first, else the plan."""
    found: Rows = set()
    for lesion in book.lesions:
        to_confirm = sorted(book.to_confirm(lesion), key=lambda row: row.answer not in MALIGNANT)
        awaited = sorted(book.awaited(lesion), key=lambda row: row.sent)
        number = lesion.patient.number
        if to_confirm:
            first = to_confirm[0]
            found.add((number, f"received {day(first.received)}", reverse("pathology", args=[first.key])))
        elif awaited:
            found.add((number, f"sent {day(awaited[0].sent)}", reverse("pathology-new", args=[awaited[0].key])))
        elif lesion.plan and lesion.plan.step == "result_awaited":
            found.add(plan_row(lesion, lesion.plan))
    return found


def unplanned(book: Ledger, _today: datetime.date, _who: str) -> Rows:
    newest = {id(row.lesion): row for lesion in book.lesions for row in book.unplanned(lesion)}
    return {
        (row.lesion.patient.number, f"confirmed {day(row.confirmed)}", plan_address(row.lesion))
        for row in newest.values()
    }


def opinions(book: Ledger, today: datetime.date, who: str) -> Rows:
    found: Rows = set()
    for each in book.opinions:
        number, address = each.lesion.patient.number, reverse("opinion", args=[each.key])
        is_open = each.answered is None and not each.revoked
        if is_open and each.until > today and each.of == who:
            found.add((number, f"until {day(each.until)}", address))
        if each.asked_by != who:
            continue
        if each.answered and not each.read:
            found.add((number, f"answered {day(each.answered)}", address))
        elif is_open and each.until <= today:
            found.add((number, f"expired {day(each.until)}", address))
        elif each.revoked_on:
            found.add((number, f"revoked {day(each.revoked_on)}", address))
    return found


def contradicted(book: Ledger, _today: datetime.date, who: str) -> Rows:
    """Signed reports that a result contradicts, until an addendum has told their readers."""
    name = "visit-addendum" if who in (DERMATOLOGIST, COLLEAGUE) else "visit"
    return {
        (
            row.report.visit.patient.number,
            f"result confirmed {day(row.result.confirmed)}",
            reverse(name, args=[row.report.visit.key]),
        )
        for row in book.contradictions
        if not row.told and row.report.visit.state != "void"
    }


def drafts(book: Ledger, today: datetime.date, who: str) -> Rows:
    return {
        (visit.patient.number, f"visit of {day(visit.date)}", _to_do(book, visit, who))
        for visit in book.visits
        if visit.state == "open" and visit.date < today
    }


def _to_do(book: Ledger, visit: Visit, who: str) -> str:
    if not any(each.visit is visit and each.counts for each in book.photographs):
        return reverse("upload", args=[visit.key])
    name = "visit-sign" if who in (DERMATOLOGIST, COLLEAGUE) else "visit"
    return reverse(name, args=[visit.key])


def reminders(book: Ledger, _today: datetime.date, _who: str) -> Rows:
    """E-mails that came back, as long as one of the plans that they were about stands."""
    standing = {id(each.plan) for each in book.lesions if each.plan}
    return {
        (
            letter.patient.number,
            f"since {day(letter.sent)}",
            f"{reverse('patient', args=[letter.patient.key])}#reminders",
        )
        for letter in book.letters
        if letter.bounced and any(id(plan) in standing for plan in letter.plans)
    }


def urgent(book: Ledger, _today: datetime.date, _who: str) -> Rows:
    return {
        (each.lesion.patient.number, f"waiting since {day(each.added)}", reverse("image", args=[each.key]))
        for each in book.photographs
        if each.counts and each.tier == "urgent" and not each.label
    }


def visits(book: Ledger, today: datetime.date, who: str) -> Rows:
    return {
        (visit.patient.number, f"visit of {day(visit.date)}", _to_do(book, visit, who))
        for visit in book.visits
        if visit.state == "open" and visit.date == today
    }


SECTIONS: dict[str, Callable[[Ledger, datetime.date, str], Rows]] = {
    "urgent": urgent, "visits": visits, "results": results, "unplanned": unplanned, "contradicted": contradicted,
    "opinions": opinions, "procedures": procedures, "overdue": overdue, "due": due, "reminders": reminders,
    "drafts": drafts,
}  # fmt: skip


def header(book: Ledger, today: datetime.date, who: str) -> tuple[int, bool]:
    """The number beside “Today” and whether it presses: what is urgent or late, else what is due or waits."""
    late = {id(lesion) for lesion, plan in planned(book, "see_again", "biopsy", "refer", "result_awaited")
            if plan.due is not None and plan.due < today}  # fmt: skip
    malignant = [row for row in book.results if row.confirmed is None and row.answer in MALIGNANT]
    lost = [
        row
        for lesion in book.lesions
        for row in book.awaited(lesion)
        if row.sent < today - LATE_AFTER and id(lesion) not in late
    ]
    pressing = len(late) + len(malignant) + len(lost)
    pressing += sum(len(SECTIONS[name](book, today, who)) for name in ("urgent", "unplanned", "contradicted"))
    if pressing:
        return pressing, True
    asked = len(opinions(book, today, who)) if who != STAFF and who != "manager" else 0
    return len(due(book, today, who)) + len(results(book, today, who)) + asked, False


# --- The search -----------------------------------------------------------------------------------------------------

Found = set[tuple[str, str]]


def open_visits(book: Ledger, _today: datetime.date) -> Found:
    return {(each.patient.number, each.date.isoformat()) for each in book.visits if each.state == "open"}


def contradicted_visits(book: Ledger, today: datetime.date) -> Found:
    rows = [row for row in book.contradictions if not row.told and row.report.visit.state != "void"]
    return {(row.report.visit.patient.number, row.report.visit.date.isoformat()) for row in rows}


def _named(lesions: Iterator[Lesion]) -> Found:
    return {(each.patient.number, str(each.number)) for each in lesions}


def without_result(book: Ledger, today: datetime.date) -> Found:
    return _named(each for each in book.lesions if any(row.sent < today - LATE_AFTER for row in book.awaited(each)))


def past_their_date(book: Ledger, today: datetime.date) -> Found:
    return _named(each for each in book.lesions if each.plan and each.plan.due and each.plan.due < today)


def without_plan(book: Ledger, _today: datetime.date) -> Found:
    """Lesions that must have a next step and have none."""
    needing = {
        id(each.lesion)
        for each in book.photographs
        if each.counts
        and (
            each.label in MALIGNANT
            or (each.tier == "urgent" and not (each.proven and each.label))
            or (each.tier == "watch" and not each.label)
        )
    }
    return _named(each for each in book.lesions if id(each) in needing and each.plan is None)


SEARCHES: dict[tuple[str, str], Callable[[Ledger, datetime.date], Found]] = {
    ("visits", "status=open"): open_visits,
    ("visits", "result=contradicted"): contradicted_visits,
    ("lesions", "result=late"): without_result,
    ("lesions", "plan=overdue"): past_their_date,
    ("lesions", "plan=none"): without_plan,
}


# --- Figures --------------------------------------------------------------------------------------------------------


def misses(book: Ledger, since: datetime.date) -> dict[str, int]:
    """Malignant results of which a calm answer or a signed report had not warned: results, and reports."""
    found = [
        row
        for row in book.results
        if row.confirmed
        and row.confirmed >= since
        and row.answer in MALIGNANT
        and (
            any(
                each.tier == "calm"
                and each.counts
                and each.lesion is row.lesion
                and each.visit.date <= row.specimen.sent
                for each in book.photographs
            )
            or any(each.is_miss and each.result is row for each in book.contradictions)
        )
    ]
    reports = sum(1 for each in book.contradictions if each.is_miss and each.result in found)
    return {"results": len(found), "reports": reports}


def confirmed_labels(book: Ledger, since: datetime.date) -> dict[str, int]:
    """How many photographs of the period have which confirmed label."""
    found: dict[str, int] = {}
    for each in book.photographs:
        if each.counts and each.label and each.added >= since:
            found[each.label] = found.get(each.label, 0) + 1
    return found
