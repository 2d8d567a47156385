"""Secrets and choices, such as the port, that a local site stores once and then reuses."""

from __future__ import annotations

import os
import secrets
import stat
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from multiprocessing import get_context
from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.settings.local_state import read_or_create, write_or_read
from tests.processes import PROJECT

if TYPE_CHECKING:
    from pathlib import Path


def test_it_makes_a_text_up_once(tmp_path: Path) -> None:
    numbers = count()

    texts = [read_or_create(tmp_path / "secret", lambda: f"secret {next(numbers)}") for _ in range(3)]

    assert texts == ["secret 0"] * 3
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    read_or_create(tmp_path / "secret", lambda: "secret")

    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_a_chosen_value_is_kept_until_another_one_is_chosen(tmp_path: Path) -> None:
    file = tmp_path / "port"

    assert write_or_read(file, None, default="8000") == "8000"
    assert write_or_read(file, "9000", default="8000") == "9000"
    assert write_or_read(file, "", default="8000") == "9000"
    assert write_or_read(file, "9001", default="8000") == "9001"
    assert [path.name for path in tmp_path.iterdir()] == ["port"]


@pytest.mark.processes
def test_commands_reach_the_port_that_the_site_was_started_on(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "LOCAL_STATE_DIR": str(tmp_path)}
    names = ("CATALOG_API_URL", "OAUTH2_PROVIDER_URL", "DISCOVERY_SERVICE_API_URL", "LMS_BASE_URL")
    code = f"from enterprise_catalog.settings import local; print({', '.join(f'local.{name}' for name in names)})"

    def printed(**variables: str) -> str:
        return subprocess.check_output(
            [sys.executable, "-c", code], cwd=PROJECT, env=environment | variables, text=True
        )

    of_the_site = printed(LOCAL_PORT="9000", LOCAL_OPEN_EDX_PORT="9002")

    # The LMS is only for the processes of the site: other commands must work without the sandbox.
    services = "http://127.0.0.1:9000 http://127.0.0.1:9000/oauth2 http://127.0.0.1:9002/api/v1"
    assert of_the_site == f"{services} http://127.0.0.1:9002\n"
    assert printed() == f"{services} \n"
    assert printed(CATALOG_API_URL="https://catalog.example.org").startswith("https://catalog.example.org ")


def a_secret(path: Path) -> str:
    return read_or_create(path, secrets.token_hex)


@pytest.mark.processes
def test_all_who_start_at_once_keep_the_same_text(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as processes:
        texts = set(processes.map(a_secret, [tmp_path / "secret"] * 8))

    assert len(texts) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
