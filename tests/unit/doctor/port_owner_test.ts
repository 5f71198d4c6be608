/** Who has a port, from texts as /proc has them. */
import assert from "node:assert/strict";
import { inodeOf, portOwner } from "../../../mod/doctor/port_owner.ts";

const UDP =
  `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  120: 00000000:1F0B 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0000000000000000 0
`;
const TCP6 =
  `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:1F0B 00000000000000000000000000000000:0000 01 00000000:00000000 00:00000000 00000000     0        0 1 1 0
   1: 00000000000000000000000000000000:1F0B 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 42 1 0
`;

Deno.test("the socket on a port is found, and of TCP only one that listens", () => {
  assert.equal(inodeOf(UDP, "udp", 7947), "4711");
  assert.equal(inodeOf(UDP, "udp", 7946), null);
  assert.equal(inodeOf(TCP6, "tcp", 7947), "42");
  assert.equal(inodeOf("", "udp", 7947), null);
});

Deno.test("the program of a socket is named where it can be seen", () => {
  const files = new Map([["/proc/net/udp", UDP], ["/proc/12/comm", "consul\n"]]);
  const proc = (seen: boolean) => ({
    file: (path: string) => files.get(path) ?? null,
    names: (path: string) => path === "/proc" ? ["self", "12"] : seen ? ["0", "5"] : [],
    link: (path: string) => path === "/proc/12/fd/5" ? "socket:[4711]" : "/dev/null",
  });
  assert.deepEqual(portOwner(proc(true), "udp", 7947), {
    kind: "program",
    name: "consul",
    pid: 12,
  });
  assert.deepEqual(portOwner(proc(false), "udp", 7947), { kind: "unknown" });
  assert.equal(portOwner(proc(true), "tcp", 7947), null);
});
