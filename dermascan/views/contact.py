"""Writing to the operator: kept in the database, and mailed."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from dermascan.forms import ContactForm
from dermascan.tasks import mail_contact_message
from dermascan.throttles import ContactThrottle
from dermascan.views.errors import too_many_requests
from patients.background import hand_over
from patients.once import once


@require_http_methods(["GET", "HEAD", "POST"])
@once
def contact(request: HttpRequest) -> HttpResponse:
    form = ContactForm(request.POST or None, initial=_known_sender(request))
    if request.method == "POST" and form.is_valid():
        if form.is_from_a_robot:
            return redirect("contact-thanks")
        if seconds := ContactThrottle().retry_after(request):
            return too_many_requests(request, seconds=seconds, back="contact")
        with transaction.atomic():
            message = form.save()
            hand_over(mail_contact_message, str(message.pk))
        return redirect("contact-thanks")
    return render(request, "dermascan/contact.html", {"form": form}, status=400 if form.errors else 200)


@require_safe
def contact_thanks(request: HttpRequest) -> HttpResponse:
    return render(request, "dermascan/contact_thanks.html")


def _known_sender(request: HttpRequest) -> dict[str, str]:
    if not request.user.is_authenticated:
        return {}
    return {"name": request.user.get_full_name(), "email": request.user.email}
