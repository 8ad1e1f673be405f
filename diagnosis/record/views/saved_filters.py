"""Save and delete a member's own filters."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from dermascan.core.errors import Refused
from dermascan.core.once import once
from diagnosis.record.search.choices import Listing
from diagnosis.record.search.forms import FilterForm, SavedFilterForm
from diagnosis.record.search.models import SavedFilter
from diagnosis.record.search.saving import save_filter
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.middleware import MemberRequest


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_POST
@once
def save(request: MemberRequest) -> HttpResponse:
    form = SavedFilterForm(request.POST)
    if not form.is_valid():
        messages.error(request, str(next(iter(form.errors.values()))[0]))
        return redirect(_list_of(request.POST.get("listing", "")))
    listing = Listing(form.cleaned_data["listing"])
    chosen = FilterForm(QueryDict(form.cleaned_data["parameters"]), member=request.member, listing=listing)
    if not chosen.is_valid():
        messages.error(request, _("This filter does not exist any more. Choose it again, then save it."))
        return redirect(listing.value)
    try:
        saved = save_filter(member=request.member, form=chosen, name=form.cleaned_data["name"])
    except Refused as refused:
        messages.error(request, refused.message, extra_tags=refused.code)
        return redirect(f"{reverse(listing.value)}?{chosen.query}")
    messages.success(request, _("“%(name)s” is saved.") % {"name": saved.name})
    return redirect(f"{reverse(listing.value)}?{saved.parameters}")


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_POST
@once
def delete(request: MemberRequest, filter_id: UUID) -> HttpResponse:
    saved = get_object_or_404(SavedFilter, pk=filter_id, member=request.member)
    saved.delete()
    messages.success(request, _("“%(name)s” is deleted.") % {"name": saved.name})
    return redirect(saved.listing)


def _list_of(listing: str) -> str:
    return listing if listing in Listing.values else Listing.LESIONS.value
