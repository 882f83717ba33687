"""The middle: it counts visits in the store, which no other tier reaches."""

import json
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Api(BaseHTTPRequestHandler):
    def do_GET(self):
        command = {"/visit": b"add\n", "/visits": b"get\n"}.get(self.path)
        if command is None:
            self.send_error(404)
            return
        with socket.create_connection(("store", 7000), timeout=5) as store:
            store.sendall(command)
            visits = int(store.makefile().readline())
        body = json.dumps({"visits": visits}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    address_family = socket.AF_INET6


Server(("::", 8000), Api).serve_forever()
