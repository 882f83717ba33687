"""Talks in a payload that is found again wherever it passes in the clear: all of it repeats one mark.

    marked.py serve PORT                      echoes what comes, over TCP and UDP; says `ready`
    marked.py sizes ADDRESS PORT MARK MAX     a datagram of each size up to MAX, whole; gives the sizes without an echo
    marked.py bulk ADDRESS PORT MARK BYTES    sends so many over TCP, and gives how many came back as they were
    marked.py beat ADDRESS PORT MARK          a datagram every few ms, until a line comes in; gives {"sent", "lost"}
    marked.py stream ADDRESS PORT MARK        small messages over one TCP connection, until a line comes in; gives {"sent", "lost"}

`beat` and `stream` say `ready` after the first echo.
"""

import json
import socket
import sys
import threading
import time

role = sys.argv[1]
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, DO = 10, 23, 2


def echo_datagrams(port):
    server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    server.bind(("::", port))
    while True:
        data, peer = server.recvfrom(65536)
        try:
            server.sendto(data, peer)
        except OSError:
            pass


def echo_stream(stream):
    try:
        while data := stream.recv(1 << 16):
            stream.sendall(data)
    except OSError:
        pass
    stream.close()


def serve(port):
    threading.Thread(target=echo_datagrams, args=(port,), daemon=True).start()
    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    print("ready", flush=True)
    while True:
        threading.Thread(target=echo_stream, args=(listener.accept()[0],), daemon=True).start()


def datagrams(address, port):
    is6 = ":" in address
    link = socket.socket(socket.AF_INET6 if is6 else socket.AF_INET, socket.SOCK_DGRAM)
    level, option = (socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER) if is6 else (socket.IPPROTO_IP, IP_MTU_DISCOVER)
    link.setsockopt(level, option, DO)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    link.connect((address, port))
    return link


def payload(mark, size):
    return (mark * (size // len(mark) + 1))[:size]


def sizes(link, mark, most):
    missing = []
    for size in range(1, most + 1):
        sent = payload(mark, size)
        for _ in range(2):
            link.settimeout(3)
            try:
                link.send(sent)
                if link.recv(65536) == sent:
                    break
            except OSError:
                continue
        else:
            missing.append(size)
    return missing


def bulk(stream, mark, size):
    sent = payload(mark, size)
    threading.Thread(target=lambda: (stream.sendall(sent), stream.shutdown(socket.SHUT_WR)), daemon=True).start()
    got = bytearray()
    while data := stream.recv(1 << 16):
        got += data
    return size if bytes(got) == sent else -len(got)


def until_told(done):
    sys.stdin.readline()
    done.set()


def numbered(mark, number):
    return b"%08d" % number + mark * 4


def beat(link, mark):
    done, seen, sent = threading.Event(), set(), 0
    threading.Thread(target=until_told, args=(done,), daemon=True).start()

    def listen():
        while True:
            try:
                seen.add(int(link.recv(65536)[:8]))
            except (OSError, ValueError):
                time.sleep(0.001)
            if len(seen) == 1:
                print("ready", flush=True)

    threading.Thread(target=listen, daemon=True).start()
    started = time.monotonic()
    lost_before = 0
    while not done.is_set():
        try:
            link.send(numbered(mark, sent))
        except OSError:
            pass
        sent += 1
        time.sleep(0.008)
        if not seen:
            lost_before = sent
    time.sleep(3)
    lost = [number for number in range(lost_before, sent) if number not in seen]
    return {"sent": sent - lost_before, "lost": len(lost), "which": lost[:20], "seconds": time.monotonic() - started}


def stream_on(stream, mark):
    done, sent, got = threading.Event(), 0, bytearray()
    threading.Thread(target=until_told, args=(done,), daemon=True).start()
    size, longest, wrong = len(numbered(mark, 0)), 0.0, 0
    stream.settimeout(30)
    while not done.is_set():
        message, before = numbered(mark, sent), time.monotonic()
        stream.sendall(message)
        got.clear()
        while len(got) < size:
            data = stream.recv(size - len(got))
            if not data:
                return {"sent": sent, "lost": 1, "longest": longest, "error": "eof"}
            got += data
        wrong += bytes(got) != message
        longest = max(longest, time.monotonic() - before)
        if sent == 0:
            print("ready", flush=True)
        sent += 1
        time.sleep(0.005)
    return {"sent": sent, "lost": wrong, "longest": longest}


if role == "serve":
    serve(int(sys.argv[2]))
address, port, mark = sys.argv[2], int(sys.argv[3]), sys.argv[4].encode()
if role == "sizes":
    print(json.dumps(sizes(datagrams(address, port), mark, int(sys.argv[5]))))
elif role == "beat":
    print(json.dumps(beat(datagrams(address, port), mark)))
else:
    connection = socket.create_connection((address, port), timeout=10)
    if role == "bulk":
        connection.settimeout(60)
        print(bulk(connection, mark, int(sys.argv[5])))
    else:
        try:
            print(json.dumps(stream_on(connection, mark)))
        except OSError as error:
            print(json.dumps({"sent": 0, "lost": 1, "error": str(error)}))
