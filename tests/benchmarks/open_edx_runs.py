"""Runs of Open edX's integrated channels on the same work: same database server, catalog service and LMS as ours.

The channels are installed into a virtual environment of their own, below ``var/``, when they are first needed. They are
no dependency of this project. ``open_edx_site.py`` runs in that environment.
"""

from __future__ import annotations

import os
import subprocess
import venv
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import dj_database_url

from enterprise_catalog.catalog.models import EnterpriseCatalog
from tests.benchmarks.open_edx import OpenEdXRun, OpenEdXRuns
from tests.benchmarks.results import WrongAnswerError
from tests.benchmarks.synced import CHANGED, FIRST, SAME_ITEMS, UNCHANGED
from tests.processes import PROJECT, Dialogue
from tests.services import UnavailableError, create_database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.synced import Synced

_PACKAGES: Final = ("edx-enterprise==8.18.0", "enterprise-integrated-channels==0.2.0")
_FOLDER: Final = PROJECT / "var" / "open_edx"
_PROGRAM: Final = Path(__file__).with_name("open_edx_site.py")


def measure_open_edx(synced: Synced, port: int, *, token: str) -> OpenEdXRuns:
    """Return one run of each kind, in the order of ``Synced``: first, unchanged, changed.

    Args:
        synced: the catalog and the LMS, which is emptied.
        port: of the catalog service.
        token: of a caller of the catalog service.

    Raises:
        UnavailableError: the channels cannot be installed.
        WrongAnswerError: after a run, the LMS does not offer the content of the catalog.
    """
    synced.lms.reset()
    with _started(synced, port, token) as channels:
        first = channels.run(FIRST)
        unchanged = channels.run(UNCHANGED)
        synced.change()
        changed = channels.run(CHANGED)
    runs = {FIRST: first, CHANGED: changed, SAME_ITEMS: unchanged, UNCHANGED: unchanged}
    return OpenEdXRuns(len(synced.keys), runs)


@dataclass(frozen=True, slots=True)
class _Channels:
    """The process of Open edX's channels."""

    dialogue: Dialogue
    synced: Synced

    def run(self, how: str) -> OpenEdXRun:
        """Sync with the channels, and check the LMS afterwards."""
        self.synced.lms.take_time()
        answer = self.dialogue.ask()
        lms_seconds = self.synced.lms.take_seconds()
        if not self.synced.is_offered():
            message = f"after a sync of Open edX ({how}) the LMS does not offer the content of the catalog"
            raise WrongAnswerError(f"{message}; items by result: {answer['results']}")
        return OpenEdXRun(answer["seconds"], answer["statements"], lms_seconds)


@contextmanager
def _started(synced: Synced, port: int, token: str) -> Iterator[_Channels]:
    """Run the channels' process until the block ends."""
    python, log = _installed(), Path(os.environ["LOCAL_STATE_DIR"]) / "open_edx.log"
    with log.open("wb") as output:
        # Isolated: without the modules next to the program, and without our environment's packages.
        process = subprocess.Popen(
            [python, "-I", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=output
        )
    with process:
        try:
            dialogue = Dialogue(process, log)
            dialogue.ask(**_site(synced, port, token))
            yield _Channels(dialogue, synced)
        except BaseException:
            process.kill()
            raise


def _site(synced: Synced, port: int, token: str) -> dict[str, Any]:
    """Return the first line of ``open_edx_site.py``'s standard input."""
    database = dj_database_url.parse(create_database(os.environ["DATABASE_URL"], "open_edx"))
    lms, catalog = synced.lms, synced.catalog
    return {
        "token": token,
        "database": {name: database[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")},
        "catalog_url": f"http://127.0.0.1:{port}",
        "customer": str(EnterpriseCatalog.objects.get(pk=catalog.uuid).enterprise_customer_id),
        "catalog": str(catalog.uuid),
        "moodle_url": f"{lms.base_url}/",
        "moodle_token": lms.credentials["token"],
        "category_id": lms.settings["category_id"],
    }


def _installed() -> Path:
    """Return the Python of the channels' environment; create the environment if it is missing or outdated."""
    python, installed = _FOLDER / "bin" / "python", _FOLDER / "installed.txt"
    packages = [*_PACKAGES, f"mysqlclient=={version('mysqlclient')}"]  # The database driver that we use, too.
    if not installed.exists() or installed.read_text(encoding="utf-8").split() != packages:
        venv.create(_FOLDER, clear=True, with_pip=True)
        try:
            subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        except subprocess.CalledProcessError as error:
            raise UnavailableError(f"The channels of Open edX could not be installed: {error}") from error
        installed.write_text("\n".join(packages), encoding="utf-8")
    return python
