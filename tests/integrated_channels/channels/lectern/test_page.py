"""Lectern passes the conformance suite, as docs/how-tos/add_a_channel.rst claims."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Final

import pytest

from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from tests.integrated_channels.channels import conformance, test_conformance
from tests.integrated_channels.channels.conformance import Connection, VendorAnswer
from tests.integrated_channels.channels.lectern.channel import Lectern
from tests.integrated_channels.channels.lectern.sandbox import LecternSandbox
from tests.integrated_channels.channels.lectern.vendor_answers import VENDOR_ANSWERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from enterprise_catalog.integrated_channels.domain import Action


def _actions(function: Callable[..., None]) -> list[dict[str, Action]]:
    """Return the arguments of a test of the suite besides its connection: one action each, or none."""
    marks = [mark for mark in getattr(function, "pytestmark", ()) if mark.args[0] == "action"]
    return [{"action": action} for mark in marks for action in mark.args[1]] or [{}]


#: Tests of the suite that need nothing but a connection and, for some, an action.
SUITE: Final = [
    pytest.param(function, actions, id=f"{name}-{'-'.join(actions.values())}")
    for name, function in inspect.getmembers(test_conformance, inspect.isfunction)
    if name.startswith("test_") and "connection" in inspect.signature(function).parameters
    for actions in _actions(function)
    if {*inspect.signature(function).parameters} == {"connection", *actions}
]


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CHANNELS, Lectern.code, Lectern)
    monkeypatch.setattr(conformance, "SANDBOXES", {Lectern.code: LecternSandbox})


@pytest.mark.parametrize(("test", "actions"), SUITE)
def test_it_passes_the_conformance_suite(test: Callable[..., None], actions: dict[str, Action]) -> None:
    test(connection=Connection(Lectern.code), **actions)


@pytest.mark.parametrize("answer", VENDOR_ANSWERS, ids=lambda answer: answer.name)
def test_each_response_leads_to_its_outcome(answer: VendorAnswer) -> None:
    test_conformance.test_each_status_of_the_vendors_own_table_leads_to_its_outcome(Lectern.code, answer)
