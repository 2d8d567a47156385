"""Notifications with real processes: a Celery worker that is killed, a mail server, and an HTTP receiver.

Each event opens and ends, and each beginning and end is in exactly one message to each subscriber. A message that was
sent twice has the same ID and the same text.
"""

from __future__ import annotations

import json
import sys
import time
from random import Random
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests import services
from tests.integrated_channels.reporting.notifications.receivers import running_http_receiver, running_mail_server
from tests.migrated_database import migrate
from tests.processes import Site, Worker, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integrated_channels.reporting.notifications.receivers import HTTPReceiver, MailServer
    from tests.processes import Commands

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="needs /proc"),
]

KILLS: Final = 5
KILLS_OF_A_SOAK: Final = 100
EVENTS_PER_ROUND: Final = 3
PATIENCE_SECONDS: Final = 120
SECRET: Final = "the-secret-of-the-receiver"

_IMPORTS: Final = """
import json
from django.utils import timezone
from enterprise_catalog.db.contention import retry
from enterprise_catalog.integrated_channels.audit import events
from enterprise_catalog.integrated_channels.models import *
from enterprise_catalog.integrated_channels.tasks import notify
from tests.factories.channels import ConfigurationFactory, NotificationFactory, SubscriptionFactory
"""
#: Opens events and ends the announced ones, as runs do, and looks for messages, as the scheduler does.
_ROUND: Final = """
now = timezone.now()
announced = Notification.objects.filter(is_open=True, announced_at__isnull=False).values_list("pk", flat=True)
retry(lambda: events.resolve(list(announced), Resolution.RECOVERED, now=now))
for _ in range({number}):
    NotificationFactory.create(configuration=ConfigurationFactory.create(), opened_at=now)
notify.delay()
"""
#: Ends the claims of dead workers, as time does; reports the number of unfinished messages and events.
_SETTLE: Final = """
retry(lambda: Delivery.objects.filter(state="waiting").update(next_attempt_at=timezone.now()))
notify.delay()
waiting = Delivery.objects.filter(state="waiting").count()
print(waiting + Notification.objects.filter(next_step_at__isnull=False).count())
"""
_REPORT: Final = """
print(json.dumps({
    "events": Notification.objects.count(),
    "states": list(Delivery.objects.values_list("state", flat=True).distinct()),
    "attempts": sum(Delivery.objects.values_list("attempts", flat=True)),
    "messages": Delivery.objects.count(),
}))
"""


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """A mail server."""
    with running_mail_server() as server:
        yield server


@pytest.fixture
def receiver() -> Iterator[HTTPReceiver]:
    """An HTTP receiver that takes a moment, so that a kill strikes some requests."""
    with running_http_receiver() as receiver:
        receiver.delay_seconds = 0.1
        yield receiver


@pytest.fixture
def site(tmp_path: Path, mariadb_url: str, redis_url: str, mail_server: MailServer) -> Site:
    """A site as in production, with ``mail_server``."""
    redis = redis_url.rpartition("/")[0]
    site = Site.make(
        tmp_path,
        DATABASE_URL=services.create_database(mariadb_url, "notifications"),
        CELERY_BROKER_URL=f"{redis}/7",
        CACHE_URL=f"{redis}/8",
        EMAIL_URL=f"smtp://127.0.0.1:{mail_server.port}",
        DEFAULT_FROM_EMAIL="catalog@example.org",
    )
    migrate(site)
    return site


@pytest.fixture
def run(site: Site) -> Iterator[Callable[[str], str]]:
    """Return a function that runs code in a process of the site, and returns its output."""
    with site.commands() as commands:
        yield lambda code: run_code(commands, code)


def run_code(commands: Commands, code: str) -> str:
    return commands.run("shell", "--no-imports", "--command", _IMPORTS + code).strip()


def test_each_subscriber_gets_each_event_once_although_workers_are_killed(
    site: Site,
    run: Callable[[str], str],
    mail_server: MailServer,
    receiver: HTTPReceiver,
    *,
    seed: int,
    soak: bool,
    report: Callable[[str], None],
) -> None:
    chance, kills = Random(seed), KILLS_OF_A_SOAK if soak else KILLS
    run(
        f'SubscriptionFactory.create(medium="webhook", url="{receiver.url}", secret="{SECRET}")\n'
        'SubscriptionFactory.create(email="ops@example.org")\n'
    )
    worker = Worker(site)
    worker.start()
    try:
        for _ in range(kills):
            seen = len(receiver.requests) + len(mail_server.received)
            run(_ROUND.format(number=EVENTS_PER_ROUND))
            wait_until(lambda: len(receiver.requests) + len(mail_server.received) > seen, seconds=PATIENCE_SECONDS)  # noqa: B023
            time.sleep(chance.random() * 0.15)
            worker.kill_pool()
            run(_SETTLE)
        run(_ROUND.format(number=0))
        wait_until(lambda: run(_SETTLE) == "0", seconds=PATIENCE_SECONDS, every=0.3)
    finally:
        worker.kill()

    found = json.loads(run(_REPORT))
    requests = receiver.bodies()
    report(f"seed {seed}: {kills} kills, {found}, {len(requests)} requests, {len(mail_server.received)} e-mails")
    assert found["states"] == ["sent"]
    assert found["events"] == kills * EVENTS_PER_ROUND
    assert all(receiver.is_signed(position, SECRET) for position in range(len(requests)))
    assert_reported_once({body["id"]: body for body in requests}, [body["id"] for body in requests], requests, found)
    by_id = {mail["Message-ID"]: mail.get_content() for mail in mail_server.received}
    assert {(mail["Message-ID"], mail.get_content()) for mail in mail_server.received} == set(by_id.items())
    titles = "".join(by_id.values())
    beginnings, ends = titles.count("has stopped: nothing"), titles.count("syncs again")
    assert beginnings <= found["events"]
    assert ends == found["events"]


def assert_reported_once(messages: dict[str, Any], ids: list[str], requests: list[Any], found: dict[str, Any]) -> None:
    """Assert that each event's end is in one message, and its beginning in at most one; repeated messages are equal."""
    assert all(messages[message_id] == body for message_id, body in zip(ids, requests, strict=True))
    news = [(event["id"], event["state"]) for body in messages.values() for event in body["events"]]
    assert len(news) == len(set(news))
    assert len({event for event, state in news if state == "resolved"}) == found["events"]
