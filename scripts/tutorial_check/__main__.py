"""The command line of scripts/tutorial."""

import argparse
import pathlib
import subprocess
import sys

from . import commands, diagrams, quotes, references, results
from .text import Repository, apply_edits

MOST_TURNS = 5  # an edit may make room for another; more turns than that never settle


def main(words=None):
    arguments = read_arguments(words)
    repository = Repository(arguments.root)
    texts = chosen(repository, arguments.chapters)
    build = pathlib.Path(arguments.build or repository.root / "build" / "release")
    options = references.Options(repository, build)
    if not options.is_there:
        if arguments.build or arguments.run or arguments.run_only:
            return fail(f"there is no {build}/muxlab; build it: scripts/build")
        note(f"options are not checked, for there is no {build}/muxlab; scripts/build makes it")
        options = None
    if arguments.write:
        try:
            diagrams.write(repository)
        except (OSError, subprocess.CalledProcessError) as error:
            note(f"pictures are not drawn: {error}; scripts/setup graphviz")
    left = [finding for path in texts for finding in tend(path, repository, options, build, arguments)]
    if not arguments.chapters:
        left += diagrams.check(repository)
    for finding in left:
        print(finding)
    note(f"{len(texts)} texts, {len(left)} findings")
    return 1 if left else 0


def read_arguments(words):
    parser = argparse.ArgumentParser(
        prog="scripts/tutorial", description="Checks that the tutorial is still true.",
        epilog="Exit codes: 0 it does, 1 there are findings, 2 usage.",
    )  # fmt: skip
    flag = {"action": "store_true"}
    parser.add_argument("--write", help="refresh quotations, figures, tables, outputs and pictures", **flag)
    parser.add_argument("--run", help="run the commands of the chapters too, in a copy", **flag)
    parser.add_argument("--run-only", help="run the commands, and check nothing else", **flag)
    parser.add_argument("--build", metavar="DIR", help="where muxlab is built, instead of build/release")
    parser.add_argument("--root", default=pathlib.Path(__file__).parents[2], help=argparse.SUPPRESS)
    parser.add_argument("chapters", metavar="CHAPTER", nargs="*", help="a file or the start of its name, such as 03")
    return parser.parse_args(words)


def chosen(repository, names):
    """The texts to check: all, or those that are named."""
    found = []
    for name in names:
        stem, whole = pathlib.PurePath(name).name, pathlib.Path(name).resolve()
        these = [path for path in repository.texts if path == whole or path.name.startswith(stem)]
        if not these:
            sys.exit(fail(f"no text of the tutorial is called {name}; name a file, or the start of its name"))
        found += these
    return list(dict.fromkeys(found)) if names else repository.texts


def check_text(document, repository, options):
    """All findings about one text that need nothing to be run."""
    yield from quotes.check(document, repository)
    yield from results.check(document, repository)
    yield from references.check_links(document, repository)
    if options:
        yield from references.check_options(document, options)
    if repository.path(document.path) in repository.chapters:
        yield from commands.check(document)


def tend(path, repository, options, build, arguments):
    """Checks a text and, with --write, fixes the fixable findings. Returns the rest."""
    document = before = repository.document(path)
    fixed, left = 0, []
    for _ in range(0 if arguments.run_only else MOST_TURNS):
        left = list(check_text(document, repository, options))
        edits = [finding.edit for finding in left if finding.edit]
        if not arguments.write or not edits:
            break
        fixed += len(edits)
        document = repository.document(path, apply_edits(document.text, edits))
    if (arguments.run or arguments.run_only) and path in repository.chapters:
        for fence, _ in commands.commands(document):
            if "norun" in fence.words:
                note(f"{document.path}:{document.line_of(fence.start)}: not run: {fence.attributes.get('reason')}")
        ran = list(commands.run(document, repository, build))
        edits = [finding.edit for finding in ran if finding.edit] if arguments.write else []
        fixed += len(edits)
        left += [finding for finding in ran if not (finding.edit and arguments.write)]
        document = repository.document(path, apply_edits(document.text, edits))
    if document.text != before.text:
        path.write_text(document.text, encoding="utf-8")
        note(f"{document.path}: {fixed} places refreshed")
    return left


def note(text):
    print(f"tutorial: {text}", file=sys.stderr)


def fail(text):
    note(text)
    return 2


if __name__ == "__main__":
    sys.exit(main())
