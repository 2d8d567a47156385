"""The pinned requirements: each package has hashes, and pip rejects a file with another hash."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import zipfile
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires
from typing import TYPE_CHECKING, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.processes import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER: Final = PROJECT / "requirements"
PINNED: Final = sorted(path.name for path in FOLDER.glob("*.txt"))


@pytest.mark.parametrize("name", PINNED)
def test_each_pinned_package_has_a_hash(name: str) -> None:
    entries = re.findall(r"^[^\s#].*(?:\n\s+.*)*", (FOLDER / name).read_text(encoding="utf-8"), re.MULTILINE)

    assert entries
    assert [
        entry for entry in entries if not re.match(r"\S+==\S+(?: ;.*)? \\\n\s+--hash=sha256:[0-9a-f]{64}", entry)
    ] == []


def test_every_list_of_requirements_is_pinned() -> None:
    assert [path.stem for path in sorted(FOLDER.glob("*.in"))] == [name.removesuffix(".txt") for name in PINNED]


def required_by(name: str) -> set[str]:
    """Return the packages that a list of requirements names, with those of the lists that it includes."""
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    included = [line.removeprefix("-r ").strip() for line in lines if line.startswith("-r ")]
    own = {match[1].lower() for line in lines if (match := re.match(r"([A-Za-z0-9._-]+)", line)) and line[0] != "-"}
    return own.union(*map(required_by, included))


@pytest.mark.parametrize("name", PINNED)
def test_every_package_of_a_list_and_of_the_lists_in_it_is_pinned(name: str) -> None:
    required = required_by(name.replace(".txt", ".in"))

    assert required
    assert set(map(canonicalize_name, required)) - pins_of(name).keys() == set()


def pins_of(name: str) -> dict[str, set[str]]:
    """Return the packages that a list pins, each with the extras that it pins it with."""
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line.removesuffix(" \\")) for line in lines if re.match(r"[A-Za-z0-9]", line)]
    return {canonicalize_name(pin.name): pin.extras for pin in pins}


def installed_requirements(package: str, extras: set[str]) -> Iterator[Requirement]:
    """Yield what a package requires, here and with these extras; nothing if it is not installed."""
    with suppress(PackageNotFoundError):
        for requirement in map(Requirement, requires(package) or []):
            if any(
                requirement.marker is None or requirement.marker.evaluate({"extra": each}) for each in ("", *extras)
            ):
                yield requirement


@pytest.mark.parametrize("name", PINNED)
def test_packages_are_pinned_with_the_extras_that_others_require(name: str) -> None:
    # pip looks for the newest version of a package with extras that is not pinned with them, and then refuses it.
    pins = pins_of(name)

    required = [
        requirement
        for package, extras in pins.items()
        for requirement in installed_requirements(package, extras)
        if requirement.extras
    ]
    assert required or name == "django60.txt"
    assert [str(each) for each in required if each.extras - pins[canonicalize_name(each.name)]] == []


@pytest.mark.parametrize("file", ["Makefile", "tox.ini"])
def test_only_pinned_lists_are_installed(file: str) -> None:
    installed = re.findall(r"(?:--requirement|-r) +(\S+)", (PROJECT / file).read_text(encoding="utf-8"))

    assert installed
    assert {each for each in installed if each not in {"$<", "$(VENV)/without-mysqlclient.txt"}} <= {
        f"requirements/{name}" for name in PINNED
    }


def a_wheel(folder: Path) -> Path:
    """Write the smallest package that pip accepts, with one empty module."""
    path, info = folder / "tiny-1.0-py3-none-any.whl", "tiny-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("tiny.py", "")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path


@pytest.mark.processes
@pytest.mark.parametrize("is_replaced", [False, True])
def test_pip_refuses_a_file_that_was_replaced(tmp_path: Path, *, is_replaced: bool) -> None:
    wheel = a_wheel(tmp_path)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    pinned = tmp_path / "requirements.txt"
    pinned.write_text(f"tiny==1.0 \\\n    --hash=sha256:{digest}\n")
    if is_replaced:
        with zipfile.ZipFile(wheel, "a") as archive:
            archive.writestr("more.py", "")

    options = ("--no-index", "--find-links", str(tmp_path), "--target", str(tmp_path / "site"))
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--requirement", str(pinned)]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)

    assert (tmp_path / "site" / "tiny.py").exists() is not is_replaced
    assert (done.returncode != 0) is is_replaced, done.stderr
    assert ("DO NOT MATCH THE HASHES" in done.stderr) is is_replaced
