"""A table is what a file under results/ says, when a comment before it asks:

<!-- table FILE where KEY=VALUE rows=KEY columns=KEY value=COLUMN %.2f -->
"""

import re

from . import queries
from .findings import WRITE, Edit, Finding


CLEAN_TRIALS = 7  # fewer do not rank: results/README.md


def check(document, repository):
    for comment in document.comments:
        if comment.text.split(None, 1)[:1] == ["table"]:
            yield from _check_table(document, comment, repository)


def _check_table(document, comment, repository):
    try:
        wanted = table(document, comment.text, repository)
    except queries.Wrong as wrong:
        yield Finding(document, comment.start, *wrong.args)
        return
    behind = re.compile(r"[ \t]*\n*((?:^[ \t]*\|.*(?:\n|\Z))*)", re.MULTILINE).match(
        document.text, comment.end
    )
    if behind[1].strip().split("\n") != wanted:
        what = "this table is not what the results say" if behind[1] else "here belongs a table"
        lead = "\n" if behind[1] else "\n\n"
        yield Finding(
            document,
            comment.start,
            what,
            WRITE,
            Edit(
                comment.end,
                behind.end(),
                "\n" + "\n".join(wanted) + lead
                if not behind[1]
                else "\n" + "\n".join(wanted) + "\n",
            ),
        )


def table(document, comment, repository):
    """The lines of the table that a comment asks for."""
    _, address, query = (comment.split(None, 2) + ["", ""])[:3]
    path = repository.resolve(document, address)[0]
    if not path:
        raise queries.Wrong(
            f"{address} is no file of the repository", "correct the comment of the table"
        )
    _, settings, form = queries.split(
        "table " + (query if query.startswith("where") else "where " + query)
    )
    try:
        row_key, value = settings.pop("rows"), settings.pop("value")
    except KeyError as missing:
        raise queries.Wrong(
            f"the table has no {missing.args[0]}=", "say rows=KEY columns=KEY value=COLUMN"
        ) from None
    column_key = settings.pop("columns", None)
    corner = settings.pop("corner", None)
    restricted = {
        key: settings.pop(name).split(",")
        for key in filter(None, (row_key, column_key))
        for name in (key, key + "s")
        if name in settings
    }
    rows = queries.rows_where(queries.read_csv(repository, path), settings, path)
    if not rows:
        raise queries.Wrong(
            f"no row of {path.name} has {queries.text_of(settings)}",
            "correct the comment of the table",
        )
    for key in filter(
        None, (row_key, column_key, *(value.split(",") if not column_key else [value]))
    ):
        if key not in rows[0]:
            raise queries.Wrong(
                f"{path.name} has no column {key}", "correct the comment of the table"
            )
    heads = _names(rows, row_key, restricted)
    for head in heads:
        if not any(queries.same(row[row_key], head) for row in rows):
            raise queries.Wrong(
                f"no row of {path.name} has {row_key}={head} {queries.text_of(settings)}",
                "correct the comment of the table",
            )
    if column_key:
        columns = [
            ({column_key: name}, value, name) for name in _names(rows, column_key, restricted)
        ]
        corner = corner or f"{row_key} \\ {column_key}"
    else:
        columns = [({}, name, name) for name in value.split(",")]
        corner = corner or row_key
    lines = [
        _line([corner, *(name for _, _, name in columns)]),
        _line(["---"] + ["---:"] * len(columns)),
    ]
    for head in heads:
        cells = [
            _cell(rows, {row_key: head, **where}, column, form, path)
            for where, column, _ in columns
        ]
        lines.append(_line([f"`{head}`" if not re.fullmatch(r"[\d.]+", head) else head, *cells]))
    return lines


def _names(rows, key, restricted):
    """Those asked for; else all, numbers in ascending order and words as they come."""
    names = restricted.get(key) or list(dict.fromkeys(row[key] for row in rows))
    if key not in restricted and all(name.isdigit() for name in names):
        names.sort(key=int)
    return names


def _line(cells):
    return "| " + " | ".join(cells) + " |"


def _cell(rows, conditions, column, form, path):
    found = queries.rows_where(rows, conditions, path)
    if len(found) > 1:
        raise queries.Wrong(
            f"{len(found)} rows of {path.name} have {queries.text_of(conditions)}",
            f"tell them apart by {queries.differing(found)}",
        )
    if not found or found[0][column] == "":
        return "–"
    few = "trials" in found[0] and float(found[0]["trials"]) < CLEAN_TRIALS
    return queries.render(found[0][column], form) + ("*" if few else "")
