"""What a text consists of, in the corners in which simple readers go wrong."""

import unittest

from . import glossary, queries
from .findings import apply_edits
from .markdown import Document, slug

# GitHub's anchors: lower case, punctuation away, each space a hyphen.
SLUGS = [
    ("The question", "the-question"),
    ("1. A blocking echo, and a thread", "1-a-blocking-echo-and-a-thread"),
    ("`epoll_wait(2)` and *you*", "epoll_wait2-and-you"),
    ("What is — really — new?", "what-is--really--new"),
    ("a/a row", "aa-row"),
    ("[a link](to.md) here", "a-link-here"),
    ("Größe", "größe"),
]


def document(text):
    return Document("tutorial/01-first.md", text)


class MarkdownTest(unittest.TestCase):
    def test_anchors(self):
        for heading, anchor in SLUGS:
            with self.subTest(heading=heading):
                self.assertEqual(slug(heading), anchor)

    def test_the_second_of_a_name_has_a_number(self):
        self.assertEqual(document("# a\n## b\n## b\n").anchors, {"a", "b", "b-1"})

    def test_code_is_no_text(self):
        text = "```sh\n# no heading [no](link.md) <!-- no comment\n```\n`[no](link.md)` <!-- [no](x.md) -->\n"
        read = document(text)
        self.assertEqual((read.headings, read.links), ([], []))

    def test_a_comment_in_code_is_none(self):
        self.assertEqual(document("`<!-- table x -->`\n").comments, [])

    def test_links(self):
        read = document(
            '[`a`](b.md "t \\"u\\"") ![c d](e.svg) [![f](g.svg)](h.md) [i](<j k.md>) [l](m_(n).md)'
        )
        self.assertEqual(
            [(link.to, link.text, link.title, link.is_image) for link in read.links],
            [
                ("b.md", "`a`", 't "u"', False),
                ("e.svg", "c d", None, True),
                ("h.md", "![f](g.svg)", None, False),
                ("g.svg", "f", None, True),
                ("j k.md", "i", None, False),
                ("m_(n).md", "l", None, False),
            ],
        )

    def test_attributes_of_a_fence(self):
        (fence,) = document(
            '```cpp file=a.cpp lines=/a b\\/c/../d e/ quick="x \\"y\\" z" sketch\nx\n```\n'
        ).fences
        self.assertEqual(fence.language, "cpp")
        self.assertEqual(fence.words, ("sketch",))
        self.assertEqual(
            fence.attributes, {"file": "a.cpp", "lines": "/a b\\/c/../d e/", "quick": 'x "y" z'}
        )

    def test_a_fence_in_a_list_is_moved_back(self):
        (fence,) = document("- a\n\n  ```cpp\n  int x;\n    y\n  ```\n").fences
        self.assertEqual(fence.body, ["int x;", "  y"])
        self.assertEqual(fence.with_body(["a", "", "b"]), "  a\n\n  b\n")

    def test_a_longer_fence_holds_a_shorter_one(self):
        (fence,) = document("````\n```\nx\n```\n````\n").fences
        self.assertEqual(fence.body, ["```", "x", "```"])

    def test_words_are_those_that_are_read(self):
        text = "# Two words\n\nthree it's [four](x.md) `five`\n\n| no | no |\n\n```\nno\n```\n<!-- no -->\n![no](x.svg)\n"
        self.assertEqual(document(text).words, 6)


class EditsTest(unittest.TestCase):
    def test_the_first_use_in_running_text_is_linked(self):
        known = [
            glossary.Term("echo", "echo", ("echo", "echoes")),
            glossary.Term("accept queue", "accept-queue", ("accept queue",)),
            glossary.Term("queue", "queue", ("queue", "queues")),
        ]
        text = (
            "# An echo\n\n`echo` | echo_server and re-echo: [an echo](x.md).\n\n| echo |\n\n"
            "Then Echoes, and echoes. An accept\nqueue is a queue.\n"
        )
        read = document(text)
        edits = [finding.edit for finding in glossary.check(read, known)]
        self.assertEqual(
            apply_edits(text, edits).split("\n\n")[-1],
            "Then [Echoes](glossary.md#echo), and echoes. An [accept\nqueue](glossary.md#accept-queue) "
            "is a [queue](glossary.md#queue).\n",
        )

    def test_figures_are_formatted_as_asked(self):
        for value, form, text in [
            ("3970", "/1000 %.2f µs", "3.97 µs"),
            ("0.125", "*100 %.1f %%", "12.5 %"),
            ("1234567.8", "%'.0f", "1,234,568"),
            ("-1234", "%'d", "-1,234"),
            ("12.7", "about %d of them", "about 13 of them"),
            ("cheaper", "%s", "cheaper"),
            ("cheaper", "", "cheaper"),
        ]:
            with self.subTest(form=form):
                self.assertEqual(queries.render(value, form), text)


if __name__ == "__main__":
    unittest.main()
