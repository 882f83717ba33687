/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Why a packet was dropped: the one list, shared by the programs, the control plane and
 * docs/drops.md. The comment of each line is its documentation; numbers are never reused. */
#pragma once

enum drop_reason {
	REASON_NONE = 0, /* not dropped */
	REASON_TRUNCATED = 1, /* shorter than a header it claims to have */
	REASON_MALFORMED = 2, /* a header field has a value that no valid packet has */
	REASON_UNKNOWN_PROTOCOL = 3, /* an Ethernet or IP protocol that the network does not carry */
	REASON_VLAN_TAGGED = 4, /* a VLAN tag where none is expected */
	REASON_UNKNOWN_INTERFACE = 5, /* a packet from a device that belongs to no endpoint */
	REASON_SPOOFED = 6, /* a source MAC or IP that is not the endpoint's own, or one of ours seen from outside */
	REASON_ARP_FORGED = 7, /* ARP that announces an address which is not the sender's */
	REASON_ARP_UNANSWERED = 8, /* ARP that asks for an address that the network does not have, or needs no answer */
	REASON_ND_FORGED = 9, /* neighbour discovery that announces an address which is not the sender's */
	REASON_ND_UNANSWERED = 10, /* neighbour discovery that asks for an address that the network does not have, or needs no answer */
	REASON_ROUTER_ADVERTISEMENT = 11, /* a router advertisement or redirect sent by an endpoint */
	REASON_DHCP_SERVER = 12, /* a DHCP or DHCPv6 server message sent by an endpoint */
	REASON_UNICAST_IN_BROADCAST = 13, /* a unicast IP packet in a broadcast or multicast frame */
	REASON_TUNNEL_FORGED = 14, /* a packet to a tunnel port of a node, from an endpoint or a process of the host without privilege */
	REASON_NO_ENDPOINT = 15, /* an address of the network that no endpoint has, or a socket of a cgroup that is none any more */
	REASON_ISOLATED = 16, /* the destination is in another network */
	REASON_ICC_DISABLED = 17, /* the network forbids traffic between its endpoints */
	REASON_INTERNAL_NETWORK = 18, /* the network has no way out */
	REASON_NOT_PUBLISHED = 19, /* from outside, to a container address or port that is not published */
	REASON_POLICY_DENIED = 20, /* a policy, or a permission that was taken back, forbids it */
	REASON_CONNTRACK_INVALID = 21, /* belongs to no known flow and cannot begin one */
	REASON_CONNTRACK_FULL = 22, /* the conntrack map refused a new flow */
	REASON_FLOW_QUOTA = 23, /* the endpoint has as many flows as one endpoint may have */
	REASON_SNAT_QUOTA = 24, /* the endpoint has as many masqueraded flows as one endpoint may have */
	REASON_SNAT_EXHAUSTED = 25, /* no free source port to masquerade with */
	REASON_FRAGMENT_UNKNOWN = 26, /* a later fragment of a packet whose first was not seen or not let through */
	REASON_FRAGMENT_OVERLAP = 27, /* a fragment that hides or rewrites the ports */
	REASON_FLOOD_LIMITED = 28, /* more broadcast and multicast than an endpoint may send */
	REASON_NO_ROUTE = 29, /* the host has no route to the destination */
	REASON_NO_SOURCE_ADDRESS = 30, /* the uplink has no address of this family to masquerade with */
	REASON_TTL_EXCEEDED = 31, /* the time to live ran out */
	REASON_TOO_BIG = 32, /* larger than the way out takes; the sender was told */
	REASON_FORWARDED_BY_HOST = 33, /* the host routed it here from elsewhere, where nothing is published */
	REASON_DENY_LIST = 34, /* the source is on the deny list */
	REASON_MARTIAN = 35, /* a loopback, unspecified or multicast address where none may be */
	REASON_REWRITE_FAILED = 36, /* the kernel refused to change the packet */
	REASON_ICMP_UNRELATED = 37, /* an ICMP error about no flow that we know */
	REASON_MULTICAST_FROM_HOST = 38, /* broadcast or multicast that the host sent into the host device */
	REASON_CONFIG_MISSING = 39, /* the control plane has not written the configuration yet */
	REASON_RATE_LIMITED = 40, /* more than the endpoint may send, or receive (vetch.rate.egress, vetch.rate.ingress) */
	REASON_HOST_ACCESS_OFF = 41, /* to an address of the host, from a network on a parent device without vetch.host-access */
	REASON_NO_PARENT = 42, /* to the LAN, by a parent device that is gone */
	REASON_SERVICE_PORT = 43, /* the address of a service, at a port that the service does not have */
	REASON_NO_BACKEND = 44, /* a service that has no backend which is there and healthy */
	REASON_SPOOFED_TUNNEL = 45, /* from a node that does not have the sender, or the address that was asked, or from no node */
	REASON_UNKNOWN_TUNNEL = 46, /* from a node, for no network that spans hosts here, or in no tunnel that a node makes */
	REASON_NO_NODE = 47, /* to an endpoint whose host is not known any more, or without the overlay's device */
	REASON_NO_KEY = 48, /* to a host whose key is not known, or from this one while it has none, on an encrypted network */
	REASON_NOT_ENCRYPTED = 49, /* of an encrypted network, from another host in the clear */
	REASON_PUBLISHED_ELSEWHERE = 50, /* from a container to a port of its host that leads to an endpoint on another host */
	REASON_COUNT = 51,
};
