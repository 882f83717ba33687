"""Echo server of the labs: answers every message with who asked and what was asked, over TCP, UDP or SCTP.

    server.py PROTOCOL ADDRESS PORT [NAME]

A message that begins with `GET ` gets the same as an HTTP response. Says `ready` when it listens.
"""

import socket
import socketserver
import sys

protocol, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
name = sys.argv[4] if len(sys.argv) > 4 else socket.gethostname()
family = socket.AF_INET6 if ":" in address else socket.AF_INET


def plain(ip):
    return ip[7:] if ip.startswith("::ffff:") else ip


def answer(peer, local, message):
    text = f"{name} peer={plain(peer[0])},{peer[1]} local={plain(local[0])},{local[1]} {message}"
    return text.encode()


class Stream(socketserver.BaseRequestHandler):
    def handle(self):
        while True:
            try:
                data = self.request.recv(65536)
            except ConnectionError:
                return
            if not data:
                return
            body = answer(self.client_address, self.request.getsockname(), f"bytes={len(data)}")
            if data.startswith(b"GET "):
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body) + 1}\r\nConnection: close\r\n\r\n"
                self.request.sendall(head.encode() + body + b"\n")
                return
            self.request.sendall(body + b"\n")


class StreamServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    address_family = family
    request_queue_size = 128

    def __init__(self, *args):
        super().__init__(*args, bind_and_activate=False)
        if protocol == "sctp":
            self.socket.close()
            self.socket = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_SCTP)
        self.server_bind()
        self.server_activate()


if protocol == "udp":
    server = socket.socket(family, socket.SOCK_DGRAM)
    server.bind((address, port))
    print("ready", flush=True)
    while True:
        data, peer = server.recvfrom(65536)
        server.sendto(answer(peer, server.getsockname(), f"bytes={len(data)}"), peer)
else:
    with StreamServer((address, port), Stream) as server:
        print("ready", flush=True)
        server.serve_forever()
