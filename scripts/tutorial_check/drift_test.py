"""Every way in which a tutorial stops being true is made in a scratch copy, found, and mended where it can be."""

import dataclasses
import shutil
import unittest
import unittest.mock

from . import commands, scratch
from .scratch_tutorial import ScratchTutorial

HAS_DOT = shutil.which("dot") is not None
CHAPTER = "tutorial/01-first.md"


@dataclasses.dataclass(frozen=True)
class Drift:
    """A change that makes the text untrue, what is said of it, and whether --write mends it."""

    what: str
    file: str
    old: str
    new: str
    found: str
    mended: bool = False


# fmt: off
DRIFTS = [
    Drift("a function changed", "backends/first.cpp", "value + 1", "value + 2", "not first of",
          True),
    Drift("a method changed", "backends/first.cpp", "a } in", "b } in", "not Second::wait of",
          True),
    Drift("a method is gone", "backends/first.cpp", "void wait()", "void go()", "does not define"),
    Drift("a file is gone", CHAPTER, "file=backends/first.cpp name=first", "file=b.cpp name=first",
          "no file b.cpp"),
    Drift("a second of the name", "backends/first.cpp", "}  // namespace", "int first() { }\n}",
          "2 times"),
    Drift("a range is gone", CHAPTER, "first\\(/..", "third\\(/..", "matches /third"),
    Drift("a range has no end", CHAPTER, "/return/", "/goto/", "matches /goto/"),
    Drift("a range that is none", CHAPTER, "/first\\(/../return/", "/((/../return/",
          "no regular expression"),
    Drift("no link to the file", CHAPTER, "From [backends/first.cpp](../backends/first.cpp):",
          "So:", "leads to backends"),
    Drift("code of no file", CHAPTER, "cpp file=backends/first.cpp name=Second::wait",
          "cpp\nint more;", "belong to no file"),
    Drift("an open fence", CHAPTER, "  return value + 1;\n```\n\n`muxlab",
          "  return value + 1;\n\n`muxlab", "never closed"),
    Drift("a figure changed", "results/summary.csv", "2345.6", "4345.6", "figure is 4.35 µs now",
          True),
    Drift("a figure's row is gone", CHAPTER, "connections=100 /", "connections=9 /",
          "no row of summary.csv"),
    Drift("a figure's rows are two", CHAPTER, "backend=poll connections=100", "backend=poll",
          "tell them apart by connections"),
    Drift("a figure's column is gone", CHAPTER, '"cpu_ns where', '"ns where', "no column ns"),
    Drift("a condition of no column", CHAPTER, "where backend=poll conn", "where engine=poll conn",
          "no column engine"),
    Drift("a figure without a format", CHAPTER, "/1000 %.2f µs", "/1000 µs", "no format"),
    Drift("a figure that is no number", CHAPTER, '"cpu_ns where backend', '"backend where backend',
          "no number"),
    Drift("a value of JSON changed", "results/machine.json", "2", "4", "figure is 4 now", True),
    Drift("a value of JSON is gone", CHAPTER, "processors.0", "processors.3",
          "nothing at processors.3"),
    Drift("a table changed", "results/summary.csv", "2000", "9000", "not what the results say",
          True),
    Drift("a table lacks a trial", "results/summary.csv", "100,7,2000", "100,6,2000",
          "not what the results say", True),
    Drift("a table's cell is gone", "results/summary.csv", "epoll-lt,1,100,7,2000\n", "",
          "not what the results say", True),
    Drift("a table's cell is two", CHAPTER, "where threads=1 rows", "where rows",
          "2 rows of summary.csv"),
    Drift("a table's file is gone", CHAPTER, "table ../results/summary.csv",
          "table ../results/s.csv", "no file"),
    Drift("a table without a value", CHAPTER, "value=cpu_ns ", "", "no value="),
    Drift("an option is gone", CHAPTER, "muxlab say --loud", "muxlab say --quiet",
          "--quiet is no option of muxlab say"),
    Drift("an option of another verb", CHAPTER, "muxlab say --loud", "muxlab say --port",
          "no option of muxlab say"),
    Drift("an option of nobody", CHAPTER, "`muxlab say --loud`", "`--silent`",
          "--silent is an option of no program"),
    Drift("another tool's option", CHAPTER, "muxlab say 12 times\n",
          "muxlab say 12 times | grep --regexp=times; true --so\n", ""),
    Drift("an option in a command", CHAPTER, "muxlab say 12 times", "muxlab say --low",
          "no option of muxlab say"),
    Drift("a link to nothing", CHAPTER, "](02-second.md#the", "](03-second.md#the",
          "leads to nothing"),
    Drift("a link out of here", CHAPTER, "](02-second.md#the", "](../../../etc/passwd#the",
          "out of the repository"),
    Drift("an anchor to nothing", CHAPTER, "#the-question)", "#the-answer)",
          "no heading #the-answer"),
    Drift("a picture without words", CHAPTER, "![The way of an echo from a to b]", "![]",
          "no alternative text"),
    Drift("a picture that is gone", CHAPTER, "diagrams/way.svg", "diagrams/day.svg",
          "leads to nothing"),
    Drift("a graph changed", "tutorial/diagrams/way.dot", "a -> b", "b -> a",
          "way.svg was made from another", HAS_DOT),
    Drift("a section is missing", CHAPTER, "## In production\n", "",
          "no section `## In production`"),
    Drift("sections are exchanged", CHAPTER, "## Exercises", "## Further reading", "twice"),
    Drift("a wrong number", CHAPTER, "# 1. The first", "# 2. The first", "begin with `# 1. Title`"),
    Drift("a long chapter", CHAPTER, "Nothing.", "word " * 2501, "more than 2500"),
    Drift("no way on", CHAPTER, "[Contents](README.md) · [2. The second →](02-second.md)\n", "",
          "last line", True),
    Drift("a new title", "tutorial/02-second.md", "# 2. The second", "# 2. The other", "last line",
          True),
    Drift("no link to a term", CHAPTER, "[echo](glossary.md#echo)", "echo", "first use of “echo”",
          True),
    Drift("a new term", "tutorial/glossary.md", "## level-triggered",
          "## kernel\n\nIt.\n\n## level-triggered", "", False),
    Drift("terms out of order", "tutorial/glossary.md", "## echo", "## zero\n\nNone.\n\n## echo",
          "sort the terms"),
    Drift("a word of two terms", "tutorial/glossary.md", "*also: echoes*",
          "*also: level-triggered*", "stands for"),
    Drift("contents without a chapter", "tutorial/README.md",
          "| 2 | [The second](02-second.md) | How? |\n", "", "not in the contents"),
    Drift("contents with an old title", "tutorial/README.md", "[The first]", "[The third]",
          "the contents have", True),
    Drift("a command that is not run", CHAPTER, "```sh run", "```sh", "not run by any test"),
    Drift("no reason not to run it", CHAPTER, "```sh run", "```sh norun", "not said why"),
    Drift("an output of nothing", CHAPTER, "```sh run\nmuxlab say 12 times\n```\n", "",
          "follows no command"),
]

# Those that only running the commands finds.
RUN_DRIFTS = [
    Drift("another output", CHAPTER, "11 times", "11 pieces", "the output is another", True),
    Drift("an exact output", CHAPTER, "text output", "text output exact", "the output is another",
          True),
    Drift("an output of two lines", CHAPTER, "11 times", "11 times\n…\nand more",
          "the output is another"),
    Drift("an empty output", CHAPTER, "11 times\n", "", "the output is another", True),
    Drift("stderr too", CHAPTER, "text output", "text output output=both", "the output is another",
          True),
    Drift("a failing command", CHAPTER, "muxlab say 12 times", "muxlab shout",
          "exit code 2, not 0"),
    Drift("a command in the middle", CHAPTER, "muxlab say 12", "false\nmuxlab say 12",
          "exit code 1, not 0"),
    Drift("no command", CHAPTER, "muxlab say 12 times", "muxlap", "command not found"),
    Drift("another exit code", CHAPTER, "```sh run", "```sh run exit=3", "exit code 0, not 3"),
    Drift("a server that ends", CHAPTER, "```sh run", "```sh run background", "never said"),
    Drift("the quick form fails", CHAPTER, "```sh run", '```sh run quick="false"',
          "exit code 1, not 0"),
]
# fmt: on


class DriftTest(unittest.TestCase):
    def setUp(self):
        self.tutorial = ScratchTutorial()
        self.addCleanup(self.tutorial.close)

    def test_a_clean_tutorial_has_no_findings(self):
        self.assertEqual(self.tutorial.check(), (0, []))
        self.assertEqual(self.tutorial.check("--run"), (0, []))

    def test_nothing_is_written_where_nothing_drifted(self):
        before = self.tutorial.read(CHAPTER)
        self.assertEqual(self.tutorial.check("--write", "--run"), (0, []))
        self.assertEqual(self.tutorial.read(CHAPTER), before)

    def test_without_a_chapter_there_is_nothing_to_find(self):
        for name in ("01-first.md", "02-second.md", "glossary.md"):
            (self.tutorial.root / "tutorial" / name).unlink()
        self.tutorial.check("--write")  # the contents lose their links
        self.assertEqual(self.tutorial.check(), (0, []))

    def test_chapters_that_vanished_are_missed(self):
        for name in ("01-first.md", "02-second.md", "glossary.md"):
            (self.tutorial.root / "tutorial" / name).unlink()
        code, found = self.tutorial.check()
        self.assertEqual(code, 1)
        self.assertIn("leads to nothing", "\n".join(found))

    def test_a_chapter_that_is_asked_for_has_to_be_there(self):
        with self.assertRaises(SystemExit) as raised:
            self.tutorial.check("09")
        self.assertEqual(raised.exception.code, 2)

    def test_a_build_that_is_asked_for_has_to_be_there(self):
        self.assertEqual(self.tutorial.check("--build", "/nowhere")[0], 2)

    def test_a_server_goes_on_until_the_chapter_ends(self):
        self.tutorial.change(
            CHAPTER,
            "```sh run\n",
            "```sh run background\nmuxlab listen\n```\n```text output\nlistening on 127.0.0.1:1\n```\n\n"
            "```sh run background restart\nmuxlab listen\n```\n\n```sh run\n",
        )
        self.assertEqual(self.tutorial.check("--run"), (0, []))

    def test_a_server_that_dies_meanwhile_is_found(self):
        self.tutorial.change(
            CHAPTER,
            "```sh run\n",
            "```sh run background\n(echo listening; exit 1)\n```\n\n```sh run\n",
        )
        self.assertIn("ended before it was stopped", self.tutorial.check("--run")[1][0])

    def test_what_a_command_leaves_running_is_found(self):
        self.tutorial.change(CHAPTER, "muxlab say 12", "sleep 1000 &\nmuxlab say 12")
        with unittest.mock.patch.object(scratch, "STOP_SECONDS", 0.1):
            self.assertIn("left a process running", self.tutorial.check("--run")[1][0])

    def test_what_hangs_is_found(self):
        self.tutorial.change(CHAPTER, "muxlab say 12", "sleep 1000; muxlab say 12")
        with unittest.mock.patch.object(commands, "SECONDS", 0.1):
            self.assertIn("did not end within", self.tutorial.check("--run")[1][0])

    def test_the_commands_leave_no_trace(self):
        self.tutorial.change(
            CHAPTER, "muxlab say 12", "echo new >new; rm backends/*; muxlab say 12"
        )
        self.assertEqual(self.tutorial.check("--run"), (0, []))
        self.assertFalse((self.tutorial.root / "new").exists())
        self.assertTrue((self.tutorial.root / "backends/first.cpp").exists())

    def test_a_command_that_is_not_run_may_be_wrong(self):
        self.tutorial.change(
            CHAPTER, "muxlab say 12 times\n```\n```text output", "false\n```\n```text"
        )
        self.tutorial.change(CHAPTER, "```sh run", '```sh norun reason="it is wrong"')
        self.assertEqual(self.tutorial.check("--run"), (0, []))

    def test_commands_alone(self):
        self.tutorial.change(CHAPTER, "## In production\n", "")
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
        if drift.mended:
            self.assertEqual(left, (0, []))
            self.assertEqual(self.tutorial.check(*words), (0, []))
        else:
            self.assertEqual(left[0], 1)

    return test


for number, each in enumerate(DRIFTS):
    setattr(DriftTest, f"test_{number:02}_{each.what.replace(' ', '_')}", _test_of(each))
for number, each in enumerate(RUN_DRIFTS):
    setattr(
        DriftTest, f"test_run_{number:02}_{each.what.replace(' ', '_')}", _test_of(each, "--run")
    )
