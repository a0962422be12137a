"""Makes every kind of untrue text in a scratch copy; the checker must find it, and fix it where possible."""

import pathlib
import re
import shutil
import typing
import unittest
import unittest.mock

from . import commands, quotes, results, scratch
from .scratch_tutorial import ScratchTutorial
from .text import Document

HAS_DOT = shutil.which("dot") is not None
CHAPTER = "tutorial/01-first.md"
ROOT = pathlib.Path(__file__).resolve().parents[2]


class Drift(typing.NamedTuple):
    """A change that makes the text untrue, the expected message, and whether --write fixes it."""

    what: str
    file: str
    old: str
    new: str
    found: str
    fixed: bool = False


# fmt: off
DRIFTS = [
    Drift("a function changed", "backends/first.cpp", "value + 1", "value + 2", "not first of", True),
    Drift("a method changed", "backends/first.cpp", "a } in", "b } in", "not Second::wait of", True),
    Drift("a method is gone", "backends/first.cpp", "void wait()", "void go()", "does not define"),
    Drift("a file is gone", CHAPTER, "file=backends/first.cpp name=first", "file=b.cpp name=first", "no file b.cpp"),
    Drift("a second of the name", "backends/first.cpp", "}  // namespace", "int first() { }\n}", "2 times"),
    Drift("a range is gone", CHAPTER, "first\\(/..", "third\\(/..", "matches /third"),
    Drift("a range has no end", CHAPTER, "/return/", "/goto/", "matches /goto/"),
    Drift("a range that is none", CHAPTER, "/first\\(/../return/", "/((/../return/", "no regular expression"),
    Drift("a range without marks", CHAPTER, "lines=/first\\(/../return/", "lines=first", "is no range"),
    Drift("another part of the file", CHAPTER, " name=Second::wait", "", "this is not the text of", True),
    Drift("code of no file", CHAPTER, "cpp file=backends/first.cpp name=Second::wait", "cpp\nint more;",
          "belong to no file"),
    Drift("an open fence", CHAPTER, "  return value + 1;\n```\n\n`muxlab", "  return value + 1;\n\n`muxlab",
          "never closed"),
    Drift("a figure changed", "results/summary.csv", "2345.6", "4345.6", "figure is 4.35 µs now", True),
    Drift("a figure's row is gone", CHAPTER, "connections=100 /", "connections=9 /", "no row of summary.csv"),
    Drift("a figure's rows are two", CHAPTER, "backend=poll connections=100", "backend=poll",
          "distinguish them by connections"),
    Drift("a figure's column is gone", CHAPTER, '"cpu_ns where', '"ns where', "no column ns"),
    Drift("a condition of no column", CHAPTER, "where backend=poll conn", "where engine=poll conn", "no column engine"),
    Drift("a figure without a format", CHAPTER, "/1000 %.2f µs", "/1000 µs", "no format"),
    Drift("a figure that is no number", CHAPTER, '"cpu_ns where backend', '"backend where backend', "no number"),
    Drift("a table changed", "results/summary.csv", "2000", "9000", "not what the results say", True),
    Drift("a table lacks a row", CHAPTER, "| `poll` | 1.2 | 2.3 |\n", "", "not what the results say", True),
    Drift("a table lacks a trial", "results/summary.csv", "100,7,2000", "100,6,2000", "not what the results say", True),
    Drift("a table's cell is gone", "results/summary.csv", "epoll-lt,1,100,7,2000\n", "", "not what the results", True),
    Drift("a table's cell is two", CHAPTER, "where threads=1 rows", "where rows", "2 rows of summary.csv"),
    Drift("a table's row is gone", CHAPTER, "rows=backend", "rows=backend backends=poll,kqueue", "backend=kqueue"),
    Drift("a table's rows are gone", CHAPTER, "where threads=1", "where threads=9", "no row of summary.csv"),
    Drift("a table's file is gone", CHAPTER, "table ../results/summary.csv", "table ../results/s.csv", "no file"),
    Drift("a table without a value", CHAPTER, "value=cpu_ns ", "", "no value="),
    Drift("an option is gone", CHAPTER, "muxlab say --loud", "muxlab say --quiet",
          "--quiet is no option of muxlab say"),
    Drift("an option of another verb", CHAPTER, "muxlab say --loud", "muxlab say --port", "no option of muxlab say"),
    Drift("an option of nobody", CHAPTER, "`muxlab say --loud`", "`--silent`", "--silent is no option of any program"),
    Drift("another tool's option", CHAPTER, "muxlab say 12 times\n",
          "muxlab say 12 times | grep --regexp=times; true --so\n", ""),
    Drift("an option in a command", CHAPTER, "muxlab say 12 times", "muxlab say --low", "no option of muxlab say"),
    Drift("a link to nothing", CHAPTER, "](02-second.md#the", "](03-second.md#the", "leads to nothing"),
    Drift("a link out of here", CHAPTER, "](02-second.md#the", "](../../../etc/passwd#the", "out of the repository"),
    Drift("an anchor to nothing", CHAPTER, "#the-question)", "#the-answer)", "no heading #the-answer"),
    Drift("a term that is gone", "tutorial/glossary.md", "## echo", "## reply", "no heading #echo"),
    Drift("a picture that is gone", CHAPTER, "diagrams/way.svg", "diagrams/day.svg", "leads to nothing"),
    Drift("a graph changed", "tutorial/diagrams/way.dot", "a -> b", "b -> a", "way.svg was not made from", HAS_DOT),
    Drift("a command that is not run", CHAPTER, "```sh run", "```sh", "not run by any test"),
    Drift("an output of a command that is not run", CHAPTER, "```sh run", "```sh norun", "follows no command"),
    Drift("an output of nothing", CHAPTER, "```sh run\nmuxlab say 12 times\n```\n", "", "follows no command"),
]

# Those that only running the commands finds.
RUN_DRIFTS = [
    Drift("another output", CHAPTER, "11 times", "11 pieces", "the output is another", True),
    Drift("an exact output", CHAPTER, "text output", "text output exact", "the output is another", True),
    Drift("an output of two lines", CHAPTER, "11 times", "11 times\n…\nand more", "the output is another"),
    Drift("an empty output", CHAPTER, "11 times\n", "", "the output is another", True),
    Drift("stderr too", CHAPTER, "text output", "text output output=both", "the output is another", True),
    Drift("a failing command", CHAPTER, "muxlab say 12 times", "muxlab shout", "exit code 2, not 0"),
    Drift("a command in the middle", CHAPTER, "muxlab say 12", "false\nmuxlab say 12", "exit code 1, not 0"),
    Drift("no command", CHAPTER, "muxlab say 12 times", "muxlap", "command not found"),
    Drift("another exit code", CHAPTER, "```sh run", "```sh run exit=3", "exit code 0, not 3"),
    Drift("a server that ends", CHAPTER, "```sh run", "```sh run background", "never said"),
    Drift("the quick form fails", CHAPTER, "```sh run", '```sh run quick="false"', "exit code 1, not 0"),
]

# Each: the shown text, the printed text, whether they match.
OUTPUTS = [
    (["rate 12.5 k/s"], ["rate 9 k/s"], True), (["p99 12.5 µs"], ["p99 1.2 ms"], True),
    (["took 1e-05 s"], ["took 12 s"], True), (["at 0x7ffe12"], ["at 0x1"], True),
    (["ino:8cedff 1"], ["ino:113d636 1"], True), (["a    b "], ["a b"], True),
    (["  9.1 a"], ["10.1 a"], True), (["442 ns 7"], ["2667 ms 70000"], True), (["-----"], ["----------"], True),
    (["1,234 echoes"], ["12 echoes"], True), (["epoll-lt 1"], ["epoll-et 1"], False), (["a"], ["a", "b"], False),
    (["a", "b"], ["a"], False), (["a", "…"], ["a"], True), (["a", "…", "z"], ["a", "b", "c", "z"], True),
    (["a", "…", "z"], ["a", "b"], False), (["from … to b"], ["from here or there to b"], True),
    (["from … to b"], ["from here to c"], False), ([], [], True), ([], ["a"], False), (["(a.b)*"], ["(axb)*"], False),
    (["0 lost"], ["none lost"], False),
]

# Each: C++, the name to look for, and the last line of the definition found.
DEFINITIONS = [
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
    ("void resend() {}\nvoid send() {}", "send", "void send() {}"),
]
# fmt: on


class DriftTest(unittest.TestCase):
    def setUp(self):
        self.tutorial = ScratchTutorial()
        self.addCleanup(self.tutorial.close)

    def test_a_clean_tutorial_has_no_findings_and_is_left_as_it_is(self):
        before = self.tutorial.read(CHAPTER)
        self.assertEqual(self.tutorial.check(), (0, []))
        self.assertEqual(self.tutorial.check("--write", "--run"), (0, []))
        self.assertEqual(self.tutorial.read(CHAPTER), before)

    def test_chapters_that_vanished_are_missed(self):
        (self.tutorial.root / CHAPTER).unlink()
        self.assertIn("leads to nothing", "\n".join(self.tutorial.check()[1]))

    def test_what_is_asked_for_has_to_be_there(self):
        with self.assertRaises(SystemExit) as raised:
            self.tutorial.check("09")
        self.assertEqual(raised.exception.code, 2)
        self.assertEqual(self.tutorial.check("--build", "/nowhere")[0], 2)

    def test_a_server_goes_on_until_the_chapter_ends(self):
        server = "```sh run background{}\nmuxlab listen\n```\n```text output\nlistening on 127.0.0.1:1\n```\n\n"
        self.tutorial.change(CHAPTER, "```sh run\n", server.format("") + server.format(" restart") + "```sh run\n")
        self.assertEqual(self.tutorial.check("--run"), (0, []))

    def test_a_server_that_dies_meanwhile_is_found(self):
        server = "```sh run background\n(echo listening; exit 1)\n```\n\n```sh run\n"
        self.tutorial.change(CHAPTER, "```sh run\n", server)
        self.assertIn("ended before it was stopped", self.tutorial.check("--run")[1][0])

    def test_a_server_that_ends_badly_is_found(self):
        server = "```sh run background\ntrap 'exit 7' TERM; echo listening; sleep 100 & wait\n```\n\n```sh run\n"
        self.tutorial.change(CHAPTER, "```sh run\n", server)
        self.assertIn("ended with exit code 7 at SIGTERM", self.tutorial.check("--run")[1][0])

    def test_what_a_command_leaves_running_is_found(self):
        self.tutorial.change(CHAPTER, "muxlab say 12", "sleep 1000 &\nmuxlab say 12")
        with unittest.mock.patch.object(scratch, "STOP_SECONDS", 0.1):
            self.assertIn("left a process running", self.tutorial.check("--run")[1][0])

    def test_what_hangs_is_found(self):
        self.tutorial.change(CHAPTER, "muxlab say 12", "sleep 1000; muxlab say 12")
        with unittest.mock.patch.object(commands, "SECONDS", 0.1):
            self.assertIn("did not end within", self.tutorial.check("--run")[1][0])

    def test_the_commands_leave_no_trace(self):
        self.tutorial.change(CHAPTER, "muxlab say 12", "echo new >new; rm backends/*; muxlab say 12")
        self.assertEqual(self.tutorial.check("--run"), (0, []))
        self.assertFalse((self.tutorial.root / "new").exists())
        self.assertTrue((self.tutorial.root / "backends/first.cpp").exists())

    def test_a_command_that_is_not_run_may_be_wrong(self):
        self.tutorial.change(CHAPTER, "muxlab say 12 times\n```\n```text output", "false\n```\n```text")
        self.tutorial.change(CHAPTER, "```sh run", '```sh norun reason="it is wrong"')
        self.assertEqual(self.tutorial.check("--run"), (0, []))

    def test_commands_alone(self):
        self.tutorial.change(CHAPTER, "`muxlab say --loud`", "`--silent`")
        self.assertEqual(self.tutorial.check("--run-only", "01"), (0, []))


def _test_of(drift, *words):
    def test(self):
        self.tutorial.change(drift.file, drift.old, drift.new)
        code, found = self.tutorial.check(*words)
        if not drift.found:
            self.assertEqual((code, found), (0, []))
            return
        self.assertEqual(code, 1, drift)
        self.assertIn(drift.found, "\n".join(found))
        for finding in found:
            self.assertRegex(finding, r"^tutorial/[\w./-]+:\d+: .+; .+")
        left = self.tutorial.check("--write", *words)
        if drift.fixed:
            self.assertEqual(left, (0, []))
            self.assertEqual(self.tutorial.check(*words), (0, []))
        else:
            self.assertEqual(left[0], 1)

    return test


for kind, drifts in (((), DRIFTS), (("--run",), RUN_DRIFTS)):
    for each in drifts:
        setattr(DriftTest, f"test_{'_'.join([*kind, *each.what.split()])}", _test_of(each, *kind))


class TextTest(unittest.TestCase):
    def test_anchors(self):
        for heading, anchor in [
            ("1. A blocking echo, and a thread", "1-a-blocking-echo-and-a-thread"),
            ("`epoll_wait(2)` and *you*", "epoll_wait2-and-you"),
            ("What is — really — new?", "what-is--really--new"),
            ("a/a row", "aa-row"),
            ("[a link](to.md) here", "a-link-here"),
            ("Größe", "größe"),
        ]:
            with self.subTest(heading=heading):
                self.assertEqual(Document("a.md", f"# {heading}\n").anchors, {anchor})
        self.assertEqual(Document("a.md", "# a\n## b\n## b\n").anchors, {"a", "b", "b-1"})

    def test_code_and_comments_are_no_text(self):
        read = Document("a.md", "```sh\n# no [no](link.md)\n```\n`[no](x.md)`\n\n<!-- [no](x.md) -->\n\n`<!-- no -->`\n")
        self.assertEqual((read.headings, read.links, len(read.comments)), ([], [], 1))

    def test_links_and_code_are_found_where_they_stand(self):
        text = (
            '> - [`a`](b.md "t \\"u\\"") ![c d](e.svg)\n'
            ">   [![f](g.svg)](h.md) [i](<j k.md>)\n\n| a | `b` |\n|---|---|\n| [l](m_(n).md) `\\|` | [l](o.md) |\n"
        )
        read = Document("a.md", text)
        self.assertEqual(
            [(link.to, link.text, link.title) for link in read.links],
            [("b.md", "`a`", 't "u"'), ("e.svg", "c d", ""), ("h.md", "![f](g.svg)", ""), ("g.svg", "f", ""),
             ("j k.md", "i", ""), ("m_(n).md", "l", ""), ("o.md", "l", "")],
        )  # fmt: skip
        for link in read.links:
            self.assertEqual(text[link.text_start :][: len(link.text)], link.text)
            self.assertEqual(text[link.to_start : link.to_end].strip("<>"), link.to)
        self.assertEqual([text[span.start : span.end] for span in read.spans], ["`a`", "`b`", "`\\|`"])

    def test_fences(self):
        text = (
            '```cpp file=a.cpp lines=/a b\\/c/../d e/ quick="x \\"y\\" z" sketch\nx\n```\n\n'
            "- a\n\n  ```cpp\n  int x;\n    y\n  ```\n\n````\n```\nx\n```\n````\n"
        )
        first, second, third = Document("a.md", text).fences
        self.assertEqual((first.language, first.words), ("cpp", ["sketch"]))
        self.assertEqual(first.attributes, {"file": "a.cpp", "lines": "/a b\\/c/../d e/", "quick": 'x "y" z'})
        self.assertEqual(text[first.body_start : first.body_end], "x\n")
        self.assertEqual(second.body, ["int x;", "  y"])
        self.assertEqual(second.with_body(["a", "", "b"]), "  a\n\n  b\n")
        self.assertEqual(third.body, ["```", "x", "```"])

    def test_figures_are_formatted_as_asked(self):
        for value, form, text in [
            ("3970", "/1000 %.2f µs", "3.97 µs"),
            ("12.5", "%.1f %%", "12.5 %"),
            ("12.7", "about %d of them", "about 13 of them"),
            ("cheaper", "", "cheaper"),
        ]:
            with self.subTest(form=form):
                self.assertEqual(results.render(value, form), text)


class OutputsTest(unittest.TestCase):
    def test_shapes(self):
        for shown, printed, fits in OUTPUTS:
            with self.subTest(shown=shown, printed=printed):
                self.assertEqual(commands.fits(shown, printed), fits)
        self.assertTrue(commands.fits(["a 1"], ["a 1"], exact=True))
        self.assertFalse(commands.fits(["a 1"], ["a 2"], exact=True))

    def test_the_first_difference_is_named(self):
        self.assertEqual(commands.first_difference(["a", "b", "c"], ["a", "x", "c"]), ("b", ["x", "c"]))


class DefinitionsTest(unittest.TestCase):
    def test_definitions_are_found_whole(self):
        for text, name, last in DEFINITIONS:
            with self.subTest(text=text):
                found = quotes.find(text, name)
                self.assertEqual(len(found), 1, [d.name for d in quotes.definitions(text)])
                self.assertEqual(found[0][-1], last)

    def test_a_method_is_moved_to_the_left(self):
        text = "class A {\n public:\n  /// Doc.\n  void f() {\n    g();\n\n  }\n};\n"
        self.assertEqual(quotes.find(text, "A::f"), [["void f() {", "  g();", "", "}"]])

    def test_the_functions_of_this_repository_are_found_whole(self):
        head = re.compile(r"^(?:\w[\w:<>, ]*[ &*])?(?P<name>\w+(?:::~?\w+)*)\([^;{]*\)[^;{]* \{$", re.MULTILINE)
        files = [*ROOT.glob("backends/**/*.[ch]pp"), *ROOT.glob("server/**/*.[ch]pp")]
        self.assertGreater(len(files), 100)
        for file in files:
            text = file.read_text(encoding="utf-8")
            lines, found = text.split("\n"), quotes.definitions(text)
            for definition in found:
                self.assertRegex(lines[definition.end - 1], r"[};]( *//.*)?$", f"{file.name}: {definition.name}")
            if file.suffix == ".cpp" and file.is_relative_to(ROOT / "backends"):
                wanted = {match["name"] for match in head.finditer(text)}
                self.assertLessEqual(wanted - {"TEST", "TEST_P", "TEST_F", "if", "for"}, {d.name for d in found}, file.name)
