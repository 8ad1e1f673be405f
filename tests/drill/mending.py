"""The corrections of the year, previewed and confirmed as their pages offer it."""

from collections.abc import Sequence
from uuid import UUID

from django.urls import reverse

from tests.drill.desk import Desk, key_in
from tests.drill.ledger import Correction, Lesion, Patient, Photograph, Visit
from tests.page_forms import form_with

Record = Patient | Visit | Lesion


def move_photograph(
    desk: Desk, image: Photograph, lesion: Lesion, *, visit: Visit | None = None, by: str, reason: str
) -> Correction:
    """File a photograph under another lesion or visit; under those of another patient, name both."""
    target = {"lesion": lesion.key} | ({"visit": visit.key} if visit else {})
    if lesion.patient is not image.lesion.patient:
        target |= {"number": lesion.patient.number}
    touched: list[Record] = [
        image.lesion,
        lesion,
        image.visit,
        *([visit] if visit else []),
        image.lesion.patient,
        lesion.patient,
    ]
    row = _correct(desk, "image-move", image.key, by=by, reason=reason, touched=touched, target=target)
    image.lesion, image.visit = lesion, visit or image.visit
    return row


def merge(desk: Desk, duplicate: Patient, survivor: Patient, *, by: str, reason: str) -> Correction:
    target = {"number": survivor.number}
    lesions = [each for each in desk.ledger.lesions if each.patient is duplicate]
    visits = [each for each in desk.ledger.visits if each.patient is duplicate]
    row = _correct(
        desk, "patient-merge", duplicate.key, by=by, reason=reason, touched=[survivor], target=target,
        changed=[duplicate, *lesions, *visits],
    )  # fmt: skip
    duplicate.merged = True
    last = max(each.number for each in desk.ledger.lesions if each.patient is survivor)
    for lesion in desk.ledger.lesions:
        if lesion.patient is duplicate:
            last += 1
            lesion.patient, lesion.number = survivor, last
    for visit in desk.ledger.visits:
        visit.patient = survivor if visit.patient is duplicate else visit.patient
    return row


def void(desk: Desk, visit: Visit, *, by: str, reason: str) -> Correction:
    touched: list[Record] = [visit, visit.patient]
    row = _correct(desk, "visit-void", visit.key, by=by, reason=reason, touched=touched, changed=[visit])
    visit.state = "void"
    return row


def move_visit(desk: Desk, visit: Visit, patient: Patient, *, by: str, reason: str) -> Correction:
    target = {"number": patient.number}
    touched: list[Record] = [visit, visit.patient, patient]
    row = _correct(
        desk, "visit-move", visit.key, by=by, reason=reason, touched=touched, target=target, changed=[visit]
    )
    visit.patient = patient
    return row


def undo(desk: Desk, row: Correction, *, by: str, reason: str) -> None:
    desk.post(by, reverse("correction", args=[row.key]), {"reason": reason})
    row.undone = reason


def _correct(
    desk: Desk,
    name: str,
    key: str,
    *,
    by: str,
    reason: str,
    touched: Sequence[Record],
    target: dict[str, str] | None = None,
    changed: Sequence[Record] = (),
) -> Correction:
    address = reverse(name, args=[key])
    preview = desk.get(by, address, preview="1", **(target or {}))
    data = form_with(preview.text, "seen").data
    answer = desk.post(by, address, {**data, **(target or {}), "reason": reason})
    pages = {reverse(_PAGES[type(each)], args=[each.key]) for each in touched}
    histories = [reverse(f"{_PAGES[type(each)]}-history", args=[each.key]) for each in changed]
    row = Correction(str(UUID(key_in(answer.url))), by, reason, desk.today, sorted(pages), histories)
    desk.ledger.corrections.append(row)
    return row


_PAGES: dict[type, str] = {Patient: "patient", Visit: "visit", Lesion: "lesion"}
