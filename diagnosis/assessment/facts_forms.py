"""Forms about how photographs were taken: beside an upload, for a stored photograph, and for the clinic's devices."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from diagnosis.assessment.forms import LesionForm
from diagnosis.assessment.stated_facts import FACTS
from diagnosis.images.facts import StatedFacts, fitting_overview, is_plausible_time, overviews_for
from diagnosis.images.kinds import LEFT_OPEN, PhotographKind
from diagnosis.images.models import Device, Image, PhotographFacts
from patients.edit_forms import EditForm
from patients.models import Member

KINDS = [("", _("Not stated")), *PhotographKind.choices]
POLARISED = [("", _("Not known")), (True, _("Polarised")), (False, _("Not polarised"))]
CONTACT = [("", _("Not known")), (True, _("Touched the skin")), (False, _("Without contact"))]


class KnownField(forms.TypedChoiceField):
    """Yes, no or not known."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, coerce=lambda value: value == "True", empty_value=None, **kwargs)


def known_field(label: Any, choices: Any) -> KnownField:
    return KnownField(label=label, choices=choices, error_messages={"invalid_choice": _("Choose from the list.")})


class _RowField(forms.ModelChoiceField):
    """Gives a malformed key the same message as one that is not on the list."""

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except ValidationError:
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice") from None


class DeviceField(_RowField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            queryset=Device.objects.none(),
            required=False,
            empty_label=_("Not stated"),
            label=_("Taken with"),
            error_messages={"invalid_choice": _("Choose a device of your clinic that is in use.")},
            **kwargs,
        )


class UploadForm(LesionForm):
    """Chooses lesion, kind and device of the photographs that are sent together."""

    device = DeviceField(help_text=_("For all of them. Your choice is remembered."))
    kind = forms.ChoiceField(
        choices=[("", _("What the device usually takes")), *PhotographKind.choices, (LEFT_OPEN, _("Not stated"))],
        required=False,
        label=_("What kind of photographs are they?"),
        error_messages={"invalid_choice": _("Choose the kind from the list.")},
    )
    field_order = ("device", "lesion", "kind")

    def __init__(self, *args: Any, member: Member, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        device = self.fields["device"]
        assert isinstance(device, DeviceField)
        device.queryset = Device.objects.visible_to(member).in_use()

    @property
    def stated(self) -> StatedFacts:
        return StatedFacts(kind=self.cleaned_data["kind"], device=self.cleaned_data["device"])


class _OverviewField(_RowField):
    def label_from_instance(self, overview: Any) -> str:
        return _now("%(lesion)s, %(date)s") % {"lesion": overview.lesion, "date": overview.taken_on.isoformat()}


class FactsForm(EditForm, forms.Form):
    """States how a stored photograph was taken. Every statement is stored and the newest counts."""

    edits_a_record = True

    kind = forms.ChoiceField(
        choices=KINDS,
        required=False,
        label=_("Kind"),
        error_messages={"invalid_choice": _("Choose the kind from the list.")},
    )
    device = DeviceField()
    is_polarised = known_field(_("Light"), POLARISED)
    is_contact = known_field(_("Contact with the skin"), CONTACT)
    taken_at = forms.DateTimeField(
        required=False,
        label=_("Taken at"),
        widget=forms.DateTimeInput({"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S"),
        error_messages={"invalid": _("Enter date and time, for example 2026-03-14 10:30.")},
    )
    is_cropped = forms.BooleanField(
        required=False,
        label=_("Cropped or zoomed: the device’s scale does not hold"),
    )
    overview = _OverviewField(
        queryset=Image.objects.none(),
        required=False,
        empty_label=_("None"),
        label=_("Belongs to the overview"),
        error_messages={"invalid_choice": _("Choose an overview of the same lesion or of the same visit.")},
    )

    def __init__(
        self, *args: Any, image: Image, member: Member, newest: PhotographFacts | None, **kwargs: Any
    ) -> None:
        self.image, self.newest = image, newest
        initial = {name: getattr(newest, name) for name in FACTS} if newest else {}
        kwargs.setdefault("auto_id", "facts_%s")
        super().__init__(*args, initial=initial, **kwargs)
        device, overview = self.fields["device"], self.fields["overview"]
        assert isinstance(device, DeviceField)
        assert isinstance(overview, _OverviewField)
        devices = Device.objects.visible_to(member)
        device.queryset = devices.in_use()
        if newest and newest.device_id:
            device.queryset |= devices.filter(pk=newest.device_id)  # it may be retired since
        overviews = [each.pk for each in overviews_for(image)]
        if fitting := fitting_overview(image, newest):
            overviews.append(fitting.pk)  # it may be excluded, and still be the one that was stated
        else:
            self.initial["overview"] = None
        overview.queryset = Image.objects.filter(pk__in=overviews).select_related("lesion", "visit")
        self.has_overviews = bool(overviews)

    def stored_values(self) -> dict[str, Any]:
        return {name: getattr(self.newest, name) for name in FACTS} if self.newest else {}

    def edited_record(self) -> Any:
        return self.newest

    def clean_taken_at(self) -> Any:
        moment = self.cleaned_data["taken_at"]
        if moment is not None and not is_plausible_time(moment, uploaded_at=self.image.created_at):
            raise ValidationError(
                _("A photograph was taken in 1990 or later, and before it was uploaded. Correct the time.")
            )
        return moment

    @property
    def stated(self) -> StatedFacts:
        return StatedFacts(**{name: self.cleaned_data[name] for name in FACTS})


class DeviceForm(EditForm, forms.ModelForm):
    """A device of the clinic."""

    is_polarised = known_field(_("Light"), POLARISED)
    is_contact = known_field(_("Contact with the skin"), CONTACT)

    class Meta:
        model = Device
        fields = ["name", "lens", "default_kind", "is_polarised", "is_contact", "is_retired"]
        labels = {
            "name": _("Name"),
            "lens": _("Lens or adapter"),
            "default_kind": _("What it usually takes"),
            "is_retired": _("No longer in use: do not offer it for new photographs"),
        }
        help_texts = {
            "name": _("As your colleagues call it: “DermLite DL4, room 2”."),
            "lens": _("If the lens or adapter can be changed, add a device for each: their scales differ."),
        }
        error_messages = {"name": {"required": _("Enter the name of the device.")}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind = self.fields["default_kind"]
        assert isinstance(kind, forms.TypedChoiceField)
        kind.choices = [("", _("Differs")), *PhotographKind.choices]
        for name in ("name", "lens"):
            self.fields[name].widget.attrs["autocomplete"] = "off"
        if self.instance._state.adding:
            del self.fields["is_retired"]
