"""A figure in the text is what a file under results/ says: [3.97 µs](FILE "COLUMN where KEY=VALUE %.2f µs")."""

import re

from . import queries
from .findings import WRITE, Edit, Finding


def check(document, repository):
    for link in document.links:
        path = repository.resolve(document, link.to)[0]
        if link.title and path and path.suffix in (".csv", ".json"):
            yield from _check_figure(document, link, path, repository)


def _check_figure(document, link, path, repository):
    try:
        wanted = figure(repository, path, link.title)
    except queries.Wrong as wrong:
        yield Finding(document, link.start, *wrong.args)
        return
    shown = re.fullmatch(r"(?P<before>[*_`]*)(?P<text>.*?)(?P<after>[*_`]*)", link.text, re.DOTALL)
    if shown["text"] != wanted:
        at = link.text_start + shown.start("text")
        yield Finding(
            document,
            link.start,
            f"the figure is {wanted} now, and not {shown['text']}",
            WRITE,
            Edit(at, at + len(shown["text"]), wanted),
        )


def figure(repository, path, query):
    """The text of a figure, for a query such as: echoes_per_s_median where backend=poll /1000 %.0f k"""
    column, conditions, rest = queries.split(query)
    if path.suffix == ".json":
        if conditions:
            raise queries.Wrong(
                "a query of a JSON file has no `where`", "write the path to the value, with dots"
            )
        value = queries.descend(queries.read_json(repository, path), column, path)
    else:
        rows = queries.rows_where(queries.read_csv(repository, path), conditions, path)
        if column not in (rows[0] if rows else {}):
            raise queries.Wrong(
                f"{path.name} has no column {column}"
                if rows
                else f"no row of {path.name} has {queries.text_of(conditions)}",
                "correct the title of the link",
            )
        if len(rows) > 1:
            raise queries.Wrong(
                f"{len(rows)} rows of {path.name} have {queries.text_of(conditions)}",
                f"tell them apart by {queries.differing(rows)}",
            )
        value = rows[0][column]
    return queries.render(value, rest)
