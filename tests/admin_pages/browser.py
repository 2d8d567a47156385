"""Debian's Chromium, for tests that need a real browser."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import expect, sync_playwright

from tests import services

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

#: Maximum wait for a page or an element. On a busy machine, a login alone can take longer than Playwright's 5 seconds.
PATIENCE_MS: Final = 60_000
#: Without these flags, Chromium contacts Google's servers at every start.
QUIET = ["disable-background-networking", "disable-component-update", "disable-sync", "disable-quic", "no-first-run"]


@contextmanager
def chromium(url: str, **context: Any) -> Iterator[Page]:
    """Start a browser and yield a page; relative URLs resolve against ``url``.

    Args:
        context: options of the page, such as ``timezone_id``.
    """
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        message = "chromium is not on PATH"
        if services.is_required():
            pytest.fail(message)
        pytest.skip(message)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        flags = [f"--{flag}" for flag in ("no-sandbox", "disable-gpu", *QUIET)]
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        page = browser.new_page(base_url=url, **context)
        page.set_default_timeout(PATIENCE_MS)
        yield page
        browser.close()


@contextmanager
def admin_page(url: str, **context: Any) -> Iterator[Page]:
    """Start a browser like :func:`chromium`; yield the admin's front page, logged in as a new superuser."""
    with pytest.MonkeyPatch.context() as patch, chromium(url, **context) as page:
        # Playwright runs an event loop in this thread, and Django refuses database access in such a thread.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        get_user_model().objects.create_superuser("admin", password="admin")
        log_in(page, "admin", "admin")
        yield page


def log_in(page: Page, username: str, password: str) -> None:
    """Fill in the admin's login page and wait for the front page."""
    page.goto("/admin/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Transmissions").first.wait_for()
