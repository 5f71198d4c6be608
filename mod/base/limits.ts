/** Numbers that several modules, or the outside, rely on. Each module keeps its own limits beside its code. */

/**
 * The `rtm_protocol` of our routes and `NDA_PROTOCOL` of our neighbours: how we prove that an entry is ours.
 * 71 is ASCII "G" and unassigned in linux/rtnetlink.h and iproute2's rt_protos.
 */
export const ROUTE_PROTOCOL = 71;

/** The alias (IFLA_IFALIAS) of devices we made: how we prove that a device is ours. */
export const DEVICE_ALIAS = "gossamer";

/** The comment of nf_tables tables we made: how we prove that a table is ours. */
export const TABLE_COMMENT = "gossamer";

/** Bytes of one gossip datagram, UDP payload: fits a 1500-byte MTU with room for IPv6, UDP and an outer tunnel. */
export const PACKET_BYTES_MAX = 1400;

/** Bytes of one frame on a stream: a full sync of 5,000 hosts is 5,000 * 240 B = 1.2 MB; 4 MiB leaves a factor of 3. */
export const FRAME_BYTES_MAX = 4 * 1024 * 1024;

/** Members a cluster may have: the stated aim is 5,000; twice that is refused as a fault or an attack. */
export const MEMBERS_MAX = 10_000;

/** Bytes the outer headers of VXLAN over IPv4 take: 20 IPv4 + 8 UDP + 8 VXLAN + 14 Ethernet (RFC 7348 section 5). */
export const VXLAN_OVERHEAD_BYTES = 50;

/** Bytes the outer headers of VXLAN over IPv6 take: 40 IPv6 instead of 20 IPv4. */
export const VXLAN_IPV6_OVERHEAD_BYTES = 70;

/** Bytes the outer headers of the UDP backend take: 20 IPv4 + 8 UDP. */
export const UDP_OVERHEAD_BYTES = 28;

/** The same over IPv6: 40 IPv6 + 8 UDP. */
export const UDP_IPV6_OVERHEAD_BYTES = 48;

/** Ethernet's MTU (RFC 894): what a host's underlay has unless it says otherwise. */
export const ETHERNET_MTU = 1500;

/** UDP and TCP port of gossip unless `--gossip-port` says otherwise. */
export const GOSSIP_PORT_DEFAULT = 7947;

/** How long a host may be absent before its subnet may be taken, in hours. */
export const ABSENCE_TTL_HOURS_DEFAULT = 24;
/** Two bytes in a claim record: seven years. */
export const ABSENCE_TTL_HOURS_MAX = 65_535;
