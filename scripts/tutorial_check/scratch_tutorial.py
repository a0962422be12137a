"""A small tutorial with one of everything that the checker looks at, for its tests to break."""

import contextlib
import io
import pathlib
import tempfile

from . import __main__ as command_line
from . import diagrams

SOURCE = """\
#include <cstdio>

namespace muxlab {

/// Says so.
int first(int value) {
  return value + 1;
}

class Second {
 public:
  void wait() override {
    ::printf("a } in a string");  // and a { in a comment
  }
};

}  // namespace muxlab
"""

SUMMARY = """\
backend,threads,connections,trials,cpu_ns
poll,1,10,7,1234.5
poll,1,100,7,2345.6
epoll-lt,1,10,3,1000
epoll-lt,1,100,7,2000
epoll-lt,2,10,7,3000
"""

# Knows --help, and two verbs: `say` prints its words, `listen` is a server.
MUXLAB = """\
#!/usr/bin/env bash
case "$*" in
  --help) printf 'A program.\\n\\nSubcommands:\\n  say     Say it\\n  listen  Serve\\n\\nThat is all.\\n' ;;
  'say --help') printf 'Options:\\n  --loud  Louder\\n' ;;
  'listen --help') printf 'Options:\\n  --port N  Where\\n' ;;
  say*) shift && echo "$*" && echo 'to stderr' >&2 ;;
  listen) trap 'exit 0' TERM; echo 'listening on 127.0.0.1:4701'; sleep infinity & wait ;;
  *) exit 2 ;;
esac
"""

GRAPH = 'digraph way {\n  label="The way"\n  comment="From a to b."\n  a -> b\n}\n'

TEXTS = {
    "tutorial/README.md": "# The tutorial\n\n[The first](01-first.md), [the second](02-second.md), [words](glossary.md).\n",
    "tutorial/02-second.md": "# 2. The second\n\n## The question\n\n[Contents](README.md)\n",
    "tutorial/glossary.md": "# Glossary\n\n## echo\n\nWhat comes back.\n",
    "tutorial/01-first.md": """\
# 1. The first

What is an [echo](glossary.md#echo)? See [the second](02-second.md#the-question).

```sh run
muxlab say 12 times
```
```text output
11 times
```

![The way of an echo from a to b](diagrams/way.svg)

From [backends/first.cpp](../backends/first.cpp):

```cpp file=backends/first.cpp name=first
int first(int value) {
  return value + 1;
}
```

```cpp file=backends/first.cpp name=Second::wait
void wait() override {
  ::printf("a } in a string");  // and a { in a comment
}
```

```cpp file=backends/first.cpp lines=/first\\(/../return/
int first(int value) {
  return value + 1;
```

`muxlab say --loud` is louder.

It takes [2.35 µs](../results/summary.csv "cpu_ns where backend=poll connections=100 /1000 %.2f µs").

<!-- table ../results/summary.csv where threads=1 rows=backend columns=connections value=cpu_ns /1000 %.1f -->
| backend \\ connections | 10 | 100 |
| --- | ---: | ---: |
| `poll` | 1.2 | 2.3 |
| `epoll-lt` | 1.0* | 2.0 |

[Contents](README.md)
""",
}


class ScratchTutorial:
    """The small tutorial in a folder of its own; clean until it is changed."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="tutorial-test-")
        self.root = pathlib.Path(self._folder.name)
        picture = f"<svg><!-- {diagrams.mark_of(GRAPH)} --></svg>"
        for name, text in {
            **TEXTS,
            "backends/first.cpp": SOURCE,
            "results/summary.csv": SUMMARY,
            "build/release/muxlab": MUXLAB,
            "tutorial/diagrams/way.dot": GRAPH,
            "tutorial/diagrams/way.svg": picture,
        }.items():
            self.write(name, text)
        (self.root / "build/release/muxlab").chmod(0o755)

    def close(self):
        self._folder.cleanup()

    def read(self, name):
        return (self.root / name).read_text(encoding="utf-8")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def change(self, name, old, new):
        text = self.read(name)
        assert text.count(old) >= 1, f"{name} has no {old}"
        self.write(name, text.replace(old, new, 1))

    def check(self, *words):
        """Runs the checker; returns its exit code and the findings."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = command_line.main(["--root", str(self.root), *words])
        return code, out.getvalue().splitlines()
