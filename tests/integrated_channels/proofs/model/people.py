"""What people do by hand: in the learning system, to the configuration, and about items that wait for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from enterprise_catalog.integrated_channels import audit
from enterprise_catalog.integrated_channels.configurations import make_configuration
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, ContentMetadataItemTransmission
from enterprise_catalog.integrated_channels.planning import MAX_FAILURES
from enterprise_catalog.integrated_channels.types import Presence, State
from enterprise_catalog.sandbox.moodle_site import PASSWORD, SERVICE, TOKEN, USERNAME, SiteState
from tests.integrated_channels.proofs.model.catalogs import KEYS, Catalogs, fullname
from tests.integrated_channels.proofs.model.watched_moodle import Shown, WatchedMoodle
from tests.integrated_channels.proofs.model.wires import LMS_URL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from enterprise_catalog.integrated_channels.querysets import TransmissionQuerySet

_STATES: Final = [state for state in SiteState if state is not SiteState.OPEN]
_SOMEBODY: Final = "somebody"


@dataclass
class People:
    """Those who look after the configuration, and those who do as they like in the learning system."""

    catalogs: Catalogs
    moodle: WatchedMoodle
    approved: set[str] = field(default_factory=set)  #: Keys whose delete somebody has approved.

    def connect(self, *, has_token: bool) -> None:
        """Make the configuration."""
        by_name = {"username": USERNAME, "password": PASSWORD}
        self.configuration_id = make_configuration(
            channel_code="MOODLE",
            customer_uuid=self.catalogs.customer.pk,
            base_url=LMS_URL,
            settings=self._settings(),
            credentials={"token": TOKEN} if has_token else by_name,
        ).pk

    @property
    def configuration(self) -> ChannelConfiguration:
        """The configuration, as it is stored now."""
        return ChannelConfiguration.objects.get(pk=self.configuration_id)

    # --- in the learning system ---------------------------------------------------------------------------------------

    def delete_course(self, number: int) -> None:
        """Delete a course."""
        self._tamper(number)

    def rename_course(self, number: int) -> None:
        """Give a course another name."""
        self._tamper(number, fullname="Renamed by hand")

    def hide_course(self, number: int) -> None:
        """Hide a course from learners."""
        self._tamper(number, visible=0)

    def show_course(self, number: int) -> None:
        """Show a course to learners."""
        self._tamper(number, visible=1)

    def make_course(self, number: int) -> None:
        """Make a course with an ID number that may be, or become, one of our keys."""
        key = KEYS[number % len(KEYS)]
        if not self.moodle.table.with_idnumber(key):
            self.moodle.make_by_hand(key)

    def break_site(self, number: int) -> None:
        """Let the site be closed, or half open, in one of the ways that Moodle has."""
        self.moodle.state = _STATES[number % len(_STATES)]

    def suspend_account(self, _: int = 0) -> None:
        """Suspend the account that we use."""
        self.moodle.suspended = True

    def revoke_tokens(self, _: int = 0) -> None:
        """Make all tokens invalid; who has a name and a password gets another one."""
        self.moodle.tokens.clear()

    def mend_site(self, _: int = 0) -> None:
        """Bring the site and the account in order again."""
        self.moodle.faults.clear()
        self.moodle.state = SiteState.OPEN
        self.moodle.suspended = False
        self.moodle.tokens[TOKEN] = None

    # --- to the configuration -----------------------------------------------------------------------------------------

    def set_pace(self, number: int) -> None:
        """Set how much one call and one run may send."""
        self._edit(chunk_size=(None, 1, 2, 3)[number % 4], max_chunks_per_run=(None, None, 1, 2)[number // 4 % 4])

    def remove_run_limit(self, _: int = 0) -> None:
        """Let one run send all there is."""
        self._edit(max_chunks_per_run=None)

    def set_delete_limit(self, number: int) -> None:
        """Set how much one run may delete unasked."""
        self._edit(delete_limit_items=number % 4, delete_limit_percent=(0, 0, 30, 100)[number // 4 % 4])

    def choose_catalogs(self, number: int) -> None:
        """Name some of the catalogs; none means all."""
        chosen = [str(uuid) for bit, uuid in enumerate(sorted(self.catalogs.keys)) if number >> bit & 1]
        self._edit(catalog_uuids=chosen)

    def choose_all_catalogs(self, _: int = 0) -> None:
        """Name no catalog, which means all."""
        self._edit(catalog_uuids=[])

    def set_wrong_category(self, _: int = 0) -> None:
        """Name a category that Moodle does not have."""
        self._edit(settings={**self._settings(), "category_id": 99})

    def set_right_category(self, _: int = 0) -> None:
        """Name the category that Moodle has."""
        self._edit(settings=self._settings())

    def switch_off(self, _: int = 0) -> None:
        """Switch the configuration off."""
        self._edit(active=False)

    def switch_on(self, _: int = 0) -> None:
        """Switch the configuration on."""
        self._edit(active=True)

    # --- about items that wait ----------------------------------------------------------------------------------------

    def approve(self, _: int = 0) -> None:
        """Approve the deletes that are held."""
        undecided = _rows().filter(state__in=(State.HELD, State.KEPT))
        self.approved.update(undecided.values_list("content_key", flat=True))
        audit.decide_deletes(self.configuration, approved=True, by=_SOMEBODY, now=self._clock())

    def keep(self, _: int = 0) -> None:
        """Keep the items whose deletes are held."""
        audit.decide_deletes(self.configuration, approved=False, by=_SOMEBODY, now=self._clock())

    def queue_again(self, _: int = 0) -> None:
        """Queue all failed items again."""
        audit.queue_again(_rows(), by=_SOMEBODY, now=self._clock())

    def send_again(self, _: int = 0) -> None:
        """Queue all items again that were sent: somebody may have changed them."""
        audit.queue_again(
            _rows().filter(state=State.TRANSMITTED), by=_SOMEBODY, now=self._clock(), also_transmitted=True
        )

    def look_away(self, _: int = 0) -> None:
        """Leave failed items alone until they have failed nine times in a row, and are due again.

        That is days later, if nothing changes; to go through them one by one would take most of the proof's time.
        """
        failed = _rows().filter(state__in=(State.RETRYING, State.REJECTED))
        failed.update(attempts=MAX_FAILURES - 1, next_attempt_at=self._clock())

    def _tamper(self, number: int, **fields: object) -> None:
        keys = self.moodle.keys()
        if keys:
            key = keys[number % len(keys)]
            self.moodle.tamper(key, believed=self._believed(key), **fields)

    def _believed(self, key: str) -> Shown | None:
        """Return how learners see a course according to our records."""
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


#: Names of the methods, by what they are about.
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
