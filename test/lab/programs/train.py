"""Sends datagrams in one train, which the kernel is to cut where it has to.

    train.py serve PORT                      answers each question with how many datagrams came before; says `ready`
    train.py send ADDRESS PORT COUNT SIZE    sends so many after a first question, and gives the number that arrived
"""

import os
import socket
import struct
import sys

SOL_UDP, UDP_SEGMENT = 17, 103


def question(stream):
    stream.send(b"?")
    return int(stream.recv(64))


if sys.argv[1] == "serve":
    server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    server.bind(("::", int(sys.argv[2])))
    print("ready", flush=True)
    count = 0
    while True:
        data, sender = server.recvfrom(1 << 16)
        if data == b"?":
            server.sendto(str(count).encode(), sender)
        else:
            count += 1
else:
    address, port, count, size = sys.argv[2], *map(int, sys.argv[3:6])
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    stream = socket.socket(family, socket.SOCK_DGRAM)
    stream.settimeout(8 * int(os.environ.get("VETCH_TEST_SLOWNESS", 1)))
    stream.connect((address, port))
    question(stream)
    stream.sendmsg([bytes(count * size)], [(SOL_UDP, UDP_SEGMENT, struct.pack("H", size))])
    print(question(stream))
