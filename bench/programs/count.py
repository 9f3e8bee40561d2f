"""Prints "PID N" for N = 1, 2, … a thousand times a second, and keeps the last N in a file: count.py FILE"""

import os
import sys
import time

file = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
pid = os.getpid()
number = 0
while True:
    number += 1
    # In one piece, and only counted once it is said.
    os.write(1, f"{pid} {number}\n".encode())
    os.pwrite(file, f"{pid} {number}\n".ljust(32).encode(), 0)
    time.sleep(0.001)
