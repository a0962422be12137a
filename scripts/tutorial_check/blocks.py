"""The commands of a chapter: what the reader is told to run, and what it is said to print."""

from .findings import Finding


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
