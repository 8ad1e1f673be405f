"""Who has a photograph on the review screen at this moment, so that colleagues know of each other."""

from django.utils import timezone

from dermascan.core.clock import CLOCKS_APART
from diagnosis.images.models import Image
from diagnosis.reviews.models import PhotographOnScreen
from diagnosis.reviews.models.queue import CLAIMED_FOR
from patients.models import Member


def look_at(*, image: Image, member: Member) -> None:
    """Note that ``member`` has the photograph before them, for some minutes. Safe to run again."""
    until = timezone.now() + CLAIMED_FOR
    PhotographOnScreen.objects.update_or_create(image=image, member=member, defaults={"until": until})


def look_away(*, image: Image, member: Member) -> None:
    """Note that ``member`` is done with the photograph. Safe to run again."""
    PhotographOnScreen.objects.filter(image=image, member=member).delete()


def others_before(*, image: Image, member: Member) -> list[str]:
    """The names of the colleagues who have the photograph before them too."""
    now = timezone.now()
    # What lasts much longer than any was noted before the clock was set back.
    rows = PhotographOnScreen.objects.filter(image=image, until__gt=now, until__lte=now + CLAIMED_FOR + CLOCKS_APART)
    return sorted(row.member.name for row in rows.exclude(member=member).select_related("member__user"))
