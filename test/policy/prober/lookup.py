"""Looks names up and connects at once, as programs do.

    lookup.py

Says `ready`. Each line of its input is a JSON object: {"server", "name"} asks a server for the name, by UDP or, with
"tcp": true, by TCP, for A or, with "family": 6, for AAAA; {"address", "port"} connects by TCP, within "wait" seconds
(default 0.5). Both in one object: the first address of the answer is connected to, at once. Each is answered by a
line: {"addresses": [...] or null, "from": who answered, "connected": true, false or null, "seconds": of connecting}.
"""

import json
import socket
import struct
import sys
import time


def ask(server, name, family=4, tcp=False):
    kind = 28 if family == 6 else 1
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    query = struct.pack("!6H", 0x1234, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1)
    of = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(of, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as client:
        client.settimeout(6)
        try:
            if tcp:
                client.connect((server, 53))
                client.sendall(struct.pack("!H", len(query)) + query)
                head = client.recv(2, socket.MSG_WAITALL)
                reply, peer = client.recv(struct.unpack("!H", head)[0], socket.MSG_WAITALL), client.getpeername()
            else:
                client.sendto(query, (server, 53))
                reply, peer = client.recvfrom(4096)
        except OSError:
            return None, None
    addresses, at = [], len(query)
    for _ in range(struct.unpack("!H", reply[6:8])[0]):
        while reply[at] and reply[at] < 0xC0:
            at += 1 + reply[at]
        at += 2 if reply[at] >= 0xC0 else 1
        of, _, _, length = struct.unpack("!HHIH", reply[at : at + 10])
        data = reply[at + 10 : at + 10 + length]
        at += 10 + length
        if of == kind:
            addresses.append(socket.inet_ntop(socket.AF_INET6 if kind == 28 else socket.AF_INET, data))
    return addresses, peer[0]


def connect(address, port, wait):
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as client:
        client.settimeout(wait)
        try:
            client.connect((address, port))
            return True
        except OSError:
            return False


print("ready", flush=True)
for line in sys.stdin:
    order = json.loads(line)
    addresses, peer, connected, began = None, None, None, time.monotonic()
    if "name" in order:
        addresses, peer = ask(order["server"], order["name"], order.get("family", 4), order.get("tcp", False))
    if "port" in order:
        target = order.get("address") or (addresses or [None])[0]
        began = time.monotonic()
        connected = target is not None and connect(target, order["port"], order.get("wait", 1.5))
    print(
        json.dumps(
            {"addresses": addresses, "from": peer, "connected": connected, "seconds": time.monotonic() - began}
        ),
        flush=True,
    )
