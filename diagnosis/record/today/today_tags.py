"""The template tag for the number beside “Today” in the header."""

from django import template

from diagnosis.record.today.page import HeaderCount, header_count
from patients.models import Member

register = template.Library()


@register.simple_tag
def today_count(member: Member) -> HeaderCount:
    return header_count(member)
