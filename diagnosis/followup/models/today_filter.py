from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from patients.models import BodySite, Member


class Whose(models.TextChoices):
    ALL = "all", _("The whole clinic")
    MINE = "mine", _("Mine")


class TodayFilter(models.Model):
    """What a member wants to see of the Today page; it outlasts the session."""

    member = models.OneToOneField(Member, on_delete=models.CASCADE, related_name="today_filter")
    whose = models.CharField(max_length=4, choices=Whose, default=Whose.ALL)
    body_site = models.CharField(max_length=20, choices=BodySite, blank=True, default="")
    section = models.CharField(
        max_length=12, blank=True, default="", help_text=_("The only section shown; empty: all.")
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(whose__in=Whose.values), name="today_is_filtered_by_a_known_owner"),
            models.CheckConstraint(
                condition=Q(body_site__in=["", *BodySite.values]), name="today_is_filtered_by_a_known_site"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.whose} {self.body_site} {self.section}"

    @property
    def hides_something(self) -> bool:
        return bool(self.whose != Whose.ALL or self.body_site or self.section)
