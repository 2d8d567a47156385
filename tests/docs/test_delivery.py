"""``docs/concepts/delivery.rst``: the states that it draws are those of the code."""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree as ET

from enterprise_catalog.integrated_channels.types import State
from tests.processes import PROJECT

PICTURE: Final = PROJECT / "docs" / "images" / "transmission_states.svg"


def test_every_state_is_drawn_and_no_other() -> None:
    texts = ET.parse(PICTURE).iter("{http://www.w3.org/2000/svg}text")  # noqa: S314  (our own file)

    # What is no state stands in a box, too, in the type of ordinary text.
    drawn = {text.text for text in texts if "name" in text.get("class", "").split() and not text.get("style")}

    assert drawn == {*State}
