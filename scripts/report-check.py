"""Has a headless Chromium look at a report; scripts/report-check says what for."""

import pathlib
import sys
import tempfile

from browser import Browser

WIDTHS = (400, 1400)
SCHEMES = ("light", "dark")
MOST_BYTES = 3_000_000

# What a page says of itself once it is laid out.
LOOK = """(() => {
  const wider = [...document.querySelectorAll('body *')].filter(e =>
      !e.closest('.wide > *') && !e.closest('.skip') &&
      e.getBoundingClientRect().right > document.documentElement.clientWidth + 1);
  const pictures = [...document.querySelectorAll('figure img')];
  return {
    width: document.documentElement.scrollWidth, window: document.documentElement.clientWidth,
    wider: wider.slice(0, 3).map(e => e.tagName + ' ' + (e.id || e.className)),
    pictures: pictures.length,
    empty: pictures.filter(p => !p.naturalWidth || p.getBoundingClientRect().height < 100).length,
    nameless: pictures.filter(p => !p.alt).length,
    unreachable: [...document.querySelectorAll('.wide')].filter(
        e => e.scrollWidth > e.clientWidth && e.tabIndex < 0).length,
    shared: (ids => ids.length - new Set(ids).size)(
        [...document.querySelectorAll('[id]')].map(e => e.id)),
    paper: getComputedStyle(document.body).backgroundColor,
    loaded_ms: Math.round(performance.getEntriesByType('navigation')[0].loadEventEnd),
  };
})()"""


def complaints_of_events(events, address):
    for event in events:
        method, about = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            yield f"exception: {about['exceptionDetails']['text']}"
        elif method == "Runtime.consoleAPICalled" and about["type"] in ("error", "warning"):
            yield f"console: {about['args'][0].get('value')}"
        elif method == "Log.entryAdded" and about["entry"]["level"] in ("error", "warning"):
            yield f"log: {about['entry']['text']}"
        elif method == "Network.requestWillBeSent":
            url = about["request"]["url"]
            if url != address and not url.startswith("data:"):
                yield f"it requests {url}"


def complaints_of_look(seen):
    if seen["width"] > seen["window"]:
        yield f"it is {seen['width']} pixels wide: {', '.join(seen['wider'])}"
    if seen["pictures"] == 0:
        yield "it has no pictures"
    for what, problem in (("empty", "pictures are not drawn"), ("nameless", "pictures have no text"),
                          ("unreachable", "parts scroll, but not by keyboard"),
                          ("shared", "ids are not unique")):
        if seen[what]:
            yield f"{seen[what]} {problem}"


def main(program, report, folder=None):
    report = pathlib.Path(report).resolve()
    address = report.as_uri()
    failures = []
    if report.stat().st_size > MOST_BYTES:
        failures.append(f"it has {report.stat().st_size} bytes, more than {MOST_BYTES}")
    papers = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(program, profile)
        try:
            browser.open_page()
            for width in WIDTHS:
                for scheme in SCHEMES:
                    seen = browser.visit(address, width, scheme, LOOK)
                    papers[scheme] = seen["paper"]
                    found = [*complaints_of_events(browser.events, address), *complaints_of_look(seen)]
                    failures += [f"{width} pixels, {scheme}: {complaint}" for complaint in found]
                    print(f"{width} pixels, {scheme}: {seen['pictures']} pictures, "
                          f"loaded in {seen['loaded_ms']} ms", file=sys.stderr)
                    if folder:
                        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
                        browser.photograph(pathlib.Path(folder) / f"report-{width}-{scheme}.png")
            browser.close()
        finally:
            browser.process.terminate()
            browser.process.wait()
    if papers["light"] == papers["dark"]:
        failures.append("it is as bright at night as by day")
    for failure in failures:
        print(f"report-check: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
