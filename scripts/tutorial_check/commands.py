"""What a chapter tells the reader to run is run, and prints what the chapter shows."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from . import outputs
from .findings import Edit, Finding

SECONDS = 120  # for one command; only so that a hang becomes a failure
STOP_SECONDS = 20  # for what was told to end, likewise
READY = "listening"


def blocks(document):
    """The commands of a chapter, each with the fence of its output or None."""
    fences = document.fences
    for at, fence in enumerate(fences):
        if fence.language != "sh":
            continue
        following = fences[at + 1] if at + 1 < len(fences) else None
        is_output = (
            following is not None
            and _is_output(following)
            and not document.text[fence.end : following.start].strip()
        )
        yield fence, following if is_output else None


def _is_output(fence):
    return fence.language == "text" and "output" in fence.words


def check(document):
    """What can be said of the commands without running them."""
    outputs_of = [output for _, output in blocks(document) if output]
    for fence in document.fences:
        if _is_output(fence) and not any(fence.start == output.start for output in outputs_of):
            yield Finding(
                document,
                fence.start,
                "this output follows no command",
                "put it right behind an `sh run` block",
            )
    for fence, output in blocks(document):
        if "norun" in fence.words:
            if not fence.attributes.get("reason"):
                yield Finding(
                    document,
                    fence.start,
                    "it is not said why this is not run",
                    'write `sh norun reason="..."`',
                )
            if output:
                yield Finding(
                    document,
                    output.start,
                    "this is the output of a command that is not run",
                    "make it plain `text`",
                )
        elif "run" not in fence.words:
            yield Finding(
                document,
                fence.start,
                "this command is not run by any test",
                'write `sh run`, or `sh norun reason="..."` where that is impossible',
            )
        elif not fence.attributes.get("exit", "0").isdigit():
            yield Finding(
                document,
                fence.start,
                f"exit={fence.attributes['exit']} is no exit code",
                "write 0 to 255",
            )


def not_run(document):
    return [fence for fence, _ in blocks(document) if "norun" in fence.words]


class Scratch:
    """A copy of the checkout, to run commands in as a reader would, without leaving a trace in it."""

    def __init__(self, repository, build):
        self._temporary = tempfile.TemporaryDirectory(prefix="muxlab-tutorial-")
        self.root = pathlib.Path(self._temporary.name) / "muxlab"
        self.root.mkdir()
        for path in repository.root.iterdir():
            if path.name in ("build", ".git", "muxlab-results"):
                continue
            if path.is_dir():
                shutil.copytree(path, self.root / path.name, symlinks=True)
            else:
                shutil.copy2(path, self.root / path.name)
        (self.root / "build").mkdir()
        (self.root / "build" / "release").symlink_to(build.resolve())
        there = [
            str(self.root / "build" / "release"),
            str(self.root / "build" / "release" / "tutorial"),
        ]
        self.environment = {
            **os.environ,
            "PATH": os.pathsep.join([*there, os.environ.get("PATH", os.defpath)]),
            "LC_ALL": "C.UTF-8",
            "TERM": "dumb",
            "TMPDIR": str(self.root.parent),
        }
        self._count = 0

    def close(self):
        self._temporary.cleanup()

    def start(self, text):
        return Command(self, text)

    def output_files(self):
        self._count += 1
        return [
            open(self.root.parent / f"{kind}-{self._count}", "w+b") for kind in ("stdout", "stderr")
        ]


class Command:
    """A running block, in a process group of its own, so that what it leaves behind can be ended with it."""

    def __init__(self, scratch, text):
        self.stdout, self.stderr = scratch.output_files()
        self.process = subprocess.Popen(
            ["bash", "-e", "-c", text],
            cwd=scratch.root,
            env=scratch.environment,
            stdin=subprocess.DEVNULL,
            stdout=self.stdout,
            stderr=self.stderr,
            start_new_session=True,
        )

    def wait(self, seconds):
        """The exit code, as a shell has it, or None when the time was over."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self.process.wait(seconds)
            return code if code >= 0 else 128 - code
        return None

    def wait_until_ready(self, seconds):
        """Whether it said that it listens, before it ended or the time was over."""
        deadline = time.monotonic() + seconds
        while True:
            ended = self.process.poll() is not None
            if any(line.startswith(READY) for line in self.printed()):
                return True
            if ended or time.monotonic() > deadline:
                return False
            time.sleep(0.01)

    def has_company(self, seconds):
        """Whether something that it started goes on for so long after it."""
        deadline = time.monotonic() + seconds
        while _is_running_in_group(self.process.pid):
            if time.monotonic() > deadline:
                return True
            time.sleep(0.01)
        return False

    def stop(self):
        """Ends it and what it started; returns its exit code."""
        self._signal(signal.SIGTERM)
        code = self.wait(STOP_SECONDS)
        self._signal(signal.SIGKILL)
        self.process.wait()
        self.stdout.close()
        self.stderr.close()
        return code

    def _signal(self, number):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def printed(self, both=False):
        text = b""
        for file in (self.stdout, self.stderr) if both else (self.stdout,):
            file.flush()
            text += os.pread(file.fileno(), 1 << 24, 0)
        return text.decode(errors="replace").splitlines()


def _is_running_in_group(group):
    """Whether a process of the group runs; one that ended and was not waited for does not."""
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state != "Z":
                return True
    return False


def run(document, repository, build):
    """Runs the commands of a chapter in order. Findings of the outputs come with an edit where that is safe."""
    todo = [(fence, output) for fence, output in blocks(document) if "run" in fence.words]
    if not todo:
        return
    scratch = Scratch(repository, build)
    servers = []
    try:
        for fence, output in todo:
            if "background" in fence.words:
                if "restart" in fence.words:
                    yield from _stop_all(document, servers)
                yield from _run_background(document, fence, output, scratch, servers)
            else:
                yield from _run_block(document, fence, output, scratch)
        yield from _stop_all(document, servers)
    finally:
        for _, server in servers:
            server.stop()
        scratch.close()


def _run_background(document, fence, output, scratch, servers):
    command = scratch.start(fence.attributes.get("quick") or "\n".join(fence.body))
    servers.append((fence, command))
    if not command.wait_until_ready(SECONDS):
        yield Finding(
            document,
            fence.start,
            f"this server never said that it is {READY}{_said(command)}",
            "correct the command",
        )
    elif output:
        shown = output.body
        printed = command.printed(both=output.attributes.get("output") == "both")
        yield from _compare(document, output, shown, printed)


def _stop_all(document, servers):
    while servers:
        fence, command = servers.pop()
        ended_before = command.process.poll() is not None
        said = _said(command)
        code = command.stop()
        if ended_before:
            yield Finding(
                document,
                fence.start,
                f"this server ended before it was stopped{said}",
                "correct the command",
            )
        elif code is None:
            yield Finding(document, fence.start, "this server does not end at SIGTERM", "mend it")
        elif code not in (0, 128 + signal.SIGTERM):
            yield Finding(
                document,
                fence.start,
                f"this server ended with exit code {code} at SIGTERM{said}",
                "mend it",
            )


def _run_block(document, fence, output, scratch):
    is_quick = "quick" in fence.attributes
    command = scratch.start(fence.attributes["quick"] if is_quick else "\n".join(fence.body))
    code = command.wait(SECONDS)
    both = output is not None and output.attributes.get("output") == "both"
    printed = command.printed(both)
    said = _said(command)
    leftover = code is not None and command.has_company(STOP_SECONDS)
    command.stop()
    wanted = int(fence.attributes.get("exit", "0"))
    if code is None:
        yield Finding(
            document,
            fence.start,
            f"this command did not end within {SECONDS} s",
            "make it end, or add quick=",
        )
    elif code != wanted:
        yield Finding(
            document,
            fence.start,
            f"this command ended with exit code {code}, not {wanted}{_meaning(code)}{said}",
            "correct it, or say exit=",
        )
    elif leftover:
        yield Finding(
            document,
            fence.start,
            "this command left a process running",
            "wait for it, or say background",
        )
    elif output:
        yield from _compare(document, output, output.body, printed)


def _meaning(code):
    return " (command not found)" if code == 127 else ""


def _compare(document, output, shown, printed):
    exact = "exact" in output.words
    if outputs.fits(shown, printed, exact):
        return
    has_gaps = any(outputs.ANY in line for line in shown)
    there = outputs.first_difference(shown, printed) if not exact else "it is to be exact"
    text = " / ".join(printed[:4])[:200] or "nothing"
    edit = None if has_gaps else Edit(output.body_start, output.body_end, output.with_body(printed))
    yield Finding(
        document,
        output.start,
        f"the output is another now, from “{there.strip()}” on; it begins: {text}",
        "correct it by hand" if has_gaps else "scripts/tutorial --run --write",
        edit,
    )


def _said(command):
    lines = [line for line in command.printed(both=True) if line.strip()]
    return f": {lines[-1][:160]}" if lines else ""
