"""A headless Chromium, driven over its debugging pipe."""

import base64
import fcntl
import json
import os
import subprocess


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

    def open_page(self):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def visit(self, address, width, scheme, question):
        """Loads a page and returns what the JavaScript expression `question` says of it then."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900,
                  deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events.clear()
        self.call("Page.navigate", url=address)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.receive())
        return self.ask(question)

    def ask(self, question):
        """The value of an expression, or what the promise that it is brings."""
        answer = self.call("Runtime.evaluate", expression=question, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in answer:
            raise SystemExit(f"browser: the page cannot be asked: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def close(self):
        self.session = None
        self.call("Browser.close")

    def photograph(self, file):
        taken = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(taken["data"]))
