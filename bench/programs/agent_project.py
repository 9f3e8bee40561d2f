"""A service of the project that agents are asked about: `agent_project.py ROLE [ARGUMENT]`.

api PORT     listens and answers /health
billing      serves 200 requests, then dies of a missing key
worker       prints 10 000 lines with five errors in them, makes the file worker.ready, then prints what is
             added to it, and notes that in the file worker.printed
web          takes a second to be ready, notes each start in the file web.starts, and makes the file web.ready then
"""

import http.server
import logging
import os
import sys
import time

logging.basicConfig(
    stream=sys.stdout,
    level=logging.INFO,
    format="%(asctime)s %(levelname)s %(name)s: %(message)s",
)
role, argument = (sys.argv[1:] + [""])[:2]
log = logging.getLogger(role)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"ok":true}')

    def log_message(self, *args):
        pass


def api():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(argument)), Handler)
    log.info("listening on http://127.0.0.1:%s", argument)
    server.serve_forever()


def charge(order):
    return order["customer"]["card"]


def billing():
    for number in range(200):
        log.info('"POST /charge/%d HTTP/1.1" 201', number)
    charge({"id": 200})


def worker():
    for number in range(10_000):
        if number in (2_000, 4_000, 6_000, 8_000, 9_000):
            log.error("job %d failed: ledger refuses the connection", number)
        else:
            log.info("job %d done in %d ms", number, number * 7 % 97)
    with (
        open("worker.printed", "w", encoding="utf-8") as printed,
        open("worker.ready", "w+", encoding="utf-8") as lines,
    ):
        while True:
            line = lines.readline()
            if line:
                log.info("%s", line.rstrip())
                printed.write(line)
                printed.flush()
            else:
                time.sleep(0.05)


def web():
    if os.path.exists("web.ready"):
        os.remove("web.ready")
    with open("web.starts", "a", encoding="utf-8") as starts:
        starts.write(f"{os.getpid()}\n")
    time.sleep(1)
    log.info("web is ready")
    open("web.ready", "w", encoding="utf-8").close()
    time.sleep(86399)


{"api": api, "billing": billing, "worker": worker, "web": web}[role]()
