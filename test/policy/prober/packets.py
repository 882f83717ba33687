"""Packets of the protocols that go through raw sockets: SCTP's first two, and ICMP's echo."""

import struct

INIT, INIT_ACK = 1, 2
# Type of the request and of the reply, by family.
ECHO = {4: (8, 0), 6: (128, 129)}


def crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC32C = crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC32C[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def sctp_packet(source_port, destination_port, tag, chunk, text):
    """An INIT or INIT ACK, with a parameter that whoever does not know it skips."""
    parameter = struct.pack("!HH", 0xBF00, 4 + len(text)) + text + bytes(-len(text) % 4)
    body = struct.pack("!BBHIIHHI", chunk, 0, 20 + 4 + len(text), 1, 65536, 1, 1, 1) + parameter
    head = struct.pack("!HHI", source_port, destination_port, tag)
    return head + struct.pack("<I", crc32c(head + bytes(4) + body)) + body


def sctp_parts(data):
    """Type of the first chunk, source port, destination port and text; the type 0 is of what is none of ours."""
    if len(data) < 36:
        return 0, 0, 0, b""
    source_port, destination_port = struct.unpack_from("!HH", data)
    length = struct.unpack_from("!H", data, 34)[0]
    return data[12], source_port, destination_port, data[36 : 32 + length]


def internet_checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def echo_request(family, number, text):
    payload = text + bytes(-len(text) % 4)
    head = struct.pack("!BBHHH", ECHO[family][0], 0, 0, number, 1)
    if family == 4:  # the kernel sums up ICMPv6 itself
        head = struct.pack("!BBHHH", ECHO[family][0], 0, internet_checksum(head + payload), number, 1)
    return head + payload


def echo_reply_of(family, data):
    """What an echo reply gives back, or None."""
    return data[8:].rstrip(b"\0") if len(data) > 8 and data[0] == ECHO[family][1] else None
