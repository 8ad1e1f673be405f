"""Forms of the public pages."""

import re

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from dermascan.models import ContactMessage
from dermascan.samples import Sample, samples

CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")


class QuickCheckForm(forms.Form):
    """One photograph, or one of the samples."""

    file = forms.FileField(
        label=_("Your photograph"),
        required=False,
        # The image service reports an empty file.
        allow_empty_file=True,
        max_length=255,
        widget=forms.FileInput(attrs={"accept": "image/*,.heic,.heif,.tif,.tiff"}),
    )
    sample = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_sample(self) -> Sample | None:
        name = self.cleaned_data["sample"]
        if not name:
            return None
        if name not in samples():
            raise ValidationError(_("There is no such sample. Pick one of the samples shown."), code="no_such_sample")
        return samples()[name]

    def clean(self) -> None:
        super().clean()
        if not self.errors and not self.cleaned_data.get("file") and not self.cleaned_data.get("sample"):
            words = _("Choose a photograph, or pick one of the samples.")
            self.add_error("file", ValidationError(words, code="no_photograph"))


class ContactForm(forms.ModelForm):
    # A honeypot: hidden from people, but spam bots fill it in.
    website = forms.CharField(label=_("Leave this empty"), required=False)

    class Meta:
        model = ContactMessage
        fields = ["name", "email", "message"]
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "name"}),
            "email": forms.EmailInput(attrs={"autocomplete": "email"}),
            "message": forms.Textarea(attrs={"rows": 8}),
        }
        help_texts = {"message": _("Do not send photographs or patient information: this is not a medical channel.")}
        error_messages = {
            "name": {"required": _("Enter your name.")},
            "email": {"required": _("Enter the e-mail address to reply to.")},
            "message": {"required": _("Enter your message.")},
        }

    @property
    def is_spam_bot(self) -> bool:
        return bool(self.cleaned_data["website"])

    def clean_name(self) -> str:
        name = self.cleaned_data["name"]
        # The name is used in the e-mail's subject, where a line break would start a new header.
        if CONTROL_CHARACTERS.search(name):
            raise ValidationError(_("Enter your name on one line, without control characters."))
        return name
