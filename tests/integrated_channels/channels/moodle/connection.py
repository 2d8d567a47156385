"""Connects the channel in-process to a Moodle sandbox or another transport."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import httpx
from pydantic import SecretStr

from enterprise_catalog.integrated_channels.channels.moodle.auth import MoodleCredentials
from enterprise_catalog.integrated_channels.channels.moodle.channel import Moodle, MoodleSettings
from enterprise_catalog.integrated_channels.domain import Outgoing
from enterprise_catalog.integrated_channels.lms.client import LMSClient
from enterprise_catalog.sandbox.moodle.courses import Course
from enterprise_catalog.sandbox.moodle.settings import PASSWORD, SERVICE, TOKEN, USERNAME
from tests.integrated_channels.channels.items import an_item

if TYPE_CHECKING:
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox

BASE_URL: Final = "http://moodle.test"

BY_TOKEN: Final = MoodleCredentials(token=SecretStr(TOKEN))
BY_PASSWORD: Final = MoodleCredentials(username=USERNAME, password=SecretStr(PASSWORD))


def connected(
    app: MoodleSandbox | httpx.BaseTransport,
    *,
    credentials: MoodleCredentials = BY_TOKEN,
    base_url: str = BASE_URL,
    **settings: Any,
) -> Moodle:
    """Return a channel connected to ``app``; ``settings`` are the channel's settings."""
    transport = app if isinstance(app, httpx.BaseTransport) else httpx.WSGITransport(app=app)
    known = [secret.get_secret_value() for secret in (credentials.token, credentials.password) if secret]
    client = LMSClient(base_url, secrets=known, transport=transport)
    return Moodle(client, MoodleSettings(**{"service": SERVICE, **settings}), credentials)


def outgoing(content_key: str = "A", *, remote_id: str = "", **fields: Any) -> Outgoing:
    """Return the outgoing course of a default item. ``fields`` replace payload fields; ``None`` removes a field."""
    title = f"Course {content_key}"
    payload = connected(httpx.MockTransport(_no_answer)).transform(an_item(content_key, title=title)) | fields
    sent = {name: value for name, value in payload.items() if value is not None}
    return Outgoing(content_key, sent, remote_id)


def add(moodle: MoodleSandbox, idnumber: str, **columns: Any) -> str:
    """Add a course to the sandbox's table, as if it had existed before. Return its ID."""
    row = {"fullname": "Theirs", "shortname": f"Theirs ({idnumber})", "categoryid": 1, **columns}
    return str(moodle.table.add(Course(idnumber=idnumber, **row)).id)


def _no_answer(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"{request.url} is asked for without need")
