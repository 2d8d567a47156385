"""The integrated channels of Open edX outside of its LMS: a program for a virtual environment that contains them.

The benchmark does not import this module: ``open_edx_runs.py`` starts it with another Python environment. The first
line on standard input is a JSON object with the database, the catalog and the Moodle. Each further line runs the
channels' own Celery task in this process. The response is a JSON line with the ``seconds`` and ``statements`` of the
run, and the number of items by ``results``.

Their client of the catalog service calls our service, and their Moodle client the sandbox. The only replacement is the
module of Open edX's LMS that signs tokens.
"""

from __future__ import annotations

import json
import sys
import time
import types
import uuid
from collections import Counter
from typing import Any

_APPS = ("integrated_channel", "blackboard", "canvas", "cornerstone", "degreed2", "moodle", "sap_success_factors")
_USER = "enterprise_worker"


def main() -> None:
    """Serve runs until standard input ends."""
    site = json.loads(sys.stdin.readline())
    _provide_token(site["token"])
    _set_up(site)
    configuration_id = _configured(site)
    _write({"configuration": configuration_id})
    for _ in sys.stdin:
        _write(_run(configuration_id))


def _write(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _provide_token(token: str) -> None:
    """Put a module in the place of the one with which Open edX's LMS signs tokens."""
    parents = ("openedx", "openedx.core", "openedx.core.djangoapps", "openedx.core.djangoapps.oauth_dispatch")
    for parent in parents:
        sys.modules[parent] = types.ModuleType(parent)
    signing: Any = types.ModuleType("jwt")
    signing.create_jwt_for_user = lambda _: token
    package: Any = sys.modules[parents[-1]]
    package.jwt = signing


def _set_up(site: dict[str, Any]) -> None:
    """Set up Django with the settings that edx-enterprise contains, and create the tables of all models."""
    import django
    from django.apps import apps
    from django.conf import settings
    from django.core.management import call_command
    from enterprise.settings import test as theirs

    values = {name: getattr(theirs, name) for name in dir(theirs) if name.isupper()}
    settings.configure(
        **values
        | {
            "DATABASES": {"default": {"ENGINE": "django.db.backends.mysql", **site["database"]}},
            "INSTALLED_APPS": [*values["INSTALLED_APPS"], *(f"channel_integrations.{app}" for app in _APPS)],
            "ENTERPRISE_CATALOG_INTERNAL_ROOT_URL": site["catalog_url"],
            "LOGGING_CONFIG": None,
        }
    )
    django.setup()
    # Hundreds of migrations would take minutes. They result in the same tables.
    settings.MIGRATION_MODULES = {app.label: None for app in apps.get_app_configs()}
    call_command("migrate", run_syncdb=True, verbosity=0)


def _configured(site: dict[str, Any]) -> int:
    """Create a customer with one catalog, and a configuration of the Moodle; return the configuration's id."""
    from channel_integrations.moodle.models import MoodleEnterpriseCustomerConfiguration
    from django.contrib.auth import get_user_model
    from django.contrib.sites.models import Site
    from enterprise.models import EnterpriseCustomer, EnterpriseCustomerCatalog

    get_user_model().objects.create(username=_USER)
    home = Site.objects.create(domain="enterprise.example.org", name="benchmark")
    customer = EnterpriseCustomer(uuid=uuid.UUID(site["customer"]), name="Benchmark", slug="benchmark", site=home)
    catalog = EnterpriseCustomerCatalog(uuid=uuid.UUID(site["catalog"]), title="All", enterprise_customer=customer)
    # Sends no signals, whose handlers would change the catalog in the catalog service.
    EnterpriseCustomer.objects.bulk_create([customer])
    EnterpriseCustomerCatalog.objects.bulk_create([catalog])
    configuration = MoodleEnterpriseCustomerConfiguration.objects.create(
        enterprise_customer=customer,
        active=True,
        moodle_base_url=site["moodle_url"],
        service_short_name="moodle_mobile_app",
        category_id=site["category_id"],
        decrypted_token=site["moodle_token"],
        transmission_chunk_size=1,  # Of a larger chunk, their Moodle client sends the last course only.
    )
    return int(configuration.pk)


def _run(configuration_id: int) -> dict[str, Any]:
    from channel_integrations.integrated_channel.models import ContentMetadataItemTransmission
    from channel_integrations.integrated_channel.tasks import transmit_content_metadata

    before, started = _statements_so_far(), time.perf_counter()
    transmit_content_metadata(username=_USER, channel_code="MOODLE", channel_pk=configuration_id)
    seconds = time.perf_counter() - started
    statements = _statements_so_far() - before - 1  # Without the statement that counts.
    rows = ContentMetadataItemTransmission.objects.values_list("api_response_status_code", "remote_deleted_at")
    results = Counter(f"{status}{', deleted' if deleted_at else ''}" for status, deleted_at in rows)
    return {"seconds": seconds, "statements": statements, "results": results}


def _statements_so_far() -> int:
    """Return the statements sent by this connection, including this one; counted as in ``synced.py``."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS WHERE Variable_name IN ('Questions', 'Com_commit')")
        counts = {name: int(count) for name, count in cursor.fetchall()}
    return counts["Questions"] - counts["Com_commit"]


if __name__ == "__main__":
    main()
