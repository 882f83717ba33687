"""The back: one number, kept on a volume."""

import os
import socket
import socketserver
import threading

path = "/data/visits"
lock = threading.Lock()


class Store(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            with lock:
                visits = int(open(path).read()) if os.path.exists(path) else 0
                if line == b"add\n":
                    visits += 1
                    with open(path + ".new", "w") as file:
                        file.write(str(visits))
                    os.replace(path + ".new", path)
            self.wfile.write(b"%d\n" % visits)


class Server(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True


Server(("::", 7000), Store).serve_forever()
