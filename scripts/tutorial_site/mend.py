"""Makes Debian's Furo work from a file: as packaged it is served by a web server, and dark only on request.

Its style sheet imports one by an absolute address, its script is a module, which a page that is opened as
a file may not load, and the colours for those whose system is dark got lost when the sheet was made.
Each mend applies where the fault is, and does nothing to a theme without it.
"""

import pathlib
import re

_NORMALIZE = pathlib.Path("/usr/share/javascript/normalize.css/normalize.css")
_IMPORT_OF_STYLE = re.compile(r"@import url\(/javascript/normalize\.css/normalize\.css\);")
_IMPORT_OF_SCRIPT = re.compile(r'^import Gumshoe from "\./gumshoe-patched\.js";$', re.MULTILINE)
_DARK = re.compile(r'body\[data-theme="dark"\] \{(?P<colours>[^{}]*)\}')
_FOLLOWS_SYSTEM = 'body:not([data-theme="light"])'


def mend(pages):
    style = pages / "_static" / "styles" / "furo.css"
    _rewrite(style, lambda text: _with_system_colours(_with_normalize(text)))
    script = pages / "_static" / "scripts" / "furo.js"
    library = script.with_name("gumshoe-patched.js")
    if library.is_file():  # it defines the global Gumshoe when it is no module
        _rewrite(
            script,
            lambda text: _IMPORT_OF_SCRIPT.sub(lambda _: library.read_text(encoding="utf-8"), text),
        )


def _with_normalize(text):
    if not _IMPORT_OF_STYLE.search(text):
        return text
    return _IMPORT_OF_STYLE.sub(lambda _: _NORMALIZE.read_text(encoding="utf-8"), text)


def _with_system_colours(text):
    if _FOLLOWS_SYSTEM in text:
        return text
    rules = "".join(f"  {_FOLLOWS_SYSTEM} {{{dark['colours']}}}\n" for dark in _DARK.finditer(text))
    return f"{text}\n@media screen and (prefers-color-scheme: dark) {{\n{rules}}}\n"


def _rewrite(path, change):
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
