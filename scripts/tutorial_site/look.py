"""Has a browser open every page as a file, and says what no reading of its text can find out."""

import shutil
import sys
import tempfile

from browser import Browser

WIDTHS = (400, 1400)
FOUND_EVERYWHERE = "echo"
FOUND_NOWHERE = "qqxyzzy"

LOOK = """(async () => {
  await Promise.all([...document.images].map(i => {
    i.loading = 'eager';
    return i.complete || new Promise(done => { i.onload = i.onerror = done; });
  }));
  const window_ = document.documentElement.clientWidth;
  const scrolls = e => e && (getComputedStyle(e).overflowX !== 'visible' || scrolls(e.parentElement));
  const wider = [...document.querySelectorAll('body *')].filter(e =>
      e.getBoundingClientRect().right > window_ + 1 && !scrolls(e.parentElement));
  return {
    width: document.documentElement.scrollWidth, window: window_,
    wider: wider.slice(0, 3).map(e => e.tagName + ' ' + (e.id || e.className)),
    undrawn: [...document.images].filter(i => !i.naturalWidth).map(i => i.getAttribute('src')),
    paper: getComputedStyle(document.body).backgroundColor,
    text: document.querySelector('article')?.innerText.length ?? 0,
  };
})()"""

# Resolves when the search is over, to how many pages it found.
SEARCH = """new Promise(done => {
  const look = () => {
    const summary = document.querySelector('#search-results .search-summary')?.innerText ?? '';
    if (/found|did not match/i.test(summary))
      done(document.querySelectorAll('#search-results ul.search li').length);
    else
      setTimeout(look, 20);
  };
  setTimeout(() => done(-1), 60000);
  look();
})"""


def complaints(folder):
    """One line for each thing that is wrong with the pages of a folder."""
    program = next(filter(shutil.which, ("chromium", "chromium-browser", "google-chrome")), None)
    if not program:
        raise SystemExit("site: no browser here; apt-get install chromium")
    found = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(shutil.which(program), profile)
        try:
            browser.open_page()
            for page in sorted(folder.rglob("*.html")):
                if "_downloads" not in page.parts:
                    found += _complaints_of_page(browser, page, folder)
            found += _complaints_of_search(browser, folder)
            found += _complaints_of_night(browser, folder)
            browser.close()
        finally:
            browser.process.terminate()
            browser.process.wait()
    return found


def _complaints_of_page(browser, page, folder):
    for width in WIDTHS:
        seen = browser.visit(page.as_uri(), width, "light", LOOK)
        name = f"{page.relative_to(folder)}, {width} pixels"
        for complaint in _complaints_of_events(browser.events):
            yield f"{name}: {complaint}"
        if seen["width"] > seen["window"]:
            yield f"{name}: it is {seen['width']} pixels wide: {', '.join(seen['wider'])}"
        for picture in seen["undrawn"]:
            yield f"{name}: {picture} is not drawn"
        if not seen["text"] and page.name not in ("genindex.html", "search.html"):
            yield f"{name}: it is empty"


def _complaints_of_events(events):
    for event in events:
        method, about = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = about["exceptionDetails"]
            yield f"exception: {details.get('exception', {}).get('description', details['text'])}"
        elif method == "Runtime.consoleAPICalled" and about["type"] in ("error", "warning"):
            yield f"console: {about['args'][0].get('value')}"
        elif method == "Log.entryAdded" and about["entry"]["level"] in ("error", "warning"):
            yield f"log: {about['entry']['text']} {about['entry'].get('url', '')}"
        elif method == "Network.requestWillBeSent":
            url = about["request"]["url"]
            if not url.startswith(("file:", "data:", "blob:")):
                yield f"it requests {url}"


def _complaints_of_search(browser, folder):
    page = (folder / "search.html").as_uri()
    for word, is_there in ((FOUND_EVERYWHERE, True), (FOUND_NOWHERE, False)):
        count = browser.visit(f"{page}?q={word}", WIDTHS[1], "light", SEARCH)
        print(f"site: the search finds {word} on {count} pages", file=sys.stderr)
        yield from _complaints_of_events(browser.events)
        if count < 0 or (count > 0) != is_there:
            yield f"the search finds {word} on {count} pages"


def _complaints_of_night(browser, folder):
    page = (folder / "index.html").as_uri()
    papers = [browser.visit(page, WIDTHS[1], scheme, LOOK)["paper"] for scheme in ("light", "dark")]
    if papers[0] == papers[1]:
        yield "the pages are as bright at night as by day"
