"""Drives a headless Chromium over its debugging pipe; scripts/report-check says what for."""

import base64
import fcntl
import json
import os
import pathlib
import subprocess
import sys
import tempfile

WIDTHS = (400, 1400)
SCHEMES = ("light", "dark")
MOST_BYTES = 3_000_000

# What a page says of itself once it is laid out.
LOOK = """(() => {
  const wider = [...document.querySelectorAll('body *')].filter(e =>
      !e.closest('.wide > *') && !e.closest('.skip') &&
      e.getBoundingClientRect().right > document.documentElement.clientWidth + 1);
  const pictures = [...document.querySelectorAll('figure svg')];
  return {
    width: document.documentElement.scrollWidth, window: document.documentElement.clientWidth,
    wider: wider.slice(0, 3).map(e => e.tagName + ' ' + (e.id || e.className)),
    pictures: pictures.length,
    empty: pictures.filter(p => p.getBoundingClientRect().height < 100).length,
    nameless: pictures.filter(p => !p.getAttribute('aria-labelledby').split(' ').every(
        id => document.getElementById(id)?.textContent)).length,
    unreachable: [...document.querySelectorAll('.wide')].filter(
        e => e.scrollWidth > e.clientWidth && e.tabIndex < 0).length,
    shared: (ids => ids.length - new Set(ids).size)(
        [...document.querySelectorAll('[id]')].map(e => e.id)),
    paper: getComputedStyle(document.body).backgroundColor,
    loaded_ms: Math.round(performance.getEntriesByType('navigation')[0].loadEventEnd),
  };
})()"""


class Browser:
    """A browser, and one page in it. Commands go down one pipe; answers and events come up another."""

    def __init__(self, program, profile):
        command_read, self.commands = os.pipe()
        self.messages, message_write = os.pipe()

        # Out of the way of 3 and 4, where the browser looks for them.
        command_read, message_write = (
            fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (command_read, message_write))

        def hand_over():
            os.dup2(command_read, 3)
            os.dup2(message_write, 4)

        arguments = ["--headless", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu",
                     "--disable-background-networking", f"--user-data-dir={profile}"]
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")  # Chromium's refuses to run as root
        self.process = subprocess.Popen([program, *arguments], preexec_fn=hand_over, close_fds=True,
                                        pass_fds=(3, 4), stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        os.close(command_read)
        os.close(message_write)
        self.rest = b""
        self.events = []
        self.number = 0
        self.session = None

    def receive(self):
        while b"\0" not in self.rest:
            chunk = os.read(self.messages, 1 << 16)
            if not chunk:
                raise SystemExit("report-check: the browser ended; is it whole?")
            self.rest += chunk
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise SystemExit(f"report-check: {method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def open_page(self):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def visit(self, address, width, scheme):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900,
                  deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events.clear()
        self.call("Page.navigate", url=address)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.receive())
        return self.call("Runtime.evaluate", expression=LOOK, returnByValue=True)["result"]["value"]

    def photograph(self, file):
        taken = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(taken["data"]))


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
    with tempfile.TemporaryDirectory() as profile:
        browser = Browser(program, profile)
        try:
            browser.open_page()
            for width in WIDTHS:
                for scheme in SCHEMES:
                    seen = browser.visit(address, width, scheme)
                    papers[scheme] = seen["paper"]
                    found = [*complaints_of_events(browser.events, address), *complaints_of_look(seen)]
                    failures += [f"{width} pixels, {scheme}: {complaint}" for complaint in found]
                    print(f"{width} pixels, {scheme}: {seen['pictures']} pictures, "
                          f"loaded in {seen['loaded_ms']} ms", file=sys.stderr)
                    if folder:
                        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
                        browser.photograph(pathlib.Path(folder) / f"report-{width}-{scheme}.png")
            browser.session = None
            browser.call("Browser.close")
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
