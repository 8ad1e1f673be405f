from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import display_for_value
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy, ngettext

from patients.admin.scope import ClinicFilter, ClinicScopedAdmin, history_link, member_of
from patients.message_words import state_in_words
from patients.models import Member, Role, User
from patients.names import fold_name, join_name
from patients.services import (
    AccountRefused,
    add_member,
    enrol_member,
    ensure_address_is_free,
    ensure_member_may_become,
    ensure_username_is_free,
    link_to,
    mail_set_password_link,
    update_member,
)

CHANGEABLE = ("role", "is_active", "first_name", "last_name", "email")


class MemberForm(forms.ModelForm):
    """A member together with the account they sign in with."""

    username = forms.CharField(
        label=gettext_lazy("User name"), max_length=150, validators=[UnicodeUsernameValidator()], strip=True
    )
    first_name = forms.CharField(label=gettext_lazy("Given name"), max_length=150)
    last_name = forms.CharField(label=gettext_lazy("Family name"), max_length=150)
    email = forms.EmailField(label=gettext_lazy("E-mail address"), max_length=254)
    is_active = forms.BooleanField(
        label=gettext_lazy("May sign in"),
        required=False,
        initial=True,
        help_text=gettext_lazy("Untick this when a member leaves: they lose access at once, and their records stay."),
    )

    # The user who fills in the form; set by the admin.
    by: User

    class Meta:
        model = Member
        fields = ("clinic", "role")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            account = self.instance.user
            for name in ("username", "first_name", "last_name", "email", "is_active"):
                if name in self.fields:
                    self.fields[name].initial = getattr(account, name)
            self.fields["username"].disabled = True

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                self._check_with_services(cleaned)
            except AccountRefused as refused:
                self.add_error(refused.field, refused.as_form_error())
        return cleaned

    def _check_with_services(self, cleaned: dict[str, Any]) -> None:
        if self.instance._state.adding:
            ensure_username_is_free(cleaned["username"])
            ensure_address_is_free(cleaned["email"], clinic=cleaned.get("clinic") or self.instance.clinic)
        else:
            values = {name: cleaned[name] for name in ("role", "is_active", "email")}
            ensure_member_may_become(member=self.instance, by=self.by, **values)


@admin.register(Member)
class MemberAdmin(ClinicScopedAdmin):
    """The members of a clinic. Managers add members to their own clinic; superusers cannot be created here."""

    form = MemberForm
    view_roles = (Role.MANAGER,)
    add_roles = (Role.MANAGER,)
    change_roles = (Role.MANAGER,)
    list_display = ("name", "username", "role", "is_active", "email", "last_login", "clinic")
    list_filter = ("role", "user__is_active", ("clinic", ClinicFilter))
    list_select_related = ("user", "clinic")
    search_fields = ("user__username", "user__first_name", "user__last_name", "user__email")
    date_hierarchy = "created_at"
    actions = ("mail_link",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Member], search_term: str
    ) -> tuple[QuerySet[Member], bool]:
        """Find names in any spelling; a clinic has only tens of members, so they are compared one by one."""
        matches, may_repeat = super().get_search_results(request, queryset, search_term)
        words = fold_name(search_term).split()
        name_matches = [
            member.pk
            for member in (queryset.select_related("user") if words else ())
            if all(word in _searchable_name(member) for word in words)
        ]
        return matches | queryset.filter(pk__in=name_matches), may_repeat

    def get_fields(self, request: HttpRequest, obj: Member | None = None) -> Any:
        account = ["username", "first_name", "last_name", "email", "role"]
        if obj is not None:
            return [*account, "is_active", "clinic", "last_login", "link", "created_at", "history"]
        return ["clinic", *account] if request.user.is_superuser else account

    def get_readonly_fields(self, request: HttpRequest, obj: Member | None = None) -> list[str]:
        return [] if obj is None else ["clinic", "last_login", "link", "created_at", "history"]

    def get_form(self, request: HttpRequest, obj: Member | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        member = member_of(request)

        class RequestForm(form):  # type: ignore[misc, valid-type]
            by = request.user

            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                if self.instance._state.adding and "clinic" not in self.fields and member is not None:
                    self.instance.clinic = member.clinic

        return RequestForm

    def has_change_permission(self, request: HttpRequest, obj: Member | None = None) -> bool:
        """Return False for operators' accounts: a manager who could change one could become an operator."""
        if obj is not None and obj.user.is_superuser and not getattr(request.user, "is_superuser", False):
            return False
        return super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Member, form: Any, change: bool) -> None:
        values = dict(form.cleaned_data)
        if change:
            assert isinstance(request.user, User)
            changed = {name: values[name] for name in CHANGEABLE}
            update_member(member=obj, by=request.user, made_from=form.made_from, **changed)
        else:
            saved = self._add(request, values)
            obj.pk = saved.pk
            obj._state.adding = False
            self._mail(request, [saved])
        obj.refresh_from_db()

    @admin.action(description=gettext_lazy("E-mail a link to choose a password"), permissions=["change"])
    def mail_link(self, request: HttpRequest, members: QuerySet[Member]) -> None:
        reachable = members.filter(user__is_active=True).exclude(user__email="")
        if not request.user.is_superuser:
            reachable = reachable.exclude(user__is_superuser=True)
        self._mail(request, list(reachable.select_related("user", "clinic")))

    def _add(self, request: HttpRequest, values: dict[str, Any]) -> Member:
        account = {name: values[name] for name in ("username", "email", "role", "first_name", "last_name")}
        if "clinic" in values:
            return enrol_member(clinic=values["clinic"], **account)
        by = member_of(request)
        assert by is not None
        return add_member(by=by, **account)

    def _mail(self, request: HttpRequest, members: list[Member]) -> None:
        for member in members:
            mail_set_password_link(user=member.user)
        if members:
            text = ngettext(
                "An e-mail with a link to choose a password is waiting to be sent. The member's page shows when it "
                "has been sent.",
                "%(count)d e-mails with a link to choose a password are waiting to be sent. Each member's page shows "
                "when theirs has been sent.",
                len(members),
            )
            messages.success(request, text % {"count": len(members)})

    @admin.display(description=gettext_lazy("user name"), ordering="user__username")
    def username(self, member: Member) -> str:
        return member.user.username

    @admin.display(description=gettext_lazy("e-mail"), ordering="user__email")
    def email(self, member: Member) -> str:
        return member.user.email

    @admin.display(description=gettext_lazy("may sign in"), boolean=True, ordering="user__is_active")
    def is_active(self, member: Member) -> bool:
        return member.user.is_active

    @admin.display(description=gettext_lazy("link to choose a password"))
    def link(self, member: Member) -> str:
        newest = link_to(member.user)
        return state_in_words(newest) if newest else "–"

    @admin.display(description=gettext_lazy("history"))
    def history(self, member: Member) -> str:
        return history_link("member-history", member)

    @admin.display(description=gettext_lazy("last signed in"), ordering="user__last_login")
    def last_login(self, member: Member) -> str:
        return display_for_value(member.user.last_login, "–")


def _searchable_name(member: Member) -> str:
    name = fold_name(member.name)
    # Joined twice, because some people type the family name first.
    return f"{name} {2 * join_name(name)}"
