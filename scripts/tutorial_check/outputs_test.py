"""Outputs are compared by shape: what differs from run to run does not count, and all else does."""

import unittest

from . import outputs

# Each: what is shown, what is printed, whether it fits.
CASES = [
    (["rate 12.5 k/s"], ["rate 9 k/s"], True),
    (["p99 12.5 µs"], ["p99 1.2 ms"], True),
    (["took 1e-05 s"], ["took 12 s"], True),
    (["at 0x7ffe12"], ["at 0x1"], True),
    (["ino:8cedff 1"], ["ino:113d636 1"], True),
    (["a    b"], ["a b"], True),
    (["a b "], ["a b"], True),
    (["  9.1 a"], ["10.1 a"], True),
    (["442 ns 7"], ["2667 ns 7"], True),
    (["442 ns 7"], ["2667 ms 70000"], True),
    (["-----"], ["----------"], True),
    (["1,234 echoes"], ["12 echoes"], True),
    (["epoll-lt 1"], ["epoll-et 1"], False),
    (["a"], ["a", "b"], False),
    (["a", "b"], ["a"], False),
    (["a", "…"], ["a"], True),
    (["a", "…", "z"], ["a", "b", "c", "z"], True),
    (["a", "…", "z"], ["a", "b"], False),
    (["from … to b"], ["from here or there to b"], True),
    (["from … to b"], ["from here to c"], False),
    ([], [], True),
    ([], ["a"], False),
    (["(a.b)*"], ["(axb)*"], False),
    (["0 lost"], ["none lost"], False),
]


class OutputsTest(unittest.TestCase):
    def test_shapes(self):
        for shown, printed, fits in CASES:
            with self.subTest(shown=shown, printed=printed):
                self.assertEqual(outputs.fits(shown, printed), fits)

    def test_exact_is_exact(self):
        self.assertTrue(outputs.fits(["a 1"], ["a 1"], exact=True))
        self.assertFalse(outputs.fits(["a 1"], ["a 2"], exact=True))

    def test_the_first_difference_is_named(self):
        self.assertEqual(
            outputs.first_difference(["a", "b", "c"], ["a", "x", "c"]), ("b", ["x", "c"])
        )


if __name__ == "__main__":
    unittest.main()
