"""The Open edX side of the demonstration: content in course-discovery, and requests of the LMS.

Both services are one sandbox. Its content is what the data contains, and the catalog service fills a catalog from it by
the content filter that the LMS sends.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from enterprise_catalog.sandbox.demonstration.documents import titles_of
from enterprise_catalog.sandbox.demonstration.processes import DemonstrationError, announcement_of, send

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Mapping, Sequence

    from enterprise_catalog.sandbox.demonstration.processes import Processes
    from enterprise_catalog.sandbox.json_objects import RefreshReport
    from enterprise_catalog.sandbox.open_edx.runs import Document

CUSTOMER: Final = "22222222-2222-4222-8222-222222222222"
CATALOG: Final = "11111111-1111-4111-8111-111111111111"
#: The LMS's role for all customers.
_ROLE: Final = "enterprise_openedx_operator"


@dataclass
class Source:
    """Course-discovery and the LMS, and the catalog that they fill."""

    site: Processes
    kinds: Sequence[str]  #: Content types that the catalog's filter asks for.
    _url: str = field(init=False, default="")

    def start(self, processes: contextlib.ExitStack) -> None:
        """Start the sandbox with a customer, and without content. The site's processes that start later find it."""
        sandbox = self.site.running(
            "run_sandbox", "--service", "OPEN_EDX", "--port", "0", "--knob", "accepts_any_token=1"
        )
        self._url = announcement_of(processes.enter_context(sandbox))["url"]
        self.site.environment["DISCOVERY_SERVICE_API_URL"] = f"{self._url}/api/v1"
        self.site.environment["LMS_BASE_URL"] = self._url
        customer = {"uuid": CUSTOMER, "name": "Demonstration", "slug": "demonstration"}
        send("POST", f"{self._url}/_sandbox/customers", json.dumps([customer]).encode())

    def put(self, documents: Sequence[Document]) -> None:
        """Make ``documents`` the content of course-discovery."""
        lines = "".join(json.dumps(document) + "\n" for document in documents)
        send("PUT", f"{self._url}/_sandbox/content", lines.encode())

    def create_catalog(self) -> Mapping[str, object]:
        """Create a catalog as the LMS does, and return its content filter."""
        content_filter = {"content_type": list(self.kinds), "partner": "edx"}
        catalog = {
            "uuid": CATALOG,
            "title": "Demonstration",
            "enterprise_customer": CUSTOMER,
            "enterprise_customer_name": "Demonstration",
            "content_filter": content_filter,
            "enabled_course_modes": ["verified", "audit"],
            "publish_audit_enrollment_urls": "false",
            "catalog_query_uuid": None,
            "query_title": None,
            "include_exec_ed_2u_courses": False,
        }
        body = json.dumps(catalog).encode()
        send("POST", f"{self.site.url}/api/v1/enterprise-catalogs/", body, **self._authorization())
        return content_filter

    def preview(self) -> RefreshReport:
        """Return what a refresh would change. Writes nothing."""
        report: RefreshReport = json.loads(self._refresh("--dry-run"))
        return report

    def refresh(self) -> RefreshReport:
        """Fill the catalog from course-discovery, and return the report.

        Raises:
            DemonstrationError: the refresh failed, or is held.
        """
        report: RefreshReport = json.loads(self._refresh())
        if report["state"] != "complete":
            raise DemonstrationError(f"the refresh is {report['state']}: {report['reason']}")
        return report

    def check(self, documents: Sequence[Document], report: RefreshReport) -> dict[str, str]:
        """Compare the catalog with ``documents``, and return its content: content key -> title.

        Raises:
            DemonstrationError: the catalog contains something else, or lacks something that the refresh did not leave
                out on purpose.
        """
        expected, found = titles_of(documents, self.kinds), self._content()
        wrong = sorted(key for key, title in found.items() if expected.get(key) != title)
        if wrong:
            raise DemonstrationError(
                f"the catalog contains other content than course-discovery: {', '.join(wrong[:5])}"
            )
        missing = sorted(expected.keys() - found.keys())
        if len(missing) > report["left_out"]:
            raise DemonstrationError(f"content is missing in the catalog: {', '.join(missing[:5])}")
        return found

    def _refresh(self, *options: str) -> str:
        return self.site.manage("refresh_catalogs", "--catalog-uuid", CATALOG, "--json", *options, allowed=(0, 1))

    def _content(self) -> dict[str, str]:
        found: dict[str, str] = {}
        url: str | None = f"{self.site.url}/api/v1/enterprise-catalogs/{CATALOG}/content-metadata/?page_size=1000"
        while url:
            page = send("GET", url, None, **self._authorization())
            found |= {each["content_key"]: str(each.get("title")) for each in page["results"]}
            url = page["next"]
        return found

    def _authorization(self) -> dict[str, str]:
        token = self.site.manage("issue_token", "--role", _ROLE).strip()
        return {"Authorization": f"JWT {token}"}
