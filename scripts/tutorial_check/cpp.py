"""Finds definitions in C++ by name, as clang-format lays it out: what begins at an indentation ends with the first
line there that closes it."""

import dataclasses
import re

_NOT_CODE = re.compile(
    r'R"(?P<raw>\w*)\(.*?\)(?P=raw)"|"(?:[^"\\\n]|\\.)*"|(?<!\w)\'(?:[^\'\\\n]|\\.)+\'|//[^\n]*', re.DOTALL
)
_TYPE = re.compile(r"(?:class|struct|union|enum(?: class)?)\s+(?:alignas\([^)]*\)\s+)?(?P<name>[\w:]+)[^()=]*$")
_NAME = re.compile(r"(?P<name>(?:\w+::)*(?:operator\s*(?:\(\)|\S+)|~?\w+))\s*$")
_NO_DEFINITION = re.compile(r"namespace\b|inline namespace\b|extern\s*\{|using\b|static_assert|#|\}|(?:public|private|protected):")


@dataclasses.dataclass(frozen=True)
class Definition:
    name: str  # with its classes, as in Worker::run
    start: int  # its lines, from 0
    end: int


def definitions(text):
    """All definitions of a source text, outer ones before those in them."""
    blanked = _NOT_CODE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    return _read(blanked.split("\n"), 0, len(blanked.split("\n")), 0, "")


def find(text, name, known=None):
    """The lines of each definition that is called name, moved to the left; it need not say the classes."""
    lines = text.split("\n")
    known = definitions(text) if known is None else known
    found = [d for d in known if d.name == name or d.name.endswith("::" + name)]
    return [_dedented(lines[d.start : d.end]) for d in found]


def _dedented(lines):
    indent = _indent(lines[0])
    return [line[indent:].rstrip() for line in lines]


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
    """The name of what a head defines and whether it is a class; none for what is only declared."""
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
