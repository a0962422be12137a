"""C++ as text: blanked where no code is, moved to the left, names without what is not part of them."""

import re


_BLANKED = re.compile(
    r"""//(?:[^\n\\]|\\.|\\\n)*                                 # a comment
      | /\*.*?\*/
      | \b(?:u8|[uUL])?R"(?P<raw>[^()\\\s]{0,16})\(.*?\)(?P=raw)"  # a raw string
      | "(?:[^"\\\n]|\\.)*"
      | (?<![0-9A-Fa-f])'(?:[^'\\\n]|\\.)+'                    # a character, not a digit separator
      | ^[ \t]*\#(?:[^\n\\]|\\\n|\\.)*                         # a preprocessor line
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)


def blank(text):
    """The same text, as long, with spaces where no code is."""

    def spaces(match):
        found = match.group()
        inside = re.sub(r"[^\n]", " ", found)
        if found[0] not in "/#" and found.lstrip()[0] != "#":  # a literal stays one token
            return '"' + inside[1:-1] + '"'
        return inside

    return _BLANKED.sub(spaces, text)


def dedented(text, start, end):
    """text[start:end] as lines, moved to the left as far as its first line is from it."""
    line_start = text.rfind("\n", 0, start) + 1
    indent = text[line_start:start]
    lines = text[start:end].split("\n")
    if indent.strip() == "":
        lines = lines[:1] + [
            line[len(indent) :] if line.startswith(indent) else line.lstrip() for line in lines[1:]
        ]
    return [line.rstrip() for line in lines]


def plain(name):
    """The name without template arguments and needless space: EpollPoller<kTrigger>::wait loses its <...>."""
    before, keyword, symbol = re.match(r"(.*?)(?:(\boperator\b)(.*))?$", name, re.DOTALL).groups()
    before = re.sub(r"\s+", "", without_arguments(before)).removeprefix("::")
    if not keyword:
        return before
    words = symbol.split()
    return before + keyword + (" " + " ".join(words) if words[0][0].isalpha() else "".join(words))


def without_arguments(name):
    while True:
        shorter = re.sub(r"<[^<>]*>", "", name)
        if shorter == name:
            return name
        name = shorter


def length_of_template(head):
    """How long the template <...> is that a declaration begins with, or all of them; 0 without."""
    length = 0
    while opening := re.compile(r"\s*template\s*<").match(head, length):
        depth, length = 1, opening.end()
        while length < len(head) and depth:
            depth += {"<": 1, ">": -1}.get(head[length], 0)
            length += 1
    return length
