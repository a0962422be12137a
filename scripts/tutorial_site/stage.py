"""Puts the sources of the site into a folder of its own: the tutorial, and the files that it links to.

A chapter links to files of the repository as on a code host. Here each such file becomes a page, or a copy to
download, and the link leads there; what a page links to in turn is followed too.
"""

import collections
import os
import pathlib
import re
import shutil

from tutorial_check.text import Edit, apply_edits

LANGUAGES = {
    **{".cpp": "cpp", ".hpp": "cpp", ".c": "c", ".h": "c", ".py": "python", ".sh": "bash", ".cmake": "cmake"},
    **{".gp": "gnuplot", ".dot": "dot", ".json": "json", ".txt": "text", ".in": "text"},
}
PICTURES = {".svg", ".png"}
DOWNLOADS = {".csv", ".html", ".gz", ".hgrm"}
MOST_BYTES_OF_A_PAGE = 100_000  # a longer one is copied, to be read as it is
FRONT = "README.md"

Place = collections.namedtuple("Place", "name is_page")  # where a file of the repository is in the site


class Stage:
    def __init__(self, repository, folder):
        self.repository = repository
        self.folder = pathlib.Path(folder)
        self.places = {}
        self.waiting = []

    def fill(self):
        for path in self.repository.texts:
            self.place_of(path)
        while self.waiting:
            path = self.waiting.pop()
            self._write(path, self.places[path])
        self._write_front()

    def place_of(self, path):
        """Returns the place of the file in the site; the first call puts it there."""
        if path.is_dir() and (path / FRONT).is_file():
            path = path / FRONT
        if path not in self.places:
            self.places[path] = self._new_place(path)
            self.waiting.append(path)
        return self.places[path]

    def _new_place(self, path):
        if path.is_relative_to(self.repository.folder):
            name = path.relative_to(self.repository.folder)
        else:
            name = "repository" / path.relative_to(self.repository.root)
        if path.is_dir():
            return Place(f"{name}/index.md", True)
        if path.suffix == ".md":
            if path.stat().st_size > MOST_BYTES_OF_A_PAGE:
                return Place(f"{name}.txt", False)
            return Place(str(name.with_name("index.md") if path.name == FRONT else name), True)
        if path.suffix in PICTURES | DOWNLOADS or path.stat().st_size > MOST_BYTES_OF_A_PAGE:
            return Place(str(name), False)
        return Place(f"{name}.md", True)

    def _write(self, path, place):
        target = self.folder / place.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not place.is_page:
            shutil.copyfile(path, target)
        elif path.is_dir():
            target.write_text(self._listing(path), encoding="utf-8")
        elif path.suffix == ".md":
            target.write_text(self._page(path, place), encoding="utf-8")
        else:
            target.write_text(self._source(path), encoding="utf-8")

    def _page(self, path, place):
        document = self.repository.document(path)
        edits = [Edit(comment.start, comment.end, "") for comment in document.comments]
        for fence in document.fences:
            line_end = document.text.index("\n", fence.start)
            marks = re.match(r"\s*[`~]+", document.text[fence.start : line_end])[0]
            edits.append(Edit(fence.start, line_end, marks + (fence.language or "text")))
        for link in document.links:
            to = self._address(document, link.to, place)
            if to is not None:
                edits.append(Edit(link.to_start, link.to_end, to))
        text = apply_edits(document.text, edits)
        if path in self.repository.chapters:
            return _without_way_on(text)
        return text if path.is_relative_to(self.repository.folder) else "---\norphan: true\n---\n" + text

    def _address(self, document, to, place):
        """Where a link of a page leads in the site; None where it needs no change."""
        path, anchor = self.repository.resolve(document, to)
        if path is None or to.startswith("#") or not path.exists():
            return None
        there = self.place_of(path)
        name = os.path.relpath(there.name, os.path.dirname(place.name) or ".")
        return name + ("#" + anchor if anchor and path.suffix == ".md" else "")

    def _source(self, path):
        name = self.repository.relative(path)
        text = path.read_text(encoding="utf-8", errors="replace").rstrip("\n")
        language = LANGUAGES.get(path.suffix) or ("bash" if text.startswith("#!") else "text")
        if path.name == "CMakeLists.txt":
            language = "cmake"
        marks = "`" * (max((len(run) for run in re.findall(r"`+", text)), default=0) + 3)
        return f"---\norphan: true\nnosearch: true\n---\n# {name}\n\n{marks}{language}\n{text}\n{marks}\n"

    def _listing(self, path):
        names = sorted(p.name + "/" * p.is_dir() for p in path.iterdir() if not p.name.startswith("."))
        lines = "\n".join(f"- `{name}`" for name in names)
        return f"---\norphan: true\nnosearch: true\n---\n# {self.repository.relative(path)}/\n\n{lines}\n"

    def _write_front(self):
        """The way through the pages, in the front page: chapters, then what belongs to exercises."""
        chapters = [self.places[path].name for path in self.repository.chapters]
        front = self.folder / "index.md"
        pages = [place.name for path, place in self.places.items()
                 if place.is_page and path.suffix == ".md" and path.is_relative_to(self.repository.folder)]  # fmt: skip
        others = sorted(name for name in pages if name not in [*chapters, front.name])
        text = front.read_text(encoding="utf-8") if front.is_file() else "# The tutorial\n"
        for caption, names in (("Chapters", chapters), ("Exercises", others)):
            if names:
                listed = "\n".join(name.removesuffix(".md") for name in names)
                text += f"\n```{{toctree}}\n:hidden:\n:maxdepth: 1\n:caption: {caption}\n\n{listed}\n```\n"
        front.write_text(text, encoding="utf-8")


def _without_way_on(text):
    """The text without its last line, which the pages have buttons for."""
    body, _, last = text.rstrip().rpartition("\n")
    return body.rstrip().removesuffix("\n---").rstrip() + "\n" if "](index.md)" in last else text
