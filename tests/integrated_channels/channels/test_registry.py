"""Every registered channel is complete and has a sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.integrated_channels.channels.registry import CHANNELS, channel_choices
from enterprise_catalog.integrated_channels.models import ChannelConfiguration
from enterprise_catalog.sandbox.registry import SANDBOXES

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.channels.base import Channel

each_channel = pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS)


def test_moodle_is_there() -> None:
    assert CHANNELS["MOODLE"].label == "Moodle"


def test_choices_are_ordered_by_label() -> None:
    choices = channel_choices()

    assert dict(choices) == {code: channel.label for code, channel in CHANNELS.items()}
    assert [label for _, label in choices] == sorted(label for _, label in choices)


def test_each_channel_has_a_sandbox() -> None:
    assert CHANNELS.keys() == SANDBOXES.keys()


@each_channel
def test_a_channel_is_known_by_its_code_which_fits_its_column(channel: type[Channel]) -> None:
    longest = ChannelConfiguration._meta.get_field("channel_code").max_length

    assert CHANNELS[channel.code] is channel
    assert 0 < len(channel.code) <= (longest or 0)


@each_channel
def test_a_channel_takes_at_least_one_item_and_no_more_than_the_catalog_answers_for(
    channel: type[Channel],
) -> None:
    assert 1 <= channel.items_per_call <= 1_000


@each_channel
def test_a_channels_settings_and_credentials_are_strict_about_names(channel: type[Channel]) -> None:
    for kind in (channel.settings_class, channel.credentials_class):
        assert kind.model_config["extra"] == "forbid"
        assert kind.model_config["hide_input_in_errors"]


@each_channel
def test_what_its_sandbox_publishes_is_what_a_channel_needs(channel: type[Channel]) -> None:
    sandbox = SANDBOXES[channel.code]()

    assert channel.settings_class.model_validate(sandbox.channel_settings())
    assert channel.credentials_class.model_validate(sandbox.channel_credentials())
