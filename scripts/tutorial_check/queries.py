"""Queries of the files under results/: COLUMN where KEY=VALUE..., and then a format as that of printf."""

import csv
import json
import re


class Wrong(Exception):
    """A query that cannot be answered; the text says why, and what would help."""


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


def read_csv(repository, path):
    return _read(repository, path, lambda text: list(csv.DictReader(text.splitlines())))


def read_json(repository, path):
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


def rows_where(rows, conditions, path):
    for key in conditions:
        if rows and key not in rows[0]:
            raise Wrong(f"{path.name} has no column {key}", "correct the part after `where`")
    return [row for row in rows if all(same(row[key], value) for key, value in conditions.items())]


def same(left, right):
    try:
        return float(left) == float(right)
    except ValueError:
        return left == right


def descend(value, dotted, path):
    for part in dotted.split("."):
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, ValueError, TypeError):
            raise Wrong(
                f"{path.name} has nothing at {dotted}: no {part}", "correct the path"
            ) from None
    return value


def text_of(conditions):
    return " ".join(f"{key}={value}" for key, value in conditions.items()) or "no condition"


def differing(rows):
    keys = [key for key in rows[0] if len({row[key] for row in rows}) == len(rows)]
    known = [key for key in keys if not re.search(r"_(median|min|max|low|high)$", key)]
    return ", ".join((known or keys)[:4]) or "another file: they are alike"


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
