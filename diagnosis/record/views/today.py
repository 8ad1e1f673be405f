"""The landing page of a clinic's members: what is to be done, and what must not be forgotten."""

from django.contrib import messages
from django.core.paginator import Page
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from dermascan.core.paging import AheadPaginator
from diagnosis.followup.models import TodayFilter
from diagnosis.record.today.forms import TodayFilterForm
from diagnosis.record.today.keys import KEYS
from diagnosis.record.today.page import links_for, sections_for, unnamed_in
from diagnosis.record.today.rows import rows_of
from diagnosis.record.today.sections import Scope, SectionCode
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.audit import note_list
from patients.middleware import MemberRequest

PAGE_LENGTH = 25


class KeyPages(AheadPaginator):
    """Pages of keys, since a section may hold rows of several tables."""

    def page(self, number: int | str) -> Page:
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        return Page(list(self.get_keys()[first : first + self.per_page]), number, self)


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_safe
def today(request: MemberRequest) -> HttpResponse:
    chosen = TodayFilter.objects.filter(member=request.member).first()
    scope = Scope.of(request.member, chosen)
    sections = sections_for(scope, only=chosen.section if chosen else "")
    note_list("today", sum(len(section.rows) for section in sections))
    context = {
        "today": timezone.localdate(),
        "form": TodayFilterForm(chosen=chosen),
        "chosen": chosen,
        "links": links_for(request.member),
        "sections": sections,
    }
    return render(request, "record/today/today.html", context)


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_safe
def section(request: MemberRequest, code: str) -> HttpResponse:
    """All rows of one section, page by page."""
    if code not in SectionCode.values:
        raise Http404
    shown = SectionCode(code)
    chosen = TodayFilter.objects.filter(member=request.member).first()
    scope = Scope.of(request.member, chosen)
    keys = KEYS[shown](scope)
    number = request.GET.get("page", "")
    paginator = KeyPages(
        keys,
        PAGE_LENGTH,
        keys=keys,
        page=int(number) if number.isdecimal() and len(number) < 8 else 1,
    )
    page = paginator.get_page(number)
    note_list(f"today: {code}", len(page))
    context = {
        "section": shown,
        "chosen": chosen,
        "page": page,
        "rows": rows_of(shown, list(page), request.member),
        "unnamed": unnamed_in(scope, shown),
    }
    return render(request, "record/today/section.html", context)


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_POST
def choose_filter(request: MemberRequest) -> HttpResponse:
    """Keep what the member wants to see; without fields, everything."""
    form = TodayFilterForm(request.POST)
    if "whose" not in request.POST:
        TodayFilter.objects.filter(member=request.member).delete()
    elif form.is_valid():
        TodayFilter.objects.update_or_create(member=request.member, defaults=form.cleaned_data)
    else:
        messages.error(request, _("This filter does not exist. Choose from the lists."), extra_tags="no_such_filter")
    return redirect("today")
