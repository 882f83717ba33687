"""Sends frames as they are, past the kernel's own stack: what root with NET_RAW can do in a container.

    raw.py DEVICE

Each line of its input is one order, in JSON: {"frames": [hex ...], "times": N, "random": [[offset, bytes] ...],
"seconds": N}. The frames are sent in turn, `times` over, each with random bytes at the given offsets, for at most
`seconds`. Says `ready`, then `sent N` after each order.
"""

import json
import os
import socket
import sys
import time

link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind((sys.argv[1], 0))
print("ready", flush=True)
for line in sys.stdin:
    order = json.loads(line)
    frames = [bytearray.fromhex(frame) for frame in order["frames"]]
    end = time.monotonic() + order.get("seconds", 5)
    sent = 0
    for turn in range(order.get("times", 1)):
        if turn % 256 == 0 and time.monotonic() > end:
            break
        for frame in frames:
            for offset, size in order.get("random", []):
                frame[offset : offset + size] = os.urandom(size)
            try:
                link.send(frame)
                sent += 1
            except OSError as error:
                if error.errno != 105:  # ENOBUFS: a full queue is a flood's own affair
                    raise
    print(f"sent {sent}", flush=True)
