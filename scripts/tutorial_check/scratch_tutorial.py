"""A small tutorial with one of everything that the checker looks at, for its tests to break."""

import contextlib
import io
import pathlib
import shutil
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

GLOSSARY = """\
# Glossary

## echo
*also: echoes*

What comes back.

## level-triggered

As long as.

[← 2. The second](02-second.md) · [Contents](README.md)
"""

FRONT = """\
# The tutorial

| | chapter | the question |
|---:|---|---|
| 1 | [The first](01-first.md) | Why? |
| 2 | [The second](02-second.md) | How? |
| | [Glossary](glossary.md) | What? |

`scripts/tutorial` checks it.
"""

FIRST = """\
# 1. The first

## The question

What is an [echo](glossary.md#echo)? All echoes are [level-triggered](glossary.md#level-triggered) here.

## Run it

```sh run
muxlab say 12 times
```
```text output
11 times
```

## The picture

![The way of an echo from a to b](diagrams/way.svg)

## The mechanism

From [backends/first.cpp](../backends/first.cpp):

```cpp file=backends/first.cpp name=first
int first(int value) {
  return value + 1;
}
```

From the class there:

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

## What the kernel does

Nothing.

## Measured

It takes [2.35 µs](../results/summary.csv "cpu_ns where backend=poll connections=100 /1000 %.2f µs"), on
[2](../results/machine.json "processors.0.count %d") processors.

<!-- table ../results/summary.csv where threads=1 rows=backend columns=connections value=cpu_ns /1000 %.1f -->
| backend \\ connections | 10 | 100 |
| --- | ---: | ---: |
| `poll` | 1.2 | 2.3 |
| `epoll-lt` | 1.0* | 2.0 |

## In production

See [the second](02-second.md#the-question).

## Exercises

None.

## Further reading

None.

[Contents](README.md) · [2. The second →](02-second.md)
"""

SECTIONS = """\
## The question
## Run it
## The picture
## The mechanism
## What the kernel does
## Measured
## In production
## Exercises
## Further reading
"""

SECOND = f"""\
# 2. The second

{SECTIONS}
[← 1. The first](01-first.md) · [Contents](README.md) · [Glossary →](glossary.md)
"""


class ScratchTutorial:
    """The small tutorial in a folder of its own; clean until it is changed."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="tutorial-test-")
        self.root = pathlib.Path(self._folder.name)
        for name, text in {
            "backends/first.cpp": SOURCE,
            "results/summary.csv": SUMMARY,
            "results/machine.json": '{"processors": [{"count": 2}]}',
            "build/release/muxlab": MUXLAB,
            "tutorial/README.md": FRONT,
            "tutorial/01-first.md": FIRST,
            "tutorial/02-second.md": SECOND,
            "tutorial/glossary.md": GLOSSARY,
            "tutorial/diagrams/way.dot": GRAPH,
            "scripts/tutorial": "",
        }.items():
            self.write(name, text)
        (self.root / "build/release/muxlab").chmod(0o755)
        mark = f"<svg><!-- {diagrams.mark_of(GRAPH)} --></svg>"
        self.write(
            "tutorial/diagrams/way.svg",
            diagrams.render(GRAPH, "way") if shutil.which("dot") else mark,
        )

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
