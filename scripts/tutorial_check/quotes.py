"""Quoted code is what the file holds now: ```cpp file=PATH name=NAME, or lines=/a/../b/, or all of it."""

import re

from . import cpp
from .findings import WRITE, Edit, Finding

LONGEST_SNIPPET = 3


class Missing(Exception):
    """What is asked for is not in the file, or not once; the text says what, and what would help."""


def check(document, repository):
    for fence in document.fences:
        if not fence.closed:
            yield Finding(document, fence.start, "this fence is never closed", "close it with ```")
        elif "file" in fence.attributes:
            yield from _check_quote(document, fence, repository)
        elif (
            fence.language in ("cpp", "c", "c++")
            and "sketch" not in fence.words
            and len(fence.body) > LONGEST_SNIPPET
        ):
            yield Finding(
                document,
                fence.start,
                f"{len(fence.body)} lines of code that belong to no file",
                "quote with file=PATH name=NAME, or say `cpp sketch`",
            )


def _check_quote(document, fence, repository):
    path = fence.attributes["file"]
    try:
        wanted = extract(repository, path, fence.attributes)
    except Missing as missing:
        yield Finding(document, fence.start, *missing.args)
        return
    if fence.body != wanted:
        yield Finding(
            document,
            fence.body_start,
            f"this is not {_what(fence.attributes)} of {path} any more",
            WRITE,
            Edit(fence.body_start, fence.body_end, fence.with_body(wanted)),
        )
    section = max((h.start for h in document.headings if h.start < fence.start), default=0)
    named = {
        repository.resolve(document, link.to)[0]
        for link in document.links
        if section <= link.start < fence.start
    }
    if repository.path(path) not in named:
        yield Finding(
            document,
            fence.start,
            f"no link before the quotation, in its section, leads to {path}",
            f"write before it: From [{path}]({repository.link_to(document, path)}):",
        )


def _what(attributes):
    return attributes.get("name") or attributes.get("lines") or "the text"


def extract(repository, path, attributes):
    """The lines that a quotation with these attributes has to hold."""
    if not repository.path(path).is_file():
        raise Missing(f"there is no file {path}", "correct file=")
    text = repository.read(path)
    if "name" in attributes:
        return _definition(repository, path, attributes["name"])
    if "lines" in attributes:
        return _lines(text, path, attributes["lines"])
    return [line.rstrip() for line in text.rstrip("\n").split("\n")]


def _definition(repository, path, name):
    name, _, number = name.partition("#")
    found = repository.definitions(path, name)
    if not found:
        known = [d.name for d in cpp.definitions(repository.read(path))]
        last = name.split("::")[-1]
        alike = [other for other in known if other.split("::")[-1] == last] or known
        raise Missing(f"{path} does not define {name}", f"it defines {', '.join(alike[:8])}")
    if number:
        if not number.isdigit() or not 1 <= int(number) <= len(found):
            raise Missing(
                f"{path} defines {name} {len(found)} times, so #{number} is none of them",
                f"take #1 to #{len(found)}",
            )
        return found[int(number) - 1]
    if len(found) > 1:
        raise Missing(
            f"{path} defines {name} {len(found)} times",
            f"name the class too, or say which: name={name}#1 to #{len(found)}",
        )
    return found[0]


def _lines(text, path, wanted):
    first, last = (
        re.fullmatch(r"/((?:[^/\\]|\\.)*)/\.\./((?:[^/\\]|\\.)*)/", wanted).groups()
        if wanted.startswith("/")
        else (None, None)
    )
    if first is None:
        raise Missing(f"lines={wanted} is no range", "write lines=/first/../last/")
    lines = text.split("\n")
    try:
        begin = next((i for i, line in enumerate(lines) if re.search(first, line)), None)
        if begin is None:
            raise Missing(f"no line of {path} matches /{first}/", "correct lines=")
        end = next(
            (i for i, line in enumerate(lines[begin:], begin) if re.search(last, line)), None
        )
    except re.error as error:
        raise Missing(
            f"lines={wanted} is no regular expression: {error}", "correct lines="
        ) from None
    if end is None:
        raise Missing(f"no line of {path} after /{first}/ matches /{last}/", "correct lines=")
    kept = lines[begin : end + 1]
    indent = min((len(line) - len(line.lstrip()) for line in kept if line.strip()), default=0)
    return [line[indent:].rstrip() for line in kept]
