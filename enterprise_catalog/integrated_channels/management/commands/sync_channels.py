"""``sync_channels``: run syncs now, in this process; or show what they would do."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from enterprise_catalog.integrated_channels.catalog_client import CatalogClient
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.exceptions import StopSyncError
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, RunState
from enterprise_catalog.integrated_channels.sync import make_plan, sync

if TYPE_CHECKING:
    from collections.abc import Iterable

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    """Exit code 0: every sync did all it had to; 1: something failed or waits, and is recorded; 2: wrong usage."""

    help = "Sync channel configurations now, in this process."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--configuration", type=int, metavar="ID", help="only this one")
        parser.add_argument("--channel", choices=sorted(CHANNELS), metavar="CODE", help="only those of this channel")
        parser.add_argument("--dry-run", action="store_true", help="print the plan and write nothing, nowhere")
        parser.add_argument("--json", action="store_true", help="print one JSON object per configuration")

    def handle(self, *args: Any, **options: Any) -> None:
        perform = self._plan if options["dry_run"] else self._sync
        outcomes = [perform(configuration, as_json=options["json"]) for configuration in self._chosen(options)]
        if not all(outcomes):
            sys.exit(1)

    def _chosen(self, options: dict[str, Any]) -> Iterable[ChannelConfiguration]:
        chosen = ChannelConfiguration.objects.filter(active=True).order_by("pk")
        if options["channel"]:
            chosen = chosen.filter(channel_code=options["channel"])
        if options["configuration"] is None:
            return chosen
        chosen = chosen.filter(pk=options["configuration"])
        if not chosen:
            raise CommandError(f"there is no active configuration {options['configuration']}", returncode=2)
        return chosen

    def _sync(self, configuration: ChannelConfiguration, *, as_json: bool) -> bool:
        try:
            row = sync(configuration, clock=timezone.now)
        except Exception as error:  # one configuration must not keep the others from their turn
            log.exception("sync_failed", configuration_id=configuration.pk)
            self._print(configuration, {"state": "failed", "reason": f"{type(error).__name__}"}, as_json=as_json)
            return False
        if row is None:
            report: dict[str, Any] = {"state": "busy", "reason": "Another run holds this configuration's lease."}
        else:
            report = {
                "run_id": row.pk,
                "state": row.state,
                "reason": row.reason,
                "counts": row.counts,
                "matched": row.matched,
                "waiting": row.waiting,
                "dead": row.dead,
                "held": row.held,
                "kept": row.kept,
                "backlog": row.backlog,
            }
        self._print(configuration, report, as_json=as_json)
        return row is not None and row.state == RunState.COMPLETE

    def _plan(self, configuration: ChannelConfiguration, *, as_json: bool) -> bool:
        try:
            with CatalogClient() as catalog:
                catalogs = catalog.catalogs_of(configuration.enterprise_customer_uuid)
                plan = make_plan(configuration, catalog, of_customer=catalogs.uuids, now=timezone.now())
        except StopSyncError as error:
            self._print(configuration, {"state": RunState.STOPPED, "reason": error.message}, as_json=as_json)
            return False
        items = [
            {"content_key": item.content_key, "action": item.action, "reason": item.reason}
            for item in (*plan.deletes, *plan.creates, *plan.updates)
        ] + [{"content_key": key, "action": "hold", "reason": "left with too many others"} for key in plan.held]
        report = {
            "state": "planned",
            "counts": {"create": len(plan.creates), "update": len(plan.updates), "delete": len(plan.deletes)},
            "matched": plan.matched,
            "waiting": plan.waiting,
            "dead": plan.dead,
            "held": len(plan.held),
            "kept": plan.kept,
            "items": items,
        }
        self._print(configuration, report, as_json=as_json)
        return True

    def _print(self, configuration: ChannelConfiguration, report: dict[str, Any], *, as_json: bool) -> None:
        if as_json:
            whole = {"configuration_id": configuration.pk, "channel": configuration.channel_code, **report}
            self.stdout.write(orjson.dumps(whole, default=str).decode())
            return
        self.stdout.write(f"{configuration} ({configuration.channel_code}, id {configuration.pk}): {report['state']}")
        for item in report.pop("items", []):
            self.stdout.write(f"  {item['action']:6} {item['content_key']}: {item['reason']}")
        for name, value in report.items():
            if name != "state" and value not in ("", {}):
                self.stdout.write(f"  {name}: {_readable(value)}")


def _readable(value: object) -> str:
    return orjson.dumps(value).decode() if isinstance(value, dict) else str(value)
