"""Libraries never log requests or tokens below WARNING, at any configured level; local sites log each request once."""

from __future__ import annotations

import logging
import re
import urllib.error
import urllib.request
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from tests.processes import Site, wait_until
from tests.services import wait_for_port

if TYPE_CHECKING:
    from pathlib import Path


class _NotFollowing(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


NOT_FOLLOWING = urllib.request.build_opener(_NotFollowing)


@pytest.mark.parametrize(
    "name",
    ["httpx", "httpcore.http11", "urllib3.connectionpool", "oauthlib.oauth2.rfc6749.grant_types.client_credentials"],
)
def test_log_lines_about_requests_and_tokens_are_dropped_and_warnings_are_kept(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger=name)

    logging.getLogger(name).info("a token")
    logging.getLogger(name).warning("a warning")

    assert caplog.messages == ["a warning"]


@pytest.mark.processes
def test_a_local_site_logs_each_request_once_and_leads_visitors_to_the_admin(tmp_path: Path) -> None:
    site = Site.make(tmp_path)
    command = ("django", "runserver", "--noreload", f"127.0.0.1:{site.port}")
    log = site.log_of(*command)
    with site.running(*command) as process:
        wait_for_port(site.port, process, log=log)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{site.port}/no-such-page", timeout=60)
        refused.value.close()
        with pytest.raises(urllib.error.HTTPError) as root:
            NOT_FOLLOWING.open(f"http://127.0.0.1:{site.port}/", timeout=60)
        root.value.close()
        wait_until(lambda: "GET / " in log.read_text(), seconds=60)

    assert refused.value.code == HTTPStatus.NOT_FOUND
    assert (root.value.code, root.value.headers["Location"]) == (HTTPStatus.FOUND, "/admin/")
    assert len(re.findall("no-such-page", log.read_text())) == 1
    assert len(re.findall("GET / ", log.read_text())) == 1
