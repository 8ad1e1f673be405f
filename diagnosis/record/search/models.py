import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from diagnosis.record.search.choices import Listing
from patients.models import Member

MOST_SAVED = 20


class SavedFilter(models.Model):
    """A filter of a list that a member has given a name; the list shows it as a tab.

    Words are never part of it: they name patients.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="saved_filters")
    # The smallest that is free, so that no member can have more than MOST_SAVED.
    number = models.PositiveSmallIntegerField()
    listing = models.CharField(max_length=10, choices=Listing)
    name = models.CharField(max_length=60)
    parameters = models.CharField(max_length=1000)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at", "number"]
        constraints = [
            models.UniqueConstraint("member", Lower("name"), name="saved_filter_has_a_name_of_its_own"),
            models.UniqueConstraint(fields=["member", "number"], name="saved_filter_number_is_unique"),
            models.CheckConstraint(condition=Q(number__gte=1, number__lte=MOST_SAVED), name="saved_filters_are_few"),
            models.CheckConstraint(condition=~Q(name=""), name="saved_filter_has_a_name"),
            models.CheckConstraint(condition=~Q(parameters=""), name="saved_filter_asks_for_something"),
            models.CheckConstraint(condition=Q(listing__in=Listing.values), name="saved_filter_is_of_a_known_list"),
        ]

    def __str__(self) -> str:
        return self.name
