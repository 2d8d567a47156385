"""Course-discovery and the LMS for tests: the Open edX sandbox on loopback, and documents for it."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from edx_rest_api_client.client import TieredCache

from enterprise_catalog.sandbox.open_edx.api import CLIENT_ID, CLIENT_SECRET, OpenEdxSandbox
from tests.integrated_channels.loopback_server import on_loopback

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_django import Settings

Document = dict[str, Any]


@contextmanager
def serving_open_edx(settings: Settings, sandbox: OpenEdxSandbox) -> Iterator[str]:
    """Serve ``sandbox`` until the block ends, point the settings to it, and yield its URL."""
    with on_loopback(sandbox) as url:
        TieredCache.dangerous_clear_all_tiers()  # An earlier test may have cached a token for the same port.
        settings.OAUTH2_PROVIDER_URL = f"{url}/oauth2"
        settings.OAUTH2_CLIENT_ID, settings.OAUTH2_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
        settings.LMS_BASE_URL = url
        settings.DISCOVERY_SERVICE_API_URL = f"{url}/api/v1"
        yield url


def course(key: str, *runs: Document, **members: object) -> Document:
    """Return a published course, by default with one run that never ends."""
    return {
        "content_type": "course",
        "key": key,
        "uuid": _uuid(key),
        "title": f"Title of {key}",
        "course_type": "verified-audit",
        "level_type": "Introductory",
        "course_runs": list(runs or (run(f"course-v1:{key}+1T2026"),)),
        **members,
    }


def courses(count: int, **members: object) -> list[Document]:
    """Return published courses with the keys ``edX+C0000``, ``edX+C0001`` and so on."""
    return [course(f"edX+C{number:04}", **members) for number in range(count)]


def run(key: str, **members: object) -> Document:
    """Return a published run that never ends, to be nested in a course."""
    return {
        "key": key,
        "uuid": _uuid(key),
        "status": "published",
        "availability": "Current",
        "is_enrollable": True,
        "is_marketable": True,
        "start": "2026-01-01T00:00:00Z",
        "end": None,
        **members,
    }


def program(name: str, *course_keys: str, **members: object) -> Document:
    """Return an active program of these courses."""
    return {"content_type": "program", "uuid": _uuid(name), "title": name, "course_keys": list(course_keys), **members}


def pathway(name: str, **members: object) -> Document:
    """Return an active pathway without steps."""
    return {"content_type": "learnerpathway", "uuid": _uuid(name), "title": name, "status": "active", **members}


def step(*course_keys: str, programs: Iterable[str] = ()) -> Document:
    """Return a pathway's step with these courses, and the programs with these names."""
    return {
        "courses": [{"key": key, "content_type": "course"} for key in course_keys],
        "programs": [{"uuid": _uuid(name), "title": name, "content_type": "program"} for name in programs],
    }


def _uuid(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))
