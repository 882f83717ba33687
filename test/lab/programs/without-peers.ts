import { Netlink } from '../../../src/netlink/netlink.ts';
import { WireguardControl } from '../../../src/netlink/wireguard-control.ts';

// Removes every peer of a WireGuard device of the namespace that it runs in: without-peers.ts DEVICE

using netlink = Netlink.open();
using control = WireguardControl.open();
const ifindex = netlink.link(process.argv[2] ?? '')?.index ?? 0;
const peers = [...(control?.get(ifindex)?.peers.keys() ?? [])];
control?.set(ifindex, { peers: peers.map((publicKey) => ({ publicKey, remove: true })) });
console.log(`removed ${peers.length}`);
