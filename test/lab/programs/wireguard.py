"""Gives a WireGuard device its key and its peers, as `wg set` does.

    wireguard.py DEVICE {"privateKey": HEX, "port": N, "peers": [{"publicKey": HEX, "address": IPV4, "port": N, "allowed": IPV6}...]}
"""

import ipaddress
import json
import socket
import struct
import sys

NETLINK_GENERIC, CONTROL, GETFAMILY = 16, 16, 3
FAMILY_ID, FAMILY_NAME = 1, 2
SET_DEVICE = 1
REQUEST, ACK, NESTED = 1, 4, 0x8000


def attribute(kind, value):
    data = struct.pack("=HH", len(value) + 4, kind) + value
    return data + bytes(-len(data) % 4)


def nested(kind, *parts):
    return attribute(kind | NESTED, b"".join(parts))


def ask(family, command, payload):
    body = struct.pack("=BBH", command, 1, 0) + payload
    netlink.send(struct.pack("=IHHII", len(body) + 16, family, REQUEST | ACK, 1, 0) + body)
    while True:
        answer = netlink.recv(1 << 16)
        if struct.unpack_from("=H", answer, 4)[0] != 2:
            found = answer[20:]
            continue
        error = struct.unpack_from("=i", answer, 16)[0]
        if error:
            raise OSError(-error, "netlink")
        return found if command == GETFAMILY else b""


def attributes(data):
    while data:
        length, kind = struct.unpack_from("=HH", data)
        yield kind, data[4:length]
        data = data[(length + 3) & ~3 :]


def peer(one):
    address = ipaddress.ip_address(one["address"]).packed
    allowed = ipaddress.ip_address(one["allowed"]).packed
    return nested(
        0,
        attribute(1, bytes.fromhex(one["publicKey"])),
        attribute(4, struct.pack("=H", socket.AF_INET) + struct.pack(">H", one["port"]) + address + bytes(8)),
        nested(
            9,
            nested(
                0,
                attribute(1, struct.pack("=H", socket.AF_INET6)),
                attribute(2, allowed),
                attribute(3, b"\x80"),
            ),
        ),
    )


device, config = sys.argv[1], json.loads(sys.argv[2])
netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
found = dict(attributes(ask(CONTROL, GETFAMILY, attribute(FAMILY_NAME, b"wireguard\0"))))
ask(
    struct.unpack("=H", found[FAMILY_ID])[0],
    SET_DEVICE,
    attribute(2, device.encode() + b"\0")
    + attribute(3, bytes.fromhex(config["privateKey"]))
    + attribute(6, struct.pack("=H", config["port"]))
    + nested(8, *[peer(one) for one in config["peers"]]),
)
