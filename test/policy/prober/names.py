"""DNS server for names that say what they are answered with.

    names.py LISTEN

NAME is any labels, the first of which are a time in seconds and addresses in hexadecimal:

    t60.c0000207.example.com              192.0.2.7 for 60 s
    t60.c0000207.c0000208.example.com     192.0.2.7 and 192.0.2.8
    t5.20010db8000200000000000000000007.example.com   2001:db8:2::7
    alias.t60.c0000207.example.com        a canonical name, t60.c0000207.elsewhere.test, and its address

Says `ready`, then `asked NAME` for each question.
"""

import socket
import struct
import sys
import threading

listen = sys.argv[1]


def encode(labels):
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def record(owner, kind, ttl, data):
    return owner + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data


def answer(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += 1 + query[at]
    question = query[12 : at + 5]
    kind = struct.unpack("!H", question[-4:-2])[0]
    print("asked", ".".join(labels), flush=True)
    records, owner = [], b"\xc0\x0c"
    if labels and labels[0] == "alias":
        canonical = encode([*labels[1:-2], "elsewhere", "test"])
        records.append(record(owner, 5, 60, canonical))
        owner, labels = canonical, labels[1:]
    ttl = int(labels[0][1:]) if labels and labels[0][:1] == "t" and labels[0][1:].isdigit() else None
    size = {1: 4, 28: 16}.get(kind)
    if ttl is not None:
        for label in labels[1:]:
            try:
                data = bytes.fromhex(label)
            except ValueError:
                break
            if len(data) == size:
                records.append(record(owner, kind, ttl, data))
    flags = 0x8180 if ttl is not None else 0x8183
    return query[:2] + struct.pack("!5H", flags, 1, len(records), 0, 0) + question + b"".join(records)


def serve_stream():
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((listen, 53))
    server.listen(16)
    while True:
        client, _ = server.accept()
        head = client.recv(2, socket.MSG_WAITALL)
        packet = answer(client.recv(struct.unpack("!H", head)[0], socket.MSG_WAITALL))
        client.sendall(struct.pack("!H", len(packet)) + packet)
        client.close()


threading.Thread(target=serve_stream, daemon=True).start()
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.bind((listen, 53))
print("ready", flush=True)
while True:
    query, peer = datagrams.recvfrom(4096)
    datagrams.sendto(answer(query), peer)
