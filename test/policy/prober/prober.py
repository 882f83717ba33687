"""Serves and asks, in one process for each endpoint of the truth table.

    prober.py NAME ADDRESS4 ADDRESS6

Answers `NAME TOKEN` to every message on TCP and UDP ports 80 and 81 and on SCTP port 80, both families. Each line
of its input is one order, in JSON:

    {"fire": [[id, protocol, address, port], ...]}   begins all these flows at once, and gives
                                                     {"fired": [[id, source port], ...]}
    {"wait": milliseconds}                           gives {"waited": true} when all are answered, or so much later
    {"settle": true}                                 gives {"settled": true} when nothing is left to be read: a busy
                                                     machine may be late with what has arrived
    {"collect": true}                                ends them, and gives
                                                     {"answers": {id: name}, "errors": {id: errno's name}}

SCTP and ICMP go through raw sockets: an INIT that is answered by an INIT ACK, since not every kernel has SCTP
sockets, and an echo request, which the kernel answers.
"""

import errno
import functools
import json
import os
import selectors
import socket
import struct
import sys
import time

from packets import INIT, INIT_ACK, echo_reply_of, echo_request, sctp_packet, sctp_parts

name, address4, address6 = sys.argv[1:4]
TCP_PORTS = UDP_PORTS = (80, 81)
SCTP_PORTS = (80,)
IP_FREEBIND, IPV6_FREEBIND = 15, 78
# A connection that is closed leaves neither end waiting.
ABORT = struct.pack("ii", 1, 0)

selector = selectors.DefaultSelector()
families = {4: (socket.AF_INET, address4), 6: (socket.AF_INET6, address6)}


class Round:
    """The flows of one `fire`."""

    def __init__(self):
        self.waiting = {}
        self.answers = {}
        self.errors = {}
        self.sockets = []

    def answered(self, cell, who):
        if self.waiting.pop(cell, None) is not None:
            self.answers[cell] = who

    def failed(self, cell, error):
        if self.waiting.pop(cell, None) is not None:
            self.errors[cell] = errno.errorcode.get(error.errno, str(error))

    def close(self):
        for each in self.sockets:
            forget(each)


current = Round()
rounds = 0
# Source ports, and ICMP's identifiers: no flow is taken for one of a round before, which is known for minutes.
next_number = 20000


def forget(each):
    try:
        selector.unregister(each)
    except (KeyError, ValueError):
        pass
    each.close()


def bound(family, kind, protocol, port):
    af, address = families[family]
    made = socket.socket(af, kind | socket.SOCK_NONBLOCK, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # The address may still be tentative.
    if family == 4:
        made.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
    else:
        made.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    made.bind((address, port))
    return made


# ---- serving


def serve_tcp(family, port):
    listener = bound(family, socket.SOCK_STREAM, 0, port)
    listener.listen(1024)

    def accept(_):
        while True:
            try:
                stream, _peer = listener.accept()
            except OSError:
                return
            stream.setblocking(False)
            selector.register(stream, selectors.EVENT_READ, functools.partial(echo, stream))

    def echo(stream, _):
        try:
            data = stream.recv(4096)
            if data:
                stream.send(name.encode() + b" " + data)
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        forget(stream)

    selector.register(listener, selectors.EVENT_READ, accept)


def serve_udp(family, port):
    server = bound(family, socket.SOCK_DGRAM, 0, port)

    def answer(_):
        while True:
            try:
                data, peer = server.recvfrom(4096)
                server.sendto(name.encode() + b" " + data, peer)
            except BlockingIOError:
                return
            except OSError:
                # What an earlier answer met.
                continue

    selector.register(server, selectors.EVENT_READ, answer)


# ---- SCTP


def serve_sctp(family):
    link = bound(family, socket.SOCK_RAW, socket.IPPROTO_SCTP, 0)

    def receive(_):
        while True:
            try:
                data, peer = link.recvfrom(4096)
            except OSError:
                return
            if family == 4:
                data = data[(data[0] & 15) * 4 :]
            chunk, source_port, destination_port, text = sctp_parts(data)
            if chunk == INIT and destination_port in SCTP_PORTS:
                reply = sctp_packet(destination_port, source_port, 1, INIT_ACK, name.encode() + b" " + text)
                try:
                    link.sendto(reply, (peer[0], 0))
                except OSError:
                    pass
            elif chunk == INIT_ACK:
                settle(text)

    selector.register(link, selectors.EVENT_READ, receive)
    return link


# ---- ICMP


def open_icmp(family):
    link = bound(family, socket.SOCK_RAW, socket.IPPROTO_ICMP if family == 4 else socket.IPPROTO_ICMPV6, 0)

    def receive(_):
        while True:
            try:
                data, peer = link.recvfrom(4096)
            except OSError:
                return
            if family == 4:
                data = data[(data[0] & 15) * 4 :]
            text = echo_reply_of(family, data)
            if text is not None:
                settle(peer[0].encode() + b" " + text)

    selector.register(link, selectors.EVENT_READ, receive)
    return link


# ---- asking


def settle(text):
    """An answer: who it is of, and the token of what was asked."""
    who, _, token = text.decode().partition(" ")
    number, _, cell = token.partition(":")
    if number == str(rounds) and cell.isdigit():
        current.answered(int(cell), who)


def fresh_number():
    global next_number
    next_number = next_number + 1 if next_number < 60000 else 20000
    return next_number


def fresh_socket(address, kind):
    family = 6 if ":" in address else 4
    client = socket.socket(families[family][0], kind)
    current.sockets.append(client)
    client.setblocking(False)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    client.bind(("", fresh_number()))
    return client


def ask_stream(cell, address, port, token):
    client = fresh_socket(address, socket.SOCK_STREAM)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)

    def ready(mask):
        try:
            if mask & selectors.EVENT_WRITE:
                client.send(token)
                selector.modify(client, selectors.EVENT_READ, ready)
                return
            data = client.recv(4096)
            if data:
                settle(data)
        except BlockingIOError:
            return
        except OSError as error:
            current.failed(cell, error)
        forget(client)

    error = client.connect_ex((address, port))
    if error not in (0, errno.EINPROGRESS):
        raise OSError(error, os.strerror(error))
    selector.register(client, selectors.EVENT_WRITE, ready)
    return client.getsockname()[1]


def ask_datagram(cell, address, port, token):
    client = fresh_socket(address, socket.SOCK_DGRAM)

    def ready(_):
        try:
            settle(client.recv(4096))
        except OSError as error:
            current.failed(cell, error)

    client.connect((address, port))
    client.send(token)
    selector.register(client, selectors.EVENT_READ, ready)
    return client.getsockname()[1]


def ask_sctp(cell, address, port, token):
    source_port = fresh_number()
    sctp[6 if ":" in address else 4].sendto(sctp_packet(source_port, port, 0, INIT, token), (address, 0))
    return source_port


def ask_icmp(cell, address, port, token):
    family = 6 if ":" in address else 4
    number = fresh_number()
    icmp[family].sendto(echo_request(family, number, token), (address, 0))
    return number


askers = {"tcp": ask_stream, "udp": ask_datagram, "sctp": ask_sctp, "icmp": ask_icmp}


def fire(cells):
    global current, rounds
    current.close()
    current = Round()
    rounds += 1
    fired = []
    for cell, protocol, address, port in cells:
        current.waiting[cell] = True
        token = f"{rounds}:{cell}".encode()
        try:
            fired.append([cell, askers[protocol](cell, address, port, token)])
        except OSError as error:
            current.failed(cell, error)
            fired.append([cell, 0])
        # Others ask, too: what is answered late would look denied.
        if len(fired) % 16 == 0:
            turn(0)
    say({"fired": fired})


def say(what):
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


# ---- the loop

wait_until = None
rest = b""


def read_orders(_):
    global rest, wait_until
    data = os.read(0, 1 << 16)
    if not data:
        sys.exit(0)
    *lines, rest = (rest + data).split(b"\n")
    for line in lines:
        order = json.loads(line)
        if "fire" in order:
            fire(order["fire"])
        elif "wait" in order:
            wait_until = time.monotonic() + order["wait"] / 1000
        elif "settle" in order:
            while turn(0):
                pass
            say({"settled": True})
        else:
            current.close()
            say({"answers": current.answers, "errors": current.errors})


def end_wait():
    global wait_until
    if wait_until is not None and (not current.waiting or time.monotonic() >= wait_until):
        wait_until = None
        say({"waited": True})


def turn(timeout):
    """Handles what is ready; gives whether anything was."""
    ready = selector.select(timeout)
    for key, mask in ready:
        # A handler before may have closed it.
        if key.fileobj is sys.stdin or key.fileobj.fileno() >= 0:
            key.data(mask)
    return bool(ready)


for each in families:
    for each_port in TCP_PORTS:
        serve_tcp(each, each_port)
    for each_port in UDP_PORTS:
        serve_udp(each, each_port)
sctp = {each: serve_sctp(each) for each in families}
icmp = {each: open_icmp(each) for each in families}
selector.register(sys.stdin, selectors.EVENT_READ, read_orders)
say({"ready": name})
while True:
    turn(None if wait_until is None else 0.01)
    end_wait()
