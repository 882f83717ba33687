"""Speaks to an IP group as mDNS does.

    group.py listen GROUP PORT DEVICE NAME     answers NAME to each message, by unicast; says `ready`
    group.py ask GROUP PORT DEVICE             asks once and gives the names that answered within a second, as JSON
"""

import json
import socket
import struct
import sys
import time

role, group, port, device = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
index = socket.if_nametoindex(device)
if ":" in group:
    link = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    member = socket.inet_pton(socket.AF_INET6, group) + struct.pack("@I", index)
    link.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
    level, join = socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP
else:
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    request = struct.pack("=4s4si", socket.inet_aton(group), bytes(4), index)
    member = request
    if group == "255.255.255.255" or group.endswith(".255"):
        link.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        member = None
    else:
        link.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, request)
    level, join = socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP

if role == "listen":
    link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    link.bind(("", port))
    if member:
        link.setsockopt(level, join, member)
    print("ready", flush=True)
    while True:
        _, peer = link.recvfrom(2048)
        link.sendto(sys.argv[5].encode(), peer)

names = []
link.sendto(b"who is there", (group, port))
end = time.monotonic() + 1
while (left := end - time.monotonic()) > 0:
    link.settimeout(left)
    try:
        names.append(link.recv(2048).decode())
    except socket.timeout:
        break
print(json.dumps(sorted(names)))
