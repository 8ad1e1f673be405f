"""The second opinions that the demo clinic's dermatologist has asked for."""

from typing import Any

from diagnosis.images.models import Image
from diagnosis.opinions.services import OutsideDoctor, answer_request, ask_for_opinion
from patients.models import Lesion, Member, MessageKind
from patients.outbox import cancel_messages


def add_opinion(data: dict[str, Any], lesion: Lesion, *, dermatologist: Member) -> None:
    """Ask a doctor outside the clinic, who does not exist and gets no e-mail; with their answer if there is one."""
    request, _code = ask_for_opinion(
        lesion=lesion,
        by=dermatologist,
        of=OutsideDoctor(**data["doctor"]),
        images=list(Image.objects.in_use().filter(lesion=lesion, predictions__isnull=False).distinct()),
        question=data["question"],
        days=data["days"],
    )
    if "answer" in data:
        answer_request(request=request, **data["answer"])
    for kind in (MessageKind.OPINION_ASKED, MessageKind.OPINION_ANSWERED):
        cancel_messages(kind=kind, about=request.pk)
