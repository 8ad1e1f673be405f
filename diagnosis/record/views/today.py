"""The landing page of a clinic's members: what is to be done, and what must not be forgotten."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from dermascan.core.paging import AheadPaginator
from diagnosis.followup.models import TodayFilter
from diagnosis.record.today.forms import TodayFilterForm
from diagnosis.record.today.page import sections_for
from diagnosis.record.today.rows import rows_of
from diagnosis.record.today.sections import QUERIES, Scope, SectionCode
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.middleware import MemberRequest

PAGE_LENGTH = 25


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_safe
def today(request: MemberRequest) -> HttpResponse:
    chosen = TodayFilter.objects.filter(member=request.member).first()
    scope = Scope.of(request.member, chosen)
    context = {
        "today": timezone.localdate(),
        "form": TodayFilterForm(chosen=chosen),
        "chosen": chosen,
        "sections": sections_for(scope, only=chosen.section if chosen else ""),
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
    rows = QUERIES[shown](Scope.of(request.member, chosen))
    number = request.GET.get("page", "")
    paginator = AheadPaginator(
        rows,
        PAGE_LENGTH,
        keys=rows.values_list("pk", flat=True),
        page=int(number) if number.isdecimal() and len(number) < 8 else 1,
    )
    page = paginator.get_page(number)
    context = {
        "section": shown,
        "chosen": chosen,
        "page": page,
        "rows": rows_of(shown, [row.pk for row in page], request.member),
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
        messages.error(request, _("This filter does not exist. Choose from the lists."))
    return redirect("today")
