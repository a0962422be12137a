"""Tests of scripts/include_check."""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
CHECK = ROOT / "scripts/include_check"


def check(folder):
    return subprocess.run([CHECK, folder], capture_output=True, text=True, check=False)


class IncludeCheckTest(unittest.TestCase):
    def test_finds_nothing_here(self):
        self.assertEqual(check(ROOT).stderr, "")

    def test_finds_an_include_against_the_arrows(self):
        with tempfile.TemporaryDirectory() as place:
            room = pathlib.Path(place) / "backends"
            room.mkdir()
            shutil.copy(ROOT / "CMakeLists.txt", place)
            (room / "poll.cpp").write_text('#include "backends/parts/fd_map.hpp"\n#include "server/server.hpp"\n',
                                           encoding="utf-8")
            found = check(place)
            self.assertEqual(found.returncode, 1)
            self.assertEqual(found.stderr, "backends/poll.cpp:2: backends is not on top of server\n")
