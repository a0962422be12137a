"""Fenced blocks: their info string as words and key=value, and what is between the marks."""

import dataclasses
import re

_FENCE = re.compile(
    r"^(?P<indent>[ \t]*)(?P<mark>`{3,}|~{3,})[ \t]*(?P<info>[^\n`]*)\n", re.MULTILINE
)
_ATTRIBUTE = re.compile(
    r'(?P<key>\w+)=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<range>/(?:[^/\\]|\\.)*/\.\./(?:[^/\\]|\\.)*/)|(?P<plain>\S+))'
    r"|(?P<word>\S+)"
)


@dataclasses.dataclass(frozen=True)
class Fence:
    start: int  # of its first line
    end: int  # behind its last line
    body_start: int
    body_end: int
    indent: str
    language: str
    words: tuple  # of the info string, those that are not key=value
    attributes: dict
    closed: bool
    text: str

    @property
    def body(self):
        """The lines between the marks, without the indentation of the fence."""
        lines = self.text[self.body_start : self.body_end].splitlines()
        return [line.removeprefix(self.indent) for line in lines]

    def with_body(self, lines):
        return "".join((self.indent + line).rstrip() + "\n" for line in lines)


def read(text):
    """All fences of a text, in order."""
    found, at = [], 0
    while match := _FENCE.search(text, at):
        comment = text.rfind("<!--", 0, match.start())
        if comment >= at and text.find("-->", comment) > match.start():
            at = text.find("-->", comment)
            continue
        fence = _read_fence(text, match)
        found.append(fence)
        at = fence.end
    return found


def _read_fence(text, match):
    words, attributes = [], {}
    for found in _ATTRIBUTE.finditer(match["info"]):
        if found["word"]:
            words.append(found["word"])
        else:
            value = next(
                found[kind] for kind in ("quoted", "range", "plain") if found[kind] is not None
            )
            attributes[found["key"]] = (
                value.replace('\\"', '"') if found["quoted"] is not None else value
            )
    mark = match["mark"]
    closing = re.compile(rf"^[ \t]*{mark[0]}{{{len(mark)},}}[ \t]*$", re.MULTILINE).search(
        text, match.end()
    )
    body_end = closing.start() if closing else len(text)
    end = min(closing.end() + 1, len(text)) if closing else len(text)
    return Fence(
        match.start(),
        end,
        match.end(),
        body_end,
        match["indent"],
        words[0] if words else "",
        tuple(words[1:]),
        attributes,
        bool(closing),
        text,
    )
