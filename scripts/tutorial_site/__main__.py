"""The command line of scripts/site."""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

from tutorial_check.text import Repository

from . import pages
from .stage import Stage

HERE = pathlib.Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser(
        prog="scripts/site",
        description="Makes static pages of the tutorial in build/site.",
        epilog="Exit codes: 0 made, 1 something is wrong with the text or the pages, 3 a tool is missing.",
    )
    parser.add_argument("--check", action="store_true", help="have a browser look at every page too")
    parser.add_argument("--out", metavar="DIR", help="where to, instead of build/site")
    arguments = parser.parse_args()
    repository = Repository(HERE.parents[1])
    out = pathlib.Path(arguments.out or repository.root / "build" / "site").resolve()
    if not shutil.which("sphinx-build"):
        print("site: there is no sphinx-build; scripts/site installs it", file=sys.stderr)
        return 3
    if not build(repository, out):
        return 1
    failures = [*pages.broken_links(out), *(pages.look(out) if arguments.check else ())]
    for failure in failures:
        print(f"site: {failure}", file=sys.stderr)
    count = len(list(out.rglob("*.html")))
    print(f"site: {count} pages, {len(failures)} complaints: {out / 'index.html'}", file=sys.stderr)
    return 1 if failures else 0


def build(repository, out):
    """Makes the pages, and puts them where the old ones were once they are whole."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".site-") as work:
        work = pathlib.Path(work)
        Stage(repository, work / "stage").fill()
        options = ["-q", "-W", "--keep-going", "-b", "html", "-c", HERE, "-d", work / "trees"]
        made = subprocess.run(["sphinx-build", *options, work / "stage", work / "pages"], check=False)
        if made.returncode != 0:
            return False
        pages.fix(work / "pages")
        (work / "pages" / ".buildinfo").unlink(missing_ok=True)
        if out.exists():
            shutil.rmtree(out)
        (work / "pages").rename(out)
    return True


if __name__ == "__main__":
    sys.exit(main())
