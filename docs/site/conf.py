"""How Sphinx builds the documentation: `make docs`, https://www.sphinx-doc.org/."""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx

project = "realtime-scoring"
html_title = project
extensions = ["myst_parser", "sphinx_copybutton"]
html_theme = "furo"
html_theme_options = {"footer_icons": [], "top_of_page_buttons": []}
html_show_copyright = False
html_copy_source = False
exclude_patterns = ["site"]
copybutton_exclude = ".linenos, .gp, .go"

# Headings get the anchors that they have where the repository is read in a browser.
myst_heading_anchors = 4
# A language that the highlighter does not know is shown plain.
suppress_warnings = ["misc.highlighting_failure"]

AT_THE_ROOT = {
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
    "CHANGELOG.md": "project/changelog.md",
    "LICENSE": "project/license.md",
    "docs/decisions/": "decisions/index.md",
}
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


def setup(app: Sphinx) -> None:
    """Read pages that stand at the repository's root as if they stood in docs/."""
    app.connect("include-read", _with_links_of_the_site)


def _with_links_of_the_site(_app: Sphinx, _path: Path, including: str, content: list[str]) -> None:
    up = "../" * including.count("/")

    def moved(link: re.Match[str]) -> str:
        target = AT_THE_ROOT.get(link[1], link[1].removeprefix("docs/"))
        return f"]({up}{target}"

    content[0] = LINK.sub(moved, content[0])
