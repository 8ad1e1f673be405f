"""The chips of photographs in the admin's lists."""

from collections.abc import Iterable

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from diagnosis.signs import Sign


def signs_html(signs: Iterable[Sign]) -> SafeString:
    chips = format_html_join(
        " ", '<span class="admin-tier admin-tier-{}">{}</span>', ((sign.tone, sign.words) for sign in signs)
    )
    return format_html('<span class="admin-tiers">{}</span>', chips)
