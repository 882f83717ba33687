"""Asks again and again over TCP and UDP, and says at its end (SIGTERM) how that went, as one line of JSON.

    again.py serve PORT             answers; {ADDRESS: how often it got through, answered or not}; says `ready`
    again.py ask PORT ADDRESS...    asks each from new ports; {ADDRESS: {"asked", "answered", "gap"}}, where gap is the
                                    longest time without an answer, in seconds
"""

import collections
import json
import selectors
import signal
import socket
import sys
import time

interval = 0.05
patience = 0.5
port = int(sys.argv[2])
selector = selectors.DefaultSelector()


def end(*_):
    raise SystemExit


def plain(ip):
    return ip[7:] if ip.startswith("::ffff:") else ip


def bound(kind):
    one = socket.socket(socket.AF_INET6, kind)
    one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind(("::", port))
    one.setblocking(False)
    selector.register(one, selectors.EVENT_READ)
    return one


def serve(seen):
    stream, datagrams = bound(socket.SOCK_STREAM), bound(socket.SOCK_DGRAM)
    stream.listen(128)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            if key.fileobj is stream:
                accepted, peer = stream.accept()
                accepted.close()
            else:
                data, peer = datagrams.recvfrom(100)
                datagrams.sendto(data, peer)
            seen[plain(peer[0])] += 1


class Asked:
    def __init__(self, address):
        self.address = address
        self.asked = self.answered = 0
        self.gap = 0.0
        self.last = time.monotonic()

    def answer(self):
        self.answered += 1
        self.wait()
        self.last = time.monotonic()

    def wait(self):
        self.gap = max(self.gap, time.monotonic() - self.last)

    def ask(self):
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        late = time.monotonic() + patience
        for kind, event in ((socket.SOCK_STREAM, selectors.EVENT_WRITE), (socket.SOCK_DGRAM, selectors.EVENT_READ)):
            one = socket.socket(family, kind)
            one.setblocking(False)
            one.connect_ex((self.address, port))
            if kind == socket.SOCK_DGRAM:
                one.send(b"again")
            selector.register(one, event, (self, late))
            self.asked += 1

    def result(self):
        self.wait()
        return {"asked": self.asked, "answered": self.answered, "gap": round(self.gap, 3)}


def close(one):
    selector.unregister(one)
    one.close()


def ask(all):
    while True:
        turn = time.monotonic() + interval
        for one in all:
            one.ask()
        while (rest := turn - time.monotonic()) > 0:
            for key, _ in selector.select(rest):
                if key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                    key.data[0].answer()
                close(key.fileobj)
        now = time.monotonic()
        for key in list(selector.get_map().values()):
            if key.data[1] < now:
                close(key.fileobj)


signal.signal(signal.SIGTERM, end)
if sys.argv[1] == "serve":
    seen = collections.Counter()
    try:
        serve(seen)
    finally:
        print(json.dumps(seen))
else:
    asked = [Asked(address) for address in sys.argv[3:]]
    try:
        ask(asked)
    finally:
        print(json.dumps({one.address: one.result() for one in asked}))
