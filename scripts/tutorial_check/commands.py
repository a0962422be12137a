"""What a chapter tells the reader to run is run, and prints what the chapter shows."""

import signal

from . import blocks, outputs
from . import scratch as scratch_copy
from .findings import Edit, Finding


SECONDS = 120  # for one command; only so that a hang becomes a failure


def run(document, repository, build):
    """Runs the commands of a chapter in order. Findings of the outputs come with an edit where that is safe."""
    todo = [(fence, output) for fence, output in blocks.blocks(document) if "run" in fence.words]
    if not todo:
        return
    scratch = scratch_copy.Scratch(repository, build)
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
            f"this server never said that it is {scratch_copy.READY}{_said(command)}",
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
    leftover = code is not None and command.has_company(scratch_copy.STOP_SECONDS)
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
    there, rest = ("it is to be exact", printed) if exact else outputs.first_difference(shown, printed)
    text = " / ".join(rest[:4])[:300] or "nothing"
    edit = None if has_gaps else Edit(output.body_start, output.body_end, output.with_body(printed))
    yield Finding(
        document,
        output.start,
        f"the output is another now, from “{there.strip()}” on; there is: {text}",
        "correct it by hand" if has_gaps else "scripts/tutorial --run --write",
        edit,
    )


def _said(command):
    lines = [line for line in command.printed(both=True) if line.strip()]
    return f": {lines[-1][:160]}" if lines else ""
