"""Stands in for WireGuard between hosts: what a host sends into its tun device comes out of the device of whom it is
addressed to, if it comes from one of the addresses that are the sender's. Nothing is encrypted.

    wire.py [{"netns": PATH, "device": NAME, "addresses": [ADDRESS...]}...]

Says `ready`. Takes lines `INDEX HEX` and `INDEX GSO_SIZE HEX`: that packet comes out of that host's device, as one or as a
train of UDP; says `brought N` after the Nth.
"""

import ctypes
import fcntl
import ipaddress
import json
import os
import select
import struct
import sys

TUNSETIFF, IFF_TUN, IFF_NO_PI, IFF_VNET_HDR = 0x400454CA, 0x1, 0x1000, 0x4000
CLONE_NEWNET = 0x40000000
HEADER = 10  # struct virtio_net_hdr
GSO_UDP = 3

libc = ctypes.CDLL(None, use_errno=True)


def open_tun(netns, device):
    with open(netns) as file:
        if libc.setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    tun = os.open("/dev/net/tun", os.O_RDWR)
    flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", device.encode(), flags))
    return tun


hosts = json.loads(sys.argv[1])
tuns = [open_tun(host["netns"], host["device"]) for host in hosts]
owners = {ipaddress.ip_address(one).packed: at for at, host in enumerate(hosts) for one in host["addresses"]}
print("ready", flush=True)

brought = 0
pending = b""
while True:
    for ready in select.select([*tuns, 0], [], [])[0]:
        if ready:
            packet = os.read(ready, 1 << 17)[HEADER:]
            source, destination = owners.get(packet[8:24]), owners.get(packet[24:40])
            if packet[0] >> 4 == 6 and source is not None and tuns[source] == ready and destination is not None:
                os.write(tuns[destination], bytes(HEADER) + packet)
            continue
        data = os.read(0, 1 << 16)
        if not data:
            sys.exit()
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            at, *size, text = line.split()
            packet = bytes.fromhex(text.decode())
            header = struct.pack("<BBHHHH", 0, GSO_UDP, 48, int(size[0]), 0, 0) if size else bytes(HEADER)
            try:
                os.write(tuns[int(at)], header + packet)
            except OSError as error:
                print(error, flush=True)
            brought += 1
            print(f"brought {brought}", flush=True)
