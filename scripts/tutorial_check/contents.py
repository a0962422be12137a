"""The front page lists every chapter by the title it has, and links those that are there."""

import re

from .findings import WRITE, Edit, Finding
from .shape import number_of

FILE = "README.md"
_ROW = re.compile(r"^\|[ ]*(?P<number>\d*)[ ]*\|[ ]*(?P<title>[^|]*?)[ ]*\|", re.MULTILINE)
_GLOSSARY = "glossary"


def check(document, repository):
    there = {_key(path): path for path in repository.chapters}
    rows = {}
    for row in _ROW.finditer(document.without_fences):
        shown = document.text[slice(*row.span("title"))]
        plain = re.sub(r"\[(.*?)\]\(.*?\)", r"\1", shown)
        key = int(row["number"]) if row["number"] else plain.lower()
        if row["number"] or key == _GLOSSARY:
            rows[key] = row
            wanted = _link(repository, there[key]) if key in there else plain
            if shown != wanted:
                yield Finding(
                    document,
                    row.start(),
                    f"the contents have {shown}, and the chapter is {wanted}",
                    WRITE,
                    Edit(*row.span("title"), wanted),
                )
    for key, path in there.items():
        if key not in rows:
            yield Finding(
                document,
                0,
                f"{path.name} is not in the contents",
                f"add a row for it: | {key} | title | the question |",
            )
    numbers = [key for key in rows if key != _GLOSSARY]
    if numbers != sorted(numbers):
        yield Finding(document, 0, "the chapters are not in order", "sort the contents")


def _key(path):
    return number_of(path) if path.name[:2].isdigit() else _GLOSSARY


def _link(repository, path):
    headings = repository.document(path).headings
    title = re.sub(r"^\d+\.\s*", "", headings[0].text) if headings else path.stem
    return f"[{title}]({path.name})"
