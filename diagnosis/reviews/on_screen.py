"""Which members have a photograph open on the review screen, so that colleagues see each other."""

from django.utils import timezone

from dermascan.core.clock import CLOCKS_APART
from diagnosis.images.models import Image
from diagnosis.reviews.models import PhotographOnScreen
from diagnosis.reviews.models.queue import CLAIMED_FOR
from patients.models import Member


def look_at(*, image: Image, member: Member) -> None:
    """Record for some minutes that ``member`` has the photograph open. Safe to run again."""
    until = timezone.now() + CLAIMED_FOR
    PhotographOnScreen.objects.update_or_create(image=image, member=member, defaults={"until": until})


def look_away(*, image: Image, member: Member) -> None:
    """Record that ``member`` has finished with the photograph. Safe to run again."""
    PhotographOnScreen.objects.filter(image=image, member=member).delete()


def others_before(*, image: Image, member: Member) -> list[str]:
    """Return the names of the colleagues who have the photograph open too."""
    now = timezone.now()
    # A row that lasts longer than possible was written before the clock was set back.
    rows = PhotographOnScreen.objects.filter(image=image, until__gt=now, until__lte=now + CLAIMED_FOR + CLOCKS_APART)
    return sorted(row.member.name for row in rows.exclude(member=member).select_related("member__user"))
