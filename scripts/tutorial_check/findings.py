"""A finding: what is wrong in a file, where, what would cure it, and, where it can, the cure itself."""

import dataclasses
import os
import tempfile

WRITE = "scripts/tutorial --write"


@dataclasses.dataclass(frozen=True)
class Edit:
    start: int
    end: int
    text: str


@dataclasses.dataclass(frozen=True)
class Finding:
    document: object
    offset: int
    what: str
    cure: str
    edit: Edit | None = None

    def __str__(self):
        line = self.document.line_of(self.offset)
        return f"{self.document.path}:{line}: {self.what}; {self.cure}"


def apply_edits(text, edits):
    """The text after all edits, none of which may overlap another; that one waits for the next turn."""
    last = len(text) + 1
    for edit in sorted(edits, key=lambda e: e.start, reverse=True):
        if edit.end <= last:
            text = text[: edit.start] + edit.text + text[edit.end :]
            last = edit.start
    return text


def write_file(path, text):
    """Replaces the file in one step: who reads it meanwhile sees the old text or the new."""
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".tutorial-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
        os.chmod(temporary, os.stat(path).st_mode & 0o777 if os.path.exists(path) else 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
