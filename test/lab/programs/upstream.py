"""DNS server of the labs, by UDP and TCP: what it answers depends on the first label of the name.

    upstream.py LISTEN ANSWER

    nx      there is no such name                fail    cannot answer
    silent  nothing                              late    after a second
    big     100 addresses: cut by UDP, whole by TCP
    forged  three answers that do not fit, then the right one
    edns    the OPT record of the query, as TXT
    other   ANSWER for A, nothing for the rest

Says `ready`, then `asked NAME BY FROM-PORT ID` for each question.
"""

import socket
import struct
import sys
import threading
import time

listen, answer = sys.argv[1], sys.argv[2]
family = socket.AF_INET6 if ":" in listen else socket.AF_INET


def parse(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += 1 + query[at]
    return labels, query[12 : at + 5], query[at + 5 :]


def reply(query, question, records=(), flags=0x8180, number=None):
    number = struct.unpack("!H", query[:2])[0] if number is None else number
    return struct.pack("!6H", number, flags, 1, len(records), 0, 0) + question + b"".join(records)


def record(kind, data):
    return b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 5, len(data)) + data


def address(text):
    return record(1, socket.inet_aton(text))


def answers(query, way, port):
    labels, question, rest = parse(query)
    number = struct.unpack("!H", query[:2])[0]
    print("asked", ".".join(labels), way, port, number, flush=True)
    first = labels[0].lower() if labels else ""
    is_a = question[-4:-2] == b"\x00\x01"
    if first == "silent":
        return []
    if first == "late":
        time.sleep(1)
    if first == "nx":
        return [reply(query, question, flags=0x8183)]
    if first == "fail":
        return [reply(query, question, flags=0x8182)]
    if first == "big":
        if way == "udp":
            return [reply(query, question, flags=0x8380)]
        return [reply(query, question, [address(f"192.0.2.{i}") for i in range(100)])]
    if first == "edns":
        text = rest.hex().encode() or b"none"
        return [reply(query, question, [record(16, bytes([len(text)]) + text)])]
    right = reply(query, question, [address(answer)] if is_a else [])
    if first == "forged":
        lie = [address("203.0.113.66")]
        elsewhere = b"\x05other" + question[7:]
        wrong = reply(query, question, lie, number=number ^ 1)
        return [wrong, reply(query, elsewhere, lie), reply(query, question, lie, flags=0x0180), right]
    return [right]


def serve_stream():
    server = socket.socket(family, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((listen, 53))
    server.listen(16)
    while True:
        client, peer = server.accept()
        head = client.recv(2, socket.MSG_WAITALL)
        query = client.recv(struct.unpack("!H", head)[0], socket.MSG_WAITALL)
        for packet in answers(query, "tcp", peer[1]):
            client.sendall(struct.pack("!H", len(packet)) + packet)
        client.close()


def respond(query, peer):
    for packet in answers(query, "udp", peer[1]):
        datagrams.sendto(packet, peer)


datagrams = socket.socket(family, socket.SOCK_DGRAM)
datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
datagrams.bind((listen, 53))
threading.Thread(target=serve_stream, daemon=True).start()
print("ready", flush=True)
while True:
    query, peer = datagrams.recvfrom(4096)
    if query[12:17].lower() == b"\x04late":
        threading.Thread(target=respond, args=(query, peer), daemon=True).start()
    else:
        respond(query, peer)
