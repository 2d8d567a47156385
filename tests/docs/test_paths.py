"""Files that the documentation names exist."""

from __future__ import annotations

import re
from typing import Final

from tests.docs.test_plain_english import pages
from tests.processes import PROJECT

#: A folder or module in the repository, or the end of its path, such as ``lms/client.py``.
_PATH: Final = re.compile(r"``(?:\.\.\./|…/)?((?:[\w.]+/)*[\w.]+\.py|(?:enterprise_catalog|tests|docs)/[\w/.]*/)``")
#: Files of the invented channel in docs/how-tos/add_a_channel.rst.
_ELSEWHERE: Final = re.compile(r"lectern")


def test_every_named_file_exists() -> None:
    files = {
        str(path.relative_to(PROJECT))
        for folder in ("enterprise_catalog", "tests", "docs")
        for path in (PROJECT / folder).rglob("*")
    } | {path.name for path in PROJECT.iterdir()}
    ends = {"/".join(file.split("/")[-count:]) for file in files for count in range(1, file.count("/") + 2)}

    assert [
        f"{page.relative_to(PROJECT)}: {name}"
        for page in pages()
        for name in _PATH.findall(page.read_text(encoding="utf-8"))
        if name.rstrip("/") not in ends and not _ELSEWHERE.search(name)
    ] == []
