"""The page of metrics lists exactly the metrics of the code, with their labels."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.observability.registered import our_metrics
from tests.processes import PROJECT

_ROW: Final = re.compile(r"^   \* - ``(\w+)``\n     -(.*)\n     - ", re.MULTILINE)


@pytest.mark.django_db
def test_the_page_lists_the_metrics_and_labels_of_the_code() -> None:
    page = (PROJECT / "docs" / "reference" / "metrics.rst").read_text(encoding="utf-8")

    assert {name: set(labels.replace(",", " ").split()) for name, labels in _ROW.findall(page)} == our_metrics()
