"""Client of the labs: asks once and says what came back, as one line of JSON.

    client.py PROTOCOL ADDRESS PORT [--bind ADDRESS] [--source-port PORT] [--size BYTES] [--timeout SECONDS]
              [--count N] [--interval SECONDS]

Gives {"ok", "reply", "replyFrom", "local", "peer", "error", "replies"}; `error` is an errno's name, `timeout`, or `eof`
where the other end closed the connection instead of answering.
With --count it asks again over the same socket, and `replies` says how many were answered. Exit status 0 when all
were, 1 when not.
"""

import argparse
import errno
import json
import socket
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("protocol", choices=["tcp", "udp", "sctp"])
parser.add_argument("address")
parser.add_argument("port", type=int)
parser.add_argument("--bind", default="")
parser.add_argument("--source-port", type=int, default=0)
parser.add_argument("--size", type=int, default=4)
parser.add_argument("--timeout", type=float, default=3)
parser.add_argument("--count", type=int, default=1)
parser.add_argument("--interval", type=float, default=0)
parser.add_argument("--unconnected", action="store_true", help="UDP: sendto instead of connect")
args = parser.parse_args()

family = socket.AF_INET6 if ":" in args.address else socket.AF_INET
result = {"ok": False, "reply": None, "replyFrom": None, "local": None, "peer": None, "error": None, "replies": 0}
try:
    if args.protocol == "udp":
        client = socket.socket(family, socket.SOCK_DGRAM)
    else:
        protocol = socket.IPPROTO_SCTP if args.protocol == "sctp" else 0
        client = socket.socket(family, socket.SOCK_STREAM, protocol)
    client.settimeout(args.timeout)
    if args.bind or args.source_port:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        client.bind((args.bind, args.source_port))
    if not args.unconnected:
        client.connect((args.address, args.port))
        result["peer"] = list(client.getpeername()[:2])
    for turn in range(args.count):
        if turn and args.interval:
            time.sleep(args.interval)
        message = b"x" * args.size
        if args.unconnected:
            client.sendto(message, (args.address, args.port))
        elif args.protocol == "udp":
            client.send(message)
        else:
            client.sendall(message)
        reply, sender = client.recvfrom(65536)
        if reply == b"" and args.protocol != "udp":
            raise EOFError
        result["reply"] = reply.decode().strip()
        result["replyFrom"] = list((sender or client.getpeername())[:2])
        result["local"] = list(client.getsockname()[:2])
        result["replies"] += 1
    result["ok"] = True
except socket.timeout:
    result["error"] = "timeout"
except EOFError:
    result["error"] = "eof"
except OSError as error:
    result["error"] = errno.errorcode.get(error.errno, str(error))
print(json.dumps(result))
sys.exit(0 if result["ok"] else 1)
