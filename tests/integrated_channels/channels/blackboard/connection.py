"""Connects the channel in-process to a Blackboard sandbox or another transport, and records the stored credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import httpx
from pydantic import SecretStr

from enterprise_catalog.integrated_channels.channels.blackboard.auth import BlackboardCredentials
from enterprise_catalog.integrated_channels.channels.blackboard.channel import Blackboard, BlackboardSettings
from enterprise_catalog.integrated_channels.domain import Outgoing
from enterprise_catalog.integrated_channels.lms.client import LMSClient
from enterprise_catalog.sandbox.blackboard.api import CLIENT_ID, CLIENT_SECRET
from tests.integrated_channels.channels.items import an_item

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enterprise_catalog.integrated_channels.lms.client import BeforeCall
    from enterprise_catalog.sandbox.blackboard.api import BlackboardSandbox

BASE_URL: Final = "http://blackboard.test"


class Kept(list[str]):
    """Refresh tokens that the channel stored, oldest first."""

    def __call__(self, changes: Mapping[str, str]) -> None:
        assert set(changes) == {"refresh_token"}
        self.append(changes["refresh_token"])


def connected(
    app: BlackboardSandbox | httpx.BaseTransport,
    *,
    refresh_token: str | None = None,
    kept: Kept | None = None,
    before_each_call: BeforeCall | None = None,
    **settings: Any,
) -> Blackboard:
    """Return a channel connected to ``app``. Without ``refresh_token``, the sandbox grants consent first."""
    if isinstance(app, httpx.BaseTransport):
        transport, token = app, refresh_token or ""
    else:
        transport = httpx.WSGITransport(app=app)
        token = app.channel_credentials()["refresh_token"] if refresh_token is None else refresh_token
    credentials = BlackboardCredentials(
        client_id=CLIENT_ID, client_secret=SecretStr(CLIENT_SECRET), refresh_token=SecretStr(token)
    )
    client = LMSClient(BASE_URL, secrets=[CLIENT_SECRET, token], before_each_call=before_each_call, transport=transport)
    channel = Blackboard(client, BlackboardSettings.model_validate(settings), credentials)
    channel.save_credentials = Kept() if kept is None else kept
    return channel


def outgoing(content_key: str = "A", *, remote_id: str = "", view: str = "Ultra", **fields: Any) -> Outgoing:
    """Return the outgoing course of a default content item; ``fields`` override the item's fields."""
    item = an_item(content_key, **{"title": f"Course {content_key}", **fields})
    return Outgoing(
        content_key, connected(httpx.MockTransport(_no_answer), course_view=view).transform(item), remote_id
    )


def add(blackboard: BlackboardSandbox, key: str, **fields: Any) -> str:
    """Add a course without a page to the site, as if it had existed before. Return its ID."""
    body = {"courseId": key, "name": "Theirs", "ultraStatus": "Ultra", "availability": {"available": "No"}, **fields}
    return blackboard.create_course(body).id


def page_of(blackboard: BlackboardSandbox, course: str) -> list[tuple[str, str]]:
    """Return the title and body of each content part of a course, in creation order."""
    return [(part.title, part.body) for part in blackboard.courses[course].contents.values()]


def _no_answer(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"{request.url} is asked for without need")
