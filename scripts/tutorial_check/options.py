"""Options that the text names exist: those of muxlab as --help has them, others as the sources have them."""

import functools
import os
import re
import subprocess

from .findings import Finding

_OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")
_HELP_SECONDS = 60


class Options:
    """What muxlab and the small programs and scripts know, asked for once."""

    def __init__(self, repository, build):
        self.repository = repository
        self.muxlab = build / "muxlab"

    @property
    def is_there(self):
        return os.access(self.muxlab, os.X_OK)

    @functools.lru_cache(maxsize=None)
    def _help(self, *verbs):
        done = subprocess.run(
            [self.muxlab, *verbs, "--help"],
            capture_output=True,
            text=True,
            timeout=_HELP_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return done.stdout if done.returncode == 0 else ""

    @functools.cached_property
    def verbs(self):
        listed = self._help().partition("Subcommands:")[2].partition("\n\n")[0]
        return re.findall(r"^  ([a-z][\w-]*)", listed, re.MULTILINE)

    @functools.lru_cache(maxsize=None)
    def of_muxlab(self, words):
        """The options of `muxlab WORDS...`: those of the verb, or of all verbs when none is named."""
        texts = (
            [self._help(words[0])]
            if words and words[0] in self.verbs
            else [self._help(), *map(self._help, self.verbs)]
        )
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
        names = [
            self.repository.relative(path)
            for pattern in ("scripts/*", "tutorial/programs/*.cpp")
            for path in self.repository.root.glob(pattern)
            if path.is_file()
        ]
        found = set().union(*(self.of_source(name) for name in names)) if names else set()
        return found | self.of_muxlab(())


def check(document, options):
    shown = set()  # with another tool, in a command that is run: `--follow-forks` after an strace
    for fence in document.fences:
        if fence.language == "sh":
            shown.update(_OPTION.findall("\n".join(fence.body)))
    for span in document.spans:
        if span["code"] not in shown:
            yield from _check_command(document, span.start(), span["code"], options)
    for fence in document.fences:
        if fence.language == "sh":
            at = fence.body_start
            for line in (
                fence.text[fence.body_start : fence.body_end].replace("\\\n", "  ").split("\n")
            ):
                if re.match(r"\s*(?:muxlab|build/release/muxlab|scripts/)", line):
                    yield from _check_command(document, at, line, options)
                at += len(line) + 1


def _own_part(command):
    """The command without what it pipes into, what follows it, and what is run for its arguments."""
    command = re.sub(r"\$\([^()]*\)", "", command)
    return re.split(r"\||;|&&| -- ", command)[0]


def _check_command(document, offset, command, options):
    command = _own_part(command)
    named = _OPTION.findall(command)
    if not named:
        return
    words = command.split()
    program = words[0].removeprefix("build/release/").removeprefix("tutorial/")
    if program.startswith("--"):
        known, owner = options.of_all, "no program or script of the repository"
    elif program == "muxlab":
        verb = [word for word in words[1:2] if word in options.verbs]
        known, owner = options.of_muxlab(tuple(verb)), " ".join(["muxlab", *verb])
    else:
        known, owner = options.of_source(program), program
        if known is None:
            return  # another tool's
    for option in named:
        if option not in known and option != "--help":
            yield Finding(
                document,
                offset,
                f"{option} is an option of {owner}"
                if owner[:3] == "no "
                else f"{option} is no option of {owner}",
                "see its --help",
            )
