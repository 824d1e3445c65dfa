"""Terms of use as HTML (markdown-it-py). A small subset: no HTML, no images, links to the web and to mail alone."""

from __future__ import annotations

from functools import lru_cache

from markdown_it import MarkdownIt
from markupsafe import Markup

KEPT = 64
"""Rendered texts that are kept: every language of two versions, on the first page and on their own."""

_LINKS = ("https://", "http://", "mailto:", "tel:")


def _make() -> MarkdownIt:
    parser = MarkdownIt("zero", {"html": False, "linkify": False, "typographer": False})
    parser.enable(
        ["heading", "list", "emphasis", "link", "hr", "blockquote", "newline", "escape", "entity", "strikethrough"]
    )
    parser.validateLink = lambda url: url.lower().startswith(_LINKS)  # type: ignore[method-assign]
    return parser


_PARSER = _make()


@lru_cache(maxsize=KEPT)
def rendered(body: str, top: int) -> Markup:
    """The text with its highest heading, `#`, as <h{top}>, so that it fits under the page's own headings."""
    tokens = _PARSER.parse(body)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + top - 1)}"
    return Markup(_PARSER.renderer.render(tokens, _PARSER.options, {}))
