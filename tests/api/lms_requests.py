"""Requests of the Open edX LMS about catalogs."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

CATALOG: Final = UUID(int=1)
CUSTOMER: Final = UUID(int=2)
QUERY: Final = UUID(int=3)


def creation(**members: Any) -> dict[str, Any]:
    """Return the body of the LMS's request to create a catalog."""
    return {
        "uuid": str(CATALOG),
        "title": "All Content",
        "enterprise_customer": str(CUSTOMER),
        "enterprise_customer_name": "Acme",
        "content_filter": {"content_type": "course"},
        "enabled_course_modes": ["verified", "audit"],
        "publish_audit_enrollment_urls": "false",
        "catalog_query_uuid": str(QUERY),
        "query_title": "All courses",
        "include_exec_ed_2u_courses": False,
        **members,
    }


def replacement(**members: Any) -> dict[str, Any]:
    """Return the body of the LMS's request to change a catalog."""
    body = creation(publish_audit_enrollment_urls=False, **members)
    del body["uuid"]
    return body
