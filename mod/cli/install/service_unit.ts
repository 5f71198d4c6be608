/** The unit by which systemd runs the agent. `scripts/gossamer.service` is the same, as a file to copy; a test compares them. */
import { sha256Hex } from "../../base/hash.ts";

/** Stands before the SHA-256 of all lines above it: a unit that its operator edited is told from one of an older gossamer. */
const SEAL = "# Unchanged since gossamer install wrote it: ";

/** The text as install writes it: with a last line by which it knows its own. */
export function sealedUnit(text: string): string {
  return `${text}${SEAL}${sha256Hex(text)}\n`;
}

/** Whether install wrote it, of whatever version, and nobody changed it since. */
export function isSealed(unit: string): boolean {
  const at = unit.lastIndexOf(SEAL);
  return at >= 0 && unit === sealedUnit(unit.slice(0, at));
}

export function serviceUnit(executable: string): string {
  return `# Your own changes belong into a drop-in, systemctl edit gossamer: this file is replaced by newer ones.
# Settings are in /etc/gossamer/gossamer.toml.
[Unit]
Description=gossamer, a container subnet for this host
Documentation=man:gossamer(1)
Wants=network-online.target
After=network-online.target
# Containers get their addresses from subnet.env, which is there when this is active.
Before=docker.service containerd.service podman.service nomad.service

[Service]
# Active when containers may be started. While no seed answers, the agent asks for more time.
Type=notify
ExecStart=${executable} up
# Settings that can change at once are taken over; the others wait for a restart, and status names them.
ExecReload=/bin/kill -HUP $MAINPID
# The event loop gives a sign of life twice as often.
WatchdogSec=30
Restart=always
RestartSec=3
# A wrong configuration and missing privileges do not go away by themselves.
RestartPreventExitStatus=2 5
# A stop leaves the overlay up, and is told to the others within two seconds.
TimeoutStopSec=10

StateDirectory=gossamer
StateDirectoryMode=0700
RuntimeDirectory=gossamer
RuntimeDirectoryMode=0755
# Whoever asks while it restarts finds the directory.
RuntimeDirectoryPreserve=restart
CacheDirectory=gossamer
# subnet.env is where flannel writes it.
ExecStartPre=+/bin/mkdir -p /run/flannel

# Devices, routes, nftables, offloads; and pings through the overlay, which say whether a silent agent's host is there.
CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW
NoNewPrivileges=yes
ProtectSystem=strict
# Kernel parameters of the network are the agent's business; /etc/gossamer holds the keys, which it changes with the cluster's.
# Without a dash a path that is not there yet keeps even ExecStartPre from making it.
ReadWritePaths=-/run/flannel -/etc/gossamer
ProtectHome=yes
PrivateTmp=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
LockPersonality=yes
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
`;
}
