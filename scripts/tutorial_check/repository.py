"""The checkout that the tutorial belongs to: its files, read once, and how a link reaches them."""

import functools
import os
import pathlib
import re
import urllib.parse

from . import cpp
from .markdown import Document

FOLDER = "tutorial"


class Repository:
    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        self._parsed = {}

    def path(self, name):
        return self.root / name

    @property
    def folder(self):
        return self.root / FOLDER

    def relative(self, path):
        return os.path.relpath(path, self.root)

    @functools.cached_property
    def chapters(self):
        """The numbered chapters in order, then the glossary."""
        numbered = sorted(p for p in self.folder.glob("*.md") if re.match(r"\d\d-", p.name))
        glossary = self.folder / "glossary.md"
        return numbered + [glossary] * glossary.is_file()

    @functools.cached_property
    def texts(self):
        """All Markdown of the tutorial: the chapters, its front page and what belongs to exercises."""
        others = sorted(p for p in self.folder.rglob("*.md") if p not in self.chapters)
        return self.chapters + others

    def document(self, path, text=None):
        return Document(
            self.relative(path), path.read_text(encoding="utf-8") if text is None else text
        )

    @functools.lru_cache(maxsize=None)
    def read(self, name):
        return self.path(name).read_text(encoding="utf-8")

    @functools.lru_cache(maxsize=None)
    def _all_definitions(self, name):
        return cpp.definitions(self.read(name))

    def definitions(self, name, wanted):
        return cpp.find(self.read(name), wanted, self._all_definitions(name))

    @functools.lru_cache(maxsize=None)
    def anchors(self, path):
        return self.document(path).anchors

    def parsed(self, path, parse):
        if path not in self._parsed:
            self._parsed[path] = parse(path.read_text(encoding="utf-8"))
        return self._parsed[path]

    def resolve(self, document, address):
        """Where a relative link leads, as (path, anchor); path is None for one that leaves the repository."""
        if re.match(r"[a-z][a-z0-9+.-]*:|//", address, re.IGNORECASE):
            return None, ""
        name, _, anchor = address.partition("#")
        here = self.path(document.path)
        target = here if not name else here.parent / urllib.parse.unquote(name)
        return pathlib.Path(os.path.normpath(target)), urllib.parse.unquote(anchor)

    def link_to(self, document, name):
        return os.path.relpath(self.path(name), self.path(document.path).parent)
