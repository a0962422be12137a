"""In each chapter the first use of each term of the glossary is a link to it."""

import dataclasses
import re

from .findings import WRITE, Edit, Finding

FILE = "glossary.md"
_ALSO = re.compile(r"^\*also:\s*(?P<forms>.*?)\*[ \t]*$", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Term:
    name: str
    anchor: str
    forms: tuple


def terms(document):
    """The terms of a glossary: one section each, other forms of the word in the line after the heading."""
    found = []
    sections = [h for h in document.headings if h.level == 2]
    for heading, following in zip(sections, [*sections[1:], None]):
        section = document.text[
            heading.start : following.start if following else len(document.text)
        ]
        also = _ALSO.search(section)
        others = [form.strip() for form in also["forms"].split(",")] if also else []
        name = heading.text.replace("`", "")
        found.append(Term(name, heading.anchor, tuple(form for form in [name, *others] if form)))
    return found


def check_glossary(document):
    """That no word stands for two terms, and that the terms are in order."""
    owner = {}
    last = ""
    for term, heading in zip(terms(document), (h for h in document.headings if h.level == 2)):
        for form in term.forms:
            if owner.setdefault(form.lower(), term.name) != term.name:
                yield Finding(
                    document,
                    heading.start,
                    f"{form} stands for {owner[form.lower()]} and for {term.name}",
                    "keep one of the two",
                )
        if term.name.lower() < last:
            yield Finding(
                document, heading.start, f"{term.name} stands behind {last}", "sort the terms"
            )
        last = term.name.lower()


def check(document, known):
    """known: the terms. A first use that is no link is a finding, which --write mends."""
    by_form = {_key(form): term for term in known for form in term.forms}
    if not by_form:
        return
    linked = {}
    for link in document.links:
        if link.to.startswith(FILE + "#"):
            linked.setdefault(link.to.partition("#")[2], link.start)
    longest_first = sorted(by_form, key=len, reverse=True)
    pattern = re.compile(
        r"(?<![\w`/.-])(?:"
        + "|".join(re.escape(form).replace(r"\ ", r"\s+") for form in longest_first)
        + r")(?![\w`/-]|\.\w|\(\))",
        re.IGNORECASE,
    )
    seen = set()
    for use in pattern.finditer(document.prose):
        term = by_form[_key(use[0])]
        if term.anchor in seen or linked.get(term.anchor, len(document.text)) < use.start():
            continue
        seen.add(term.anchor)
        yield Finding(
            document,
            use.start(),
            f"the first use of “{' '.join(use[0].split())}” does not lead to the glossary",
            WRITE,
            Edit(
                use.start(),
                use.end(),
                f"[{document.text[use.start():use.end()]}]({FILE}#{term.anchor})",
            ),
        )


def _key(form):
    return " ".join(form.lower().split())
