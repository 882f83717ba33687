"""Both ends of TCP connections between two network namespaces, held by one process.

    joined.py SERVER_NETNS CLIENT_NETNS ADDRESS SCENARIO [SEED]

Prints one JSON object.
"""
import ctypes
import errno
import fcntl
import hashlib
import json
import os
import random
import select
import socket
import struct
import sys
import tempfile
import termios
import threading
import time

libc = ctypes.CDLL(None, use_errno=True)
SERVER, CLIENT, ADDRESS, SCENARIO = sys.argv[1:5]
SEED = int(sys.argv[5]) if len(sys.argv) > 5 else 1
FAMILY = socket.AF_INET6 if ":" in ADDRESS else socket.AF_INET
PROTOCOL = int(os.environ.get("PROTOCOL", socket.IPPROTO_TCP))


def made_in(netns):
    """A socket belongs to the network namespace of the thread that makes it."""
    with open(netns) as file:
        if libc.setns(file.fileno(), 0x40000000):
            raise OSError(ctypes.get_errno(), netns)
    sock = socket.socket(FAMILY, socket.SOCK_STREAM, PROTOCOL)
    sock.settimeout(10)
    return sock


def connect(listener, prepare=lambda sock: None):
    client = made_in(CLIENT)
    prepare(client)
    client.connect((ADDRESS, listener.getsockname()[1]))
    server, _ = listener.accept()
    for sock in (client, server):
        sock.settimeout(10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client, server


def listen():
    listener = made_in(SERVER)
    if "DUAL" in os.environ:  # takes IPv4 under mapped addresses
        listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(("::", 0))
    else:
        listener.bind((ADDRESS, 0))
    listener.listen()
    return listener


def pair(prepare=lambda sock: None):
    return connect(listen(), prepare)


def outcome(action):
    """What a call answers, or its error's name."""
    try:
        answer = action()
    except TimeoutError:
        return "timeout"
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))
    return answer.decode("latin1") if isinstance(answer, bytes) else answer


def read_all(sock, pause=lambda: None):
    digest, size = hashlib.sha256(), 0
    while piece := sock.recv(65536):
        digest.update(piece)
        size += len(piece)
        pause()
    return digest.hexdigest(), size


def unread(sock):
    return struct.unpack("i", fcntl.ioctl(sock, termios.FIONREAD, bytes(4)))[0]


def echo():
    client, server = pair()
    answers = []
    for n in range(100):
        client.sendall(b"ask %d" % n)
        question = server.recv(100)
        server.sendall(b"answer to " + question)
        answers.append(client.recv(100) == b"answer to ask %d" % n)
    return {"right": answers.count(True)}


def stream():
    """Pieces of any size with pauses at either end, in both directions at once, whole and in order."""
    chance = random.Random(SEED)
    client, server = pair()
    seconds = float(os.environ.get("SECONDS", "5"))
    results = {}

    def write(name, sock, seed):
        own = random.Random(seed)
        digest, size, until = hashlib.sha256(), 0, time.monotonic() + seconds
        while time.monotonic() < until:
            # Runs of pieces that fill what the reader has room for, and then silence in which it is emptied.
            for _ in range(own.randrange(1, 60)):
                piece = own.randbytes(own.choice((1, 7, 100, 1000, 1448, 5000, 20000, 70000)))
                sock.sendall(piece)
                digest.update(piece)
                size += len(piece)
            if own.random() < 0.7:
                time.sleep(own.random() * 0.003)
        sock.shutdown(socket.SHUT_WR)
        results[name] = (digest.hexdigest(), size)

    def read(name, sock, seed):
        own = random.Random(seed)
        results[name] = read_all(sock, lambda: own.random() < 0.05 and time.sleep(own.random() * 0.002))

    threads = [
        threading.Thread(target=act, args=(name, sock, chance.random()))
        for act, name, sock in (
            (write, "up", client), (read, "up read", server), (write, "down", server), (read, "down read", client))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {
        "whole": [results["up"] == results["up read"], results["down"] == results["down read"]],
        "bytes": [results["up"][1], results["down"][1]],
    }


def juggle():
    """Either end writes and reads whatever comes up, one step after another: each order of steps is met."""
    chance = random.Random(SEED)
    ends = pair()
    for sock in ends:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 20000)
    waiting = [bytearray(), bytearray()]  # written to this end, and not read yet
    total = 0
    for step in range(int(os.environ.get("STEPS", "30000"))):
        at = chance.randrange(2)
        if chance.random() < 0.5:
            piece = chance.randbytes(chance.choice((1, 10, 100, 1000, 4000, 15000)))
            try:
                sent = ends[at].send(piece)
            except BlockingIOError:
                continue
            waiting[1 - at] += piece[:sent]
            total += sent
        else:
            try:
                piece = ends[at].recv(chance.choice((1, 50, 1000, 100000)))
            except BlockingIOError:
                continue
            if waiting[at][:len(piece)] != piece:
                return {"wrong": step}
            del waiting[at][:len(piece)]
    for at in (0, 1):
        ends[1 - at].shutdown(socket.SHUT_WR)
        ends[at].setblocking(True)
        ends[at].settimeout(10)
        rest = b""
        while piece := ends[at].recv(65536):
            rest += piece
        if rest != waiting[at]:
            return {"wrong": "end", "at": at}
    return {"whole": True, "bytes": total}


def full():
    """How much a writer gets rid of while nobody reads, and that it all arrives."""
    size = int(os.environ.get("PIECE", "1000"))
    client, server = pair()
    client.setblocking(False)
    sent, digest, waits = 0, hashlib.sha256(), 0
    while waits < 5:
        piece = random.randbytes(size)
        try:
            n = client.send(piece)
            digest.update(piece[:n])
            sent += n
        except BlockingIOError:
            waits += 1
            time.sleep(0.1)
    room = server.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) + client.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
    client.close()
    began = time.monotonic()
    read = read_all(server)
    return {"sent": sent, "room": room, "whole": read == (digest.hexdigest(), sent),
            "seconds": round(time.monotonic() - began, 2)}


def half_close():
    client, server = pair()
    client.sendall(b"unread")
    client.shutdown(socket.SHUT_WR)
    time.sleep(0.1)
    got = [outcome(lambda: server.recv(3)), outcome(lambda: server.recv(30)), outcome(lambda: server.recv(30))]
    server.sendall(b"and back")
    got.append(outcome(lambda: client.recv(30)))
    server.close()
    got.append(outcome(lambda: client.recv(30)))
    return {"got": got}


def reset():
    client, server = pair()
    client.sendall(b"unread")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    time.sleep(0.1)
    return {"got": [outcome(lambda: server.recv(30)), outcome(lambda: server.recv(30)), outcome(lambda: server.send(b"x"))]}


def close_unread():
    client, server = pair()
    client.sendall(b"never read")
    time.sleep(0.1)
    server.close()
    time.sleep(0.1)
    return {"got": [outcome(lambda: client.recv(30)), outcome(lambda: client.send(b"more")),
                    time.sleep(0.1) or outcome(lambda: client.send(b"more"))]}


def urgent():
    client, server = pair()
    client.sendall(b"ab")
    sent = outcome(lambda: client.send(b"!", socket.MSG_OOB))
    client.sendall(b"cd")
    time.sleep(0.1)
    band = outcome(lambda: server.recv(1, socket.MSG_OOB))
    server.setblocking(False)
    rest = []
    while isinstance(piece := outcome(lambda: server.recv(30)), str) and piece not in ("EAGAIN", ""):
        rest.append(piece)
    return {"sent": sent, "urgent": band, "rest": rest}


def sendfile():
    client, server = pair()
    body = random.randbytes(300000)
    with tempfile.TemporaryFile() as file:
        file.write(body)
        file.flush()

        def send():
            at = 0
            while at < len(body):
                at += os.sendfile(client.fileno(), file.fileno(), at, len(body) - at)
            client.close()

        client.setblocking(True)
        writer = threading.Thread(target=send)
        writer.start()
        read = read_all(server)
        writer.join()
    return {"whole": read == (hashlib.sha256(body).hexdigest(), len(body))}


def splice_from():
    client, server = pair()
    client.sendall(b"spliced")
    time.sleep(0.1)
    reader, writer = os.pipe()
    server.setblocking(False)
    answer = outcome(lambda: os.splice(server.fileno(), writer, 100))
    return {"answer": answer, "readable": bool(select.select([server], [], [], 0)[0])}


def splice_into():
    client, server = pair()
    reader, writer = os.pipe()
    os.write(writer, b"spliced")
    answer = outcome(lambda: os.splice(reader, client.fileno(), 100))
    return {"answer": answer, "got": outcome(lambda: server.recv(100))}


def zero_copy():
    """Whether a writer that lends its memory is told when it has it back."""
    client, server = pair(lambda sock: sock.setsockopt(socket.SOL_SOCKET, 60, 1))
    sent = outcome(lambda: client.send(b"x" * 50000, 0x4000000))
    got = 0
    while got < 50000:
        got += len(server.recv(65536))
    time.sleep(0.1)
    return {"sent": sent, "told": outcome(lambda: len(client.recvmsg(0, 100, socket.MSG_ERRQUEUE)[1]))}


def peek():
    client, server = pair()
    client.sendall(b"seen twice")
    time.sleep(0.1)
    return {"got": [outcome(lambda: server.recv(4, socket.MSG_PEEK)), outcome(lambda: server.recv(100)),
                    outcome(lambda: server.recv(100, socket.MSG_DONTWAIT | socket.MSG_PEEK))]}


def wait_all():
    """What is asked for, come in one piece, in two, and in two of which the first came by the stack."""
    got = []
    for size in (1, 200000):
        client, server = pair()
        server.settimeout(None)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 3, 0))
        body = random.randbytes(size)
        client.sendall(body)
        pollers = []

        def end():
            # Whoever asks for news of the socket is put before those who wait for it already
            for _ in range(int(os.environ.get("POLLERS", "0"))):
                pollers.append(select.epoll())
                pollers[-1].register(server)
            client.sendall(b"end")

        threading.Timer(0.3, end).start()
        read = outcome(lambda: server.recv(size + 3, socket.MSG_WAITALL))
        got.append(len(read) if read.encode("latin1") == (body + b"end")[:len(read)] else read)
        time.sleep(0.5)
    return {"got": got}


def records():
    """One thread reads more at once than has come, while another writes to the same socket without a pause."""
    chance, own = random.Random(SEED), random.Random(SEED + 1)
    client, server = pair()
    for sock in (client, server):
        sock.settimeout(None)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 5, 0))
    until = time.monotonic() + float(os.environ.get("SECONDS", "5"))
    written, read = hashlib.sha256(), hashlib.sha256()

    def chatter():
        while time.monotonic() < until:
            server.sendall(b"x")
        server.shutdown(socket.SHUT_WR)

    def collect():
        while piece := server.recv(chance.choice((100, 5000, 300_000)), socket.MSG_WAITALL):
            read.update(piece)

    threads = [threading.Thread(target=act) for act in (chatter, collect, lambda: read_all(client))]
    for thread in threads:
        thread.start()
    while time.monotonic() < until:
        piece = own.randbytes(own.choice((10, 1000, 150_000)))
        client.sendall(piece)
        written.update(piece)
        time.sleep(own.random() * 0.001)
    client.shutdown(socket.SHUT_WR)
    for thread in threads:
        thread.join()
    return {"whole": read.digest() == written.digest()}


def reconnect():
    """A socket is connected to a second listener, with something from the first unread, who keeps his end open."""
    first, second = listen(), listen()
    client, kept = connect(first)
    client.sendall(b"to the first")
    got = [outcome(lambda: kept.recv(100))]
    kept.sendall(b"from the first")
    time.sleep(0.1)
    nobody = struct.pack("H14x", socket.AF_UNSPEC)
    if libc.connect(client.fileno(), nobody, len(nobody)):
        raise OSError(ctypes.get_errno(), "connect")
    client.connect((ADDRESS, second.getsockname()[1]))
    server, _ = second.accept()
    server.settimeout(10)
    for n in range(3):
        server.sendall(b"from the second")
        got.append(outcome(lambda: client.recv(100)))
        client.sendall(b"to the second")
        got.append(outcome(lambda: server.recv(100)))
    return {"got": got}


def readiness():
    """Edge-triggered epoll, poll, and how much there is to read."""
    client, server = pair()
    poller = select.epoll()
    poller.register(server, select.EPOLLIN | select.EPOLLET | select.EPOLLRDHUP)
    server.setblocking(False)
    edges = []
    for n in range(200):
        client.sendall(b"x" * (n + 1))
        events = poller.poll(2)
        edges.append(bool(events) and len(server.recv(1000)) == n + 1)
    quiet = poller.poll(0.1)
    client.sendall(b"12345")
    time.sleep(0.1)
    size = unread(server)
    readable = bool(select.select([server], [], [], 0)[0])
    server.recv(10)
    unreadable = bool(select.select([server], [], [], 0)[0])
    client.shutdown(socket.SHUT_WR)
    events = poller.poll(2)
    return {"edges": edges.count(True), "quiet": quiet == [], "unread": size, "readable": readable,
            "afterwards": unreadable, "hungUp": bool(events and events[0][1] & select.EPOLLRDHUP)}


def times():
    client, server = pair()
    server.settimeout(None)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 200000))
    began = time.monotonic()
    late = outcome(lambda: server.recv(10))
    waited = time.monotonic() - began
    server.setblocking(False)
    return {"late": late, "waited": 0.15 < waited < 1, "now": outcome(lambda: server.recv(10))}


def keepalive():
    def ask(sock):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT):
            sock.setsockopt(socket.IPPROTO_TCP, option, 1)

    client, server = pair(ask)
    client.sendall(b"before")
    time.sleep(3.5)
    client.sendall(b" and after")
    return {"got": outcome(lambda: server.recv(100))}


def churn():
    """Connections that come and go: none stays in the map."""
    listener = listen()
    for n in range(500):
        client, server = connect(listener)
        client.sendall(b"x")
        if server.recv(10) != b"x":
            return {"right": n}
        if n % 2:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        server.close()
    return {"right": 500}


def hold():
    """A connection kept open: a line of input is a message each way, and a line of output says what came of it."""
    client, server = pair()
    for sock in (client, server):
        sock.settimeout(2)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        text = line.strip().encode()
        sent = outcome(lambda: client.send(text))
        there = outcome(lambda: server.recv(1000))
        back = outcome(lambda: server.send(text))
        print(json.dumps({"there": there, "back": outcome(lambda: client.recv(1000)), "sent": [sent, back]}), flush=True)
    return {}


print(json.dumps(globals()[SCENARIO]()), flush=True)
