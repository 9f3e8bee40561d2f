"""The `worker` task: takes orders from pending to paid to shipped.

Polls the shop's SQLite database. Standard library only, Python 3.11 or newer.

Environment:
  SHOP_DATA             folder of shop.db (default: data)
  SHOP_PAYMENT_SECONDS  age at which a pending order is paid (default: 1)
  SHOP_PACKING_SECONDS  age at which a paid order is shipped (default: 2)

SIGINT and SIGTERM end it with exit code 0 after the step it is in.
"""

import os
import select
import signal
import socket
import sqlite3
import sys
from contextlib import closing

POLL_SECONDS = 0.25
BUSY_TIMEOUT_MS = 5_000
# Orders moved by one statement, which holds the write lock while it runs.
BATCH_ORDERS = 20

NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
# One statement, so an order can neither be moved twice nor be seen half moved.
MOVE = f"""
    update orders set status = :new, updated_at = {NOW}
    where id in (
      select id from orders
      where status = :old
        and updated_at <= strftime('%Y-%m-%dT%H:%M:%fZ', 'now', :age)
      order by id limit :batch
    )
    returning id, customer, total_cents
"""


def log(text: str) -> None:
    print(text, flush=True)


def seconds(name: str, default: float) -> float:
    """The number in environment variable `name`."""
    text = os.environ.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 3600:
        sys.exit(f'Cannot start: {name} is "{text}", it must be 0 to 3600')
    return value


def open_database(folder: str) -> sqlite3.Connection:
    """Opens the migrated database. It must be there: making it is not ours."""
    path = os.path.join(folder, "shop.db")
    if not os.path.isfile(path):
        sys.exit(f'Cannot open "{path}": run the migrate task first')
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(f"pragma busy_timeout = {BUSY_TIMEOUT_MS}")
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = normal")
    db.execute("pragma foreign_keys = on")
    return db


def move(db: sqlite3.Connection, old: str, new: str, age_seconds: float) -> int:
    """Moves the orders that have been `old` for long enough. Returns how many."""
    rows = db.execute(
        MOVE,
        {
            "old": old,
            "new": new,
            "age": f"-{age_seconds:.3f} seconds",
            "batch": BATCH_ORDERS,
        },
    ).fetchall()
    for order_id, customer, cents in sorted(rows):
        log(f"order {order_id} {old} -> {new} ({customer}, {cents / 100:.2f})")
    return len(rows)


class StopSignals:
    """SIGINT and SIGTERM as something that can be waited for.

    The handler itself does nothing: Python writes the signal's number into a
    socket, so a wait ends at once and a step in progress is never torn.
    """

    def __init__(self) -> None:
        self._reader, writer = socket.socketpair()
        self._reader.setblocking(False)
        writer.setblocking(False)
        self._writer = writer
        signal.set_wakeup_fd(writer.fileno())
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)

    def wait(self, timeout: float) -> str | None:
        """The name of a signal that came, or None after `timeout` seconds."""
        readable, _, _ = select.select([self._reader], [], [], timeout)
        if not readable:
            return None
        return signal.Signals(self._reader.recv(1)[0]).name


def main() -> None:
    payment = seconds("SHOP_PAYMENT_SECONDS", 1)
    packing = seconds("SHOP_PACKING_SECONDS", 2)
    stop = StopSignals()
    with closing(open_database(os.environ.get("SHOP_DATA") or "data")) as db:
        log("worker ready")
        handled = 0
        while (reason := stop.wait(POLL_SECONDS)) is None:
            try:
                handled += move(db, "pending", "paid", payment)
                handled += move(db, "paid", "shipped", packing)
            except sqlite3.OperationalError as error:
                # Somebody held the write lock all the while; nothing is lost.
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                log("database busy, trying again")
        log(f"{reason}: worker stopped after {handled} steps")


if __name__ == "__main__":
    main()
