"""Prints the time ten times a second: what a quiet task is, and how late its lines arrive."""

import time

while True:
    print(f"tick {time.time():.6f}", flush=True)
    time.sleep(0.1)
