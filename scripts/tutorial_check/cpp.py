"""Finds definitions in C++ text by name, without a compiler: enough of the grammar for that, no more.

Comments, literals and preprocessor lines are blanked first, so that braces and semicolons in them do not
count. Then scopes are walked: namespaces and classes are entered, bodies are stepped over.
"""

import dataclasses
import re

from .cpp_text import blank, dedented, length_of_template, plain


_OPERATOR = r"operator\s*(?:\(\s*\)|\[\s*\]|\"\"\s*\w+|[^\s\w(\[]+|(?:new|delete)(?:\s*\[\s*\])?|[\w:<>*&\s]+)"
_NAME = re.compile(
    rf"(?P<name>(?:::\s*)?(?:\w+\s*(?:<[^()]*>)?\s*::\s*)*(?:{_OPERATOR}|~?\s*\w+))\s*$", re.DOTALL
)
_TYPE = re.compile(
    r"(?:^|[\s>;\]])(?P<kind>class|struct|union|enum(?:\s+(?:class|struct))?)\b"
    r"(?:\s*\[\[.*?\]\])?(?:\s*alignas\s*\([^()]*\))?"
    r"\s*(?P<name>\w+(?:\s*<[^:{]*>)?(?:\s*::\s*\w+)*)?\s*(?:final\s*)?(?::(?!:).*)?$",
    re.DOTALL,
)
_NAMESPACE = re.compile(
    r"^(?:inline\s+)?namespace\b\s*(?:\[\[.*?\]\]\s*)?(?P<name>[\w:\s]*)$|^extern\s*\"\s*\"$",
    re.DOTALL,
)
_NOT_NAMES = {
    "alignas",
    "decltype",
    "noexcept",
    "explicit",
    "requires",
    "__attribute__",
    "sizeof",
    "if",
    "for",
    "while",
    "switch",
    "return",
    "catch",
    "static_assert",
    "constexpr",
}


@dataclasses.dataclass(frozen=True)
class Definition:
    name: str  # with its classes and namespaces, as in muxlab::Worker::run
    start: int
    end: int


def definitions(text):
    """All definitions of a source text, outer ones before those in them."""
    return _Reader(text).read()


def find(text, name, known=None):
    """The texts of the definitions that are called name; it need not say the namespaces."""
    wanted = plain(name)
    known = definitions(text) if known is None else known
    found = [d for d in known if d.name == wanted or d.name.endswith("::" + wanted)]
    return [dedented(text, d.start, d.end) for d in found]


class _Reader:
    def __init__(self, text):
        self.code = blank(text)
        self.found = []
        self.partner = self._match_brackets()

    def read(self):
        self._scope(0, len(self.code), "")
        return sorted(self.found, key=lambda d: (d.start, -d.end))

    def _match_brackets(self):
        partner, open_ones = {}, []
        closing = {")": "(", "]": "[", "}": "{"}
        for match in re.finditer(r"[()\[\]{}]", self.code):
            at, what = match.start(), match.group()
            if what not in closing:
                open_ones.append(at)
            elif open_ones and self.code[open_ones[-1]] == closing[what]:
                partner[open_ones.pop()] = at
        return partner

    def _add(self, scope, name, start, end):
        name = plain(name)
        self.found.append(Definition(f"{scope}::{name}" if scope else name, start, end))

    def _scope(self, at, end, scope):
        while True:
            at = self._skip(at, end)
            if at >= end:
                return
            at = self._item(at, end, scope)

    def _skip(self, at, end):
        """To the next declaration: over space, stray semicolons and access specifiers."""
        skipped = re.compile(r"(?:[\s;]|(?:public|private|protected)\s*:(?!:))*").match(
            self.code, at, end
        )
        return skipped.end()

    def _item(self, start, end, scope):
        """Reads one declaration from start and returns where it ends."""
        at = self._after_template(start, end)
        function = None  # the name, once its parameters were seen
        initialisers = False
        assigned = False
        while at < end:
            what = self.code[at]
            if what in "([":
                if what == "(" and function is None and not assigned:
                    function = self._function_name(start, at)
                    if (
                        function
                        and function.endswith("operator()")
                        and re.fullmatch(r"\(\s*\)\s*", self.code[at : self._after(at)])
                    ):
                        following = re.compile(r"\s*").match(self.code, self._after(at)).end()
                        at = following if self.code[following : following + 1] == "(" else at
                at = self._after(at)
            elif what == ";":
                if assigned and not function:
                    self._variable(scope, start, at)
                return at + 1
            elif what == "=" and function is None:
                if re.search(r"operator\s*[^\s\w]*$", self.code[start:at]):
                    at += 1
                else:
                    assigned = True
                    at += 1
            elif what == ":" and function is not None:
                double = self.code[at : at + 2] == "::"
                initialisers = initialisers or not double
                at += 2 if double else 1
            elif what == "{":
                stop = self._brace(start, at, end, scope, function, initialisers, assigned)
                if stop is not None:
                    return stop
                assigned = assigned or function is None
                at = self._after(at)
            elif what == "}":
                return at + 1
            else:
                at += 1
        return end

    def _brace(self, start, at, end, scope, function, initialisers, assigned):
        """What a { in a declaration opens; returns where the declaration ends, or None when it goes on."""
        head = self.code[start:at].strip()
        close = self.partner.get(at, end)
        if function is None and not assigned:
            namespace = _NAMESPACE.match(head)
            if namespace:
                inner = re.sub(r"\s+", "", namespace.group("name") or "")
                self._scope(at + 1, close, "::".join(filter(None, (scope, inner))))
                return close + 1
            kind = _TYPE.search(self._without_template(head))
            if kind:
                return self._type(start, at, close, scope, kind)
            return None  # a variable that is initialised in braces
        if assigned:
            return None
        before = head[-1:]
        if re.search(r"\brequires$", head) or re.search(r"\brequires\s*\([^()]*\)$", head):
            return None
        if initialisers and (before.isalnum() or before in "_>"):
            return None  # a member that is initialised in braces
        stop = self._after_handlers(close + 1)
        self._add(scope, function, start, stop)
        return stop

    def _after_handlers(self, at):
        """Behind the catch clauses of a function whose body is a try block."""
        while handler := re.compile(r"\s*catch\s*(?=\()").match(self.code, at):
            body = self.code.find("{", self._after(handler.end()))
            at = self._after(body)
        return at

    def _type(self, start, at, close, scope, kind):
        stop = self.code.find(";", close)
        stop = close + 1 if stop < 0 else stop + 1
        name = kind.group("name")
        if name:
            self._add(scope, name, start, stop)
            if not kind.group("kind").startswith("enum"):
                self._scope(at + 1, close, "::".join(filter(None, (scope, plain(name)))))
        return stop

    def _variable(self, scope, start, stop):
        head = self.code[start:stop]
        cut = re.search(r"[={\[]", self._without_template(head))
        head = self._without_template(head)[: cut.start()] if cut else head
        name = re.search(r"(\w+(?:\s*::\s*\w+)*)\s*$", head)
        if name:
            self._add(scope, name.group(1), start, stop + 1)

    def _function_name(self, start, paren):
        """The name before a parenthesis, when it begins the parameters of a function."""
        head = self.code[start:paren]
        plain = self._without_template(head)
        if "operator" not in plain and re.sub(r"->|<<|>>=", "", plain).count("<") > plain.replace(
            "->", ""
        ).count(">"):
            return None  # in the arguments of a template, as in std::function<bool()>
        found = _NAME.search(plain)
        if re.search(r"\boperator\s*$", head):
            return _NAME.search(head + "()").group("name")
        if not found:
            return None
        name = found.group("name").strip()
        last = name.split("::")[-1].strip()
        if last in _NOT_NAMES:
            return None
        if re.fullmatch(r"[A-Z][A-Z0-9_]+", name) and name == head.strip():  # TEST(Suite, Name)
            arguments = self.code[paren + 1 : self.partner.get(paren, paren)]
            return ".".join(re.findall(r"\w+", arguments)) or name
        return name

    def _without_template(self, head):
        """The head without its template <...>, as long, so that no class in it is taken for one."""
        length = length_of_template(head)
        return " " * length + head[length:]

    def _after_template(self, start, end):
        return start + length_of_template(self.code[start : min(end, start + 2000)])

    def _after(self, at):
        return self.partner.get(at, len(self.code) - 1) + 1
