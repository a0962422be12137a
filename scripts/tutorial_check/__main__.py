"""The command line of scripts/tutorial."""

import argparse
import os
import pathlib
import sys

from . import blocks, commands, contents, diagrams, figures, glossary, links, options, quotes
from . import shape, tables
from .findings import apply_edits, write_file
from .repository import Repository

MOST_TURNS = 5  # an edit may make room for another; more turns than that never settle


def main(words=None):
    arguments = read_arguments(words)
    repository = Repository(arguments.root)
    texts = chosen(repository, arguments.chapters)
    build = pathlib.Path(arguments.build or repository.root / "build" / "release")
    known_options = options.Options(repository, build)
    if not known_options.is_there:
        if arguments.build or arguments.run or arguments.run_only:
            return fail(f"there is no {build}/muxlab; build it: scripts/build")
        note(f"options are not checked, for there is no {build}/muxlab; scripts/build makes it")
        known_options = None
    if arguments.write and diagrams.sources(repository):
        refresh_diagrams(repository)
    left = []
    for path in texts:
        left += tend(path, repository, known_options, build, arguments)
    if not arguments.chapters:
        left += diagrams.check(repository)
    for finding in left:
        print(finding)
    if not repository.chapters:
        note("there are no chapters yet")
    note(f"{len(texts)} texts, {len(left)} findings")
    return 1 if left else 0


def read_arguments(words):
    parser = argparse.ArgumentParser(
        prog="scripts/tutorial",
        description="Checks that the tutorial still tells the truth.",
        epilog="Exit codes: 0 it does, 1 there are findings, 2 usage.",
    )
    parser.add_argument(
        "--write",
        action="store_true",
        help="refresh quotations, figures, tables, outputs and links",
    )
    parser.add_argument(
        "--run", action="store_true", help="run the commands of the chapters too, in a copy"
    )
    parser.add_argument(
        "--run-only", action="store_true", help="run the commands, and check nothing else"
    )
    parser.add_argument(
        "--build", metavar="DIR", help="where muxlab is built, instead of build/release"
    )
    parser.add_argument(
        "--root", metavar="DIR", default=pathlib.Path(__file__).parents[2], help=argparse.SUPPRESS
    )
    parser.add_argument(
        "chapters", metavar="CHAPTER", nargs="*", help="a file or the start of its name, such as 03"
    )
    return parser.parse_args(words)


def chosen(repository, names):
    """The texts to check: all, or those that are named."""
    if not names:
        return repository.texts
    found = []
    for name in names:
        stem = pathlib.PurePath(name).name
        these = [
            path
            for path in repository.texts
            if path == pathlib.Path(name).resolve() or path.name.startswith(stem)
        ]
        if not these:
            sys.exit(
                fail(
                    f"no text of the tutorial is called {name}; name a file, or the start of its name"
                )
            )
        found += these
    return list(dict.fromkeys(found))


def check_text(document, repository, known_options):
    """All findings about one text that need nothing to be run."""
    path = repository.path(document.path)
    yield from quotes.check(document, repository)
    yield from figures.check(document, repository)
    yield from tables.check(document, repository)
    yield from links.check(document, repository)
    if known_options:
        yield from options.check(document, known_options)
    if path == repository.folder / contents.FILE:
        yield from contents.check(document, repository)
    elif path in repository.chapters:
        yield from blocks.check(document)
        yield from shape.check(document, repository)
        if path.name == glossary.FILE:
            yield from glossary.check_glossary(document)
        elif (repository.folder / glossary.FILE).is_file():
            yield from glossary.check(
                document, glossary.terms(repository.document(repository.folder / glossary.FILE))
            )


def tend(path, repository, known_options, build, arguments):
    """Checks a text and, with --write, mends what can be mended. Returns what is left."""
    document = before = repository.document(path)
    mended, left = 0, []
    for _ in range(0 if arguments.run_only else MOST_TURNS):
        left = list(check_text(document, repository, known_options))
        edits = [finding.edit for finding in left if finding.edit]
        if not arguments.write or not edits:
            break
        mended += len(edits)
        document = repository.document(path, apply_edits(document.text, edits))
    if (arguments.run or arguments.run_only) and path in repository.chapters:
        ran = list(commands.run(document, repository, build))
        for fence in blocks.not_run(document):
            note(
                f"{document.path}:{document.line_of(fence.start)}: not run: {fence.attributes.get('reason')}"
            )
        edits = [finding.edit for finding in ran if finding.edit] if arguments.write else []
        mended += len(edits)
        left += [finding for finding in ran if not (finding.edit and arguments.write)]
        if edits:
            document = repository.document(path, apply_edits(document.text, edits))
    if document.text != before.text:
        write_file(path, document.text)
        note(f"{document.path}: {mended} places refreshed")
    return left


def refresh_diagrams(repository):
    try:
        for picture in diagrams.write(repository):
            note(f"{repository.relative(picture)} drawn")
    except FileNotFoundError:
        note("pictures are not drawn, for there is no dot; scripts/setup graphviz")
    except ValueError as error:
        note(f"a picture is not drawn: {error}")


def note(text):
    print(f"tutorial: {text}", file=sys.stderr)


def fail(text):
    note(text)
    return 2


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    sys.exit(main())
