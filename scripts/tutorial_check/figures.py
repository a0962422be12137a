"""Figures and tables are what a file under results/ says: [3.97 µs](FILE "COLUMN where KEY=VALUE %.2f µs")
and <!-- table FILE where KEY=VALUE rows=KEY columns=KEY value=COLUMN %.2f --> before a table."""

import csv
import json
import re

from .findings import WRITE, Edit, Finding

CLEAN_TRIALS = 7  # fewer do not rank: results/README.md


class Wrong(Exception):
    """A query that cannot be answered; the text says why, and what would help."""


def check(document, repository):
    for link in document.links:
        path = repository.resolve(document, link.to)[0]
        if link.title and path and path.suffix in (".csv", ".json"):
            yield from _check_figure(document, link, path, repository)
    for comment in document.comments:
        if comment.text.split(None, 1)[:1] == ["table"]:
            yield from _check_table(document, comment, repository)


def _check_figure(document, link, path, repository):
    try:
        wanted = figure(repository, path, link.title)
    except Wrong as wrong:
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
    column, conditions, rest = _split(query)
    if path.suffix == ".json":
        if conditions:
            raise Wrong(
                "a query of a JSON file has no `where`", "write the path to the value, with dots"
            )
        value = _descend(_read_json(repository, path), column, path)
    else:
        rows = _rows_where(_read_csv(repository, path), conditions, path)
        if column not in (rows[0] if rows else {}):
            raise Wrong(
                f"{path.name} has no column {column}"
                if rows
                else f"no row of {path.name} has {_text(conditions)}",
                "correct the title of the link",
            )
        if len(rows) > 1:
            raise Wrong(
                f"{len(rows)} rows of {path.name} have {_text(conditions)}",
                f"tell them apart by {_differing(rows)}",
            )
        value = rows[0][column]
    return render(value, rest)


def render(value, form):
    """The value after /DIVISOR or *FACTOR, in a format of printf with text around it."""
    form = form.strip()
    scale = re.match(r"([/*])\s*([\d.eE+-]+)\s+", form)
    if scale:
        form = form[scale.end() :]
    form = form or "%s"
    pattern = re.search(
        r"%(?P<group>'?)[-+ #0]*\d*(?:\.\d+)?(?P<type>[defgs])", form.replace("%%", "\0\0")
    )
    if not pattern:
        raise Wrong(f"{form} is no format", "write a format as that of printf, such as %.2f")
    if pattern["type"] != "s":
        try:
            value = float(value)
        except ValueError:
            raise Wrong(
                f"the value is {value or 'empty'}, which is no number", "take another row, or %s"
            ) from None
        if scale:
            value = value * float(scale[2]) if scale[1] == "*" else value / float(scale[2])
        if pattern["type"] == "d":
            value = round(value)
    text = pattern[0].replace("'", "") % value
    if pattern["group"]:
        digits = re.search(r"\d+", text)
        text = text[: digits.start()] + f"{int(digits[0]):,}" + text[digits.end() :]
    return (form[: pattern.start()] + text + form[pattern.end() :]).replace("%%", "%")


def _split(query):
    """COLUMN where KEY=VALUE... REST"""
    column, _, rest = " ".join(query.split()).partition(" ")
    conditions = {}
    if re.match(r"where\b", rest):
        rest = rest[len("where") :].strip()
        while condition := re.match(r'(\w+)=("[^"]*"|\'[^\']*\'|\S+)\s*', rest):
            conditions[condition[1]] = condition[2].strip("\"'")
            rest = rest[condition.end() :]
    return column, conditions, rest


def _read_csv(repository, path):
    return _read(repository, path, lambda text: list(csv.DictReader(text.splitlines())))


def _read_json(repository, path):
    return _read(repository, path, json.loads)


def _read(repository, path, parse):
    try:
        return repository.parsed(path, parse)
    except FileNotFoundError:
        raise Wrong(
            f"there is no file {repository.relative(path)}", "correct it, or put the results there"
        ) from None
    except ValueError as error:
        raise Wrong(
            f"{repository.relative(path)} cannot be read: {error}", "make the results again"
        ) from None


def _rows_where(rows, conditions, path):
    for key in conditions:
        if rows and key not in rows[0]:
            raise Wrong(f"{path.name} has no column {key}", "correct the part after `where`")
    return [row for row in rows if all(_same(row[key], value) for key, value in conditions.items())]


def _same(left, right):
    try:
        return float(left) == float(right)
    except ValueError:
        return left == right


def _descend(value, dotted, path):
    for part in dotted.split("."):
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, ValueError, TypeError):
            raise Wrong(
                f"{path.name} has nothing at {dotted}: no {part}", "correct the path"
            ) from None
    return value


def _text(conditions):
    return " ".join(f"{key}={value}" for key, value in conditions.items()) or "no condition"


def _differing(rows):
    keys = [key for key in rows[0] if len({row[key] for row in rows}) == len(rows)]
    known = [key for key in keys if not re.search(r"_(median|min|max|low|high)$", key)]
    return ", ".join((known or keys)[:4]) or "another file: they are alike"


def _check_table(document, comment, repository):
    try:
        wanted = table(document, comment.text, repository)
    except Wrong as wrong:
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
        raise Wrong(f"{address} is no file of the repository", "correct the comment of the table")
    _, settings, form = _split(
        "table " + (query if query.startswith("where") else "where " + query)
    )
    try:
        row_key, value = settings.pop("rows"), settings.pop("value")
    except KeyError as missing:
        raise Wrong(
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
    rows = _rows_where(_read_csv(repository, path), settings, path)
    if not rows:
        raise Wrong(
            f"no row of {path.name} has {_text(settings)}", "correct the comment of the table"
        )
    for key in filter(
        None, (row_key, column_key, *(value.split(",") if not column_key else [value]))
    ):
        if key not in rows[0]:
            raise Wrong(f"{path.name} has no column {key}", "correct the comment of the table")
    heads = _names(rows, row_key, restricted)
    for head in heads:
        if not any(_same(row[row_key], head) for row in rows):
            raise Wrong(
                f"no row of {path.name} has {row_key}={head} {_text(settings)}",
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
    return restricted.get(key) or list(dict.fromkeys(row[key] for row in rows))


def _line(cells):
    return "| " + " | ".join(cells) + " |"


def _cell(rows, conditions, column, form, path):
    found = _rows_where(rows, conditions, path)
    if len(found) > 1:
        raise Wrong(
            f"{len(found)} rows of {path.name} have {_text(conditions)}",
            f"tell them apart by {_differing(found)}",
        )
    if not found or found[0][column] == "":
        return "–"
    few = "trials" in found[0] and float(found[0]["trials"]) < CLEAN_TRIALS
    return render(found[0][column], form) + ("*" if few else "")
