"""Definitions are found in whatever C++ there is, and end where they end."""

import pathlib
import re
import unittest

from . import cpp

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Each case: a text, what is looked for in it, and the last line of what is found.
CASES = [
    ("int f() {\n  return 1;\n}  // f\nint g();", "f", "}  // f"),
    ('void f() { g("}"); }\nvoid h() {}', "f", 'void f() { g("}"); }'),
    ("void f() { g('}'); }", "f", "void f() { g('}'); }"),
    ("int f() { return 1'000; }\nint g() { return 2'0; }", "g", "int g() { return 2'0; }"),
    ('void f() { g(R"x(})" }x)x"); }', "f", 'void f() { g(R"x(})" }x)x"); }'),
    ("template <typename T = void (*)()>\nT f() {\n}", "f", "}"),
    ("std::function<bool()> f(int x) { return {}; }", "f", "std::function<bool()> f(int x) { return {}; }"),
    ("struct A {\n  A(int x)\n      : x_(x), y_{x} {\n    g();\n  }\n  int x_;\n};", "A::A", "}"),
    ("A::A() : a{1}, b(2) {\n}", "A::A", "}"),
    ("A::~A() { close(); }", "A::~A", "A::~A() { close(); }"),
    ("bool operator==(A, B) { return x == y; }", "operator==", "bool operator==(A, B) { return x == y; }"),
    ("struct A {\n  void operator()(int) const {\n  }\n};", "A::operator()", "}"),
    ("namespace a::b {\nclass C final : public D<E> {\n  int f() const override;\n};\n}", "C", "};"),
    ("enum class E : std::uint8_t { a, b };", "E", "enum class E : std::uint8_t { a, b };"),
    ("template <class T>\nvoid C<T>::f() {\n}", "C::f", "}"),
    ("int f() try {\n  return g();\n} catch (const E&) {\n  return 0;\n} catch (...) {\n  return 1;\n}", "f", "}"),
    ("constexpr std::array k = {\n    1,\n    2,\n};", "k", "};"),
    ("extern const B b{\n    .name = f(1),\n};", "b", "};"),
    ("TEST(Poll, Waits) {\n  EXPECT_TRUE(f());\n}", "Poll.Waits", "}"),
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
            lines = text.split("\n")
            for definition in cpp.definitions(text):
                with self.subTest(file=file.name, name=definition.name):
                    self.assertRegex(lines[definition.end - 1], r"[};]( *//.*)?$")

    def test_no_function_of_this_repository_is_missed(self):
        head = re.compile(r"^(?:\w[\w:<>, ]*[ &*])?(?P<name>\w+(?:::~?\w+)*)\([^;{]*\)[^;{]* \{$", re.MULTILINE)
        for file in ROOT.glob("backends/**/*.cpp"):
            text = file.read_text(encoding="utf-8")
            names = {definition.name for definition in cpp.definitions(text)}
            for found in head.finditer(text):
                if found["name"] not in ("TEST", "TEST_P", "TEST_F", "if", "for"):
                    self.assertIn(found["name"], names, file.name)


if __name__ == "__main__":
    unittest.main()
