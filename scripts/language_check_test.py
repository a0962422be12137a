"""Tests of scripts/language_check."""

import pathlib
import subprocess
import tempfile
import unittest

CHECK = pathlib.Path(__file__).resolve().parent / "language_check"


def check(text):
    with tempfile.TemporaryDirectory() as place:
        (pathlib.Path(place) / "poll.hpp").write_text(text, encoding="utf-8")
        return subprocess.run([CHECK, place], capture_output=True, text=True, check=False)


class LanguageCheckTest(unittest.TestCase):
    def test_accepts_plain_text(self):
        self.assertEqual(check("/// Returns the ready descriptors.\n").returncode, 0)

    def test_finds_words_above_their_budget(self):
        words = " ".join(["to", "be", "had"])  # not literally, because this file is checked too
        found = check(f"/// Memory {words}.\n")
        self.assertEqual(found.returncode, 1)
        self.assertEqual(found.stderr, rf"language: 1 uses of \b{words}\b, 0 allowed; -v lists them" + "\n")


if __name__ == "__main__":
    unittest.main()
