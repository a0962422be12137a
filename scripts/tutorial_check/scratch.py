"""A copy of the checkout to run commands in, and the commands that run in it."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

STOP_SECONDS = 20  # for a process to end after its signal; only so that a hang becomes a failure
READY = "listening"


class Scratch:
    """A copy of the checkout, to run commands in as a reader would, without leaving a trace in it."""

    def __init__(self, repository, build):
        self._temporary = tempfile.TemporaryDirectory(prefix="muxlab-tutorial-")
        self.root = pathlib.Path(self._temporary.name) / "muxlab"
        left_out = {str(repository.root): {"build", ".git", "muxlab-results"}}
        shutil.copytree(repository.root, self.root, symlinks=True, ignore=lambda at, _: left_out.get(str(at), ()))
        (self.root / "build").mkdir()
        release = self.root / "build" / "release"
        release.symlink_to(build.resolve())
        self.environment = {
            **os.environ,
            "PATH": os.pathsep.join(map(str, [release, release / "tutorial", os.environ.get("PATH", os.defpath)])),
            "LC_ALL": "C.UTF-8",
            "TERM": "dumb",
            "TMPDIR": str(self.root.parent),
        }

    def close(self):
        self._temporary.cleanup()


class Command:
    """A running block, in a process group of its own, so that processes that it leaves can be ended with it."""

    def __init__(self, scratch, text):
        self.stdout, self.stderr = (tempfile.TemporaryFile(dir=scratch.root.parent) for _ in range(2))
        self.process = subprocess.Popen(
            ["bash", "-e", "-c", text], cwd=scratch.root, env=scratch.environment, stdin=subprocess.DEVNULL,
            stdout=self.stdout, stderr=self.stderr, start_new_session=True,
        )  # fmt: skip

    def wait(self, seconds):
        """The exit code, as a shell has it, or None when the time was over."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self.process.wait(seconds)
            return code if code >= 0 else 128 - code
        return None

    def wait_until_ready(self, seconds):
        """Whether it said that it listens, before it ended or the time was over."""
        _wait(lambda: self._is_ready() or self.process.poll() is not None, seconds)
        return self._is_ready()

    def _is_ready(self):
        return any(line.startswith(READY) for line in self.printed())

    def has_company(self, seconds):
        """Whether something that it started goes on for so long after it."""
        return not _wait(lambda: not _is_running_in_group(self.process.pid), seconds)

    def stop(self):
        """Ends the block and the processes that it started; returns its exit code."""
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
        files = (self.stdout, self.stderr) if both else (self.stdout,)
        return b"".join(os.pread(file.fileno(), 1 << 24, 0) for file in files).decode(errors="replace").splitlines()


def _wait(condition, seconds):
    """Whether it held before the time was over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _is_running_in_group(group):
    """Whether a process of the group runs; one that ended and was not waited for does not."""
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state != "Z":
                return True
    return False
