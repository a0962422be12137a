"""Runs the commands of a chapter and compares their output with the chapter."""

import re
import signal

from . import scratch as scratch_copy
from .text import Edit, Finding

SECONDS = 120  # for one command; only so that a hang becomes a failure
ANY = "…"
_UNIT = r"(?:ns|[µu]s|ms|s|min|[kMG]|[kKMG]i?B|bytes?)"
_NUMBER = re.compile(
    rf"0x[0-9a-fA-F]+|\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{{4,}}\b|[-+]?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?(?: ?{_UNIT})?(?![\w])|\d+(?:[.,]\d+)*"
)
_RULE = re.compile(r"([-=─━_.#*|])\1{2,}")


def commands(document):
    """The commands of a chapter, each with the fence of its output or None."""
    fences = document.fences
    for fence, following in zip(fences, [*fences[1:], None]):
        if fence.language == "sh":
            behind = following and _is_output(following) and not document.text[fence.end : following.start].strip()
            yield fence, following if behind else None


def _is_output(fence):
    return fence.language == "text" and "output" in fence.words


def check(document):
    """What can be said of the commands without running them."""
    checked = [output.start for fence, output in commands(document) if output and "run" in fence.words]
    for fence in document.fences:
        if _is_output(fence) and fence.start not in checked:
            yield Finding(document, fence.start, "this output follows no command that is run",
                          "put it right behind an `sh run` block, or make it plain `text`")  # fmt: skip
        elif fence.language == "sh" and not {"run", "norun"} & set(fence.words):
            yield Finding(document, fence.start, "this command is not run by any test",
                          'write `sh run`, or `sh norun reason="..."` where that is impossible')  # fmt: skip


def run(document, repository, build):
    """Runs the commands of a chapter in order. Findings of the outputs come with an edit where that is safe."""
    todo = [(fence, output) for fence, output in commands(document) if "run" in fence.words]
    if not todo:
        return
    scratch = scratch_copy.Scratch(repository, build)
    servers = []
    try:
        for fence, output in todo:
            if "background" not in fence.words:
                yield from _run_block(document, fence, output, scratch)
                continue
            if "restart" in fence.words:
                yield from _stop_all(document, servers)
            yield from _run_background(document, fence, output, scratch, servers)
        yield from _stop_all(document, servers)
    finally:
        for _, server in servers:
            server.stop()
        scratch.close()


def _start(fence, scratch):
    return scratch_copy.Command(scratch, fence.attributes.get("quick") or "\n".join(fence.body))


def _run_background(document, fence, output, scratch, servers):
    command = _start(fence, scratch)
    servers.append((fence, command))
    if not command.wait_until_ready(SECONDS):
        what = f"this server never said that it is {scratch_copy.READY}{_last_words(command)}"
        yield Finding(document, fence.start, what, "correct the command")
    elif output:
        yield from _compare(document, output, command.printed(_both(output)))


def _stop_all(document, servers):
    while servers:
        fence, command = servers.pop()
        ended_before = command.process.poll() is not None
        said = _last_words(command)
        code = command.stop()
        if ended_before:
            yield Finding(document, fence.start, f"this server ended before it was stopped{said}", "correct the command")
        elif code not in (0, 128 + signal.SIGTERM):
            what = "does not end" if code is None else f"ended with exit code {code}"
            yield Finding(document, fence.start, f"this server {what} at SIGTERM{said}", "fix it")


def _run_block(document, fence, output, scratch):
    command = _start(fence, scratch)
    code = command.wait(SECONDS)
    printed, said = command.printed(_both(output)), _last_words(command)
    leftover = code is not None and command.has_company(scratch_copy.STOP_SECONDS)
    command.stop()
    wanted = int(fence.attributes.get("exit", "0"))
    if code is None:
        what, cure = f"this command did not end within {SECONDS} s", "make it end, or add quick="
    elif code != wanted:
        what, cure = f"this command ended with exit code {code}, not {wanted}{said}", "correct it, or say exit="
    elif leftover:
        what, cure = "this command left a process running", "wait for it, or say background"
    else:
        yield from _compare(document, output, printed) if output else ()
        return
    yield Finding(document, fence.start, what, cure)


def _both(output):
    return output is not None and output.attributes.get("output") == "both"


def _last_words(command):
    lines = [line for line in command.printed(both=True) if line.strip()]
    return f": {lines[-1][:160]}" if lines else ""


def _compare(document, output, printed):
    exact = "exact" in output.words
    if fits(output.body, printed, exact):
        return
    there, rest = ("the output must be exact", printed) if exact else first_difference(output.body, printed)
    what = f"the output is another now, from “{there.strip()}” on; there is: {' / '.join(rest[:4])[:300] or 'nothing'}"
    if any(ANY in line for line in output.body):
        yield Finding(document, output.start, what, "correct it by hand")
    else:
        edit = Edit(output.body_start, output.body_end, output.with_body(printed))
        yield Finding(document, output.start, what, "scripts/tutorial --run --write", edit)


def _mask(line):
    """The line without what differs from run to run: numbers with their unit, and the lengths of rules."""
    return _RULE.sub(r"\1\1\1", _NUMBER.sub("#", re.sub(r"[ \t]+", " ", line.strip())))


def fits(shown, printed, exact=False):
    """Whether the printed lines are those shown, in which … stands for anything."""
    if exact:
        return [line.rstrip() for line in shown] == [line.rstrip() for line in printed]
    pattern = ""
    for line in shown:
        if line.strip() == ANY:
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += r"[^\n]*?".join(re.escape(part) for part in _mask(line).split(ANY)) + r"\n"
    return re.fullmatch(pattern, "".join(_mask(line) + "\n" for line in printed)) is not None


def first_difference(shown, printed):
    """Returns the first shown line that the printed text does not lead to, and the printed line in its place."""
    count = next((n for n, _ in enumerate(shown) if not fits([*shown[: n + 1], ANY], printed)), len(shown))
    rest = next((printed[n:] for n in range(len(printed) + 1) if fits(shown[:count], printed[:n])), printed)
    return [*shown, "the end"][count], rest
