"""Staged pages lead where the chapters lead, and broken pages are noticed."""

import pathlib
import tempfile
import unittest

from tutorial_check.text import Repository
from tutorial_check.scratch_tutorial import ScratchTutorial

from . import pages
from .stage import Stage


class StageTest(unittest.TestCase):
    def setUp(self):
        self.tutorial = ScratchTutorial()
        self.addCleanup(self.tutorial.close)
        folder = tempfile.TemporaryDirectory(prefix="tutorial-stage-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def stage(self):
        Stage(Repository(self.tutorial.root), self.folder).fill()

    def read(self, name):
        return (self.folder / name).read_text(encoding="utf-8")

    def test_the_front_page_leads_through_the_chapters_in_order(self):
        self.stage()
        self.assertIn("\n01-first\n02-second\nglossary\n", self.read("index.md"))
        self.assertIn("(01-first.md)", self.read("index.md"))
        self.assertIn("(02-second.md#the-question)", self.read("01-first.md"))

    def test_a_source_becomes_a_page_and_the_link_leads_there(self):
        self.stage()
        self.assertIn("](repository/backends/first.cpp.md)", self.read("01-first.md"))
        page = self.read("repository/backends/first.cpp.md")
        self.assertIn("# backends/first.cpp\n\n```cpp\n#include", page)
        self.assertIn("orphan: true", page)

    def test_data_is_copied_to_download(self):
        self.stage()
        self.assertIn('](repository/results/summary.csv "cpu_ns', self.read("01-first.md"))
        self.assertTrue((self.folder / "repository/results/summary.csv").is_file())

    def test_a_folder_becomes_its_front_page_or_a_listing(self):
        self.tutorial.change("tutorial/01-first.md", "is louder.", "[a](../results) [b](../backends/)")
        self.tutorial.write("results/README.md", "# Results\n\n[s](summary.csv)\n")
        self.stage()
        self.assertIn("[a](repository/results/index.md) [b](repository/backends/index.md)", self.read("01-first.md"))
        self.assertIn("# Results", self.read("repository/results/index.md"))
        self.assertIn("`first.cpp`", self.read("repository/backends/index.md"))

    def test_what_only_the_checker_reads_is_gone(self):
        self.stage()
        page = self.read("01-first.md")
        for hidden in ("file=backends", "<!-- table", "```sh run", "text output", "](README.md)"):
            self.assertNotIn(hidden, page)
        for shown in ("```cpp\n", "```sh\n", "```text\n"):
            self.assertIn(shown, page)


class CrawlTest(unittest.TestCase):
    def complaints(self, **texts):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in texts.items():
                (pathlib.Path(folder) / f"{name}.html").write_text(text, encoding="utf-8")
            return list(pages.broken_links(folder))

    def test_whole_pages(self):
        first = '<p id="x"><a href="b.html#y">b</a> <a href="#x">x</a> <a href="https://e.org">e</a></p>'
        self.assertEqual(self.complaints(a=first, b='<p id="y"><img src="data:,"></p>'), [])

    def test_broken_pages(self):
        for link, complaint in (
            ('<a href="c.html">', "leads to nothing"),
            ('<a href="b.html#z">', "has not"),
            ('<a href="#z">', "has not"),
            ('<img src="c.svg">', "leads to nothing"),
            ('<a href="../../c.html">', "out of the site"),
            ('<script src="https://e.org/x.js">', "needs a network"),
            ('<link rel="stylesheet" href="//e.org/x.css">', "needs a network"),
        ):
            with self.subTest(link=link):
                found = self.complaints(a=link, b="<p>")
                self.assertEqual(len(found), 1)
                self.assertIn(complaint, found[0])


class MendTest(unittest.TestCase):
    def test_the_script_is_no_module_and_the_night_follows_the_system(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            for name, text in {
                "styles/furo.css": 'body[data-theme="dark"] { --paper: #131416; }\n',
                "scripts/furo.js": 'import Gumshoe from "./gumshoe-patched.js";\nnew Gumshoe();\n',
                "scripts/gumshoe-patched.js": "var Gumshoe = 1;\n",
            }.items():
                path = folder / "_static" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            pages.fix(folder)
            pages.fix(folder)  # a second time it finds nothing to fix
            style = (folder / "_static/styles/furo.css").read_text(encoding="utf-8")
            script = (folder / "_static/scripts/furo.js").read_text(encoding="utf-8")
        self.assertEqual(style.count("--paper: #131416;"), 2)
        self.assertIn("prefers-color-scheme: dark", style)
        self.assertNotIn("import", script)
        self.assertIn("var Gumshoe", script)
