"""The channel, connected in-process to a Blackboard or to whatever else answers, and what it keeps of credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import httpx
from pydantic import SecretStr

from enterprise_catalog.integrated_channels.channels.blackboard.access import BlackboardCredentials
from enterprise_catalog.integrated_channels.channels.blackboard.channel import Blackboard, BlackboardSettings
from enterprise_catalog.integrated_channels.http import LMSClient
from enterprise_catalog.integrated_channels.types import Outgoing
from enterprise_catalog.sandbox.blackboard import CLIENT_ID, CLIENT_SECRET
from tests.integrated_channels.channels.items import an_item

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enterprise_catalog.integrated_channels.http import BeforeCall
    from enterprise_catalog.sandbox.blackboard import BlackboardSandbox

BASE_URL: Final = "http://blackboard.test"


class Kept(list[str]):
    """The refresh tokens that the channel had stored, in order."""

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
    """Return the channel, connected to ``app``; by default a person has just let it in."""
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
    """Return the course of a boring item on its way; ``fields`` are those of the item."""
    item = an_item(content_key, **{"title": f"Course {content_key}", **fields})
    return Outgoing(
        content_key, connected(httpx.MockTransport(_no_answer), course_view=view).transform(item), remote_id
    )


def add(blackboard: BlackboardSandbox, key: str, **fields: Any) -> str:
    """Put a course into the site as if it had long been there, without a page, and return its id."""
    body = {"courseId": key, "name": "Theirs", "ultraStatus": "Ultra", "availability": {"available": "No"}, **fields}
    return blackboard.create_course(body).id


def page_of(blackboard: BlackboardSandbox, course: str) -> list[tuple[str, str]]:
    """Return title and text of each part of a course, in the order in which they were made."""
    return [(part.title, part.body) for part in blackboard.courses[course].contents.values()]


def _no_answer(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"{request.url} is asked for without need")
