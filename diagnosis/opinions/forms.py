"""Forms of second opinions: whom to ask about which photographs, the code, and the answer."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from diagnosis.images.models import Image
from diagnosis.opinions.services import OutsideDoctor
from diagnosis.reviews.forms import ReviewForm
from patients.models import Lesion, Member, Role
from patients.names import clean_text

OUTSIDE = "outside"
DAYS = ((3, _("3 days")), (7, _("a week")), (14, _("2 weeks")), (30, _("30 days")))
MOST_PHOTOGRAPHS = 12
# Ticked when the form opens: the newest photographs, which the question is most often about.
_TICKED = 4


class _ColleagueField(forms.ModelChoiceField):
    def label_from_instance(self, member: Any) -> str:
        return str(member.name)


class _PhotographsField(forms.ModelMultipleChoiceField):
    def label_from_instance(self, image: Any) -> str:
        return str(_("Photograph of %(date)s") % {"date": image.visit.date.isoformat()})


class AskForm(forms.Form):
    """Chooses the doctor, the photographs, and what else is shared."""

    whom = forms.ChoiceField(
        choices=(("colleague", _("A colleague at this clinic")), (OUTSIDE, _("A doctor outside the clinic"))),
        widget=forms.RadioSelect,
        label=_("Who is asked?"),
        error_messages={"required": _("Choose who is asked.")},
    )
    colleague = _ColleagueField(
        queryset=Member.objects.none(),
        required=False,
        empty_label=_("Choose a colleague"),
        label=_("Colleague"),
        error_messages={"invalid_choice": _("Choose a dermatologist of your clinic who can sign in.")},
    )
    full_name = forms.CharField(required=False, max_length=120, label=_("Doctor's name"))
    institution = forms.CharField(required=False, max_length=120, label=_("Hospital or practice"))
    email = forms.EmailField(
        required=False,
        max_length=254,
        label=_("Doctor's e-mail address"),
        help_text=_("The link goes there. The code does not: you get it on the next page, and tell it by telephone."),
    )
    photographs = _PhotographsField(
        queryset=Image.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        label=_("Photographs to share"),
        error_messages={
            "required": _("Choose at least one photograph."),
            "invalid_choice": _("Choose photographs of this lesion that are in use."),
        },
    )
    question = forms.CharField(
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        label=_("Your question"),
        help_text=_(
            "The doctor reads it as you write it. Leave out names and anything that tells who the patient is."
        ),
        error_messages={"required": _("Write what you want to know.")},
    )
    shares_age_and_sex = forms.BooleanField(required=False, label=_("Share the patient's age and sex"))
    days = forms.TypedChoiceField(
        choices=DAYS, coerce=int, initial=7, label=_("Open for"), error_messages={"required": _("Choose how long.")}
    )

    def __init__(self, *args: Any, lesion: Lesion, by: Member, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lesion = lesion
        colleagues = Member.objects.visible_to(by).filter(role=Role.DERMATOLOGIST, user__is_active=True)
        colleague, photographs = self.fields["colleague"], self.fields["photographs"]
        assert isinstance(colleague, forms.ModelChoiceField)
        assert isinstance(photographs, forms.ModelMultipleChoiceField)
        colleague.queryset = colleagues.exclude(pk=by.pk).select_related("user")
        photographs.queryset = self.offered
        if not self.is_bound:
            newest = self.offered.order_by("-visit__date", "-created_at")[:_TICKED]
            self.initial["photographs"] = [image.pk for image in newest]

    @property
    def offered(self) -> Any:
        """The lesion's photographs that can be shared, oldest visit first."""
        return self.lesion.images.in_use().select_related("visit").order_by("visit__date", "created_at")

    @property
    def doctor(self) -> Member | OutsideDoctor:
        """The doctor who is asked, from a valid form."""
        cleaned = self.cleaned_data
        if cleaned["whom"] != OUTSIDE:
            colleague: Member = cleaned["colleague"]
            return colleague
        return OutsideDoctor(cleaned["full_name"], cleaned["email"], cleaned["institution"])

    @property
    def open_until(self) -> Any:
        return timezone.now() + timedelta(days=self.cleaned_data["days"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for name in ("full_name", "institution", "question"):
            if name in cleaned:
                cleaned[name] = clean_text(cleaned[name]).strip()
        if cleaned.get("whom") == OUTSIDE:
            if not cleaned.get("full_name") and "full_name" not in self.errors:
                self.add_error("full_name", forms.ValidationError(_("Enter the doctor's name."), code="name_missing"))
            if not cleaned.get("email") and "email" not in self.errors:
                self.add_error(
                    "email", forms.ValidationError(_("Enter the doctor's e-mail address."), code="address_missing")
                )
        elif cleaned.get("whom") and not cleaned.get("colleague") and "colleague" not in self.errors:
            self.add_error("colleague", forms.ValidationError(_("Choose the colleague."), code="colleague_missing"))
        if len(cleaned.get("photographs", ())) > MOST_PHOTOGRAPHS:
            self.add_error("photographs", _("Share at most %(count)d photographs.") % {"count": MOST_PHOTOGRAPHS})
        if "question" in cleaned and not cleaned["question"]:
            self.add_error(
                "question", forms.ValidationError(_("Write what you want to know."), code="question_missing")
            )
        return cleaned


class CodeForm(forms.Form):
    code = forms.CharField(
        max_length=40,
        label=_("Code"),
        help_text=_("The eight digits that the clinic gave you."),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
        error_messages={"required": _("Enter the code that the clinic gave you.")},
    )


class OpinionForm(ReviewForm):
    """The answer to a request. It is always an opinion on photographs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["basis"], self.fields["made_from"]
        self.fields["reason"].label = _("Why, and what do you advise?")
        self.fields["reason"].help_text = _("The clinic reads it as you write it.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        cleaned.pop("basis", None)
        return cleaned
