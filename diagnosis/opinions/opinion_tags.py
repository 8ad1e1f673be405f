"""The panel of second opinions on a lesion's page, and the count in the menu."""

from typing import Any

from django import template

from diagnosis.opinions.models import OpinionRequest
from patients.models import Lesion, Member

register = template.Library()

_SHOWN = 5


@register.inclusion_tag("opinions/includes/lesion_opinions.html")
def second_opinions(lesion: Lesion, member: Member) -> dict[str, Any]:
    """Show the newest requests about the lesion, and how to ask for another."""
    rows = OpinionRequest.objects.visible_to(member).filter(lesion=lesion)
    return {
        "lesion": lesion,
        "may_ask": member.is_dermatologist,
        "requests": rows.select_related("asked_by__user", "colleague__user", "outside_reader")[:_SHOWN],
    }


@register.simple_tag
def opinions_to_see(member: Member) -> int:
    """Return how many requests wait for the member's answer, and how many of their own were answered unread."""
    rows = OpinionRequest.objects.all()
    return rows.waiting_for(member).count() + rows.unread_by(member).count()
