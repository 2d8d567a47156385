"""Manual actions: in the LMS, on the configuration, and on items that wait for a decision."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from enterprise_catalog.integrated_channels.audit import decisions
from enterprise_catalog.integrated_channels.audit.transitions import MAX_FAILURES
from enterprise_catalog.integrated_channels.domain import Presence, State
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, ContentMetadataItemTransmission
from enterprise_catalog.sandbox.moodle.settings import PASSWORD, SERVICE, TOKEN, USERNAME, SiteState
from tests.factories.channels import ConfigurationFactory
from tests.integrated_channels.resilience.model.catalogs import KEYS, Catalogs, fullname
from tests.integrated_channels.resilience.model.in_process_http import LMS_URL
from tests.integrated_channels.resilience.model.watched_moodle import Shown, WatchedMoodle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from enterprise_catalog.integrated_channels.models.querysets import TransmissionQuerySet

_STATES: Final = [state for state in SiteState if state is not SiteState.OPEN]
_OPERATOR: Final = "operator"


@dataclass
class Operators:
    """Operators of the configuration, and users of the LMS who change courses by hand."""

    catalogs: Catalogs
    moodle: WatchedMoodle
    approved: set[str] = field(default_factory=set)  #: Keys with an approved delete.

    def connect(self, *, has_token: bool) -> None:
        """Create the configuration, with a token or with user name and password."""
        by_name = {"username": USERNAME, "password": PASSWORD}
        self.configuration_id = ConfigurationFactory.create(
            enterprise_customer_uuid=self.catalogs.customer.pk,
            base_url=LMS_URL,
            settings=self._settings(),
            credentials={"token": TOKEN} if has_token else by_name,
        ).pk

    @property
    def configuration(self) -> ChannelConfiguration:
        """The configuration as currently stored."""
        return ChannelConfiguration.objects.get(pk=self.configuration_id)

    # --- in the LMS ---------------------------------------------------------------------------------------------------

    def delete_course(self, number: int) -> None:
        """Delete a course by hand."""
        self._tamper(number)

    def rename_course(self, number: int) -> None:
        """Rename a course by hand."""
        self._tamper(number, fullname="Renamed by hand")

    def hide_course(self, number: int) -> None:
        """Hide a course from learners by hand."""
        self._tamper(number, visible=0)

    def show_course(self, number: int) -> None:
        """Show a course to learners by hand."""
        self._tamper(number, visible=1)

    def make_course(self, number: int) -> None:
        """Create a course by hand, whose ID number is one of our possible keys."""
        key = KEYS[number % len(KEYS)]
        if not self.moodle.table.with_idnumber(key):
            self.moodle.make_by_hand(key)

    def break_site(self, number: int) -> None:
        """Close the Moodle site, fully or partly; ``number`` chooses the state."""
        self.moodle.state = _STATES[number % len(_STATES)]

    def suspend_account(self, _: int = 0) -> None:
        """Suspend our account."""
        self.moodle.suspended = True

    def revoke_tokens(self, _: int = 0) -> None:
        """Invalidate all tokens. An account with user name and password can get a new token."""
        self.moodle.tokens.clear()

    def repair_site(self, _: int = 0) -> None:
        """Remove all faults, and reopen the site and the account."""
        self.moodle.faults.clear()
        self.moodle.state = SiteState.OPEN
        self.moodle.suspended = False
        self.moodle.tokens[TOKEN] = None

    # --- to the configuration -----------------------------------------------------------------------------------------

    def set_pace(self, number: int) -> None:
        """Set the chunk size and the most chunks per run."""
        self._edit(chunk_size=(None, 1, 2, 3)[number % 4], max_chunks_per_run=(None, None, 1, 2)[number // 4 % 4])

    def remove_run_limit(self, _: int = 0) -> None:
        """Remove the limit of chunks per run."""
        self._edit(max_chunks_per_run=None)

    def set_delete_limit(self, number: int) -> None:
        """Set how many items one run may delete without approval."""
        self._edit(delete_limit_items=number % 4, delete_limit_percent=(0, 0, 30, 100)[number // 4 % 4])

    def choose_catalogs(self, number: int) -> None:
        """Limit the configuration to some catalogs; an empty list means all catalogs."""
        chosen = [str(uuid) for bit, uuid in enumerate(sorted(self.catalogs.keys)) if number >> bit & 1]
        self._edit(catalog_uuids=chosen)

    def choose_all_catalogs(self, _: int = 0) -> None:
        """Remove the limit to some catalogs."""
        self._edit(catalog_uuids=[])

    def set_wrong_category(self, _: int = 0) -> None:
        """Set a category that does not exist in Moodle."""
        self._edit(settings={**self._settings(), "category_id": 99})

    def set_right_category(self, _: int = 0) -> None:
        """Set the category that exists in Moodle."""
        self._edit(settings=self._settings())

    def switch_off(self, _: int = 0) -> None:
        """Deactivate the configuration."""
        self._edit(active=False)

    def switch_on(self, _: int = 0) -> None:
        """Activate the configuration."""
        self._edit(active=True)

    # --- about waiting items ------------------------------------------------------------------------------------------

    def approve(self, _: int = 0) -> None:
        """Approve all held deletes. Items that were kept stay kept."""
        self.approved.update(_rows().held().values_list("content_key", flat=True))
        decisions.decide_deletes(self.configuration.transmissions.all(), approved=True, by=_OPERATOR, now=self._clock())

    def delete_kept(self, _: int = 0) -> None:
        """Delete the items that were kept earlier."""
        self.approved.update(_rows().kept().values_list("content_key", flat=True))
        decisions.delete_kept(_rows(), by=_OPERATOR, now=self._clock())

    def keep(self, _: int = 0) -> None:
        """Keep the items with held deletes."""
        decisions.decide_deletes(
            self.configuration.transmissions.all(), approved=False, by=_OPERATOR, now=self._clock()
        )

    def queue_again(self, _: int = 0) -> None:
        """Queue all failed items again."""
        decisions.queue_again(_rows(), by=_OPERATOR, now=self._clock())

    def send_again(self, _: int = 0) -> None:
        """Queue all transmitted items again, in case they were changed by hand in the LMS."""
        decisions.queue_again(
            _rows().filter(state=State.TRANSMITTED), by=_OPERATOR, now=self._clock(), also_transmitted=True
        )

    def look_away(self, _: int = 0) -> None:
        """Skip ahead: failed items have failed nine times in a row and are due again.

        Reaching this state takes days of syncs. Running each sync would take most of the test's time.
        """
        failed = _rows().filter(state__in=(State.RETRYING, State.REJECTED))
        failed.update(attempts=MAX_FAILURES - 1, next_attempt_at=self._clock())

    def _tamper(self, number: int, **fields: object) -> None:
        keys = self.moodle.keys()
        if keys:
            key = keys[number % len(keys)]
            self.moodle.tamper(key, believed=self._believed(key), **fields)

    def _believed(self, key: str) -> Shown | None:
        """Return the course that learners see according to our records."""
        row = _rows().filter(content_key=key).first()
        if row is None or row.presence != Presence.PRESENT:
            return None
        return Shown(fullname(self.catalogs.title_at(key, row.content_updated_at) or ""), self.catalogs.customer.slug)

    @staticmethod
    def _settings() -> dict[str, Any]:
        return {"category_id": 1, "service": SERVICE}

    def _edit(self, **columns: object) -> None:
        ChannelConfiguration.objects.filter(pk=self.configuration_id).update(**columns)

    def _clock(self) -> datetime:
        return self.catalogs.clock()


def _rows() -> TransmissionQuerySet:
    return ContentMetadataItemTransmission.objects.all()


#: Names of the methods, by subject.
IN_THE_LMS: Final[Sequence[str]] = ("delete_course", "rename_course", "hide_course", "show_course", "make_course")
ABOUT_THE_SITE: Final[Sequence[str]] = ("break_site", "suspend_account", "revoke_tokens")
TO_THE_CONFIGURATION: Final[Sequence[str]] = (
    "set_pace",
    "set_delete_limit",
    "choose_catalogs",
    "choose_all_catalogs",
    "set_wrong_category",
    "set_right_category",
    "switch_off",
    "switch_on",
)
ABOUT_WAITING_ITEMS: Final[Sequence[str]] = (
    *("approve", "keep", "queue_again", "send_again", "look_away", "look_away", "look_away"),
)
