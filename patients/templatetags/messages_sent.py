"""Template filter for the delivery status of a message."""

from django import template

from patients.message_words import state_in_words

register = template.Library()
register.filter("state_in_words", state_in_words)
