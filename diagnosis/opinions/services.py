"""Ask for a second opinion, open a shared request with its code, answer it, revoke it."""

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from diagnosis.images.models import Image
from diagnosis.opinions.errors import (
    CannotBeAsked,
    NothingToShare,
    OpinionIsClosed,
    TooLong,
    TooManyWrongCodes,
    WrongCode,
)
from diagnosis.opinions.models import (
    LONGEST_DAYS,
    MOST_WRONG_CODES,
    AccessKind,
    OpinionAccess,
    OpinionPhotograph,
    OpinionRequest,
    OpinionReview,
)
from diagnosis.reviews.models import OutsideReader, Review
from diagnosis.reviews.services import record_outside_review, record_review
from patients.models import Lesion, Member, MessageKind
from patients.outbox import cancel_messages, queue_message
from patients.services.same_clinic import ensure_dermatologist_of, ensure_same_clinic

_DIGITS = 8


@dataclass(frozen=True)
class OutsideDoctor:
    """A doctor outside the clinic, as the asking dermatologist names them."""

    full_name: str
    email: str
    institution: str = ""


@dataclass(frozen=True)
class _Said:
    """An answer, which is recorded for each photograph that was shared."""

    answer: str
    certainty: str
    other_text: str
    reason: str

    def by_colleague(self, image: Image, reader: Member) -> Review:
        return record_review(image=image, reviewer=reader, **asdict(self))

    def from_outside(self, image: Image, reader: OutsideReader) -> Review:
        return record_outside_review(image=image, reader=reader, **asdict(self))


def ask_for_opinion(
    *,
    lesion: Lesion,
    by: Member,
    of: Member | OutsideDoctor,
    images: Sequence[Image],
    question: str,
    days: int,
    shares_age_and_sex: bool = False,
    form_key: str = "",
) -> tuple[OpinionRequest, str]:
    """Share photographs of ``lesion`` with another doctor, who is told by e-mail. Return the request and its code.

    The code is empty for a colleague. A doctor outside the clinic needs it besides the link: tell them by another way
    than e-mail. It is not stored, and only ``form_key`` gives it back (see ``code_made_for``).

    Raises:
        PermissionDenied: ``by`` is not a dermatologist of the patient's clinic.
        NothingToShare, CannotBeAsked, TooLong: see ``diagnosis.opinions.errors``.
    """
    ensure_dermatologist_of(lesion.patient, by)
    if not 1 <= days <= LONGEST_DAYS:
        raise TooLong
    now = timezone.now()
    request = OpinionRequest(
        lesion=lesion,
        asked_by=by,
        question=question.strip(),
        shares_age_and_sex=shares_age_and_sex,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    code = ""
    with transaction.atomic():
        keys = [image.pk for image in images]
        shared = set(Image.objects.in_use().filter(lesion=lesion, pk__in=keys).values_list("pk", flat=True))
        if not keys or shared != set(keys):
            raise NothingToShare
        if isinstance(of, OutsideDoctor):
            request.outside_reader = _outside_reader(of, by)
            code = _renew_code(request, form_key)
        else:
            _ensure_can_be_asked(of, by)
            request.colleague = of
        request.save(force_insert=True)
        OpinionPhotograph.objects.bulk_create(
            OpinionPhotograph(request=request, image_id=key, number=number)
            for number, key in enumerate(dict.fromkeys(keys), start=1)
        )
        _tell_doctor(request)
    return request, code


def give_new_code(*, request: OpinionRequest, by: Member, form_key: str = "") -> tuple[OpinionRequest, str]:
    """Replace the code of a link that still waits, and return the new one. The old one stops working.

    Raises ``PermissionDenied`` and ``OpinionIsClosed``.
    """
    ensure_dermatologist_of(request.lesion.patient, by)
    with transaction.atomic():
        request = _lock_waiting(request.pk)
        if request.outside_reader is None:
            raise OpinionIsClosed
        code = _renew_code(request, form_key)
        request.save(update_fields=["code_number", "code_hash"])
    return request, code


def code_made_for(*, form_key: str, request: OpinionRequest) -> str:
    """Return the code that the form with this idempotency key has made, for a page that is sent again."""
    return _code(request.pk, request.code_number, form_key)


def revoke_request(*, request: OpinionRequest, by: Member) -> OpinionRequest:
    """Take a request back: the link stops working at once. Raises ``PermissionDenied``, ``OpinionIsClosed``."""
    ensure_dermatologist_of(request.lesion.patient, by)
    with transaction.atomic():
        request = _lock_waiting(request.pk)
        _revoke(request, by)
    return request


def revoke_for_correction(*, request: OpinionRequest, by: Member) -> None:
    """Take a request back because its photographs are filed elsewhere now. Call it in a transaction.

    Unlike ``revoke_request`` it is for every member who may correct; one that was closed meanwhile stays as it is.
    """
    ensure_same_clinic(request.lesion.patient, by)
    request = OpinionRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)
    if request.is_waiting:
        _revoke(request, by)


def check_code(*, request: OpinionRequest, code: str, network: str) -> None:
    """Record that a code was entered, and raise ``WrongCode`` or ``TooManyWrongCodes`` unless it is right.

    Call it outside of a transaction: a wrong code is recorded although this raises.
    """
    with transaction.atomic():
        request = _lock_waiting(request.pk)
        if request.is_locked:
            raise TooManyWrongCodes
        is_right = check_password(_digits(code), request.code_hash)
        note_access(request, AccessKind.CODE if is_right else AccessKind.WRONG_CODE, network)
    if is_right:
        return
    wrong = request.accesses.filter(kind=AccessKind.WRONG_CODE, code_number=request.code_number).count()
    if wrong >= MOST_WRONG_CODES:
        raise TooManyWrongCodes
    raise WrongCode(MOST_WRONG_CODES - wrong)


def note_access(request: OpinionRequest, kind: AccessKind, network: str) -> OpinionAccess:
    """Record one use of the link."""
    return OpinionAccess.objects.create(
        request=request, kind=kind, code_number=request.code_number, network=network[:64]
    )


def answer_request(
    *,
    request: OpinionRequest,
    answer: str,
    certainty: str,
    other_text: str = "",
    reason: str = "",
    by: Member | None = None,
    network: str = "",
) -> list[Review]:
    """Record the doctor's answer as a review of each photograph that was shared, and tell who asked.

    Args:
        by: the colleague who was asked; None for the doctor outside the clinic, whose code the caller has checked.
        network: where a doctor outside the clinic answered from.

    Raises:
        PermissionDenied: another colleague was asked.
        OpinionIsClosed, NothingToShare: it was answered, revoked or expired, or all its photographs are excluded now.
        OtherTextMissing: see ``diagnosis.reviews.errors``.
    """
    with transaction.atomic():
        request = _lock_waiting(request.pk)
        if request.colleague_id != (by.pk if by else None):
            raise PermissionDenied
        images = list(request.images().select_related("visit__patient__clinic"))
        if not images:
            raise NothingToShare
        said = _Said(answer, certainty, other_text, reason)
        if by is not None:
            reviews = [said.by_colleague(image, by) for image in images]
        else:
            assert request.outside_reader is not None, "opinion_is_asked_of_one_doctor"
            reviews = [said.from_outside(image, request.outside_reader) for image in images]
            note_access(request, AccessKind.ANSWER, network)
        OpinionReview.objects.bulk_create(OpinionReview(request=request, review=review) for review in reviews)
        request.answered_at = timezone.now()
        request.save(update_fields=["answered_at"])
        _tell_asker(request)
    return reviews


def mark_answer_seen(*, request: OpinionRequest, by: Member) -> None:
    """Record that the asking dermatologist has opened the answer. Safe to run again, and for others."""
    own = OpinionRequest.objects.unread_by(by).filter(pk=request.pk)
    own.update(seen_at=timezone.now())


def _revoke(request: OpinionRequest, by: Member) -> None:
    request.revoked_by, request.revoked_at = by, timezone.now()
    request.save(update_fields=["revoked_by", "revoked_at"])
    cancel_messages(kind=MessageKind.OPINION_ASKED, about=request.pk)


def _ensure_can_be_asked(colleague: Member, by: Member) -> None:
    is_colleague = colleague.clinic_id == by.clinic_id and colleague.pk != by.pk
    if not is_colleague or not colleague.is_dermatologist or not colleague.user.is_active:
        raise CannotBeAsked


def _outside_reader(doctor: OutsideDoctor, by: Member) -> OutsideReader:
    name, institution = " ".join(doctor.full_name.split()), " ".join(doctor.institution.split())
    known = OutsideReader.objects.filter(
        clinic=by.clinic_id, email__iexact=doctor.email, full_name=name, institution=institution
    ).first()
    return known or OutsideReader.objects.create(
        clinic_id=by.clinic_id, full_name=name, institution=institution, email=doctor.email, added_by=by
    )


def _lock_waiting(request_id: UUID) -> OpinionRequest:
    requests = OpinionRequest.objects.select_for_update(of=("self",))
    request = requests.select_related("lesion__patient", "outside_reader", "asked_by__user").get(pk=request_id)
    if not request.is_waiting:
        raise OpinionIsClosed
    return request


def _renew_code(request: OpinionRequest, form_key: str) -> str:
    request.code_number += 1
    code = _code(request.pk, request.code_number, form_key or secrets.token_hex(20))
    request.code_hash = make_password(_digits(code))
    return code


def _code(request_id: UUID, number: int, secret: str) -> str:
    """Return eight digits in two groups, which can be read out over the telephone."""
    digest = salted_hmac("second-opinion-code", f"{request_id}:{number}:{secret}", algorithm="sha256").hexdigest()
    digits = str(int(digest, 16))[-_DIGITS:]
    return f"{digits[:4]} {digits[4:]}"


def _digits(code: str) -> str:
    return "".join(letter for letter in code if letter.isdecimal())[: 2 * _DIGITS]


def _tell_doctor(request: OpinionRequest) -> None:
    if request.colleague is not None:
        user = request.colleague.user
        if user.email:
            queue_message(MessageKind.OPINION_ASKED, about=request.pk, user=user, address=user.email)
    elif request.outside_reader is not None:
        queue_message(MessageKind.OPINION_ASKED, about=request.pk, address=request.outside_reader.email)


def _tell_asker(request: OpinionRequest) -> None:
    user = request.asked_by.user
    if user.email and user.is_active:
        queue_message(MessageKind.OPINION_ANSWERED, about=request.pk, user=user, address=user.email)
