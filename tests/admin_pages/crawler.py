"""A crawler for the admin: opens pages as a staff user and follows every link and button on them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit

import lxml.html
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import transaction
from django.test import Client, RequestFactory
from django.urls import URLResolver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest

SCRIPT_TYPES = ("", "text/javascript", "application/javascript", "module")
#: Maximum size of a page's HTML, uncompressed.
MAX_BYTES = 120_000
#: A time as Django's templates show it; our pages show relative times, with the exact time in a tooltip.
DJANGO_TIME = re.compile(rb"\b[A-Z][a-z]+\.? \d{1,2}, \d{4}, (?:\d|noon|midnight)")
#: A link or button that leads to one of these statuses is a problem.
_DEAD_ENDS = frozenset({400, 401, 403, 404, 405, 500})


def all_models() -> list[type[Any]]:
    """Return the models that the admin shows, in a stable order."""
    return sorted(admin.site._registry, key=lambda model: str(model._meta.label))


def base_of(model: type[Any]) -> str:
    """Return the URL path of the model's changelist."""
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/"


class AdminCrawler:
    """A staff user who browses the admin and collects problems in ``problems``."""

    def __init__(self, name: str, *permissions: str, is_superuser: bool = False, follows: bool = True) -> None:
        self.follows = follows  #: Follow links and press buttons on each opened page.
        self.user = get_user_model().objects.create_user(name, is_staff=True, is_superuser=is_superuser)
        if permissions:
            wanted = Permission.objects.select_related("content_type")
            self.user.user_permissions.set(
                each for each in wanted if any(_is_named(each, permission) for permission in permissions)
            )
        self.client = Client(raise_request_exception=False)
        self.client.force_login(self.user)
        self.problems: list[str] = []
        self._responses: dict[str, Any] = {}
        self._paths: set[str] = set()
        self._forms: set[tuple[str, ...]] = set()

    @property
    def request(self) -> HttpRequest:
        """A request by this user, for the permission methods of a ``ModelAdmin``."""
        request = RequestFactory().get("/admin/")
        request.user = self.user
        return request

    def look_at(self, address: str, *allowed: int) -> Any:
        """Open a page; record a problem if it is too large, or its status is not one of ``allowed``, by default 200."""
        response = self._get(address)
        if "text/html" in response.headers.get("Content-Type", "") and len(response.content) > MAX_BYTES:
            self.problems.append(f"{address} has {len(response.content):,} bytes of HTML")
        if not response.streaming and (times := DJANGO_TIME.findall(response.content)):
            self.problems.append(f"{address} shows times in Django's format: {times[0]!r}")
        if response.status_code not in (allowed or (200,)):
            self.problems.append(f"{address} answered {response.status_code}")
        return response

    def open(self, address: str, *allowed: int) -> Any:
        """Open a page as :meth:`look_at` does, and follow its links and buttons."""
        response = self.look_at(address, *allowed)
        if (
            response.status_code == 200
            and "text/html" in response.headers["Content-Type"]
            and response.content
            and self.follows
        ):
            self._follow(address, lxml.html.fromstring(response.content))
        return response

    def _get(self, address: str) -> Any:
        """Return the response to a GET. Each address is requested once: what the buttons change is rolled back."""
        if address not in self._responses:
            self._responses[address] = self.client.get(address)
            self._paths.add(urlsplit(address).path)
        return self._responses[address]

    def _follow(self, address: str, page: Any) -> None:
        self.problems += [f"{address} has {code}, which the policy forbids" for code in inline_code(page)]
        for link in page.iterfind(".//a[@href]"):
            target = urljoin(f"http://testserver{address}", link.get("href"))
            parts = urlsplit(target)
            if parts.netloc == "testserver" and not link.get("href").startswith("#"):
                self._open(address, parts._replace(scheme="", netloc="", fragment="").geturl())
        for form in page.iterfind(".//form"):
            self._press(address, form)

    def _open(self, address: str, target: str) -> None:
        # Filters and sort orders of a list that the user may open need no permission check: only the superuser tries
        # them.
        is_new_path = urlsplit(target).path not in self._paths
        if target not in self._responses and (is_new_path or self.user.is_superuser):
            status = self._get(target).status_code
            if status in _DEAD_ENDS:
                self.problems.append(f"{address} links to {target}, which answered {status}")

    def _press(self, address: str, form: Any) -> None:
        """Press each button of a form, and roll back its changes."""
        target = urlsplit(urljoin(f"http://testserver{address}", form.get("action") or address))
        fields = dict(form.form_values())
        for button in form.iterfind(".//button[@type='submit']"):
            pressed = fields | ({button.get("name"): button.get("value") or ""} if button.get("name") else {})
            values = sorted(f"{name}={value}" for name, value in pressed.items() if name != "csrfmiddlewaretoken")
            kind = (target.path, form.method, *values)
            if kind in self._forms:
                continue
            self._forms.add(kind)
            with transaction.atomic():
                status = self._sent(target.path, target.query, form.method, pressed)
                transaction.set_rollback(True)
            if status in _DEAD_ENDS:
                self.problems.append(f"{address}: the button “{button.text_content().strip()}” led to {status}")

    def _sent(self, path: str, query: str, method: str, values: dict[str, Any]) -> int:
        browser = Client(raise_request_exception=False)
        browser.cookies = self.client.cookies.copy()  # type: ignore[assignment]  # the same class
        if method == "GET":
            return browser.get(path, values).status_code
        return browser.post(f"{path}?{query}", values).status_code


def inline_code(page: Any) -> Iterator[str]:
    """Yield inline scripts and event handlers of a page, which the Content-Security-Policy blocks."""
    for element in page.iter():
        if element.tag == "script" and not element.get("src") and element.get("type", "") in SCRIPT_TYPES:
            yield f"the script “{(element.text or '').strip()[:80]}”"
        for name, value in element.attrib.items():
            if name.startswith("on") or value.strip().lower().startswith("javascript:"):
                yield f"{name}=“{value[:80]}”"


def pages_of(model: type[Any], row: Any) -> Iterator[str]:
    """Yield the path of each admin page of a model, found in the admin's own URL patterns."""
    for pattern in admin.site.get_model_admin(model).get_urls():
        assert not isinstance(pattern, URLResolver)
        if pattern.name is None:
            continue  # Django's redirect from an old URL.
        route = str(pattern.pattern)
        if "<slug:action>" in route:
            continue  # Refused without permission; the crawler follows the buttons.
        route = route.replace("<path:object_id>", quote(str(row.pk))).replace("<id>", quote(str(row.pk)))
        yield f"{base_of(model)}{route}"


def custom_pages() -> Iterator[str]:
    """Yield the paths of the admin site's own pages: no model, no arguments."""
    for pattern in admin.site.get_urls():
        route = str(pattern.pattern)
        if getattr(pattern, "name", None) and not ("<" in route or "(" in route):
            yield f"/admin/{route}"


def _is_named(permission: Permission, name: str) -> bool:
    """Return True if ``name`` matches the permission: a full name (``auth.view_user``) or a prefix (``view_``)."""
    return permission.codename.startswith(name) if name.endswith("_") else name == _full_name(permission)


def _full_name(permission: Permission) -> str:
    return f"{permission.content_type.app_label}.{permission.codename}"
