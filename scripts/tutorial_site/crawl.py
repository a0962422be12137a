"""Looks through finished pages for what leads nowhere, and for what would need a network."""

import html.parser
import os
import pathlib
import urllib.parse

LEADING = {
    ("a", "href"),
    ("link", "href"),
    ("img", "src"),
    ("script", "src"),
    ("source", "src"),
    ("object", "data"),
}


class Page(html.parser.HTMLParser):
    """What a page links to, and which anchors it has."""

    def __init__(self, path):
        super().__init__()
        self.links, self.anchors = [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        for key, value in attrs:
            if (tag, key) in LEADING and value:
                self.links.append((tag, value))
            elif key in ("id", "name") and value:
                self.anchors.add(value)


def complaints(folder):
    """One line for each link of the pages of a folder that leads to nothing, or away to load something."""
    folder = pathlib.Path(folder).resolve()
    pages = {
        path: Page(path)
        for path in sorted(folder.rglob("*.html"))
        if "_downloads" not in path.parts
    }
    for path, page in pages.items():
        for tag, address in page.links:
            problem = _problem(folder, pages, path, tag, address)
            if problem:
                yield f"{path.relative_to(folder)}: {address} {problem}"


def _problem(folder, pages, path, tag, address):
    parts = urllib.parse.urlsplit(address)
    if parts.scheme in ("http", "https") or parts.netloc:
        return None if tag == "a" else "needs a network"
    if parts.scheme:
        return None
    name = urllib.parse.unquote(parts.path)
    target = pathlib.Path(os.path.normpath(path.parent / name)) if name else path
    if not target.is_relative_to(folder):
        return "leads out of the site"
    if not target.is_file():
        return "leads to nothing"
    anchor = urllib.parse.unquote(parts.fragment)
    if anchor and target in pages and anchor not in pages[target].anchors:
        return f"leads to an anchor that {target.name} has not"
    return None
