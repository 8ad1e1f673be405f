"""Template tags for the risk banner and the symptoms of lesions, so that every page shows them the same way."""

from django import template

from patients.lesion_symptom_rows import symptoms_of_lesion, symptoms_of_visit, symptoms_row
from patients.risk_words import risk_banner

register = template.Library()
register.simple_tag(risk_banner)
register.simple_tag(symptoms_row)
register.simple_tag(symptoms_of_visit)
register.simple_tag(symptoms_of_lesion)
