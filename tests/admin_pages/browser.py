"""Headless Chromium, for tests that need a real browser.

Debian's ``chromium-headless-shell`` takes half the CPU time of ``chromium``.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import expect, sync_playwright

from tests import services

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page, Playwright

#: Maximum wait for a page or an element. On a busy machine, a login alone can take longer than Playwright's 5 seconds.
PATIENCE_MS: Final = 60_000
#: Names of the browser, the preferred one first.
PROGRAMS: Final = ("chromium-headless-shell", "chromium", "chromium-browser")
#: Without these flags, Chromium contacts Google's servers at every start.
QUIET = ["disable-background-networking", "disable-component-update", "disable-sync", "disable-quic", "no-first-run"]
_running: Browser | None = None


@contextmanager
def chromium(url: str, **context: Any) -> Iterator[Page]:
    """Yield a page of a new session: no cookies, nothing cached. Relative URLs resolve against ``url``.

    Args:
        context: options of the session, such as ``timezone_id``.
    """
    path = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if path is None:
        message = f"none of {', '.join(PROGRAMS)} is on PATH"
        if services.is_required():
            pytest.fail(message)
        pytest.skip(message)
    expect.set_options(timeout=PATIENCE_MS)
    playwright, loop = _start_playwright()
    try:
        asyncio._set_running_loop(loop)
        with _browser(playwright, path).new_context(base_url=url, **context) as session:
            page = session.new_page()
            page.set_default_timeout(PATIENCE_MS)
            yield page
    finally:
        asyncio._set_running_loop(None)


@functools.cache
def _start_playwright() -> tuple[Playwright, asyncio.AbstractEventLoop]:
    """Start Playwright once for all tests of this process; return it with its event loop.

    The loop counts as running in this thread, and then Django refuses database access, and others refuse loops of their
    own. So it is entered only while a test uses the browser.
    """
    playwright = sync_playwright().start()
    loop = asyncio.get_running_loop()

    @atexit.register
    def stop() -> None:
        asyncio._set_running_loop(loop)
        playwright.stop()

    return playwright, loop


def _browser(playwright: Playwright, path: str) -> Browser:
    """Return the browser that all tests of this process share; start it if it is not running."""
    global _running  # noqa: PLW0603  (one browser per process)
    if _running is None or not _running.is_connected():
        flags = [f"--{flag}" for flag in ("no-sandbox", "disable-gpu", *QUIET)]
        _running = playwright.chromium.launch(executable_path=path, args=flags)
    return _running


@contextmanager
def admin_page(url: str, **context: Any) -> Iterator[Page]:
    """Open a page like :func:`chromium`; yield the admin's front page, logged in as a new superuser."""
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
