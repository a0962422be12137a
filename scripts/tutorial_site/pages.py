"""Finished pages: fixes them, so that they work from a file, and checks them for faults."""

import html.parser
import os
import pathlib
import re
import sys
import urllib.parse

from browser import SCHEMES, WIDTHS, Browser

LEADING = {("a", "href"), ("link", "href"), ("img", "src"), ("script", "src"), ("source", "src"), ("object", "data")}
SEARCHED = {"echo": True, "qqxyzzy": False}  # and whether it is there

# Resolves when the search is over, to how many pages it found.
SEARCH = """new Promise(done => {
  const look = () => {
    const summary = document.querySelector('#search-results .search-summary')?.innerText ?? '';
    if (/found|did not match/i.test(summary))
      done(document.querySelectorAll('#search-results ul.search li').length);
    else
      setTimeout(look, 20);
  };
  setTimeout(() => done(-1), 60000);
  look();
})"""

_NORMALIZE = pathlib.Path("/usr/share/javascript/normalize.css/normalize.css")
_IMPORT_OF_STYLE = "@import url(/javascript/normalize.css/normalize.css);"
_IMPORT_OF_SCRIPT = 'import Gumshoe from "./gumshoe-patched.js";\n'
_DARK = re.compile(r'body\[data-theme="dark"\] \{(?P<colours>[^{}]*)\}')
_FOLLOWS_SYSTEM = 'body:not([data-theme="light"])'


def fix(pages):
    """Makes Debian's Furo work from a file: as packaged it is served by a web server, and dark only on request.

    Its style sheet imports one by an absolute address, its script is a module, which a page that is opened as a file
    may not load, and the colours for dark systems got lost when the sheet was made. Each fix applies
    where the fault is, and does nothing to a theme without it.
    """
    style, script = pages / "_static/styles/furo.css", pages / "_static/scripts/furo.js"
    text = style.read_text(encoding="utf-8")
    if _IMPORT_OF_STYLE in text:
        text = text.replace(_IMPORT_OF_STYLE, _NORMALIZE.read_text(encoding="utf-8"))
    if _FOLLOWS_SYSTEM not in text:
        rules = "".join(f"  {_FOLLOWS_SYSTEM} {{{dark['colours']}}}\n" for dark in _DARK.finditer(text))
        text += f"\n@media screen and (prefers-color-scheme: dark) {{\n{rules}}}\n"
    style.write_text(text, encoding="utf-8")
    library = script.with_name("gumshoe-patched.js")
    if library.is_file():  # it defines the global Gumshoe when it is no module
        text = script.read_text(encoding="utf-8")
        script.write_text(text.replace(_IMPORT_OF_SCRIPT, library.read_text(encoding="utf-8") + "\n"), encoding="utf-8")


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


def pages_of(folder):
    return [path for path in sorted(folder.rglob("*.html")) if "_downloads" not in path.parts]


def broken_links(folder):
    """One line for each link of the pages of a folder that leads to nothing, or away to load something."""
    folder = pathlib.Path(folder).resolve()
    pages = {path: Page(path) for path in pages_of(folder)}
    for path, page in pages.items():
        for tag, address in page.links:
            if problem := _problem(folder, pages, path, tag, address):
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


def look(folder):
    """Has a browser open every page as a file; one line for each thing that no reading of its text can find out."""
    with Browser() as browser:
        for page in pages_of(folder):
            for width in WIDTHS:
                seen = browser.visit(page.as_uri(), width, "light")
                name = f"{page.relative_to(folder)}, {width} pixels"
                yield from (f"{name}: {complaint}" for complaint in browser.complaints(seen))
                if not seen["text"] and page.name not in ("genindex.html", "search.html"):
                    yield f"{name}: it is empty"
        for word, is_there in SEARCHED.items():
            count = browser.visit(f"{(folder / 'search.html').as_uri()}?q={word}", WIDTHS[1], "light", SEARCH)
            print(f"site: the search finds {word} on {count} pages", file=sys.stderr)
            yield from browser.complaints()
            if count < 0 or (count > 0) != is_there:
                yield f"the search finds {word} on {count} pages"
        papers = {browser.visit((folder / "index.html").as_uri(), WIDTHS[1], scheme)["paper"] for scheme in SCHEMES}
        if len(papers) == 1:
            yield "the pages are as bright at night as by day"
