"""Quoted code is what the file holds now: ```cpp file=PATH name=NAME, or lines=/a/../b/, or all of it.

Definitions are found by name in C++ as clang-format lays it out: what begins at an indentation ends with the first
line there that closes it.
"""

import collections
import functools
import re

from .text import WRITE, Edit, Finding, Wrong

LONGEST_SNIPPET = 3
# The name is with its classes, as in Worker::run; start and end are lines, from 0.
Definition = collections.namedtuple("Definition", "name start end")
_NOT_CODE = re.compile(
    r'R"(?P<raw>\w*)\(.*?\)(?P=raw)"|"(?:[^"\\\n]|\\.)*"|(?<!\w)\'(?:[^\'\\\n]|\\.)+\'|//[^\n]*', re.DOTALL
)
_TYPE = re.compile(r"(?:class|struct|union|enum(?: class)?)\s+(?:alignas\([^)]*\)\s+)?(?P<name>[\w:]+)[^()=]*$")
_NAME = re.compile(r"(?P<name>(?:\w+::)*(?:operator\s*(?:\(\)|\S+)|~?\w+))\s*$")
_NO_DEFINITION = re.compile(r"namespace\b|inline namespace\b|extern\s*\{|using\b|static_assert|#|\}|(?:public|private|protected):")


def check(document, repository):
    for fence in document.fences:
        if not fence.closed:
            yield Finding(document, fence.start, "this fence is never closed", "close it with ```")
        elif "file" in fence.attributes:
            try:
                wanted = extract(repository, fence.attributes)
            except Wrong as wrong:
                yield Finding(document, fence.start, *wrong.args)
                continue
            if fence.body != wanted:
                what = fence.attributes.get("name") or fence.attributes.get("lines") or "the text"
                yield Finding(
                    document, fence.body_start, f"this is not {what} of {fence.attributes['file']} any more", WRITE,
                    Edit(fence.body_start, fence.body_end, fence.with_body(wanted)),
                )  # fmt: skip
        elif fence.language == "cpp" and len(fence.body) > LONGEST_SNIPPET:
            yield Finding(document, fence.start, f"{len(fence.body)} lines of code that belong to no file",
                          "quote with file=PATH name=NAME")  # fmt: skip


def extract(repository, attributes):
    """The lines that a quotation with these attributes has to hold."""
    path = attributes["file"]
    if not repository.path(path).is_file():
        raise Wrong(f"there is no file {path}", "correct file=")
    text = repository.read(path)
    if "name" in attributes:
        return _definition(text, path, attributes["name"])
    if "lines" in attributes:
        return _lines(text, path, attributes["lines"])
    return [line.rstrip() for line in text.rstrip("\n").split("\n")]


def _definition(text, path, name):
    found = find(text, name)
    if not found:
        known = ", ".join([d.name for d in definitions(text)][:8])
        raise Wrong(f"{path} does not define {name}", f"it defines {known}")
    if len(found) > 1:
        raise Wrong(f"{path} defines {name} {len(found)} times", "name the class too, or take lines=")
    return found[0]


def _lines(text, path, wanted):
    lines, found = text.split("\n"), re.fullmatch(r"/((?:[^/\\]|\\.)*)/\.\./((?:[^/\\]|\\.)*)/", wanted)
    if not found:
        raise Wrong(f"lines={wanted} is no range", "write lines=/first/../last/")
    at = [0]
    for pattern in found.groups():
        try:
            at.append(next(i for i in range(at[-1], len(lines)) if re.search(pattern, lines[i])))
        except StopIteration:
            raise Wrong(f"no line of {path} from {at[-1] + 1} on matches /{pattern}/", "correct lines=") from None
        except re.error as error:
            raise Wrong(f"lines={wanted} is no regular expression: {error}", "correct lines=") from None
    kept = lines[at[1] : at[2] + 1]
    indent = min((_indent(line) for line in kept if line.strip()), default=0)
    return [line[indent:].rstrip() for line in kept]


@functools.lru_cache(maxsize=None)
def definitions(text):
    """All definitions of a source text, outer ones before those in them."""
    blanked = _NOT_CODE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    return _read(blanked.split("\n"), 0, len(blanked.split("\n")), 0, "")


def find(text, name):
    """The lines of each definition that is called name, moved to the left; it need not say the classes."""
    lines = text.split("\n")
    found = [d for d in definitions(text) if d.name == name or d.name.endswith("::" + name)]
    return [[line[_indent(lines[d.start]) :].rstrip() for line in lines[d.start : d.end]] for d in found]


def _indent(line):
    return len(line) - len(line.lstrip())


def _read(lines, at, end, indent, scope):
    found = []
    while at < end:
        line = lines[at].rstrip()
        if not line.strip() or _indent(line) != indent or _NO_DEFINITION.match(line.strip()):
            at += 1
            continue
        start, head = at, line.strip()
        while at + 1 < end and not _is_whole(head, lines[at + 1]):
            at += 1
            head += " " + lines[at].strip()
        opens = head.count("{") > head.count("}")
        while opens and at + 1 < end:  # to what closes it, over `} catch (...) {`
            at += 1
            closing = lines[at].rstrip()
            if _indent(closing) == indent and closing.strip().startswith("}") and not closing.endswith("{"):
                break
        at += 1
        name, is_class = _name_of(head)
        if name:
            whole = f"{scope}::{name}" if scope else name
            found.append(Definition(whole, start, at))
            if is_class:
                found += _read(lines, start + 1, at - 1, indent + 2, whole)
    return found


def _is_whole(head, following):
    if head.startswith("template") and re.fullmatch(r"template\s*<[^{;]*>", head):
        return False
    if head.count("(") > head.count(")"):
        return False
    return head.endswith((";", "{")) or (head.endswith("}") and not re.match(r"\s*[{,:]", following))


def _name_of(head):
    """Returns the name that a head defines and whether it is a class; none for a mere declaration."""
    head = re.sub(r"^(?:template\s*<.*?>\s+)+(?=\w)", "", head)
    before = head.split("{", 1)[0]
    if "{" in head and (kind := _TYPE.match(before)):
        return kind["name"], not before.startswith("enum")
    plain = before
    while (shorter := re.sub(r"(?<!operator)<[^<>]*>", "", plain)) != plain:
        plain = shorter
    if test := re.match(r"[A-Z_]+\((\w+), (\w+)\)", plain):
        return f"{test[1]}.{test[2]}", False
    parameters = plain.find("(", plain.find("operator()") + 10 if "operator()" in plain else 0)
    assigned = re.search(r"(?<![=!<>+\-*/&|^])=(?!=)", plain)
    if parameters >= 0 and (not assigned or parameters < assigned.start()):
        name = _NAME.search(plain[:parameters]) if "{" in head else None
    else:
        name = _NAME.search(plain[: assigned.start()] if assigned else plain) if "{" in head or assigned else None
    return (name["name"], False) if name else (None, False)
