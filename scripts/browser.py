"""A headless Chromium, driven over its debugging pipe, and the faults that it finds in a page."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile

WIDTHS = (400, 1400)
SCHEMES = ("light", "dark")

# What a page says of itself once it is laid out.
LOOK = """(async () => {
  await Promise.all([...document.images].map(i => {
    i.loading = 'eager';
    return i.complete || new Promise(done => { i.onload = i.onerror = done; });
  }));
  const window_ = document.documentElement.clientWidth;
  const all = selector => [...document.querySelectorAll(selector)];
  const scrolls = e => e && (getComputedStyle(e).overflowX !== 'visible' || scrolls(e.parentElement));
  const wider = all('body *').filter(e => e.getBoundingClientRect().right > window_ + 1 &&
      !scrolls(e.parentElement) && !e.closest('.skip'));
  const ids = all('[id]').map(e => e.id);
  return {
    width: document.documentElement.scrollWidth, window: window_,
    wider: wider.slice(0, 3).map(e => e.tagName + ' ' + (e.id || e.className)),
    undrawn: [...document.images].filter(i => !i.naturalWidth || i.closest('figure') && i.height < 100)
        .map(i => i.getAttribute('src').slice(0, 80)),
    paper: getComputedStyle(document.body).backgroundColor,
    text: document.querySelector('article')?.innerText.length ?? 0,
    pictures: all('figure img').length,
    nameless: all('figure img').filter(i => !i.alt).length,
    unreachable: all('.wide').filter(e => e.scrollWidth > e.clientWidth && e.tabIndex < 0).length,
    shared: ids.length - new Set(ids).size,
    loaded_ms: Math.round(performance.getEntriesByType('navigation')[0].loadEventEnd),
  };
})()"""


class Browser:
    """A browser, and one page in it. Commands go down one pipe; answers and events come up another."""

    def __init__(self):
        program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        if not program:
            print("browser: there is none here; apt-get install chromium", file=sys.stderr)
            raise SystemExit(3)
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        command_read, self.commands = os.pipe()
        self.messages, message_write = os.pipe()

        # Out of the way of 3 and 4, where the browser looks for them.
        command_read, message_write = (
            fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (command_read, message_write))

        def hand_over():
            os.dup2(command_read, 3)
            os.dup2(message_write, 4)

        arguments = ["--headless", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu",
                     "--disable-background-networking", f"--user-data-dir={self.profile.name}"]
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

    def __enter__(self):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.profile.cleanup()

    def receive(self):
        while b"\0" not in self.rest:
            chunk = os.read(self.messages, 1 << 16)
            if not chunk:
                raise SystemExit("browser: it ended; is it whole?")
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
                    raise SystemExit(f"browser: {method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def visit(self, address, width, scheme, question=LOOK):
        """Loads a page; returns the value of a JavaScript expression, or what the promise that it is brings."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900,
                  deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events.clear()
        self.call("Page.navigate", url=address)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.receive())
        answer = self.call("Runtime.evaluate", expression=question, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in answer:
            raise SystemExit(f"browser: the page cannot be asked: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def complaints(self, seen=None, loads=("file:", "data:", "blob:")):
        """Returns the faults of the last visited page, from the result of LOOK and the addresses it may load."""
        for event in self.events:
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
                if not url.startswith(loads):
                    yield f"it requests {url}"
        if seen and seen["width"] > seen["window"]:
            yield f"it is {seen['width']} pixels wide: {', '.join(seen['wider'])}"
        for picture in seen["undrawn"] if seen else ():
            yield f"{picture} is not drawn"

    def photograph(self, file):
        taken = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(taken["data"]))
