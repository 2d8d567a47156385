"""Debian's Chromium, for tests that need a real browser. Without windows it takes half the CPU time."""

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

    from playwright.sync_api import Browser, Page

#: Maximum wait for a page or an element. On a busy machine, a login alone can take longer than Playwright's 5 seconds.
PATIENCE_MS: Final = 60_000
#: Without these flags, Chromium contacts Google's servers at every start.
QUIET = ["disable-background-networking", "disable-component-update", "disable-sync", "disable-quic", "no-first-run"]


@contextmanager
def chromium(url: str, **context: Any) -> Iterator[Page]:
    """Yield a page of a new session: no cookies, nothing cached. Relative URLs resolve against ``url``.

    Args:
        context: options of the session, such as ``timezone_id``.
    """
    path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if path is None:
        message = "neither chromium-headless-shell nor chromium is on PATH"
        if services.is_required():
            pytest.fail(message)
        pytest.skip(message)
    browser, loop = _start(path)
    asyncio._set_running_loop(loop)
    session = browser.new_context(base_url=url, **context)
    page = session.new_page()
    page.set_default_timeout(PATIENCE_MS)
    try:
        yield page
    finally:
        session.close()
        asyncio._set_running_loop(None)


@functools.cache
def _start(path: str) -> tuple[Browser, asyncio.AbstractEventLoop]:
    """Start the browser that all tests of this process share, because a start takes 3 s of CPU time.

    Playwright's event loop counts as running in this thread, and then Django refuses database access, and others refuse
    loops of their own. So the loop is returned, to be entered only while a test uses the browser.
    """
    expect.set_options(timeout=PATIENCE_MS)
    playwright = sync_playwright().start()
    loop = asyncio.get_running_loop()
    flags = [f"--{flag}" for flag in ("no-sandbox", "disable-gpu", *QUIET)]
    browser = playwright.chromium.launch(executable_path=path, args=flags)

    @atexit.register
    def stop() -> None:
        asyncio._set_running_loop(loop)
        browser.close()
        playwright.stop()

    return browser, loop


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
