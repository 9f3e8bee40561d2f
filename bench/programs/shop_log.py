"""A web service as logs know them: it says where it listens, serves 2 000 requests, of which 12 fail in the same place for
different customers, and then idles. With the argument "die" it fails once more at the end, for good."""

import logging
import random
import sys
import time

logging.basicConfig(
    stream=sys.stdout,
    level=logging.INFO,
    format="%(asctime)s %(levelname)s %(name)s: %(message)s",
)
log = logging.getLogger("shop")
random.seed(7)


def charge(order):
    return order["customer"]["card"]


def handle(number):
    order = {"id": number, "customer": {"card": "visa"}}
    if number % 160 == 80:
        del order["customer"]
    return charge(order)


log.info("listening on http://127.0.0.1:8000")
for number in range(2000):
    try:
        handle(number)
        took = random.randint(1, 900) / 10
        log.info('"POST /orders/%d HTTP/1.1" 201 %.1f ms', number, took)
    except KeyError:
        log.exception("order %d failed for %s", number, random.randbytes(8).hex())
sys.stdout.flush()
if sys.argv[1:] == ["die"]:
    handle(80)
time.sleep(86399)
