"""Template filters for who a patient is, as far as privacy mode shows it."""

from django import template

from patients import privacy

register = template.Library()
register.filter("shown_name", privacy.shown_name)
register.filter("shown_number", privacy.shown_number)
register.filter("shown_birth_date", privacy.shown_birth_date)
register.filter("shown_contact", privacy.shown_contact)
register.simple_tag(privacy.is_on, name="privacy_is_on")
