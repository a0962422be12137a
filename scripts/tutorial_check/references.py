"""Checks that named things exist: files and anchors behind links, options of muxlab and of the small programs."""

import functools
import os
import re
import subprocess

from .text import Finding

_OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")
_HELP_SECONDS = 60


def check_links(document, repository):
    for link in document.links:
        path, anchor = repository.resolve(document, link.to)
        if path is None:
            continue
        if not path.is_relative_to(repository.root):
            yield Finding(document, link.start, f"{link.to} leads out of the repository", "correct the link")
        elif not path.exists():
            yield Finding(document, link.start, f"{link.to} leads to nothing", "correct the link")
        elif anchor and path.suffix == ".md":
            here = path == repository.path(document.path)
            known = document.anchors if here else repository.anchors(path)
            if anchor not in known:
                words = set(anchor.split("-"))
                alike = sorted(known, key=lambda other: (-len(words & set(other.split("-"))), other))[:3]
                cure = f"it has {', '.join('#' + other for other in alike)}"
                yield Finding(document, link.start, f"{path.name} has no heading #{anchor}", cure)


class Options:
    """The options of muxlab as --help has them, and of the small programs and scripts as their sources do."""

    def __init__(self, repository, build):
        self.repository = repository
        self.muxlab = build / "muxlab"
        self.is_there = os.access(self.muxlab, os.X_OK)

    @functools.lru_cache(maxsize=None)
    def _help(self, *verbs):
        command = [self.muxlab, *verbs, "--help"]
        return subprocess.run(command, capture_output=True, text=True, timeout=_HELP_SECONDS, check=False,
                              stdin=subprocess.DEVNULL).stdout  # fmt: skip

    @functools.cached_property
    def verbs(self):
        listed = self._help().partition("Subcommands:")[2].partition("\n\n")[0]
        return re.findall(r"^  ([a-z][\w-]*)", listed, re.MULTILINE)

    @functools.lru_cache(maxsize=None)
    def of_muxlab(self, verb=None):
        """The options of the verb, or of all verbs when none is named."""
        texts = [self._help(verb)] if verb else [self._help(), *map(self._help, self.verbs)]
        return set(_OPTION.findall("\n".join(texts)))

    @functools.lru_cache(maxsize=None)
    def of_source(self, name):
        """Those that a script or a small program has in its text, or None when there is none of that name."""
        for path in (name, f"tutorial/programs/{name}.cpp", f"tutorial/exercises/{name}"):
            if "/" in path and self.repository.path(path).is_file():
                return set(_OPTION.findall(self.repository.read(path)))
        return None

    @functools.cached_property
    def of_all(self):
        root = self.repository.root
        paths = [p for pattern in ("scripts/*", "tutorial/programs/*.cpp") for p in root.glob(pattern) if p.is_file()]
        return self.of_muxlab().union(*(self.of_source(self.repository.relative(path)) for path in paths))


def check_options(document, options):
    shells = [fence for fence in document.fences if fence.language == "sh"]
    # with another tool, in a command that is run: `--follow-forks` after an strace
    shown = {option for fence in shells for option in _OPTION.findall("\n".join(fence.body))}
    for span in document.spans:
        if span.text not in shown:
            yield from _check_command(document, span.start, span.text, options)
    for fence in shells:
        at = fence.body_start
        for line in document.text[at : fence.body_end].replace("\\\n", "  ").split("\n"):
            if re.match(r"\s*(?:muxlab|build/release/muxlab|scripts/)", line):
                yield from _check_command(document, at, line, options)
            at += len(line) + 1


def _check_command(document, offset, command, options):
    # without the command it pipes into, the one after it, and those run for its arguments
    command = re.split(r"\||;|&&| -- ", re.sub(r"\$\([^()]*\)", "", command))[0]
    named = _OPTION.findall(command)
    if not named:
        return
    words = command.split()
    program = words[0].removeprefix("build/release/").removeprefix("tutorial/")
    if program.startswith("--"):
        known, owner = options.of_all, "any program or script here"
    elif program == "muxlab":
        verb = words[1] if words[1] in options.verbs else None
        known, owner = options.of_muxlab(verb), " ".join(filter(None, ["muxlab", verb]))
    else:
        known, owner = options.of_source(program), program
    for option in named:
        if known is not None and option not in known and option != "--help":  # None: another tool's
            yield Finding(document, offset, f"{option} is no option of {owner}", "see its --help")
