"""Template tags with which the record's pages tell of corrections."""

from django import template

from diagnosis.corrections import touched

register = template.Library()
register.simple_tag(touched.corrections_of)
register.simple_tag(touched.void_visits_of)
register.simple_tag(touched.reports_with_old_details)
