"""Checks of an open page in the browser: axe-core's rules and horizontal scrolling, in each scheme and width."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from axe_playwright_python.base import AXE_SCRIPT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from playwright.sync_api import Page


class Look(NamedTuple):
    """One way to look at a page."""

    scheme: Literal["light", "dark"]
    width: int  #: In pixels.


_SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
#: A phone and a desktop, in each scheme.
LOOKS: Final = tuple(Look(scheme, width) for scheme, width in product(_SCHEMES, (390, 1440)))
#: The navigation, which is the same on all pages.
NAVIGATION: Final = ("#nav-sidebar",)

#: A color that is still fading in would be measured.
_NO_TRANSITIONS: Final = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("*, *::before, *::after { transition: none !important; animation: none !important }");
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}"""
#: unfold chooses the scheme when a page loads. This is what it does then; a reload would take longer.
_CHOOSE_SCHEME: Final = "scheme => document.documentElement.classList.toggle('dark', scheme === 'dark')"
_OVERHANG: Final = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
#: The slowest rule, about content outside of landmarks, is only of moderate impact. No style sheet is of another site.
_VIOLATIONS: Final = """excluded => axe
    .run({exclude: excluded}, {resultTypes: ["violations"], preload: false, rules: {region: {enabled: false}}})
    .then(results => results.violations.filter(each => ["serious", "critical"].includes(each.impact)))"""


def problems(page: Page, looks: Iterable[Look] = LOOKS, *, without: Sequence[str] = ()) -> list[str]:
    """Return the serious problems of the open page, one line each. Leaves the page in the last look.

    Args:
        without: selectors of parts that are not checked.
    """
    page.evaluate(_NO_TRANSITIONS)
    page.evaluate(AXE_SCRIPT)
    return [
        f"{look.scheme}, {look.width}: {problem}" for look in looks for problem in _problems_of(page, look, without)
    ]


def _problems_of(page: Page, look: Look, without: Sequence[str]) -> Iterator[str]:
    page.emulate_media(color_scheme=look.scheme)
    page.evaluate(_CHOOSE_SCHEME, look.scheme)
    page.set_viewport_size({"width": look.width, "height": 900})
    if (overhang := page.evaluate(_OVERHANG)) > 0:
        yield f"scrolls sideways by {overhang} pixels"
    for violation in page.evaluate(_VIOLATIONS, list(without)):
        for node in violation["nodes"]:
            yield f"{violation['id']}: {_in_one_line(node)}"


def _in_one_line(node: dict[str, Any]) -> str:
    return " ".join(f"{node['html'][:300]} {node['failureSummary'][:300]}".split())
