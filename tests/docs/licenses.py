"""The docs page with the licenses of all production packages; ``make licenses`` writes it."""

from __future__ import annotations

import importlib.metadata
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.docs.list_tables import list_table
from tests.processes import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REQUIREMENTS: Final = PROJECT / "requirements" / "production.txt"
PAGE: Final = PROJECT / "docs" / "reference" / "licenses.rst"

#: Packages that only some supported Python versions need, with their license on PyPI.
CONDITIONAL: Final = {"async-timeout": "Apache Software License"}
#: Licenses with more conditions than keeping the notice, as named in package metadata.
COPYLEFT: Final = re.compile(r"GPL|Affero|Lesser|MPL|Mozilla")

_PIN: Final = re.compile(r"^([\w.-]+)(?:\[[^]]*\])?==([^\s;]+)(?:(?!^\S).)*?# via ([^\n]*)", re.MULTILINE | re.DOTALL)
_INTRODUCTION: Final = """\
Licenses
========

The project's own license is Apache 2.0 (``LICENSE``). It contains no code of the packages below; ``pip`` installs them.
This page repeats what the metadata of the pinned packages in ``requirements/production.txt`` says; ``make licenses``
rewrites it, and a test compares it. It is not legal advice.

Copyleft
--------

These licenses ask for more than keeping a notice, for instance for the source code of changes, or of a program that is
distributed together with the package. Read them before you distribute an image that holds the packages. The AGPL also
covers users who reach a changed package over a network.

"""


@dataclass(frozen=True, slots=True)
class Package:
    """A pinned package."""

    name: str
    version: str
    license: str
    required_by: str  #: As in the requirements file: packages, or the requirements file that lists the package.


class NotInstalledError(Exception):
    """A pinned package is not installed, so its license cannot be read."""


def pinned() -> Iterator[tuple[str, str, str]]:
    """Yield name, version and reason of each package in the production requirements, in ascending order by name."""
    for name, version, reason in _PIN.findall(REQUIREMENTS.read_text(encoding="utf-8")):
        yield name, version, ", ".join(part.strip().removeprefix("-r ") for part in reason.split(","))


def license_of(name: str, version: str) -> str:
    """Return the license from an installed package's metadata: its expression, else its classifiers, else its text.

    Raises:
        NotInstalledError: the pinned version is not installed.
    """
    try:
        metadata = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        if name in CONDITIONAL:
            return CONDITIONAL[name]
        raise NotInstalledError(name) from None
    if metadata["Version"] != version:
        raise NotInstalledError(f"{name} {version}")
    if expression := metadata["License-Expression"]:
        return str(expression)
    prefix = "License :: "
    classifiers = [text for text in metadata.get_all("Classifier") or () if text.startswith(prefix)]
    if classifiers:
        return "; ".join(text.rpartition(" :: ")[2] for text in classifiers)
    return str(metadata["License"]).partition("\n")[0].strip()


def packages() -> list[Package]:
    """Return the packages that production installs.

    Raises:
        NotInstalledError: a pinned package is not installed.
    """
    return [Package(name, version, license_of(name, version), reason) for name, version, reason in pinned()]


def page(of: Iterable[Package]) -> str:
    """Return the page about the packages, in reStructuredText."""
    every = list(of)
    copyleft = [package for package in every if COPYLEFT.search(package.license)]
    title = f"All {len(every)} packages"
    return f"{_INTRODUCTION}{_table(copyleft)}\n{title}\n{'-' * len(title)}\n\n{_table(every)}"


def _table(rows: Iterable[Package]) -> str:
    header = ("package", "version", "license", "required by")
    cells = ((f"``{row.name}``", row.version, row.license, row.required_by) for row in rows)
    return "\n".join(list_table((header, *cells), widths="26 14 30 30")) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(packages()), encoding="utf-8")
