"""Feed entries for Cornerstone: keys, modification times, and retirement. Entries are never removed from the feed."""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING, Final

from pydantic import Field

from enterprise_catalog.integrated_channels.channels.base import ChannelSettings, FeedCredentials, PullChannel
from enterprise_catalog.integrated_channels.channels.cornerstone.transform import MAX_ID_LENGTH, to_course

if TYPE_CHECKING:
    from datetime import datetime

    from enterprise_catalog.integrated_channels.domain import ContentItem, Payload

#: Cornerstone rejects some characters without documenting which. These characters are safe in every system.
_SAFE_KEY: Final = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_ID_LENGTH}}}")


class CornerstoneSettings(ChannelSettings):
    """Settings of one Cornerstone portal."""

    default_partner: str = Field(default="edX", min_length=1, description="Partner of items without an organization.")
    default_subject: str = Field(
        default="Industry Specific", min_length=1, description="Subject of items that have no mapped subject."
    )
    subjects: dict[str, str] = Field(
        default_factory=dict, description="Maps the catalog's subjects to Cornerstone's subjects."
    )
    hide_archived: bool = Field(
        default=False,
        description="Mark courses as inactive when enrollment has closed, even if they are in a catalog.",
    )
    any_poll_proves: bool = Field(
        default=False,
        description="For a portal that never sends If-Modified-Since: each GET acknowledges the previous response. "
        "Courses in a response that is lost in transit are not sent again.",
    )


class Cornerstone(PullChannel[CornerstoneSettings, FeedCredentials]):
    """Cornerstone's Online Content Connector. It polls daily, and accepts courses with a later modification time."""

    code = "CSOD"
    label = "Cornerstone"
    max_key_length = 255  #: A key that Cornerstone does not accept is replaced in the feed.
    feed_path = "cornerstone/course-list"
    customer_parameter = "ciid"

    def transform(self, item: ContentItem) -> Payload:
        return to_course(
            item,
            subjects=self.settings.subjects,
            default_subject=self.settings.default_subject,
            partner=self.settings.default_partner,
            hide_archived=self.settings.hide_archived,
        )

    @property
    def is_acknowledged_by_any_poll(self) -> bool:
        return self.settings.any_poll_proves

    def takes_key(self, content_key: str) -> bool:
        return _SAFE_KEY.fullmatch(content_key) is not None

    def retired(self, payload: Payload) -> Payload:
        return {**payload, "IsActive": False}

    def entry(self, feed_key: str, payload: Payload, modified_at: datetime) -> Payload:
        changed = f"{modified_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
        return {"ID": feed_key, **payload, "LastModifiedUTC": changed}
