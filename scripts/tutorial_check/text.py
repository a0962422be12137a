"""The texts of the tutorial: their parts and places, findings about them, and how a link reaches a file."""

import collections
import dataclasses
import functools
import os
import pathlib
import re
import unicodedata
import urllib.parse

import markdown_it
from markdown_it import rules_inline

WRITE = "scripts/tutorial --write"
_ATTRIBUTE = re.compile(
    r'(?P<key>\w+)=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<range>/(?:[^/\\]|\\.)*/\.\./(?:[^/\\]|\\.)*/)|(?P<plain>\S+))'
    r"|(?P<word>\S+)"
)

Edit = collections.namedtuple("Edit", "start end text")
Link = collections.namedtuple("Link", "start text_start text to to_start to_end title")
Span = collections.namedtuple("Span", "start end text")  # a comment or inline code; the text is without its marks


@dataclasses.dataclass(frozen=True)
class Finding:
    document: object
    offset: int
    what: str
    cure: str
    edit: Edit | None = None

    def __str__(self):
        return f"{self.document.path}:{self.document.line_of(self.offset)}: {self.what}; {self.cure}"


class Wrong(Exception):
    """A request of the text that cannot be met. Its arguments are those of a Finding: the fault and the fix."""


class Fence:
    """A fenced block: its lines without the indentation, and the words and key=value of its info string."""

    def __init__(self, token, text, line_starts):
        first, last = token.map
        self.start, self.end = line_starts[first], line_starts[last]
        closing = text[line_starts[last - 1] : self.end].strip()
        self.closed = last - 1 > first and set(closing) == {token.markup[0]} and len(closing) >= len(token.markup)
        self.body_start, self.body_end = line_starts[first + 1], line_starts[last - 1] if self.closed else self.end
        self.indent = re.match(r"[ \t]*", text[self.start :])[0]
        self.body = token.content.splitlines()
        self.attributes, words = {}, []
        for found in _ATTRIBUTE.finditer(token.info):
            if found["word"]:
                words.append(found["word"])
            elif found["quoted"] is not None:
                self.attributes[found["key"]] = found["quoted"].replace('\\"', '"')
            else:
                self.attributes[found["key"]] = found["range"] or found["plain"]
        self.language, *self.words = words or [""]

    def with_body(self, lines):
        return "".join((self.indent + line).rstrip() + "\n" for line in lines)


def _recording(parse, kind):
    """An inline rule of markdown-it that notes each match and its place in env, which tokens do not have."""

    def parse_and_record(state, silent):
        start = state.pos
        if not parse(state, silent):
            return False
        if not silent and state.src is state.env["source"]:
            state.env["found"].append((kind, start, state.pos))
        return True

    return parse_and_record


_PARSER = markdown_it.MarkdownIt("commonmark").enable("table").disable("inline")
for _name, _rule in {"link": rules_inline.link, "image": rules_inline.image, "backticks": rules_inline.backtick}.items():
    _PARSER.inline.ruler.at(_name, _recording(_rule, _name))


class Document:
    """One Markdown file as it is now. Everything found in it has offsets into its text."""

    def __init__(self, path, text):
        self.path, self.text = path, text
        self.fences, self.links, self.spans, self.comments, self.headings = [], [], [], [], []
        self._line_starts = [0, *(found.end() for found in re.finditer("\n", text)), len(text)]
        self._ends = {}  # of the part read so far of a line with several cells
        environment = {}
        tokens = _PARSER.parse(text, environment)
        for at, token in enumerate(tokens):
            if token.type == "fence":
                self.fences.append(Fence(token, text, self._line_starts))
            elif token.type == "html_block":
                start, end = (self._line_starts[line] for line in token.map)
                for found in re.finditer(r"<!--(.*?)-->", text[start:end], re.DOTALL):
                    self.comments.append(Span(start + found.start(), start + found.end(), found[1].strip()))
            elif token.type == "inline":
                children = self._read_inline(token, environment)
                if tokens[at - 1].type == "heading_open":
                    self.headings.append("".join(child.content for child in children))

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1

    @functools.cached_property
    def anchors(self):
        """As a code host names them: the second heading of a name has a number."""
        found = set()
        for heading in self.headings:
            kept = (c for c in heading.strip().lower() if c in "-_ " or unicodedata.category(c)[0] in "LNM")
            slug = anchor = "".join(kept).replace(" ", "-")
            number = 0
            while anchor in found:
                number += 1
                anchor = f"{slug}-{number}"
            found.add(anchor)
        return found

    def _read_inline(self, token, environment):
        """Keeps links and code with their place in the text; returns the tokens of the visible text."""
        environment.update(source=token.content, found=[])
        children = []
        _PARSER.inline.parse(token.content, _PARSER, environment, children)
        places = self._places(token)
        for kind, start, end in sorted(environment["found"], key=lambda found: found[1]):
            raw = token.content[start:end]
            if kind == "backticks":
                if code := re.fullmatch(r"(`+)(.*[^`].*)\1", raw, re.DOTALL):
                    self.spans.append(Span(places[start], places[end], code[2]))
            elif link := _link(token.content, start + (kind == "image"), end):
                text, to, title = link
                self.links.append(
                    Link(places[start], places[text[0]], token.content[slice(*text)], token.content[slice(*to)].strip("<>"),
                         places[to[0]], places[to[1]], title)
                )  # fmt: skip
        return children

    def _places(self, token):
        """Where each character of an inline token is in the text, which has indentation and marks before it."""
        places = []
        for number, line in enumerate(token.content.split("\n"), token.map[0]):
            start = max(self._line_starts[number], self._ends.get(number, 0))
            at = self.text.find(line, start)
            escaped = at < 0  # a | of a cell, which is \| in the text
            at = self.text.find(line.replace("|", "\\|"), start) if escaped else at
            for character in line:
                at += escaped and character == "|"
                places.append(at)
                at += 1
            places.append(at)
            self._ends[number] = at
        return places


def _link(text, bracket, end):
    """Where the parts of an inline link are: its text, its address, and what its title says."""
    found = re.fullmatch(
        r"\[(?P<text>.*)\]\(\s*(?P<to><[^<>\n]*>|[^\s<][^\s]*?)(?:\s+\"(?P<title>(?:[^\"\\]|\\.)*)\")?\s*\)",
        text[bracket:end], re.DOTALL,
    )  # fmt: skip
    if not found:
        return None
    places = [tuple(bracket + at for at in found.span(part)) for part in ("text", "to")]
    return *places, (found["title"] or "").replace('\\"', '"')


def apply_edits(text, edits):
    """The text after all edits. Of two that overlap the first one waits for the next turn."""
    last = len(text) + 1
    for edit in sorted(edits, key=lambda e: e.start, reverse=True):
        if edit.end <= last:
            text = text[: edit.start] + edit.text + text[edit.end :]
            last = edit.start
    return text


class Repository:
    """The checkout that the tutorial belongs to: its files, read once."""

    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        self.folder = self.root / "tutorial"

    def path(self, name):
        return self.root / name

    def relative(self, path):
        return os.path.relpath(path, self.root)

    @functools.cached_property
    def chapters(self):
        """The numbered chapters in order, then the glossary."""
        numbered = sorted(self.folder.glob("[0-9][0-9]-*.md"))
        return numbered + sorted(self.folder.glob("glossary.md"))

    @functools.cached_property
    def texts(self):
        """All Markdown of the tutorial: the chapters, its front page and what belongs to exercises."""
        return self.chapters + sorted(p for p in self.folder.rglob("*.md") if p not in self.chapters)

    def document(self, path, text=None):
        return Document(self.relative(path), path.read_text(encoding="utf-8") if text is None else text)

    @functools.lru_cache(maxsize=None)
    def read(self, name):
        return self.path(name).read_text(encoding="utf-8")

    @functools.lru_cache(maxsize=None)
    def anchors(self, path):
        return self.document(path).anchors

    def resolve(self, document, address):
        """Where a relative link leads, as (path, anchor); path is None for one that leaves the repository."""
        if re.match(r"[a-z][a-z0-9+.-]*:|//", address, re.IGNORECASE):
            return None, ""
        name, _, anchor = address.partition("#")
        here = self.path(document.path)
        target = here if not name else here.parent / urllib.parse.unquote(name)
        return pathlib.Path(os.path.normpath(target)), urllib.parse.unquote(anchor)
