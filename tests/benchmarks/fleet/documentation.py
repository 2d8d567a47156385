"""The results as text tables, for the terminal and for the docs, and as JSON."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Final

from tests.benchmarks.fleet.deployment import ACCOUNTS, WEB, WORKERS
from tests.benchmarks.fleet.usage import DATABASE
from tests.benchmarks.report import verdict_values, write_tables, write_values
from tests.benchmarks.sheets import TARGET_COLUMNS, Sheet, format_number, verdict_cells
from tests.docs.list_tables import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.benchmarks.fleet.results import Idle, Night, Results, Spread, Tick


#: Customers for which the cost of a night is extrapolated.
FLEET: Final = 10_000


def write_results(results: Results, path: Path) -> None:
    """Write all results as JSON; times are in seconds."""
    values = {field.name: getattr(results, field.name) for field in fields(results)}
    write_values(values | {"verdicts": verdict_values(results.verdicts)}, path)


def write_docs(results: Results, folder: Path) -> None:
    """Write the JSON, the tables and the description of the machine, which the docs include."""
    write_results(results, folder / "fleet.json")
    write_tables(sheets(results), folder / "benchmarks")
    (folder / "benchmarks" / "fleet_machine.inc").write_text(_machine(results.machine), encoding="utf-8")


def _machine(machine: Mapping[str, str | int]) -> str:
    text = (
        f"Measured on {machine['cpus']} processors, with MariaDB {machine['mariadb']} and Python {machine['python']}."
        f" The load average at the start was {machine['load_average']}. The fleet has {machine['configurations']:,}"
        f" configurations of Moodle, each of a customer of its own, with {machine['items']:,} items each. A call to an"
        f" LMS takes {machine['lms_milliseconds']} ms longer than the sandbox needs."
        f" The first sync next to other changes has {machine['first_sync_items']:,} items."
    )
    return "\n".join(wrapped(text)) + "\n"


def sheets(results: Results) -> list[Sheet]:
    """Return all tables; the targets come last."""
    ticks = ("configurations", "due", "ms", "requests", "statements", "catalog service's", "messages", "second tick's")
    idle = ("per minute", *(f"{each.configurations:,} configurations" for each in results.idle))
    changes = ("workers", "customers", "all right after", "p50", "p95", "max", "CPU per customer")
    next_to = ("how", "changes", "p50", "p95", "max", "CPU seconds", "of the database")
    tables = [
        Sheet("fleet_ticks", "Ticks of the scheduler", ticks, [_tick(each) for each in results.ticks]),
        Sheet("fleet_idle", "An idle fleet", idle, list(_idle(results.idle))),
        Sheet("fleet_changes", "Changes, times in seconds", changes, [_changes(each) for each in results.changes]),
        Sheet("fleet_first_sync", "Changes, times in seconds", next_to, [_next_to(each) for each in results.next_to]),
    ]
    if results.night is not None:
        tables.append(
            Sheet("fleet_night", "A night", ("what", "per customer", "per item"), list(_night(results.night)))
        )
    return [
        *tables,
        Sheet("fleet_targets", "Targets", TARGET_COLUMNS, [verdict_cells(each) for each in results.verdicts]),
    ]


def _tick(tick: Tick) -> Sequence[str]:
    numbers = (tick.requests, tick.statements, tick.catalog_statements, tick.messages, tick.again)
    milliseconds = format_number(1_000 * tick.median)
    return f"{tick.configurations:,}", f"{tick.due:,}", milliseconds, *(f"{number:,}" for number in numbers)


def _idle(measured: Sequence[Idle]) -> Iterator[Sequence[str]]:
    def per_minute(values: Sequence[float]) -> Iterator[str]:
        return (format_number(60 * value / each.usage.seconds) for value, each in zip(values, measured, strict=True))

    yield "ticks", *per_minute([each.ticks for each in measured])
    yield "requests", *per_minute([each.usage.requests.total() for each in measured])
    kinds = list(measured[0].usage.cpu_seconds)
    for kind in kinds:
        if kind in ACCOUNTS:
            yield f"statements, {kind}", *per_minute([each.usage.statements_of(kind) for each in measured])
    for kind in kinds:
        yield f"CPU seconds, {kind}", *per_minute([each.usage.cpu_seconds[kind] for each in measured])


def _changes(spread: Spread) -> Sequence[str]:
    cpu = sum(spread.usage.cpu_seconds.values()) / spread.customers
    times = (spread.seconds, spread.p50, spread.p95, max(spread.freshness), cpu)
    return f"{spread.workers}", f"{spread.customers:,}", *map(format_number, times)


def _next_to(spread: Spread) -> Sequence[str]:
    cpu = spread.usage.cpu_seconds
    times = (spread.p50, spread.p95, max(spread.freshness), sum(cpu.values()), cpu[DATABASE])
    return spread.how, f"{spread.customers:,}", *map(format_number, times)


def _night(night: Night) -> Iterator[Sequence[str]]:
    """Yield the cost of a night: of one customer, and of a large fleet."""
    usage, spread = night.spread.usage, night.spread

    def row(what: str, value: float, unit: str = "", *, of_fleet: tuple[float, str] = (1, "")) -> Sequence[str]:
        per_customer, (divisor, fleet_unit) = value / spread.customers, of_fleet
        fleet = format_number(per_customer * FLEET / divisor, fleet_unit)
        return what, format_number(per_customer, unit), fleet

    yield row("changed items", spread.customers * spread.items)
    yield row("requests to the catalog service", usage.requests.total())
    yield row("calls to LMSs", spread.calls)
    for kind in (WEB, WORKERS):
        yield row(f"statements, {kind}", usage.statements_of(kind))
    for kind in (WEB, WORKERS, DATABASE):
        yield row(f"CPU time, {kind}", usage.cpu_seconds[kind], "s", of_fleet=(3_600, "h"))
    for table, number in sorted(night.rows.items()):
        yield row(f"new rows, {table}", number)
    yield row("growth of the channels' tables", 1_000 * night.megabytes, "kB", of_fleet=(1e6, "GB"))
