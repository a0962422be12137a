"""Each picture NAME.svg of tutorial/diagrams is made from NAME.dot as it is now."""

import hashlib
import re
import shutil
import subprocess
import sys
from xml.sax import saxutils

from .findings import Finding, write_file
from .repository import Repository

FOLDER = "tutorial/diagrams"
RENDER = "scripts/diagrams"
_PAPER = "#fbfaf7"
_INK = "#1f2933"
# Helvetica is there, or something of the same widths, wherever a browser is.
_STYLE = [
    "-Gbgcolor=transparent",
    "-Gfontname=Helvetica",
    "-Nfontname=Helvetica",
    "-Efontname=Helvetica",
    "-Gfontsize=13",
    "-Nfontsize=13",
    "-Efontsize=11",
    f"-Gfontcolor={_INK}",
    f"-Nfontcolor={_INK}",
    f"-Efontcolor={_INK}",
    f"-Ncolor={_INK}",
    f"-Ecolor={_INK}",
    "-Nshape=box",
    "-Nstyle=rounded,filled",
    "-Nfillcolor=white",
    "-Gpad=0.25",
    "-Earrowsize=0.8",
]


def sources(repository):
    return sorted(repository.path(FOLDER).glob("*.dot"))


def mark_of(source_text):
    """What stands in a picture for the source it was made from, and for how."""
    return hashlib.sha256((source_text + repr(_STYLE) + _PAPER).encode()).hexdigest()[:16]


def render(source_text, name):
    """The SVG of a graph, with no trace of where and when it was made."""
    done = subprocess.run(
        ["dot", "-Tsvg", *_STYLE], input=source_text, capture_output=True, text=True, check=False
    )
    if done.returncode != 0 or "Error" in done.stderr or "syntax" in done.stderr:
        raise ValueError(done.stderr.strip() or "dot failed")
    return _finish(done.stdout, source_text, name)


def _finish(svg, source_text, name):
    svg = re.sub(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(
        r"\s*<title>.*?</title>", "", svg, flags=re.DOTALL
    )  # dot's own: node names, as tooltips
    box = re.search(r'viewBox="([\d. -]+)"', svg)
    x, y, width, height = box[1].split()
    title = label_of(source_text, "label") or name.replace("-", " ")
    description = label_of(source_text, "comment") or title
    background = re.search(r'\n<polygon fill="([^"]+)" stroke="(?:none|transparent)"[^>]*/>', svg)
    colour = background[1] if background else _PAPER
    svg = svg.replace(background[0], "", 1) if background else svg
    paper = f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="{colour}"/>'
    head = (
        f"<!-- made by {RENDER} from {name}.dot {mark_of(source_text)} -->\n"
        f'<title id="{name}-title">{saxutils.escape(title)}</title>\n'
        f'<desc id="{name}-description">{saxutils.escape(description)}</desc>\n{paper}\n'
    )
    opening = re.search(r"<svg\b[^>]*>", svg)
    tag = opening[0][:-1] + f' role="img" aria-labelledby="{name}-title {name}-description">'
    rest = (
        svg[opening.end() :]
        .replace('font-family="Helvetica"', 'font-family="Helvetica,Arial,sans-serif"')
        .replace('font-family="Courier"', 'font-family="Courier,monospace"')
    )
    rest = rest.replace("Helvetica,sans-Serif", "Helvetica,Arial,sans-serif")
    return re.sub(r"\n\s*\n", "\n", tag + "\n" + head + rest.strip()) + "\n"


def label_of(source_text, key):
    """The graph's own attribute: the first of that name, at the start of a line and in quotation marks."""
    found = re.search(rf'^\s*{key}\s*=\s*"((?:[^"\\]|\\.)*)"', source_text, re.MULTILINE)
    return re.sub(r"\\[nlr]", " ", found[1]).replace('\\"', '"').strip() if found else ""


def check(repository):
    for source in sources(repository):
        yield from _check_picture(repository, source)
    for picture in sorted(repository.path(FOLDER).glob("*.svg")):
        if not picture.with_suffix(".dot").is_file():
            yield Finding(
                repository.document(picture),
                0,
                "this picture has no source",
                f"write {picture.stem}.dot, or remove it",
            )


def _check_picture(repository, source):
    picture = source.with_suffix(".svg")
    text = source.read_text(encoding="utf-8")
    document = repository.document(source)
    if not picture.is_file():
        yield Finding(document, 0, f"{picture.name} is not there", RENDER)
        return
    shown = picture.read_text(encoding="utf-8")
    if mark_of(text) not in shown:
        yield Finding(document, 0, f"{picture.name} was made from another text", RENDER)
    elif shutil.which("dot"):
        try:
            wanted = render(text, source.stem)
        except ValueError as error:
            yield Finding(document, 0, f"dot cannot read it: {error}", "correct it")
            return
        if _without_places(shown) != _without_places(wanted):
            yield Finding(document, 0, f"{picture.name} does not show what the graph says", RENDER)


def _without_places(svg):
    """The picture but for where its parts are: that depends on the fonts of the machine."""
    return re.sub(
        r' (?:points|d|x|y|width|height|viewBox|transform|cx|cy|rx|ry|textLength)="[^"]*"', "", svg
    )


def write(repository):
    """Renders what is not up to date and returns the pictures that were written."""
    written = []
    for source in sources(repository):
        text = source.read_text(encoding="utf-8")
        picture = source.with_suffix(".svg")
        if picture.is_file() and mark_of(text) in picture.read_text(encoding="utf-8"):
            continue
        try:
            write_file(picture, render(text, source.stem))
        except ValueError as error:
            raise ValueError(f"{source.name}: {error}") from None
        written.append(picture)
    return written


def main(root):
    try:
        for picture in write(Repository(root)):
            print(f"diagrams: drew {picture.name}", file=sys.stderr)
    except ValueError as error:
        print(f"diagrams: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
