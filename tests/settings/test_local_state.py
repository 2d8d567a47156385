"""What a local site makes up once and keeps."""

from __future__ import annotations

import secrets
import stat
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from multiprocessing import get_context
from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.settings.local_state import kept

if TYPE_CHECKING:
    from pathlib import Path


def test_it_makes_a_text_up_once(tmp_path: Path) -> None:
    numbers = count()

    texts = [kept(tmp_path / "secret", lambda: f"secret {next(numbers)}") for _ in range(3)]

    assert texts == ["secret 0"] * 3
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    kept(tmp_path / "secret", lambda: "secret")

    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def a_secret(path: Path) -> str:
    return kept(path, secrets.token_hex)


@pytest.mark.processes
def test_all_who_start_at_once_keep_the_same_text(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as processes:
        texts = set(processes.map(a_secret, [tmp_path / "secret"] * 8))

    assert len(texts) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
