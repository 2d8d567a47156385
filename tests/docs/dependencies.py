"""The packages and their imports, read from the code, for the picture on the architecture page.

``python -m tests.docs.dependencies`` redraws the picture.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import grimp

from tests.docs.drawing import Box, draw
from tests.processes import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

ROOT: Final = "enterprise_catalog"
CHANNELS: Final = f"{ROOT}.integrated_channels"
SERVICE: Final = ("api", "catalog")
PICTURE: Final = PROJECT / "docs" / "images" / "dependencies.svg"

#: Parts of every Django app. They import in ways that Django prescribes.
_LEFT_OUT: Final = frozenset({"apps", "migrations"})
#: One line of a package's docstring: ``name``, two or more spaces, description.
_ENTRY: Final = re.compile(r"^``([\w/.]+)`` {2,}(.+)$", re.MULTILINE)
_MAX_TEXT: Final = 100


@dataclass(frozen=True)
class Imports:
    """Direct imports between the children of a package: importer -> imported."""

    of: Mapping[str, frozenset[str]]

    def levels(self) -> dict[str, int]:
        """Return each child's level: 0 if no other child imports it, else one more than its deepest importer."""
        importers = defaultdict(set)
        for importer, imported in self.of.items():
            for each in imported:
                importers[each].add(importer)
        levels: dict[str, int] = {}

        def level_of(child: str) -> int:
            if child not in levels:
                levels[child] = 1 + max(map(level_of, importers[child]), default=-1)
            return levels[child]

        return {child: level_of(child) for child in sorted(self.of)}

    def essential(self) -> list[tuple[str, str]]:
        """Return the imports that do not also exist indirectly, through a third child."""
        return sorted(
            (importer, each)
            for importer, imported in self.of.items()
            for each in imported
            if not any(each in self._reached_from(other) for other in imported - {each})
        )

    def _reached_from(self, child: str) -> set[str]:
        reached: set[str] = set()
        waiting = [child]
        while waiting:
            new = self.of[waiting.pop()] - reached
            reached |= new
            waiting += new
        return reached


def imports_within(package: str, graph: grimp.ImportGraph) -> Imports:
    """Return the imports between the children of ``package``, at run time."""
    found: dict[str, set[str]] = defaultdict(set)
    for module in graph.find_descendants(package):
        importer = _child(module, package)
        for other in graph.find_modules_directly_imported_by(module):
            imported = _child(other, package)
            if {importer, imported} & {"", *_LEFT_OUT} or importer == imported:
                continue
            found[importer].add(imported)
            found.setdefault(imported, set())
    return Imports({child: frozenset(imported) for child, imported in sorted(found.items())})


def _child(module: str, package: str) -> str:
    """Return the name of the child of ``package`` that contains ``module``; empty if it is outside."""
    return module.removeprefix(f"{package}.").split(".")[0] if module.startswith(f"{package}.") else ""


def boxes_of(package: str, children: Iterable[str]) -> dict[str, Box]:
    """Return child -> its file or folder, with the description in the package's docstring."""
    folder = PROJECT / package.replace(".", "/")
    described = _described(folder / "__init__.py")
    return {child: Box(name, _shortened(described[name])) for child in children for name in [_entry(folder, child)]}


def _entry(folder: Path, child: str) -> str:
    return f"{child}/" if (folder / child).is_dir() else f"{child}.py"


def _described(path: Path) -> dict[str, str]:
    return dict(_ENTRY.findall(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""))


def _shortened(text: str) -> str:
    """Return ``text`` without its final period, cut at the first punctuation mark if it is too long."""
    whole = text.rstrip(".").replace("``", "")
    return whole if len(whole) <= _MAX_TEXT else re.split("[:;,.] ", whole)[0]


def picture() -> str:
    """Return the picture as SVG."""
    graph = grimp.build_graph(ROOT, exclude_type_checking_imports=True)
    channels, top = imports_within(CHANNELS, graph), imports_within(ROOT, graph)
    shared = sorted(top.of["integrated_channels"] & (top.of["api"] | top.of["catalog"]))
    return draw(
        boxes_of(CHANNELS, channels.of),
        levels=channels.levels(),
        arrows=channels.essential(),
        service=[boxes_of(ROOT, SERVICE)[child] for child in SERVICE],
        shared=list(boxes_of(ROOT, shared).values()),
        meeting="catalog_api",
    )


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
