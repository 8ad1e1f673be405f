"""The form with which a member filters their Today page."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from diagnosis.followup.models import TodayFilter, Whose
from diagnosis.record.today.sections import SectionCode
from patients.models import BODY_REGIONS


class TodayFilterForm(forms.Form):
    whose = forms.ChoiceField(label=_("Whose"), choices=Whose.choices)
    body_site = forms.ChoiceField(
        label=_("Body site"),
        required=False,
        choices=[
            ("", _("All")),
            *((region, [(site.value, site.label) for site in sites]) for region, sites in BODY_REGIONS.items()),
        ],
    )
    section = forms.ChoiceField(label=_("Section"), required=False, choices=[("", _("All")), *SectionCode.choices])

    def __init__(self, *args: Any, chosen: TodayFilter | None = None, **kwargs: Any) -> None:
        if chosen is not None:
            kwargs["initial"] = {name: getattr(chosen, name) for name in ("whose", "body_site", "section")}
        super().__init__(*args, **kwargs)
