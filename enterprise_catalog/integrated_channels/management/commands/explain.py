"""``explain``: why a course is, or is not, in each of a customer's LMSs, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.models import ChannelConfiguration
from enterprise_catalog.integrated_channels.reporting.diagnosis import diagnose
from enterprise_catalog.integrated_channels.reporting.live import LiveItem, look_up_live

if TYPE_CHECKING:
    from collections.abc import Iterator

    from enterprise_catalog.integrated_channels.reporting.diagnosis import Diagnosis


class Command(BaseCommand):
    """Prints one paragraph per configuration. Exit code 1: the catalog service gave no usable response."""

    help = "Explain why a course is, or is not, in each of a customer's LMSs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customer-uuid", type=UUID, required=True, metavar="UUID")
        parser.add_argument("--content-key", required=True, metavar="KEY", help="a content key, run key or title")
        parser.add_argument("--ask-lms", action="store_true", help="also look the course up in each LMS now")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(
        self, *args: object, customer_uuid: UUID, content_key: str, ask_lms: bool, json: bool, **options: object
    ) -> None:
        live = dict(_ask(customer_uuid, content_key)) if ask_lms else {}
        with CatalogClient() as catalog:
            diagnosis = diagnose(customer_uuid, content_key, catalog=catalog, now=timezone.now(), live=live)
        if json:
            self.stdout.write(orjson.dumps(diagnosis).decode())
        else:
            self.stdout.write("\n".join(_lines(diagnosis)))
        if diagnosis.problem:
            raise CommandError(diagnosis.problem)


def _ask(customer_uuid: UUID, content_key: str) -> Iterator[tuple[int, LiveItem]]:
    for configuration in ChannelConfiguration.objects.not_deleted().filter(enterprise_customer_uuid=customer_uuid):
        yield configuration.pk, look_up_live(configuration, content_key, clock=timezone.now)


def _lines(diagnosis: Diagnosis) -> Iterator[str]:
    for finding in diagnosis.findings:
        yield f"{finding.configuration_id} {finding.configuration} ({finding.channel}): {finding.sentence}"
        yield f"  {finding.what_to_do}"
        for step in finding.steps:
            yield f"  [{step.state.replace('_', ' ')}] {step.label}: {step.detail}".rstrip(" :")
    if not diagnosis.findings:
        yield "The customer has no channel configuration, so nothing is sent to an LMS."
    for suggestion in diagnosis.suggestions:
        yield f"Did you mean {suggestion.content_key} ({suggestion.title})?"
