"""The entries of the feeds that some LMSs poll."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.db.content_keys import ContentKeyField
from enterprise_catalog.integrated_channels.models.configurations import ChannelConfiguration
from enterprise_catalog.integrated_channels.models.querysets import FeedQuerySet
from enterprise_catalog.integrated_channels.models.transmissions import ContentMetadataItemTransmission

if TYPE_CHECKING:
    from datetime import datetime


class FeedResponse(models.Model):
    """``If-Modified-Since`` of the last complete response to a poll, or a later one of an earlier poll.

    Responses that end at the same time lock this row in turn, and then the lease.
    """

    configuration = models.OneToOneField(
        ChannelConfiguration, models.PROTECT, primary_key=True, related_name="feed_response"
    )
    since = models.DateTimeField(
        null=True,
        help_text=_("Latest If-Modified-Since of this and earlier polls; empty before the first complete response."),
    )

    def __str__(self) -> str:
        return f"the last response to a poll of configuration {self.pk}"


class FeedItem(models.Model):
    """One item's entry in the feed of a pull channel. Never removed: an item keeps its key forever."""

    transmission = models.OneToOneField(
        ContentMetadataItemTransmission, models.PROTECT, primary_key=True, related_name="feed_item"
    )
    configuration = models.ForeignKey(ChannelConfiguration, models.PROTECT, related_name="feed_items", db_index=False)
    feed_key = ContentKeyField(help_text=_("Key of the item in the feed; the content key if the LMS accepts it."))
    payload = models.JSONField()
    modified_at = models.DateTimeField(help_text=_("Increases with each change of the payload."))
    served_at = models.DateTimeField(null=True, help_text=_("When this payload was last sent completely."))
    served_since = models.DateTimeField(
        null=True, help_text=_("Latest If-Modified-Since of the polls that received this payload.")
    )
    is_confirmed = models.BooleanField(default=False, help_text=_("A later poll has acknowledged this payload."))

    #: A poller accepts a change only if its time is later, and may truncate times to full seconds.
    RESOLUTION: Final = timedelta(seconds=1)

    objects = FeedQuerySet.as_manager()

    class Meta:
        constraints = (
            # Serves no query, but the rule: the items of a feed have different keys.
            models.UniqueConstraint(fields=("configuration", "feed_key"), name="feed_key_once"),
        )
        indexes = (
            # Serves the feed's pages, and the search for entries that a poll acknowledges.
            models.Index(fields=("configuration", "is_confirmed", "modified_at"), name="feed_by_configuration"),
        )

    def __str__(self) -> str:
        return str(self.feed_key)

    @classmethod
    def visible_from(cls, now: datetime) -> datetime:
        """Return ``modified_at`` of an entry that is written at ``now``: a full second that no poll can miss.

        ``If-Modified-Since`` has full seconds, and is the time at which a poll began. A poll that began at this time or
        later must have seen the entry. The transaction that writes the entry therefore has at least a second to commit.
        """
        return now.replace(microsecond=0) + 2 * cls.RESOLUTION
