"""``import_content``: import content documents from a file, or from standard input, into a catalog."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, cast
from uuid import UUID

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from enterprise_catalog.catalog.customers import OtherCustomersCatalogError, ensure_catalog_query
from enterprise_catalog.catalog.ingest.import_file import ImportRefusedError
from enterprise_catalog.catalog.ingest.writer import SHRINK_ITEMS, SHRINK_PERCENT, ShrinkError, import_documents
from enterprise_catalog.db.contention import ContentionError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from enterprise_catalog.catalog.models import CatalogQuery


MAX_TITLE_LENGTH: Final = 255  #: In characters; the length of the columns for titles and names.


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a UUID") from None


def _bounded_text(text: str) -> str:
    if len(text) > MAX_TITLE_LENGTH:
        raise ArgumentTypeError(f"{len(text)} characters; at most {MAX_TITLE_LENGTH} are allowed")
    return text


class Command(BaseCommand):
    """Prints one JSON line with the counts at the end. Bad lines go to standard error with number and reason.

    Exit code 0: done, even if bad lines were skipped. 1: refused or failed; nothing was written. 2: usage error.
    """

    help = "Import content documents (one JSON object a line) into an enterprise catalog."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="a file of JSON lines, or - for standard input")
        parser.add_argument("--catalog-uuid", type=_uuid, required=True, metavar="U")
        parser.add_argument("--customer-uuid", type=_uuid, required=True, metavar="C")
        parser.add_argument("--customer-name", type=_bounded_text, metavar="N", help="the name of a new customer")
        parser.add_argument("--title", type=_bounded_text, help="the catalog's title")
        parser.add_argument(
            "--replace", action="store_true", help="remove the catalog's items that are not in the file"
        )
        parser.add_argument(
            "--allow-shrink",
            action="store_true",
            help=f"allow --replace to remove more than {SHRINK_PERCENT} %% and more than {SHRINK_ITEMS} of the items",
        )
        parser.add_argument("--on-error", choices=("stop", "skip"), default="stop", help="what to do with a bad line")

    def handle(
        self,
        *args: object,
        file: str,
        catalog_uuid: UUID,
        customer_uuid: UUID,
        title: str | None,
        replace: bool,
        allow_shrink: bool,
        on_error: str,
        **options: object,
    ) -> None:
        now = timezone.now()
        name = cast("str | None", options["customer_name"])

        def target() -> CatalogQuery:
            return ensure_catalog_query(
                catalog_uuid, customer_uuid=customer_uuid, customer_name=name, title=title, now=now
            )

        if allow_shrink and not replace:
            raise CommandError("--allow-shrink requires --replace.", returncode=2)
        on_bad_line = self._report if on_error == "skip" else None
        try:
            with _open(file) as lines:
                report = import_documents(
                    target, lines, now=now, on_bad_line=on_bad_line, replace=replace, allow_shrink=allow_shrink
                )
        except OtherCustomersCatalogError as error:
            raise CommandError(str(error), returncode=2) from error
        except ImportRefusedError as error:
            raise CommandError(f"{error}. Nothing was imported.{_advice(error)}", returncode=1) from error
        except ContentionError as error:
            raise CommandError(f"{error} Nothing was imported. Import the file again later.", returncode=1) from error
        except (OperationalError, InterfaceError) as error:
            raise CommandError(f"Database error: {error}. Nothing was imported.", returncode=1) from error
        self.stdout.write(orjson.dumps(asdict(report)).decode())

    def _report(self, number: int, reason: str) -> None:
        self.stderr.write(f"line {number}: {reason}")


def _advice(error: ImportRefusedError) -> str:
    if isinstance(error, ShrinkError):
        return " Check the file. To remove the items anyway, add --allow-shrink."
    return ""


def _open(name: str) -> AbstractContextManager[IO[bytes]]:
    try:
        return nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb")
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}", returncode=2) from error
