"""Moves bytes over one TCP connection.

    bulk.py serve PORT                 takes what comes and answers how many bytes it was; says `ready`
    bulk.py pour PORT BYTES            sends so many to each who connects; says `ready`
    bulk.py send ADDRESS PORT BYTES    gives the number that the server took
    bulk.py fetch ADDRESS PORT         gives the number that came
"""

import os
import socket
import sys
import threading


def take(stream):
    total = 0
    while data := stream.recv(1 << 16):
        total += len(data)
    return total


def each(serve, port):
    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    print("ready", flush=True)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


def answer(stream):
    stream.sendall(str(take(stream)).encode())
    stream.close()


def pour(stream):
    stream.sendall(bytes(int(sys.argv[3])))
    stream.close()


role = sys.argv[1]
if role == "serve":
    each(answer, int(sys.argv[2]))
elif role == "pour":
    each(pour, int(sys.argv[2]))
else:
    stream = socket.create_connection((sys.argv[2], int(sys.argv[3])), timeout=8 * int(os.environ.get("VETCH_TEST_SLOWNESS", 1)))
    if role == "send":
        stream.sendall(bytes(int(sys.argv[4])))
        stream.shutdown(socket.SHUT_WR)
        print(stream.recv(64).decode())
    else:
        print(take(stream))
