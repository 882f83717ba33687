"""Many flows to one address: who answers them.

    spread.py PROTOCOL ADDRESS PORT COUNT [--hold] [--timeout SECONDS]

Gives, as one line of JSON, how many flows each server (the first word of its answer) has taken, and `errors`, how many
were not answered. With --hold the connections stay: it says `ready` and that line, asks again over each of them until
its input ends, and then gives how many each server has still answered on.
"""

import argparse
import json
import select
import socket
import sys

parser = argparse.ArgumentParser()
parser.add_argument("protocol", choices=["tcp", "udp"])
parser.add_argument("address")
parser.add_argument("port", type=int)
parser.add_argument("count", type=int)
parser.add_argument("--hold", action="store_true")
parser.add_argument("--timeout", type=float, default=2)
args = parser.parse_args()

family = socket.AF_INET6 if ":" in args.address else socket.AF_INET
kind = socket.SOCK_STREAM if args.protocol == "tcp" else socket.SOCK_DGRAM


def ask(client):
    client.send(b"hello")
    answer = client.recv(65536)
    if not answer:
        raise OSError("closed")
    return answer.decode().split()[0]


def count(names):
    counts = {"errors": 0}
    for name in names:
        key = name or "errors"
        counts[key] = counts.get(key, 0) + 1
    return json.dumps(counts)


names, clients = [], []
for _ in range(args.count):
    client = socket.socket(family, kind)
    client.settimeout(args.timeout)
    try:
        client.connect((args.address, args.port))
        names.append(ask(client))
    except OSError:
        names.append(None)
    if args.hold and names[-1]:
        clients.append([client, names[-1]])
    else:
        client.close()
if not args.hold:
    print(count(names))
    sys.exit(0)
print("ready", count(names), flush=True)
names = [name for _, name in clients]
while not select.select([sys.stdin], [], [], 0.1)[0]:
    for i, (client, name) in enumerate(clients):
        if names[i] is None:
            continue
        try:
            names[i] = name if ask(client) == name else None
        except OSError:
            names[i] = None
print("held", count(names), flush=True)
