"""A chapter has the headings that all have, in their order, is not too long, and leads on to the next."""

import pathlib
import re

from .findings import WRITE, Edit, Finding

MOST_WORDS = 2500
SECTIONS = [
    "The question",
    "Run it",
    "The picture",
    "The mechanism",
    "What the kernel does",
    "Measured",
    "In production",
    "Exercises",
    "Further reading",
]
ORDER = "the order is " + ", ".join(SECTIONS)
FREE_OF_SECTIONS = (0, 16, 17)  # they may merge some, where that is natural


def number_of(path):
    return int(pathlib.PurePath(path).name[:2])


def check(document, repository):
    is_glossary = document.path.endswith("glossary.md")
    if not is_glossary:
        yield from _check_title(document)
        yield from _check_sections(document)
        if document.words > MOST_WORDS:
            yield Finding(
                document, 0, f"{document.words} words are more than {MOST_WORDS}", "shorten it"
            )
    yield from _check_way_on(document, repository)


def _check_title(document):
    number = number_of(document.path)
    titles = [h for h in document.headings if h.level == 1]
    if (
        len(titles) != 1
        or not re.match(rf"{number}\. \S", titles[0].text)
        or document.text[: titles[0].start].strip()
    ):
        yield Finding(
            document,
            titles[0].start if titles else 0,
            "the title is not what a chapter begins with",
            f"begin with `# {number}. Title`, and use # once",
        )


def _check_sections(document):
    there = [h for h in document.headings if h.level == 2]
    names = [h.text for h in there]
    optional = number_of(document.path) in FREE_OF_SECTIONS
    for heading in there:
        if names.count(heading.text) > 1:
            yield Finding(
                document, heading.start, f"## {heading.text} is there twice", "merge the two"
            )
            return
    for name in SECTIONS:
        if name not in names and not optional:
            yield Finding(
                document, 0, f"there is no section `## {name}`", f"write it; {ORDER}"
            )
    known = [name for name in names if name in SECTIONS]
    for heading, right in zip(
        (h for h in there if h.text in SECTIONS), sorted(known, key=SECTIONS.index)
    ):
        if heading.text != right:
            yield Finding(
                document,
                heading.start,
                f"## {heading.text} stands where ## {right} belongs",
                ORDER,
            )
            return


def _check_way_on(document, repository):
    wanted = way_on(document, repository)
    lines = document.text.rstrip().split("\n")
    last = lines[-1]
    if last == wanted:
        return
    is_way = "](README.md)" in last
    body = "\n".join(lines[:-1] if is_way else lines).rstrip()
    if body.endswith("\n---"):
        body = body[:-4].rstrip()
    start = len(body)
    yield Finding(
        document,
        len(document.text.rstrip()),
        "the last line does not lead to the chapters beside this one",
        WRITE,
        Edit(start, len(document.text), f"\n\n{wanted}\n"),
    )


def way_on(document, repository):
    """The last line of a chapter: previous, contents, next."""
    chapters = [path.name for path in repository.chapters]
    at = chapters.index(pathlib.PurePath(document.path).name)
    parts = ["[Contents](README.md)"]
    if at > 0:
        parts.insert(0, f"[← {_title(repository, at - 1)}]({chapters[at - 1]})")
    if at + 1 < len(chapters):
        parts.append(f"[{_title(repository, at + 1)} →]({chapters[at + 1]})")
    return " · ".join(parts)


def _title(repository, at):
    headings = repository.document(repository.chapters[at]).headings
    return headings[0].text if headings else repository.chapters[at].stem
