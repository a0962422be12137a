"""Figures and tables are what the files under results/ say.

A figure is a link with a query: [3.97 µs](FILE "COLUMN where KEY=VALUE... /1000 %.2f µs"). A table stands behind a
comment: <!-- table FILE where KEY=VALUE... rows=KEY columns=KEY value=COLUMN %.2f -->
"""

import csv
import functools
import re

from .text import WRITE, Edit, Finding, Wrong

CLEAN_TRIALS = 7  # fewer do not rank: results/README.md


def check(document, repository):
    for link in document.links:
        path = repository.resolve(document, link.to)[0]
        if link.title and path and path.suffix == ".csv":
            yield from _check_figure(document, link, path)
    for comment in document.comments:
        if comment.text.split(None, 1)[:1] == ["table"]:
            yield from _check_table(document, comment, repository)


def _check_figure(document, link, path):
    try:
        wanted = _figure(path, link.title)
    except Wrong as wrong:
        yield Finding(document, link.start, *wrong.args)
        return
    shown = re.fullmatch(r"([*_`]*)(.*?)([*_`]*)", link.text, re.DOTALL)
    if shown[2] != wanted:
        edit = Edit(link.text_start + shown.start(2), link.text_start + shown.end(2), wanted)
        yield Finding(document, link.start, f"the figure is {wanted} now, and not {shown[2]}", WRITE, edit)


def _check_table(document, comment, repository):
    try:
        wanted = "".join(line + "\n" for line in _table(document, comment.text, repository))
    except Wrong as wrong:
        yield Finding(document, comment.start, *wrong.args)
        return
    behind = re.compile(r"[ \t]*\n*((?:^[ \t]*\|.*(?:\n|\Z))*)", re.MULTILINE).match(document.text, comment.end)
    if behind[1] != wanted:
        edit = Edit(comment.end, behind.end(), "\n" + wanted + ("" if behind[1] else "\n"))
        yield Finding(document, comment.start, "the table here is not what the results say", WRITE, edit)


def _figure(path, query):
    column, conditions, rest = split(query)
    row = _one_row(_read(path), column, conditions, path, "correct the title of the link")
    if row is None:
        raise Wrong(f"no row of {path.name} has {_said(conditions)}", "correct the title of the link")
    return render(row[column], rest)


def _table(document, comment, repository):
    """The lines of the table that a comment asks for."""
    cure = "correct the comment of the table"
    _, address, query = (comment.split(None, 2) + ["", ""])[:3]
    path = repository.resolve(document, address)[0]
    _, settings, form = split("table " + (query if query.startswith("where") else "where " + query))
    rows = _read(path)
    if not {"rows", "value"} <= settings.keys():
        raise Wrong("the table has no rows= or no value=", "say rows=KEY columns=KEY value=COLUMN")
    row_key, values, column_key = settings.pop("rows"), settings.pop("value"), settings.pop("columns", None)
    restricted = {
        key: settings.pop(name).split(",") for key in (row_key, column_key) for name in (key, f"{key}s") if name in settings
    }
    rows = _rows_where(rows, settings, path, cure)
    if not rows:
        raise Wrong(f"no row of {path.name} has {_said(settings)}", cure)
    if column_key:
        columns = [({column_key: name}, values, name) for name in _names(rows, column_key, restricted, path)]
    else:
        columns = [({}, name, name) for name in values.split(",")]
    corner = f"{row_key} \\ {column_key}" if column_key else row_key
    lines = [[corner, *(name for _, _, name in columns)], ["---"] + ["---:"] * len(columns)]
    for head in _names(rows, row_key, restricted, path):
        cells = [_cell(rows, {row_key: head, **where}, column, form, path) for where, column, _ in columns]
        lines.append([f"`{head}`" if not re.fullmatch(r"[\d.]+", head) else head, *cells])
    return ["| " + " | ".join(line) + " |" for line in lines]


def _names(rows, key, restricted, path):
    """Those asked for; else all, numbers in ascending order and words as they come."""
    there = list(dict.fromkeys(row.get(key) for row in rows))
    names = restricted.get(key) or (sorted(there, key=int) if all(str(name).isdigit() for name in there) else there)
    for name in names:
        if name is None or not any(_same(name, other) for other in there):
            raise Wrong(f"no row of {path.name} has {key}={name}", "correct the comment of the table")
    return names


def _cell(rows, conditions, column, form, path):
    row = _one_row(rows, column, conditions, path, "correct the comment of the table")
    if row is None or row[column] == "":
        return "–"
    return render(row[column], form) + ("*" if float(row.get("trials") or CLEAN_TRIALS) < CLEAN_TRIALS else "")


@functools.lru_cache(maxsize=None)
def _read(path):
    try:
        return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    except (OSError, ValueError, AttributeError) as error:
        raise Wrong(f"there is no file {path and path.name}, or it cannot be read: {error}", "correct it") from None


def _rows_where(rows, conditions, path, cure):
    for key in conditions:
        if rows and key not in rows[0]:
            raise Wrong(f"{path.name} has no column {key}", cure)
    return [row for row in rows if all(_same(row[key], value) for key, value in conditions.items())]


def _one_row(rows, column, conditions, path, cure):
    """The row with these values, or None."""
    found = _rows_where(rows, conditions, path, cure)
    if len(found) > 1:
        apart = [key for key in found[0] if len({row[key] for row in found}) == len(found)]
        raise Wrong(f"{len(found)} rows of {path.name} have {_said(conditions)}",
                    f"distinguish them by {', '.join(apart[:4]) or 'another file'}")  # fmt: skip
    if found and column not in found[0]:
        raise Wrong(f"{path.name} has no column {column}", cure)
    return found[0] if found else None


def _same(left, right):
    try:
        return float(left) == float(right)
    except ValueError:
        return left == right


def _said(conditions):
    return " ".join(f"{key}={value}" for key, value in conditions.items()) or "no condition"


def split(query):
    """COLUMN where KEY=VALUE... REST"""
    column, _, rest = " ".join(query.split()).partition(" ")
    conditions = {}
    if re.match(r"where\b", rest):
        rest = rest[len("where") :].strip()
        while condition := re.match(r'(\w+)=("[^"]*"|\'[^\']*\'|\S+)\s*', rest):
            conditions[condition[1]] = condition[2].strip("\"'")
            rest = rest[condition.end() :]
    return column, conditions, rest


def render(value, form):
    """The value after /DIVISOR, in a format of printf with text around it."""
    form = form.strip()
    scale = re.match(r"/\s*([\d.eE+-]+)\s+", form)
    form = (form[scale.end() :] if scale else form) or "%s"
    pattern = re.search(r"%[-+ #0]*\d*(?:\.\d+)?(?P<type>[defgs])", form.replace("%%", "\0\0"))
    if not pattern:
        raise Wrong(f"{form} is no format", "write a format as that of printf, such as %.2f")
    if pattern["type"] != "s":
        try:
            value = float(value)
        except ValueError:
            raise Wrong(f"the value is {value or 'empty'}, which is no number", "take another row, or %s") from None
        value /= float(scale[1]) if scale else 1
        if pattern["type"] == "d":
            value = round(value)
    return (form[: pattern.start()] + pattern[0] % value + form[pattern.end() :]).replace("%%", "%")
