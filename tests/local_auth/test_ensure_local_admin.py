"""``manage.py ensure_local_admin``."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core.management import call_command

pytestmark = pytest.mark.django_db


def ensure() -> str:
    output = StringIO()
    call_command("ensure_local_admin", stdout=output)
    return output.getvalue()


def test_it_creates_a_superuser_and_prints_the_login() -> None:
    output = ensure()

    user = authenticate(username="admin", password="admin")
    assert user is not None
    assert user.is_superuser
    assert "admin" in output


def test_it_does_nothing_where_there_is_a_superuser() -> None:
    get_user_model().objects.create_superuser("someone", password="password")

    output = ensure()

    assert output == ""
    assert not get_user_model().objects.filter(username="admin").exists()
