"""Each package's docstring is the map of the package: it lists every module and folder, and nothing else."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import Final

import pytest

import enterprise_catalog

ROOT: Final = Path(enterprise_catalog.__file__).parent
PACKAGES: Final = sorted(
    file.parent for file in ROOT.rglob("__init__.py") if not {"migrations", "__pycache__"} & set(file.parent.parts)
)
#: A name at the start of a line of a map, such as ``plan.py`` or ``admin/``.
LISTED: Final = re.compile(r"^``([\w.]+/?)``  ", re.MULTILINE)
#: A module of ours in a docstring or comment.
MENTIONED: Final = re.compile(r"``((?:[a-z_0-9]+/)*[a-z_0-9]+\.py)``")
#: The packages of the two programs' models, and the names that Django gives to modules there.
APPS: Final = {"catalog", "integrated_channels"}
DJANGO_MODULES: Final = {
    *("admin", "admin.py", "apps.py", "management", "migrations", "models", "models.py", "static", "templates"),
    *("urls.py", "wsgi.py"),
}


def name_of(package: Path) -> str:
    return str(package.relative_to(ROOT.parent))


def entries_of(package: Path) -> set[str]:
    return {
        f"{entry.name}/" if entry.is_dir() else entry.name
        for entry in package.iterdir()
        if entry.name not in {"__init__.py", "__pycache__"}
    }


@pytest.mark.parametrize("package", [each for each in PACKAGES if each.name != "management"], ids=name_of)
def test_the_docstring_of_a_package_lists_exactly_its_entries(package: Path) -> None:
    docstring = ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or ""

    assert set(LISTED.findall(docstring)) == entries_of(package)


@pytest.mark.parametrize("package", PACKAGES, ids=name_of)
def test_no_package_is_too_large_to_overlook(package: Path) -> None:
    """A package may have 14 entries besides Django's own modules; the programs' packages may have 12."""
    entries = {entry.removesuffix("/") for entry in entries_of(package)}

    assert len(entries - DJANGO_MODULES) <= (12 if package.name in APPS else 14)


def test_no_module_has_the_name_of_a_module_of_the_standard_library() -> None:
    """Such a module would replace the standard library's if its folder is on the path."""
    names = {file.stem for file in ROOT.rglob("*.py")}

    assert names & set(sys.stdlib_module_names) <= {"__main__"}


def test_every_module_that_the_code_mentions_exists() -> None:
    """Docstrings and comments name modules, such as ``plan.py`` or ``sync/plan.py``. Renames must follow."""
    project = ROOT.parent
    folders = (ROOT, project / "tests")
    paths = [f"/{file.relative_to(project)}" for folder in folders for file in folder.rglob("*.py")]
    stale = [
        f"{file.relative_to(project)}: {name}"
        for file in sorted(ROOT.rglob("*.py"))
        for name in MENTIONED.findall(file.read_text(encoding="utf-8"))
        if name != "manage.py" and not any(path.endswith(f"/{name}") for path in paths)
    ]

    assert stale == []


def test_only_packages_have_modules() -> None:
    """A folder with modules but no docstring would have no map."""
    folders = {file.parent for file in ROOT.rglob("*.py")}

    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []
