"""The admin's lists of operations and of the items that they found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.integrated_channels.models import OperationItem
from tests.factories.channels import OperationFactory
from tests.integrated_channels.pages import text_of

if TYPE_CHECKING:
    from django.test import Client

ITEMS = "/admin/integrated_channels/operationitem/"

pytestmark = pytest.mark.django_db


def test_found_items_are_listed_of_one_operation_by_default_the_newest(admin_client: Client) -> None:
    older, newer = OperationFactory.create_batch(2)
    for operation, key in ((older, "Org+A"), (newer, "Org+B"), (newer, "Org+C")):
        OperationItem.objects.create(operation=operation, content_key=key, kind="create")

    newest = text_of(admin_client.get(ITEMS))
    searched = text_of(admin_client.get(ITEMS, {"q": "Org+B"}))
    chosen = text_of(admin_client.get(ITEMS, {"operation__id__exact": older.pk}))

    assert "Only items of the newest operation." in newest
    assert ["Org+A" in newest, "Org+B" in newest, "Org+C" in newest] == [False, True, True]
    assert "Org+C" not in searched
    assert "Org+A" in chosen
    assert "Only items of the newest operation." not in chosen


def test_without_operations_the_list_of_found_items_is_empty(admin_client: Client) -> None:
    assert admin_client.get(ITEMS).status_code == 200
