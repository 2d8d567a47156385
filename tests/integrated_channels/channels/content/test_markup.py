"""Sanitizing arbitrary HTML into balanced HTML with a few allowed tags."""

from __future__ import annotations

import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.integrated_channels.channels.content.markup import cleaned, is_address

ALLOWED = frozenset({"a", "br", "div", "em", "h4", "img", "li", "p", "strong", "ul"})

_SHARDS = ["<p>", "</p>", "<b", "<b>", "</b>", "<a href='http://x.org'>", "</a>", "<br>", "<img src=http://x.org/i>"]
_SHARDS += [
    "<",
    ">",
    "&",
    "&lt;",
    "<!--",
    "-->",
    "<script>",
    "</script>",
    "<style>",
    "\0",
    '"',
    "<li>",
    "<div>",
    "</ul>",
]
# Tags that browsers parse by special rules, and the namespaces of attacks that change meaning when parsed again.
_SHARDS += ["<button>", "</button>", "<table>", "<td>", "<h1>", "</h2>", "<pre>", "<hr>", "<form>", "<select>"]
_SHARDS += ["<svg>", "<math>", "<mtext>", "<mglyph>", "<template>", "<textarea>", "<noscript>", "<title>", "<xmp>"]
markups = st.lists(st.sampled_from(_SHARDS) | st.text(max_size=20), max_size=15).map("".join)


class Reader(HTMLParser):
    """Collects the text. Asserts that only allowed tags occur and that tags are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.open: list[str] = []

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED
        assert {name for name, _ in attrs} <= {"href", "src", "alt"}
        if tag not in ("br", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("plain & simple, a < b", "plain &amp; simple, a &lt; b"),
        ("R&amp;D &eacute; &#233;&nbsp;!", "R&amp;D é é&nbsp;!"),
        ("<p class='x' onclick='y()'>One</p>", "<p>One</p>"),
        ("<p>One<p>Two", "<p>One</p><p>Two</p>"),
        ("<b>bold</b> <I>italic</I>", "<strong>bold</strong> <em>italic</em>"),
        ("<h1>Title</h1>", "<h4>Title</h4>"),
        ("<strong><em>both</strong> none</em>", "<strong><em>both</em></strong><em> none</em>"),
        ("<table><tr><td>1</td><td>2</td></tr></table>", "<div><div><div>1</div><div>2</div></div></div>"),
        ("<u>text</u> <font>stays</font>", "text stays"),
        ("One<br/>Two<BR>", "One<br>Two<br>"),
        ("<script>if (a < b) alert('<p>')</script>after", "after"),
        ("<style>p {}</style >after<style>never closed", "after"),
        ("a<!-- <p>not</p> said -->b<!--c-->d", "abd"),
        ("a<!-- never <p>closed", "a"),
        ("<!DOCTYPE html><?php x ?>text", "text"),
        ("<a href='https://x.org/?a=1&amp;b=2' title='t'>x</a>", '<a href="https://x.org/?a=1&amp;b=2">x</a>'),
        ("<a href=https://x.org>x</a>", '<a href="https://x.org">x</a>'),
        ("<a href='JavaScript:alert(1)'>x</a>", "x"),
        ("<a href=' java\nscript:alert(1)'>x</a>", "x"),
        ("<a href='\n https://x.org '>x</a>", '<a href="https://x.org">x</a>'),
        ("<img src=' https://x.org/a.png '>", '<img src="https://x.org/a.png" alt="">'),
        ("<noscript><img src='https://x.org/a.png' alt='a'></noscript>", '<img src="https://x.org/a.png" alt="a">'),
        ("<iframe src='https://x.org'><b>old browsers</b></iframe>after", "after"),
        ("<a data-href='https://x.org'>x</a>", "x"),
        ("<a name='here'>x</a>", "x"),
        (
            "<img src='https://x.org/a.png' alt='\"A\" & B'>",
            '<img src="https://x.org/a.png" alt="&quot;A&quot; &amp; B">',
        ),
        ("<img src='data:image/png;base64,AAAA'>", ""),
        ("</div>stray", "stray"),
        ("</p>stray", "<p></p>stray"),
        ("nu\0ll", "null"),
        ("never closed <b", "never closed &lt;b"),
        ("<p>1 <2, a <b and </c", "<p>1 &lt;2, a &lt;b and &lt;/c</p>"),
        ("<svg><p>a</p><style><b>b</b></style></svg>", "<p>a</p>"),
        ("<math><mtext><table><mglyph><style><!--</style><img src=x onerror=y()>--></style>", ""),
        ("<noscript><p title='</noscript><script>y()</script>'>", "<p></p>"),
    ],
)
def test_html_becomes_html_of_the_allowed_tags(text: str, expected: str) -> None:
    assert cleaned(text, ALLOWED) == expected


@given(markups)
def test_the_output_for_any_input_is_allowed_and_balanced(text: str) -> None:
    reader = Reader()

    reader.feed(cleaned(text, ALLOWED))
    reader.close()

    assert reader.open == []


@given(markups)
def test_cleaning_what_is_clean_changes_nothing(text: str) -> None:
    once = cleaned(text, ALLOWED)

    assert cleaned(once, ALLOWED) == once


@pytest.mark.parametrize(
    "shard", ["<a", "<!--", "<script>", "<div>", "</div>", "<b></b>", "&", "<a href=", "<img src='"]
)
def test_a_text_full_of_one_thing_takes_no_time(shard: str) -> None:
    started = time.process_time()

    cleaned(shard * 40_000, ALLOWED)

    assert time.process_time() - started < 2


def test_tags_that_are_open_at_once_are_bounded() -> None:
    assert cleaned("<div>" * 1_000 + "x", ALLOWED) == "<div>" * 50 + "x" + "</div>" * 50


def test_a_text_with_too_many_tags_loses_all_of_them() -> None:
    assert cleaned("<b>R&amp;D</b> 1 < 2 " * 5_001, ALLOWED) == ("R&amp;D 1 &lt; 2 " * 5_001).strip()


def test_a_reference_to_an_endless_number_becomes_the_replacement_character() -> None:
    link = cleaned(f"<a href='https://x.org/&#{'9' * 5_000};'>x</a>", ALLOWED)

    assert link == '<a href="https://x.org/\N{REPLACEMENT CHARACTER}">x</a>'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://www.example.org/a?b=c", True),
        ("HTTP://x.org", True),
        ("mailto:a@example.org", True),
        ("", False),
        ("/relative", False),
        ("javascript:alert(1)", False),
        ("https://x.org/a b", False),
        ("https://x.org/" + "a" * 2_000, False),
    ],
)
def test_what_can_be_linked_to(text: str, *, expected: bool) -> None:
    assert is_address(text) is expected
