"""The groups that a migration creates for users of the catalog's admin."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission

pytestmark = pytest.mark.django_db

OPERATORS = {"request_refresh", "decide_refresh"} | {
    f"{verb}_{model}"
    for verb in ("add", "change")
    for model in ("enterprisecustomer", "enterprisecatalog", "catalogquery")
}


@pytest.mark.parametrize(("group", "more"), [("Catalog auditor", set()), ("Catalog operator", OPERATORS)])
def test_a_group_may_view_all_pages_of_content_and_what_its_users_do(group: str, more: set[str]) -> None:
    permissions = Group.objects.get(name=group).permissions.filter(content_type__app_label="catalog")

    views = {codename for codename in permissions.values_list("codename", flat=True) if codename.startswith("view_")}
    assert set(permissions.values_list("codename", flat=True)) - views == more
    assert views == {
        *("view_enterprisecustomer", "view_enterprisecatalog", "view_catalogquery", "view_contentmetadata"),
        *("view_catalogrefresh", "view_refreshchange"),
    }


def test_the_permissions_are_those_of_the_models() -> None:
    """A wrong codename in the migration would create a permission that nothing asks for."""
    user = get_user_model().objects.create_user("operator", is_staff=True)
    user.groups.add(Group.objects.get(name="Catalog operator"))

    declared = Permission.objects.filter(content_type__app_label="catalog")
    names = {f"catalog.{each.codename}": each.name for each in declared}
    assert user.get_all_permissions() <= names.keys()
    assert names["catalog.decide_refresh"] == "Can approve and reject held refreshes"
    assert len(declared) == len({(each.content_type_id, each.codename) for each in declared})
