"""``docs/reference/channels/`` matches the channels' behavior. ``UPDATE_GOLDEN=1`` rewrites the files for review."""

from __future__ import annotations

import os
from dataclasses import fields
from typing import Final

import pytest

from enterprise_catalog.integrated_channels.catalog_api.documents import read_item
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.domain import ContentItem
from tests.integrated_channels.channels.reference.documents import DOCUMENTS, changed, fields_of
from tests.integrated_channels.channels.reference.pages import DOCS, page_of, path_of

_COMMAND: Final = "UPDATE_GOLDEN=1 python -m pytest tests/integrated_channels/channels/test_reference.py"


@pytest.mark.parametrize("code", CHANNELS)
def test_the_tables_of_a_channel_are_what_it_does(code: str) -> None:
    page, path = page_of(code), path_of(code)

    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(page, encoding="utf-8")

    assert path.read_text(encoding="utf-8") == page, f"The tables are stale: run {_COMMAND}"


@pytest.mark.parametrize("code", CHANNELS)
def test_the_how_to_of_a_channel_shows_its_tables(code: str) -> None:
    name = path_of(code).stem

    how_to = (DOCS / "how-tos" / f"set_up_{name}.rst").read_text(encoding="utf-8")

    assert f".. include:: ../reference/channels/{name}.inc" in how_to


def test_no_table_is_left_over() -> None:
    assert {path.name for path in (DOCS / "reference" / "channels").iterdir()} == {path_of(c).name for c in CHANNELS}


def test_every_field_that_channels_translate_is_changed() -> None:
    moved = {
        field.name
        for document in DOCUMENTS.values()
        for name, other in fields_of(document).items()
        for field in fields(ContentItem)
        if getattr(read_item(document), field.name) != getattr(read_item(changed(document, name, other)), field.name)
    }

    assert moved == {field.name for field in fields(ContentItem)} - {"content_type"}
