"""The thresholds of the promotion gate in this installation's settings."""

from dataclasses import fields

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from mlmodel.retraining import GateRules


def gate_rules() -> GateRules:
    """Return the gate rules. Raises ImproperlyConfigured for unknown names and for values that are not numbers."""
    given = settings.RETRAINING_GATE
    names = [field.name for field in fields(GateRules)]
    try:
        if unknown := set(given) - set(names):
            raise ValueError(f"Unknown: {', '.join(sorted(unknown))}. Choose from {', '.join(names)}.")
        return GateRules(**given)
    except (TypeError, ValueError) as error:
        raise ImproperlyConfigured(f"DERMASCAN_RETRAINING_GATE cannot be used. {error}") from error
