"""What a chapter consists of: fences, links, headings, prose, each with its place in the text."""

import dataclasses
import functools
import html
import re
import unicodedata

from . import fences

_LINK = re.compile(
    r"(?P<image>!?)\[(?P<text>(?:[^\[\]]|\[(?:[^\[\]]|\[[^\[\]]*\])*\])*)\]"
    r'\(\s*(?P<to><[^<>\n]*>|[^\s()]*(?:\([^\s()]*\)[^\s()]*)*)(?:\s+"(?P<title>(?:[^"\\]|\\.)*)")?\s*\)'
)
_HEADING = re.compile(r"^(?P<marks>#{1,6})[ \t]+(?P<text>.*?)[ \t#]*$", re.MULTILINE)
_TABLE_ROW = re.compile(r"^[ \t]*\|.*$", re.MULTILINE)
_CODE = re.compile(r"(?<!`)(?P<ticks>`+)(?!`)(?P<code>.+?)(?<!`)(?P=ticks)(?!`)", re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Link:
    start: int
    text_start: int
    text: str
    to: str
    to_start: int
    to_end: int
    title: str | None
    is_image: bool


@dataclasses.dataclass(frozen=True)
class Heading:
    start: int
    level: int
    text: str
    anchor: str


@dataclasses.dataclass(frozen=True)
class Comment:
    start: int
    end: int
    text: str


def _blank(text, start, end):
    return text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]


class Document:
    """One Markdown file as it is now. Everything found in it has offsets into its text."""

    def __init__(self, path, text):
        self.path = path
        self.text = text

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1

    @functools.cached_property
    def fences(self):
        return fences.read(self.text)

    @functools.cached_property
    def without_fences(self):
        text = self.text
        for fence in self.fences:
            text = _blank(text, fence.start, fence.end)
        return text

    @functools.cached_property
    def spans(self):
        """Inline code, as matches with the group code."""
        return list(_CODE.finditer(self.without_fences))

    @functools.cached_property
    def _without_any_code(self):
        text = self.without_fences
        for span in self.spans:
            text = _blank(text, span.start(), span.end())
        return text

    @functools.cached_property
    def comments(self):
        return [
            Comment(m.start(), m.end(), self.text[m.start(1) : m.end(1)].strip())
            for m in re.finditer(r"<!--(.*?)-->", self._without_any_code, re.DOTALL)
        ]

    def _without_comments(self, text):
        for comment in self.comments:
            text = _blank(text, comment.start, comment.end)
        return text

    @functools.cached_property
    def without_code(self):
        """The text, as long, with spaces in place of fences, comments and inline code."""
        return self._without_comments(self._without_any_code)

    @functools.cached_property
    def links(self):
        found = []
        for opening in re.finditer(r"!?\[", self.without_code):
            match = _LINK.match(self.without_code, opening.start())
            if match and (
                match["image"] or self.without_code[opening.start() - 1 : opening.start()] != "!"
            ):
                start, end = match.span("text")
                title = (
                    self.text[slice(*match.span("title"))] if match["title"] is not None else None
                )
                found.append(
                    Link(
                        match.start(),
                        start,
                        self.text[start:end],
                        match["to"].strip("<>"),
                        *match.span("to"),
                        title and title.replace('\\"', '"'),
                        bool(match["image"]),
                    )
                )
        return found

    @functools.cached_property
    def headings(self):
        found, used = [], {}
        for match in _HEADING.finditer(self._without_comments(self.without_fences)):
            text = match["text"]
            anchor = slug(text)
            count = used.get(anchor, 0)
            used[anchor] = count + 1
            found.append(
                Heading(
                    match.start(),
                    len(match["marks"]),
                    text,
                    f"{anchor}-{count}" if count else anchor,
                )
            )
        return found

    @functools.cached_property
    def anchors(self):
        named = re.findall(r"<a\s+(?:id|name)=\"([^\"]+)\"", self.without_code)
        return {heading.anchor for heading in self.headings} | set(named)

    @functools.cached_property
    def prose(self):
        """The text, as long, with spaces in place of all that is not running text."""
        text = self.without_code
        for pattern in (_HEADING, _TABLE_ROW):
            for match in pattern.finditer(text):
                text = _blank(text, *match.span())
        for link in self.links:
            match = _LINK.match(self.without_code, link.start)
            text = _blank(text, *match.span())
        return re.sub(r"<[^<>\n]+>", lambda tag: " " * len(tag[0]), text)

    @functools.cached_property
    def words(self):
        """How many words there are to read, code and tables aside."""
        text = _TABLE_ROW.sub("", self._without_comments(self.without_fences))
        text = _LINK.sub(lambda link: "" if link["image"] else link["text"], text)
        return len(re.findall(r"[^\W_](?:[\w'’./:+-]*\w)?", text))


def slug(heading):
    """The anchor that a code host gives a heading."""
    text = _LINK.sub(lambda link: link["text"], heading)
    text = html.unescape(re.sub(r"<[^<>]+>", "", text)).strip().lower()
    kept = (c for c in text if c in "-_ " or unicodedata.category(c)[0] in "LNM")
    return "".join(kept).replace(" ", "-")
