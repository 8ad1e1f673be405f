"""The contact form: a message is stored and e-mailed to the operator."""

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from dermascan.core.once import once
from dermascan.forms import ContactForm
from dermascan.throttles import ContactThrottle
from patients.guessing import please_wait as too_many_requests
from patients.models import MessageKind
from patients.outbox import queue_message


@require_http_methods(["GET", "HEAD", "POST"])
@once
def contact(request: HttpRequest) -> HttpResponse:
    form = ContactForm(request.POST or None, initial=_sender(request))
    if request.method == "POST" and form.is_valid():
        if form.is_spam_bot:
            return redirect("contact-thanks")
        if seconds := ContactThrottle().retry_after(request):
            return too_many_requests(request, seconds=seconds, back="contact")
        with transaction.atomic():
            message = form.save()
            queue_message(MessageKind.CONTACT, about=message.pk, address=settings.OPERATOR_EMAIL)
        return redirect("contact-thanks")
    return render(request, "dermascan/contact.html", {"form": form}, status=400 if form.errors else 200)


@require_safe
def contact_thanks(request: HttpRequest) -> HttpResponse:
    return render(request, "dermascan/contact_thanks.html")


def _sender(request: HttpRequest) -> dict[str, str]:
    if not request.user.is_authenticated:
        return {}
    return {"name": request.user.get_full_name(), "email": request.user.email}
