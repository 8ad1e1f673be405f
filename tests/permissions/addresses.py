"""Every address of the URL configuration and the rules for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.permissions.accounts import ACCOUNTS
from tests.permissions.admin_site import ADMIN, ADMIN_PAGES, in_the_admin, table_case
from tests.permissions.answers import Case
from tests.permissions.pages import PAGES
from tests.permissions.world import World

RULES = PAGES | ACCOUNTS | ADMIN_PAGES


@dataclass(frozen=True)
class Address:
    """One pattern of the URL configuration."""

    route: str
    name: str

    @property
    def table(self) -> tuple[str, str] | None:
        """(“app.model”, action) if this is the address of an admin table, otherwise None."""
        parts = self.route.split("/")
        models = {f"{model._meta.app_label}.{model._meta.model_name}" for model in admin.site._registry}
        label = ".".join(parts[1:3])
        if parts[0] != "admin" or label not in models or self.name == "admin:auth_user_password_change":
            return None
        return label, {"<path:object_id>": parts[-2]}.get(parts[3], parts[3] or "changelist").replace(
            "<path:object_id>", ""
        )

    def cases(self) -> list[Case]:
        if self.route == "admin/(?P<url>.*)$":
            return [Case(get=in_the_admin(404), post=in_the_admin(404))]
        if self.table:
            return [table_case(*self.table)] if self.table[0] in ADMIN else []
        return RULES.get(self.name, [])

    def path(self, case: Case, world: World) -> str:
        if self.route == "admin/(?P<url>.*)$":
            return "/admin/there/is/nothing/here/"
        if self.name == "api-unknown":
            return "/api/v1/there/is/nothing/here/"
        ids = {key: str(world.objects[name].pk) for key, name in case.ids.items()}
        if self.table:
            return "/" + self.route.replace("<path:object_id>", ids.get("object_id", ""))
        return reverse(self.name, kwargs={**ids, **case.words})


def walk(patterns: list[Any], route: str = "", namespaces: tuple[str, ...] = ()) -> Iterator[Address]:
    for pattern in patterns:
        here = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = (*namespaces, pattern.namespace) if pattern.namespace else namespaces
            yield from walk(pattern.url_patterns, here, inner)
        elif isinstance(pattern, URLPattern):
            yield Address(here, ":".join((*namespaces, pattern.name or "")))


ADDRESSES = list(walk(get_resolver().url_patterns))
