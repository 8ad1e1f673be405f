"""A list as a CSV file: the rows that the filter finds, as the page shows them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _

from dermascan.core.spreadsheets import csv_file
from diagnosis.assessment.chips import Chip
from diagnosis.followup.step_words import plan_in_words
from diagnosis.record.search.choices import Listing
from diagnosis.record.search.rows import lesion_rows
from diagnosis.record.visit_chips import chips_at, troubled_reports_at
from patients.models import Member, Visit

MOST_ROWS = 10_000
BATCH = 100
Cells = list[Any]


def csv_response(listing: Listing, keys: Sequence[Any], member: Member) -> StreamingHttpResponse:
    """Return the rows with these keys as a file that is sent while it is made.

    Args:
        keys: at most one more than ``MOST_ROWS``: then the last line says that the list is cut.
    """
    return csv_file(listing.value, _rows(listing, keys, member))


def _rows(listing: Listing, keys: Sequence[Any], member: Member) -> Iterator[Cells]:
    header, rows = _KINDS[listing]
    yield header()
    shown = keys[:MOST_ROWS]
    for first in range(0, len(shown), BATCH):
        yield from rows(shown[first : first + BATCH], member)
    if len(keys) > MOST_ROWS:
        words = _("Cut after %(rows)d rows: there are more. Narrow the filter to export the rest.")
        yield [words % {"rows": MOST_ROWS}]


def _visit_header() -> Cells:
    return [
        _("Patient"), _("Record number"), _("Birth date"), _("Date"), _("Complaint"), _("Most urgent"), _("Seen by"),
        _("Status"), _("Report"),
    ]  # fmt: skip


def _visit_rows(keys: Sequence[Any], member: Member) -> Iterable[Cells]:
    visits = Visit.objects.select_related("patient", "clinician__user").in_bulk(list(keys))
    shown = [visits[key] for key in keys if key in visits]
    chips, troubled = chips_at(shown, member), troubled_reports_at(shown)
    for visit in shown:
        trouble = troubled.get(visit.pk)
        yield [
            *_of_patient(visit),
            visit.date.isoformat(),
            visit.complaint,
            _in_words(chips.get(visit.pk, ())),
            visit.clinician.name,
            "" if trouble and trouble.is_withheld else visit.get_status_display(),
            trouble or "",
        ]


def _lesion_header() -> Cells:
    return [
        _("Patient"), _("Record number"), _("Birth date"), _("Lesion"), _("Body site"), _("Newest photograph"),
        _("State"), _("Label"), _("Next step"), _("Followed"),
    ]  # fmt: skip


def _lesion_rows(keys: Sequence[Any], member: Member) -> Iterable[Cells]:
    for row in lesion_rows(keys, member):
        newest = row.newest
        yield [
            *_of_patient(row.lesion),
            row.lesion.number,
            row.lesion.get_body_site_display(),
            newest.taken_on.isoformat() if newest else "",
            _in_words(row.chips),
            "; ".join([*row.labels, *filter(None, [row.label_note])]),
            plan_in_words(row.plan) if row.plan else "",
            row.outcome.words,
        ]


def _of_patient(row: Any) -> Cells:
    patient = row.patient
    return [patient.name, patient.record_number, patient.birth_date.isoformat()]


def _in_words(chips: Iterable[Chip]) -> str:
    return "; ".join(chip.words for chip in chips)


_KINDS: dict[Listing, tuple[Callable[[], Cells], Callable[[Sequence[Any], Member], Iterable[Cells]]]] = {
    Listing.VISITS: (_visit_header, _visit_rows),
    Listing.LESIONS: (_lesion_header, _lesion_rows),
}
