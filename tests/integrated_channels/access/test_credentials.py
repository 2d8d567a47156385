"""Credentials at rest: encryption, key rotation, and error messages without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from cryptography.fernet import Fernet, MultiFernet
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.integrated_channels.access.credentials import decrypt, encrypt, rotated
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError

if TYPE_CHECKING:
    from pytest_django import Settings

OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))
SECRETS: Final = {"username": "bot", "password": "pä55 & wörd"}


@pytest.fixture(autouse=True)
def _old_key(settings: Settings) -> None:
    settings.CREDENTIALS_ENCRYPTION_KEYS = [OLD]


def test_what_is_stored_shows_nothing() -> None:
    stored = encrypt(SECRETS)

    assert "bot" not in stored
    assert stored != encrypt(SECRETS)


@given(st.dictionaries(st.text(), st.text() | st.none() | st.integers(0, 9) | st.booleans()))
def test_what_is_encrypted_comes_back(credentials: dict[str, object]) -> None:
    assert decrypt(encrypt(credentials)) == credentials


def test_no_text_is_no_credentials() -> None:
    assert decrypt("") == {}
    assert rotated("") == ""


def test_an_older_key_still_reads_and_the_newest_writes(settings: Settings) -> None:
    before = encrypt(SECRETS)
    settings.CREDENTIALS_ENCRYPTION_KEYS = [NEW, OLD]

    after = encrypt(SECRETS)

    assert decrypt(before) == decrypt(after) == SECRETS
    assert Fernet(NEW).decrypt(after)


def test_what_was_rotated_no_longer_needs_the_older_key(settings: Settings) -> None:
    before = encrypt(SECRETS)
    settings.CREDENTIALS_ENCRYPTION_KEYS = [NEW, OLD]

    after = rotated(before)
    settings.CREDENTIALS_ENCRYPTION_KEYS = [NEW]

    assert decrypt(after) == SECRETS
    with pytest.raises(ConfigurationError):
        decrypt(before)


@pytest.mark.parametrize("keys", [[OTHER], [NEW, OTHER], []])
def test_without_the_right_key_the_command_only_prints_what_to_do(settings: Settings, keys: list[str]) -> None:
    stored = encrypt(SECRETS)
    settings.CREDENTIALS_ENCRYPTION_KEYS = keys

    with pytest.raises(ConfigurationError) as raised:
        decrypt(stored)

    assert raised.value.message == (
        "The credentials cannot be decrypted with any of CREDENTIALS_ENCRYPTION_KEYS. Enter them again."
    )
    assert raised.value.__suppress_context__


@pytest.mark.parametrize("damage", [lambda text: text[:-5], lambda text: text + "é", lambda _: "plain {}", str.lower])
def test_what_is_damaged_is_no_different_from_a_wrong_key(damage: object) -> None:
    assert callable(damage)

    with pytest.raises(ConfigurationError, match="cannot be decrypted"):
        decrypt(damage(encrypt(SECRETS)))


def test_what_is_no_json_inside_is_no_different_either() -> None:
    stored = MultiFernet([Fernet(OLD)]).encrypt(b"no json").decode()

    with pytest.raises(ConfigurationError, match="cannot be decrypted"):
        decrypt(stored)
