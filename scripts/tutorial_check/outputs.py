"""Whether what a command printed has the shape that a chapter shows."""

import re

ANY = "…"
_UNIT = r"(?:ns|[µu]s|ms|s|min|[kMG]|[kKMG]i?B|bytes?)"
_NUMBER = re.compile(
    rf"0x[0-9a-fA-F]+|\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{{4,}}\b|[-+]?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?(?: ?{_UNIT})?(?![\w])|\d+(?:[.,]\d+)*"
)
_RUN = re.compile(r"([-=─━_.#*|])\1{2,}")


def mask(line):
    """The line without what differs from run to run: numbers with their unit, the lengths of
    rules, and what stands before a number in its column."""
    line = re.sub(r"[ \t]+", " ", line.strip())
    return _RUN.sub(r"\1\1\1", _NUMBER.sub("#", line))


def fits(shown, printed, exact=False):
    """Whether the printed lines are those shown, in which … stands for anything."""
    if exact:
        return [line.rstrip() for line in shown] == [line.rstrip() for line in printed]
    pattern = ""
    for line in shown:
        if line.strip() == ANY:
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += r"[^\n]*?".join(re.escape(part) for part in mask(line).split(ANY)) + r"\n"
    return re.fullmatch(pattern, "".join(mask(line) + "\n" for line in printed)) is not None


def first_difference(shown, printed):
    """The first line shown that the printed text does not lead to, and what is printed after the lines that it does
    lead to, for a message."""
    for count in range(1, len(shown) + 1):
        if not fits(shown[:count] + [ANY], printed):
            return shown[count - 1], _rest(shown[: count - 1], printed)
    return "the end", _rest(shown, printed)


def _rest(shown, printed):
    """What is left of the printed lines after the fewest that fit the shown ones."""
    for count in range(len(printed) + 1):
        if fits(shown, printed[:count]):
            return printed[count:]
    return printed
