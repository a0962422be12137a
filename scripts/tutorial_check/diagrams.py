"""Each picture NAME.svg of tutorial/diagrams is made from NAME.dot as it is now."""

import hashlib
import re
import subprocess
import sys
from xml.sax import saxutils

from .text import WRITE, Finding

FOLDER = "tutorial/diagrams"
_PAPER = "#fbfaf7"
_INK = "#1f2933"
# Helvetica is there, or something of the same widths, wherever a browser is.
_STYLE = [
    *("-Gbgcolor=transparent", "-Gfontname=Helvetica", "-Nfontname=Helvetica", "-Efontname=Helvetica"),
    *("-Gfontsize=13", "-Nfontsize=13", "-Efontsize=11"),
    *(f"-Gfontcolor={_INK}", f"-Nfontcolor={_INK}", f"-Efontcolor={_INK}", f"-Ncolor={_INK}", f"-Ecolor={_INK}"),
    *("-Nshape=box", "-Nstyle=rounded,filled", "-Nfillcolor=white", "-Gpad=0.25", "-Earrowsize=0.8"),
]


def mark_of(source):
    """Returns the mark in a picture for its source, and for the way it was made."""
    return hashlib.sha256((source + repr(_STYLE) + _PAPER).encode()).hexdigest()[:16]


def check(repository):
    for source in outdated(repository):
        picture = source.with_suffix(".svg").name
        yield Finding(repository.document(source), 0, f"{picture} was not made from this text", WRITE)


def outdated(repository):
    """The sources that have no picture, or that of another text."""
    for source in sorted(repository.path(FOLDER).glob("*.dot")):
        picture = source.with_suffix(".svg")
        mark = mark_of(source.read_text(encoding="utf-8"))
        if not picture.is_file() or mark not in picture.read_text(encoding="utf-8"):
            yield source


def write(repository):
    """Draws outdated pictures. Throws CalledProcessError when graphviz fails, or OSError when it is missing."""
    for source in outdated(repository):
        text = source.read_text(encoding="utf-8")
        done = subprocess.run(["dot", "-Tsvg", *_STYLE], input=text, stdout=subprocess.PIPE, text=True, check=True)
        source.with_suffix(".svg").write_text(_finish(done.stdout, text, source.stem), encoding="utf-8")
        print(f"tutorial: drew {source.stem}.svg", file=sys.stderr)


def _finish(svg, source, name):
    """The picture with a title, a description and paper, and with no trace of where and when it was made."""
    svg = re.sub(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|\s*<title>.*?</title>", "", svg, flags=re.DOTALL)
    x, y, width, height = re.search(r'viewBox="([\d. -]+)"', svg)[1].split()
    title = _attribute(source, "label") or name.replace("-", " ")
    description = _attribute(source, "comment") or title
    background = re.search(r'\n<polygon fill="([^"]+)" stroke="(?:none|transparent)"[^>]*/>', svg)
    colour = background[1] if background else _PAPER
    svg = svg.replace(background[0], "", 1) if background else svg
    opening = re.search(r"<svg\b[^>]*>", svg)
    head = (
        f'{opening[0][:-1]} role="img" aria-labelledby="{name}-title {name}-description">\n'
        f"<!-- made by scripts/tutorial from {name}.dot {mark_of(source)} -->\n"
        f'<title id="{name}-title">{saxutils.escape(title)}</title>\n'
        f'<desc id="{name}-description">{saxutils.escape(description)}</desc>\n'
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="{colour}"/>\n'
    )
    rest = re.sub(r'"Helvetica(,sans-Serif)?"', '"Helvetica,Arial,sans-serif"', svg[opening.end() :])
    return re.sub(r"\n\s*\n", "\n", head + rest.strip()) + "\n"


def _attribute(source, key):
    """The graph's own attribute: the first of that name, at the start of a line and in quotation marks."""
    found = re.search(rf'^\s*{key}\s*=\s*"((?:[^"\\]|\\.)*)"', source, re.MULTILINE)
    return re.sub(r"\\[nlr]", " ", found[1]).replace('\\"', '"').strip() if found else ""
