"""Timestamps have the same text format in the tables and in the responses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Max
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.catalog.models import ContentMetadata
from enterprise_catalog.db.timestamps import format_time
from tests.factories import DAY_ONE
from tests.factories.catalog import CatalogFactory, import_into

TICK = timedelta(microseconds=1)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_has_microseconds_and_sorts_as_text(moment: datetime) -> None:
    text = format_time(moment)

    assert len(text) == len("2026-11-23T20:44:01.123456Z")
    assert datetime.fromisoformat(text) == moment
    assert moment == datetime.min.replace(tzinfo=UTC) or format_time(moment - TICK) < text


@pytest.mark.django_db
@pytest.mark.parametrize("moment", [DAY_ONE, DAY_ONE.replace(microsecond=0)])
def test_a_column_holds_what_is_served_and_gives_a_time(moment: datetime) -> None:
    CatalogFactory.create(content=["a"], now=moment)

    with connection.cursor() as cursor:
        cursor.execute("SELECT updated_at FROM catalog_contentmetadata")
        assert cursor.fetchone() == (format_time(moment),)
    assert ContentMetadata.objects.get().updated_at == moment


@pytest.mark.django_db
def test_columns_are_compared_as_times_are() -> None:
    catalog = CatalogFactory.create(content=["a"])
    import_into(catalog, ["b"], now=DAY_ONE + TICK)

    found = ContentMetadata.objects.filter(updated_at__gt=DAY_ONE)

    assert [content.content_key for content in found] == ["b"]
    assert ContentMetadata.objects.aggregate(latest=Max("updated_at")) == {"latest": DAY_ONE + TICK}


@pytest.mark.django_db(transaction=True)
def test_the_migration_takes_what_databases_make_of_times_and_gives_it_back() -> None:
    CatalogFactory.create(content=["a"])
    import_into(CatalogFactory.create(), ["b"], now=DAY_ONE.replace(microsecond=0))
    before = list(ContentMetadata.objects.order_by("pk").values_list("updated_at", flat=True))

    call_command("migrate", "catalog", "0001", verbosity=0)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT updated_at FROM catalog_contentmetadata ORDER BY id")
            as_databases_do = [str(value) for (value,) in cursor.fetchall()]
    finally:
        call_command("migrate", "catalog", verbosity=0)

    assert as_databases_do[0] == "2026-03-01 12:00:00.123456"
    assert as_databases_do[1].startswith("2026-03-01 12:00:00")
    assert list(ContentMetadata.objects.order_by("pk").values_list("updated_at", flat=True)) == before
