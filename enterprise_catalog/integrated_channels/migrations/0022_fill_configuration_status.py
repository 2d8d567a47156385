"""Give each existing configuration its status, as ``audit/status.py`` would; the next run replaces it."""

from collections import Counter

from django.db import migrations
from django.db.models import Count, OuterRef, Q, Subquery

CONFIGURATIONS_AT_ONCE = 500
#: The worst first.
RANKS = ("failing", "needs_decision", "behind", "never_synced", "up_to_date_except", "up_to_date", "paused")
COLUMNS = {
    "pending": "behind",
    "in_doubt": "behind",
    "staged": "behind",
    "transmitted": "behind",
    "retrying": "failing",
    "rejected": "rejected",
    "dead_letter": "dead",
    "held": "held",
    "kept": "kept",
}


def fill(apps, schema_editor):
    configurations = apps.get_model("integrated_channels", "ChannelConfiguration").objects.order_by("pk")
    statuses = apps.get_model("integrated_channels", "ConfigurationStatus")
    newest = (
        apps.get_model("integrated_channels", "SyncRun")
        .objects.filter(configuration=OuterRef("pk"))
        .exclude(state="running")
        .order_by("-started_at", "-pk")
    )
    run = {f"run_{name}": Subquery(newest.values(name)[:1]) for name in ("state", "reason", "matched", "finished_at")}
    last = 0
    while batch := list(configurations.filter(pk__gt=last).annotate(**run)[:CONFIGURATIONS_AT_ONCE]):
        last = batch[-1].pk
        items = count_items(apps, [each.pk for each in batch])
        statuses.objects.bulk_create(
            [status_of(statuses, each, items[each.pk]) for each in batch], ignore_conflicts=True
        )


def count_items(apps, ids):
    unsettled = Q(state__in=[state for state in COLUMNS if state != "transmitted"])
    due = Q(state="transmitted", due_since__isnull=False)
    rows = apps.get_model("integrated_channels", "ContentMetadataItemTransmission").objects
    counts = {pk: Counter() for pk in ids}
    found = rows.filter(unsettled | due, configuration__in=ids).values_list("configuration", "state")
    for pk, state, number in found.annotate(number=Count("pk")).order_by():
        counts[pk][COLUMNS[state]] += number
    return counts


def status_of(statuses, configuration, items):
    is_complete = configuration.run_state == "complete"
    is_throttled = (configuration.run_reason or "").startswith("Rate limit exceeded")
    is_stopped = configuration.run_state == "stopped" and not is_throttled
    # A run with exceptions was incomplete, and nothing else was left.
    has_only_exceptions = set(+items) <= {"rejected", "kept"}
    matched = max(configuration.run_matched or 0, configuration.last_full_items)
    checks = (
        (not configuration.active, "paused"),
        (is_stopped or items["rejected"] > matched, "failing"),
        (items["held"] or items["dead"], "needs_decision"),
        (items["failing"], "failing"),
        (not configuration.run_state, "never_synced"),
        (is_throttled or not has_only_exceptions or not (is_complete or +items), "behind"),
        (+items, "up_to_date_except"),
    )
    state = next((state for holds, state in checks if holds), "up_to_date")
    return statuses(
        configuration=configuration,
        state=state,
        rank=RANKS.index(state),
        since=configuration.last_full_sync_at or configuration.created_at,
        reason=configuration.run_reason or "",
        run_state="incomplete" if is_throttled else configuration.run_state or "",
        last_run_at=configuration.run_finished_at,
        compared_at=configuration.last_full_sync_at,
        next_sync_at=configuration.next_sync_at if configuration.active else None,
        matched=matched,
        **items,
    )


class Migration(migrations.Migration):
    dependencies = [("integrated_channels", "0021_configuration_status")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
