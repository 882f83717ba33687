"""The front: what a browser sees. It knows the next tier by its name."""

import json
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET6


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        with urllib.request.urlopen("http://api:8000/visit", timeout=5) as response:
            visits = json.load(response)["visits"]
        client = self.client_address[0].removeprefix("::ffff:")
        body = f"visit {visits}, from {client}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    address_family = AF_INET6


Server(("::", 8000), Page).serve_forever()
