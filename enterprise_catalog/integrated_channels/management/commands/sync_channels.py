"""``sync_channels``: run syncs now, in this process; or show their plans."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import structlog
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from pydantic import ValidationError

from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.exceptions import StopSyncError
from enterprise_catalog.integrated_channels.lms.stopping import check_stop
from enterprise_catalog.integrated_channels.management.commands._interruption import stop_on_interrupt
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    RunState,
)
from enterprise_catalog.integrated_channels.sync.engine import sync
from enterprise_catalog.integrated_channels.sync.plan_inputs import load_plan_inputs
from enterprise_catalog.integrated_channels.sync.saved_plan import SavedPlan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    """Runs syncs one after the other.

    Exit code 0: every sync is complete, except for rejected and kept items; 1: an item or a sync failed or waits, and
    is recorded; 2: wrong usage; 130: Ctrl+C.
    """

    help = "Sync channel configurations now, in this process."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--configuration", type=int, metavar="ID", help="only this configuration")
        parser.add_argument(
            "--channel", choices=sorted(CHANNELS), metavar="CODE", help="only configurations of this channel"
        )
        parser.add_argument(
            "--full", action="store_true", help="compare all items with the catalogs, and not only changed ones"
        )
        parser.add_argument("--dry-run", action="store_true", help="print the plan; write nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object per configuration")
        parser.add_argument(
            "--save-plan", type=Path, metavar="FILE", help="save the plan; requires --dry-run and --configuration"
        )
        parser.add_argument(
            "--plan", type=_read_plan, metavar="FILE", help="carry out a saved plan, if it is still valid"
        )

    def handle(
        self,
        *args: object,
        configuration: int | None,
        channel: str | None,
        full: bool,
        dry_run: bool,
        json: bool,
        save_plan: Path | None,
        plan: SavedPlan | None,
        **options: object,
    ) -> None:
        if save_plan and not (dry_run and configuration is not None):
            raise CommandError("--save-plan requires --dry-run and --configuration", returncode=2)
        if plan and (dry_run or channel or configuration is not None):
            raise CommandError("--plan cannot be combined with --dry-run, --channel or --configuration", returncode=2)
        chosen = self._select_configurations(plan.configuration_id if plan else configuration, channel)
        if dry_run:
            outcomes = [self._plan(each, as_json=json, file=save_plan) for each in chosen]
        else:
            outcomes = []
            with stop_on_interrupt():
                for each in chosen:
                    outcomes.append(self._sync(each, as_json=json, saved=plan, compare_all=full))
                    check_stop()
        if not all(outcomes):
            sys.exit(1)

    def _select_configurations(
        self, configuration_id: int | None, channel_code: str | None
    ) -> Iterable[ChannelConfiguration]:
        chosen = ChannelConfiguration.objects.filter(active=True).order_by("pk")
        if channel_code:
            chosen = chosen.filter(channel_code=channel_code)
        if configuration_id is None:
            return chosen
        chosen = chosen.filter(pk=configuration_id)
        if not chosen:
            raise CommandError(f"there is no active configuration {configuration_id}", returncode=2)
        return chosen

    def _sync(
        self, configuration: ChannelConfiguration, *, as_json: bool, saved: SavedPlan | None, compare_all: bool
    ) -> bool:
        try:
            row = sync(configuration, clock=timezone.now, saved=saved, compare_all=compare_all)
        except Exception as error:  # one configuration must not prevent the syncs of the others
            log.exception("sync_failed", configuration_id=configuration.pk)
            self._print(configuration, {"state": "failed", "reason": f"{type(error).__name__}"}, as_json=as_json)
            return False
        accounts = asdict(ContentMetadataItemTransmission.objects.of(configuration).accounts())
        if row is None:
            report: dict[str, object] = {"state": "busy", "reason": "Another run holds this configuration's lease."}
        else:
            report = {
                "run_id": row.pk,
                "state": row.state,
                "reason": row.reason,
                "comparison": row.comparison,
                "counts": row.counts,
                "matched": row.matched,
                "waiting": row.waiting,
                "dead": row.dead,
                "held": row.held,
                "kept": row.kept,
                "staged": row.staged,
                "backlog": row.backlog,
            }
        self._print(configuration, report | accounts, as_json=as_json)
        return row is not None and row.state in (RunState.COMPLETE, RunState.COMPLETE_EXCEPT)

    def _plan(self, configuration: ChannelConfiguration, *, as_json: bool, file: Path | None) -> bool:
        try:
            with CatalogClient() as catalog:
                catalogs = catalog.list_catalogs(configuration.enterprise_customer_uuid)
                known = load_plan_inputs(configuration, catalog, of_customer=catalogs.uuids, now=timezone.now())
        except StopSyncError as error:
            self._print(configuration, {"state": RunState.STOPPED, "reason": error.message}, as_json=as_json)
            return False
        plan = known.plan()
        if file is not None:
            file.write_text(known.to_save().model_dump_json(indent=2), encoding="utf-8")
        items = [
            {"content_key": item.content_key, "action": item.action, "reason": item.reason}
            for item in (*plan.deletes, *plan.creates, *plan.updates)
        ] + [
            {"content_key": key, "action": "hold", "reason": "exceeds the delete limit; waits for approval"}
            for key in plan.held
        ]
        report = {
            "state": "planned",
            "counts": {"create": len(plan.creates), "update": len(plan.updates), "delete": len(plan.deletes)},
            "matched": plan.matched,
            "waiting": plan.waiting,
            "dead": plan.dead,
            "held": len(plan.held),
            "kept": plan.kept,
            "staged": plan.staged,
        }
        self._print(configuration, report, items, as_json=as_json)
        return True

    def _print(
        self,
        configuration: ChannelConfiguration,
        report: Mapping[str, object],
        items: Sequence[Mapping[str, str]] | None = None,
        *,
        as_json: bool,
    ) -> None:
        if as_json:
            whole = {"configuration_id": configuration.pk, "channel": configuration.channel_code, **report}
            if items is not None:
                whole["items"] = items
            self.stdout.write(orjson.dumps(whole, default=str).decode())
            return
        self.stdout.write(f"{configuration} ({configuration.channel_code}, id {configuration.pk}): {report['state']}")
        for item in items or ():
            self.stdout.write(f"  {item['action']:6} {item['content_key']}: {item['reason']}")
        for name, value in report.items():
            if name != "state" and value not in ("", {}, None):
                self.stdout.write(f"  {name}: {_readable(value)}")


def _read_plan(name: str) -> SavedPlan:
    try:
        return SavedPlan.model_validate_json(Path(name).read_bytes())
    except OSError as error:
        raise ArgumentTypeError(f"cannot read {name}: {error.strerror}") from error
    except ValidationError as error:
        raise ArgumentTypeError(f"{name} is not a plan written by --save-plan") from error


def _readable(value: object) -> str:
    return orjson.dumps(value).decode() if isinstance(value, dict) else str(value)
