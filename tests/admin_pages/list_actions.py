"""Helpers that choose a list action and submit its confirmation page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import lxml.html

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.test import Client


def ask(client: Client, address: str, action: str, keys: Iterable[Any], *, across: bool = False) -> Any:
    """Choose an action for the rows with these keys, or for all rows. Return the response, usually a confirmation."""
    chosen = {"action": action, "_selected_action": [str(key) for key in keys], "select_across": "1" if across else "0"}
    return client.post(address, chosen | {"index": "0"}, follow=True)


def answer(client: Client, address: str, question: Any, *, reason: str = "") -> Any:
    """Submit the confirmation page; return the next page with its messages."""
    assert question.status_code == 200
    page: Any = lxml.html.fromstring(question.content)
    [form] = [form for form in page.forms if "confirmation" in form.fields]
    return client.post(address, dict(form.form_values()) | {"reason": reason}, follow=True)


def run(
    client: Client, address: str, action: str, keys: Iterable[Any], *, across: bool = False, reason: str = ""
) -> Any:
    """Choose an action and confirm it."""
    return answer(client, address, ask(client, address, action, keys, across=across), reason=reason)


def count_on(question: Any) -> str:
    """Return the row count on the confirmation page, such as ``3 transmissions``."""
    page: Any = lxml.html.fromstring(question.content)
    return str(page.get_element_by_id("row-count").text_content())


def messages_of(response: Any) -> list[str]:
    """Return the messages on the page."""
    return [str(message) for message in response.context["messages"]]
