"""The gate's numbers as this installation has set them."""

from dataclasses import fields

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from mlmodel.retraining import GateRules


def gate_rules() -> GateRules:
    """Return them. Raises ImproperlyConfigured, in words, for names that there are not and for what is no number."""
    given = settings.RETRAINING_GATE
    names = [field.name for field in fields(GateRules)]
    try:
        if unknown := set(given) - set(names):
            raise ValueError(f"There is no number {', '.join(sorted(unknown))}: there are {', '.join(names)}.")
        return GateRules(**given)
    except (TypeError, ValueError) as error:
        raise ImproperlyConfigured(f"DERMASCAN_RETRAINING_GATE cannot be used. {error}") from error
