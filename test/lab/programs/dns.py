"""DNS server of the labs: answers every A question with one address, and any other with nothing.

    dns.py LISTEN ANSWER

Says `ready` when it listens, and `asked NAME` for each question.
"""

import socket
import sys

listen, answer = sys.argv[1], sys.argv[2]
server = socket.socket(socket.AF_INET6 if ":" in listen else socket.AF_INET, socket.SOCK_DGRAM)
server.bind((listen, 53))
print("ready", flush=True)
while True:
    query, peer = server.recvfrom(512)
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += 1 + query[at]
    question = query[12 : at + 5]
    is_a = question[-4:-2] == b"\x00\x01"
    print("asked", ".".join(labels), flush=True)
    head = query[:2] + b"\x81\x80" + b"\x00\x01" + (b"\x00\x01" if is_a else b"\x00\x00") + b"\x00" * 4
    record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x05\x00\x04" + socket.inet_aton(answer)
    server.sendto(head + question + (record if is_a else b""), peer)
