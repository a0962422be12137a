"""Every relative link and anchor leads somewhere, and every picture says in words what it shows."""

from .findings import Finding


def check(document, repository):
    for link in document.links:
        yield from _check_target(document, link, repository)
        if link.is_image and len(link.text.split()) < 3:
            yield Finding(
                document,
                link.start,
                "this picture has no alternative text",
                "say between [ and ] in a sentence what it shows",
            )


def _check_target(document, link, repository):
    path, anchor = repository.resolve(document, link.to)
    if path is None:
        return
    if not path.is_relative_to(repository.root):
        yield Finding(
            document, link.start, f"{link.to} leads out of the repository", "correct the link"
        )
    elif not path.exists():
        yield Finding(document, link.start, f"{link.to} leads to nothing", "correct the link")
    elif anchor and path.suffix == ".md":
        known = (
            document.anchors if path == repository.path(document.path) else repository.anchors(path)
        )
        if anchor not in known:
            yield Finding(
                document,
                link.start,
                f"{path.name} has no heading #{anchor}",
                f"it has {_alike(anchor, known)}",
            )


def _alike(anchor, known):
    words = set(anchor.split("-"))
    ranked = sorted(known, key=lambda other: (-len(words & set(other.split("-"))), other))
    return ", ".join(f"#{other}" for other in ranked[:3]) or "none"
