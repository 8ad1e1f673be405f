"""Why a visit is not signed or its report not released."""

from django.utils.translation import gettext as _

from dermascan.core.errors import Refused


class NothingToSign(Refused):
    code = "nothing_to_sign"

    def __init__(self) -> None:
        super().__init__(_("This visit has no photograph. Add at least one before you sign."))


class PhotographUnreadable(Refused):
    code = "photograph_unreadable"

    def __init__(self) -> None:
        super().__init__(
            _("A photograph's file could not be read, so nothing was signed. Tell the operator of this installation.")
        )


class PlanMissing(Refused):
    code = "plan_missing"

    def __init__(self, lesions: list[str]) -> None:
        words = _(
            "%(lesions)s: malignant by the label, or urgent, and the plan is empty. Write what happens next and by "
            "when. If there is to be no plan, say why in a sentence: the reason is kept in the record."
        )
        super().__init__(words % {"lesions": ", ".join(lesions)})


class SameFileUnchecked(Refused):
    code = "same_file_unchecked"

    def __init__(self, lesions: list[str]) -> None:
        words = _(
            "%(lesions)s: the very file is kept under another lesion too. Look at both, and tick that it shows this "
            "patient's lesion, or set it aside."
        )
        super().__init__(words % {"lesions": ", ".join(lesions)})


class NotSigned(Refused):
    code = "not_signed"

    def __init__(self) -> None:
        super().__init__(_("Sign the visit before you release it."))


class AlreadyReleased(Refused):
    code = "already_released"

    def __init__(self) -> None:
        super().__init__(_("This visit was already released to the patient."))


class ReviewsSayOtherwise(Refused):
    code = "reviews_say_otherwise"

    def __init__(self) -> None:
        super().__init__(
            _(
                "Reviews have said otherwise since the report was signed, so the patient would read what no longer "
                "holds. Add to the report what they must know, then release it."
            )
        )


class OtherwiseElsewhere(Refused):
    code = "otherwise_elsewhere"

    def __init__(self, lesions: list[str]) -> None:
        words = _(
            "%(lesions)s: another visit names or suspects danger of which the report says nothing, or has taken back "
            "what it quotes. Add to the report what its readers must know, then release it."
        )
        super().__init__(words % {"lesions": ", ".join(lesions)})


class RecordChangedSince(Refused):
    code = "record_changed_since"

    def __init__(self, changed: list[str]) -> None:
        words = _(
            "The record has changed since the report was signed: %(changed)s. Add to the report what its readers "
            "must know, then release it."
        )
        super().__init__(words % {"changed": ", ".join(changed)})


class ShowsOtherPatient(Refused):
    code = "shows_other_patient"

    def __init__(self) -> None:
        super().__init__(
            _(
                "This report shows another patient, so it cannot be released. Log a new visit with this patient's"
                " photographs, and sign that."
            )
        )


class ExcludedSince(Refused):
    code = "excluded_since"

    def __init__(self) -> None:
        super().__init__(
            _(
                "A photograph was set aside since the report was signed. Add to the report what its readers must know,"
                " then release it."
            )
        )
