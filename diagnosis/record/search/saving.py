"""Save and delete a member's filters."""

from django.db import transaction
from django.db.models import QuerySet

from diagnosis.record.search.choices import Listing
from diagnosis.record.search.errors import FilterNameTaken, NothingToSave, TooManySaved
from diagnosis.record.search.forms import FilterForm, as_query
from diagnosis.record.search.models import MOST_SAVED, SavedFilter
from patients.models import Member
from patients.names import clean_line


def saved_filters(member: Member, listing: Listing) -> QuerySet[SavedFilter]:
    return SavedFilter.objects.filter(member=member, listing=listing)


def save_filter(*, member: Member, form: FilterForm, name: str) -> SavedFilter:
    """Save what a valid filter asks for, without its words. The same filter under the same name is saved once.

    Raises:
        NothingToSave, FilterNameTaken, TooManySaved.
    """
    name, parameters = clean_line(name), as_query(form.parameters, without="q")
    if not parameters or not name:
        raise NothingToSave
    with transaction.atomic():
        # Two forms of one member may be sent at once.
        Member.objects.select_for_update(of=("self",)).get(pk=member.pk)
        own = SavedFilter.objects.filter(member=member)
        if namesake := own.filter(name__iexact=name).first():
            if (namesake.listing, namesake.parameters) != (form.listing, parameters):
                raise FilterNameTaken(namesake.name)
            return namesake
        free = set(range(1, MOST_SAVED + 1)) - set(own.values_list("number", flat=True))
        if not free:
            raise TooManySaved
        return SavedFilter.objects.create(
            member=member, number=min(free), listing=form.listing, name=name, parameters=parameters
        )
