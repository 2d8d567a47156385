"""What libraries may log in our processes, whatever level somebody has set."""

from __future__ import annotations

import logging

import pytest


@pytest.mark.parametrize(
    "name",
    ["httpx", "httpcore.http11", "urllib3.connectionpool", "oauthlib.oauth2.rfc6749.grant_types.client_credentials"],
)
def test_what_loggers_say_of_requests_and_tokens_is_kept_back_and_their_warnings_are_not(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger=name)

    logging.getLogger(name).info("a token")
    logging.getLogger(name).warning("a warning")

    assert caplog.messages == ["a warning"]
