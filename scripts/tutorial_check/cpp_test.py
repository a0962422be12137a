"""Definitions are found in whatever C++ there is, and end where they end."""

import pathlib
import re
import unittest

from . import cpp

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Each case: a text, what is looked for in it, and the last line of what is found.
CASES = [
    ("int f() {\n  return 1;\n}  // f\nint g();", "f", "}"),
    ('void f() { g("}"); }\nvoid h() {}', "f", 'void f() { g("}"); }'),
    ("void f() { g('}'); }", "f", "void f() { g('}'); }"),
    ("int f() { return 1'000; }\nint g() { return 2'0; }", "g", "int g() { return 2'0; }"),
    ('void f() { g(R"x(})" }x)x"); }', "f", 'void f() { g(R"x(})" }x)x"); }'),
    ("void f() { /* } */ }", "f", "void f() { /* } */ }"),
    ("#define BRACE {\nvoid f() {}", "f", "void f() {}"),
    ("template <typename T = void (*)()>\nT f() {}", "f", "T f() {}"),
    (
        "std::function<bool()> f(int x) { return {}; }",
        "f",
        "std::function<bool()> f(int x) { return {}; }",
    ),
    (
        "struct A {\n  A(int x) : x_(x), y_{x}, B<int>{x} { g(); }\n  int x_;\n};",
        "A::A",
        "A(int x) : x_(x), y_{x}, B<int>{x} { g(); }",
    ),
    ("A::A() : a{1}, b(2) {\n}", "A::A", "}"),
    ("A::~A() { close(); }", "A::~A", "A::~A() { close(); }"),
    (
        "bool operator==(A, B) { return x == y; }",
        "operator==",
        "bool operator==(A, B) { return x == y; }",
    ),
    (
        "struct A { int& operator[](int i) { return v[i]; } };",
        "A::operator[]",
        "int& operator[](int i) { return v[i]; }",
    ),
    (
        "struct A { void operator()(int) const { } };",
        "A::operator()",
        "void operator()(int) const { }",
    ),
    (
        "struct A { explicit operator bool() const { return x; } };",
        "A::operator bool",
        "explicit operator bool() const { return x; }",
    ),
    (
        "struct A { A& operator=(A&& o) noexcept { return *this; } };",
        "A::operator=",
        "A& operator=(A&& o) noexcept { return *this; }",
    ),
    (
        "namespace a::b {\nclass C final : public D<E> {\n  int f() const override;\n};\n}",
        "C",
        "};",
    ),
    ("enum class E : std::uint8_t { a, b };", "E", "enum class E : std::uint8_t { a, b };"),
    ("struct [[nodiscard]] S { int x; };", "S", "struct [[nodiscard]] S { int x; };"),
    ("template <class T>\nvoid C<T>::f() {\n}", "C::f", "}"),
    (
        "auto f(int x) -> std::vector<int> { return {x}; }",
        "f",
        "auto f(int x) -> std::vector<int> { return {x}; }",
    ),
    (
        "int f() try {\n  return g();\n} catch (const E&) {\n  return 0;\n} catch (...) {\n  return 1;\n}",
        "f",
        "}",
    ),
    ("constexpr std::array k = {\n  1, 2,\n};", "k", "};"),
    ("extern const B b{\n  .name = f(1),\n};", "b", "};"),
    (
        "void f(int x = []() { return 1; }()) { g(); }",
        "f",
        "void f(int x = []() { return 1; }()) { g(); }",
    ),
    ("template <typename T>\n  requires C<T>\nvoid f(T) {}", "f", "void f(T) {}"),
    ("TEST(Poll, Waits) {\n  EXPECT_TRUE(f());\n}", "Poll.Waits", "}"),
    ('extern "C" {\nint f(void) { return 1; }\n}', "f", "int f(void) { return 1; }"),
    ("using A = B<int>;\nint f() {}", "f", "int f() {}"),
    ("class A;\nint f(int);\nint f(int) { return 2; }", "f", "int f(int) { return 2; }"),
]


class CppTest(unittest.TestCase):
    def test_definitions_are_found_whole(self):
        for text, name, last in CASES:
            with self.subTest(text=text):
                found = cpp.find(text, name)
                self.assertEqual(len(found), 1, [d.name for d in cpp.definitions(text)])
                self.assertEqual(found[0][-1], last)

    def test_a_method_is_moved_to_the_left(self):
        text = "class A {\n public:\n  /// Doc.\n  void f() {\n    g();\n\n  }\n};\n"
        self.assertEqual(cpp.find(text, "A::f"), [["void f() {", "  g();", "", "}"]])

    def test_a_name_is_whole(self):
        text = "void resend() {}\nvoid send_all() {}\n"
        self.assertEqual(cpp.find(text, "send"), [])

    def test_the_definitions_of_this_repository_are_whole(self):
        files = [*ROOT.glob("backends/**/*.[ch]pp"), *ROOT.glob("server/**/*.[ch]pp")]
        self.assertGreater(len(files), 100)
        for file in files:
            text = file.read_text(encoding="utf-8")
            found = cpp.definitions(text)
            for definition in found:
                lines = cpp.dedented(text, definition.start, definition.end)
                code = cpp.blank("\n".join(lines))
                with self.subTest(file=file.name, name=definition.name):
                    self.assertEqual(code.count("{"), code.count("}"))
                    self.assertRegex(lines[-1], r"[};]$")
                    self.assertRegex(lines[0], r"^\S")
                    self.assertIn(lines, cpp.find(text, definition.name, found))

    def test_no_function_of_this_repository_is_missed(self):
        """What clang-format leaves at the left margin and looks like the head of a body is found."""
        head = re.compile(
            r"^(?!namespace|extern|\}|#|//)\S[^;=\n]*\)[^;=\n]*\{(?:$|[^;\n]*\}$)", re.MULTILINE
        )
        for file in ROOT.glob("backends/**/*.cpp"):
            text = file.read_text(encoding="utf-8")
            code = cpp.blank(text)
            found = cpp.definitions(text)
            for start in (match.start() for match in head.finditer(code)):
                with self.subTest(file=file.name, line=text[start:].split("\n", 1)[0]):
                    self.assertTrue(any(d.start <= start < d.end for d in found))


if __name__ == "__main__":
    unittest.main()
