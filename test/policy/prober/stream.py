"""A stream that goes on while policies change: a message each millisecond, each with its number.

    stream.py receive ADDRESS PORT       takes datagrams and TCP connections
    stream.py pour ADDRESS PORT          sends to each who connects by TCP
    stream.py send PROTOCOL ADDRESS PORT [MILLISECONDS]
    stream.py fetch ADDRESS PORT         takes what is poured

Says `ready`. Each line of its input is answered by a line of JSON: {"messages", "highest", "last"}: how many were
received (sent, by who sends), the highest number, and when the last one came, in seconds of CLOCK_MONOTONIC. A sender
that is told `stop` sends no more from then on. TCP messages are eight bytes, like datagrams.
"""

import json
import selectors
import socket
import struct
import sys
import time

role = sys.argv[1]
selector = selectors.DefaultSelector()
count = {"messages": 0, "highest": -1, "last": 0.0}
interval = 0.001
sending = []


def received(data):
    count["messages"] += len(data) // 8
    count["highest"] = max(count["highest"], struct.unpack_from("!Q", data, len(data) // 8 * 8 - 8)[0])
    count["last"] = time.monotonic()


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def take_datagrams(server):
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)

    def read(_):
        while True:
            try:
                received(server.recv(64))
            except BlockingIOError:
                return

    watch(server, read)


def take_stream(stream):
    rest = b""

    def read(_):
        nonlocal rest
        try:
            data = stream.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            selector.unregister(stream)
            return
        rest += data
        whole = len(rest) // 8 * 8
        if whole:
            received(rest[:whole])
        rest = rest[whole:]

    watch(stream, read)


def watch(each, handler):
    each.setblocking(False)
    selector.register(each, selectors.EVENT_READ, handler)


def listen(kind, address, port):
    server = socket.socket(family_of(address), kind)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, port))
    return server


def accept_with(handler, address, port):
    listener = listen(socket.SOCK_STREAM, address, port)
    listener.listen()
    watch(listener, lambda _: handler(listener.accept()[0]))


def connect(kind, address, port):
    client = socket.socket(family_of(address), kind)
    client.settimeout(5)
    client.connect((address, port))
    client.setblocking(False)
    return client


def begin_sending(stream):
    stream.setblocking(False)
    if stream.type == socket.SOCK_STREAM:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sending.append(stream)


def send_one():
    for stream in list(sending):
        try:
            stream.send(struct.pack("!Q", count["messages"]))
        except BlockingIOError:
            return
        except OSError:
            sending.remove(stream)
            return
        count["highest"] = count["messages"]
        count["messages"] += 1
        count["last"] = time.monotonic()


def answer(_):
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    if line.strip() == "stop":
        sending.clear()
    print(json.dumps(count), flush=True)


if role == "receive":
    address, port = sys.argv[2], int(sys.argv[3])
    take_datagrams(listen(socket.SOCK_DGRAM, address, port))
    accept_with(take_stream, address, port)
elif role == "pour":
    accept_with(begin_sending, sys.argv[2], int(sys.argv[3]))
elif role == "fetch":
    take_stream(connect(socket.SOCK_STREAM, sys.argv[2], int(sys.argv[3])))
else:
    interval = float(sys.argv[5]) / 1000 if len(sys.argv) > 5 else interval
    begin_sending(connect(socket.SOCK_DGRAM if sys.argv[2] == "udp" else socket.SOCK_STREAM, sys.argv[3], int(sys.argv[4])))

selector.register(sys.stdin, selectors.EVENT_READ, answer)
print("ready", flush=True)
due = time.monotonic()
while True:
    wait = max(0, due - time.monotonic()) if sending else None
    for key, mask in selector.select(wait):
        key.data(mask)
    if sending and time.monotonic() >= due:
        send_one()
        due = max(due + interval, time.monotonic() - 0.05)
