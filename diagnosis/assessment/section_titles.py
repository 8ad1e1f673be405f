"""Page titles of the sections of an explanation."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# In reading order, as ``mlmodel.explanations.explained.SECTIONS``.
SECTION_TITLES: Mapping[str, str | Promise] = {
    "what_it_is": _("What it is"),
    "causes": _("Causes"),
    "symptoms": _("Symptoms"),
    "told_apart_by": _("How it is told apart"),
    "prevention": _("Prevention"),
    "treatment": _("Treatment"),
    "when_to_seek_care": _("When to seek care"),
}
