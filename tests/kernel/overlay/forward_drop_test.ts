/** Rules of others in the real nf_tables: which of them drop what the overlay forwards. */
import { strict as assert } from "node:assert";
import { findForwardDrop } from "../../../mod/overlay/forward_drop.ts";
import { foreignDropProblems } from "../../../mod/overlay/foreign_drops.ts";
import { FACTS, wantedTable } from "../../support/firewall.ts";
import { firewallTest, NAME } from "./firewall_host.ts";

const INCOMING = {
  source: FACTS.ip.networks[0] ?? "",
  destination: FACTS.ip.subnet,
  inDevice: "flannel.1",
  outDevice: null,
};
const OUTGOING = {
  source: FACTS.ip.subnet,
  destination: FACTS.ip.networks[0] ?? "",
  inDevice: null,
  outDevice: "flannel.1",
};

/** Docker's, as iptables on nf_tables writes it; `extra` is what the administrator adds. */
function docker(extra = ""): string {
  return `table ip filter {
    chain DOCKER { iifname != "docker0" oifname "docker0" counter drop; }
    chain DOCKER-USER { ${extra} counter return; }
    chain DOCKER-FORWARD {
      oifname "docker0" ct state related,established counter accept
      oifname "docker0" counter jump DOCKER
      iifname "docker0" counter accept
    }
    chain FORWARD {
      type filter hook forward priority filter; policy drop;
      counter jump DOCKER-USER
      counter jump DOCKER-FORWARD
    }
  }`;
}

/** firewalld's, shortened. */
function firewalld(zone: string): string {
  return `table inet firewalld {
    chain filter_FWD_public { ${zone} }
    chain filter_FORWARD_ZONES {
      iifname "eth0" goto filter_FWD_public
      goto filter_FWD_public
    }
    chain filter_FORWARD {
      type filter hook forward priority filter + 10; policy accept;
      ct state { established, related } accept
      ct status dnat accept
      iifname "lo" accept
      ct state invalid drop
      jump filter_FORWARD_ZONES
      reject with icmpx admin-prohibited
    }
  }`;
}

function oneChain(family: string, hook: string, rule: string): string {
  return `table ${family} x {
    chain f {
      type filter hook ${hook} priority filter
      ${rule}
    }
  }`;
}

const FORWARD: readonly (readonly [string, string, string | null])[] = [
  ["no table", "", null],
  ["Docker", docker(), "ip filter FORWARD by its policy"],
  [
    "Docker with the overlay let through",
    docker("ip saddr 10.244.0.0/16 counter accept; ip daddr 10.244.0.0/16 counter accept;"),
    null,
  ],
  [
    "Docker with a part of the overlay let through",
    docker("ip saddr 10.244.9.0/24 counter accept;"),
    null,
  ],
  [
    "Docker with one port let through",
    docker("ip daddr 10.244.0.0/16 tcp dport 80 counter accept;"),
    "ip filter FORWARD by its policy",
  ],
  ["firewalld", firewalld(""), "inet firewalld filter_FORWARD by filter_FORWARD"],
  ["firewalld that accepts the overlay", firewalld("ip saddr 10.244.0.0/16 accept;"), null],
  [
    "a drop for IPv6 alone",
    oneChain("inet", "forward", "meta nfproto ipv6 drop"),
    null,
  ],
  [
    "a drop for IPv4",
    oneChain("inet", "forward", "meta nfproto ipv4 drop"),
    "inet x f by f",
  ],
  [
    "a drop of what is left after a part was let through",
    oneChain("ip", "forward", "ip saddr 10.244.9.0/24 accept; ip daddr 10.244.9.0/24 accept; drop"),
    null,
  ],
  [
    "a drop of what is left after a port was let through",
    oneChain("ip", "forward", "tcp dport 80 accept; drop"),
    "ip x f by f",
  ],
  [
    "a drop of new connections from the overlay's device",
    oneChain("ip", "forward", 'iifname "flannel*" ct state new drop'),
    "ip x f by f",
  ],
  [
    "a drop of everything but the overlay's device",
    oneChain("ip", "forward", 'iifname != "flannel.1" drop'),
    null,
  ],
  [
    "a drop on the way in, not on the way through",
    oneChain("ip", "input", "policy drop"),
    null,
  ],
];

for (const [what, script, expected] of FORWARD) {
  firewallTest(`who forwards is told of drops by others: ${what}`, (host) => {
    host.apply(wantedTable("ip"));
    host.script(script);
    const tables = host.firewall.foreignTables("forward", "ip", NAME);
    const drop = findForwardDrop(tables, INCOMING);
    const text = drop === null
      ? null
      : `${drop.table.family} ${drop.table.name} ${drop.chain} by ${drop.by ?? "its policy"}`;
    assert.equal(text, expected);
    if (expected === null) assert.equal(findForwardDrop(tables, OUTGOING), null);
  });
}

firewallTest("rules of iptables on nf_tables are read as what they are", (host) => {
  // What "iptables -P FORWARD DROP; iptables -A FORWARD -s 10.244.0.0/16 -j ACCEPT" leaves behind.
  host.script(`table ip filter {
    chain FORWARD {
      type filter hook forward priority filter; policy drop;
      ip saddr 10.244.0.0/16 counter accept
    }
  }`);
  const tables = host.firewall.foreignTables("forward", "ip", NAME);
  assert.equal(findForwardDrop(tables, INCOMING), null);
  const elsewhere = { ...INCOMING, source: "10.99.0.0/16" };
  assert.equal(findForwardDrop(tables, elsewhere)?.chain, "FORWARD");
});

firewallTest(
  "a drop of Docker 28 for one container is read before packets are forwarded",
  (host) => {
    // "iptables -t raw -A PREROUTING -d 10.244.7.2 ! -i docker0 -j DROP", as iptables on nf_tables writes it.
    host.script(`table ip raw {
    chain PREROUTING {
      type filter hook prerouting priority raw; policy accept;
      ip daddr 10.244.7.2 iifname != "docker0" counter drop
    }
  }`);
    const problems = foreignDropProblems({
      forward: host.firewall.foreignTables("forward", "ip", NAME),
      prerouting: host.firewall.foreignTables("prerouting", "ip", NAME),
    }, {
      subnet: "10.244.7.0/24",
      network: "10.244.0.0/16",
      overlayDevice: "flannel.1",
      containerDevices: () => ["docker0"],
    });
    assert.equal(problems.length, 1);
    assert.match(problems[0]?.text ?? "", /send to 10\.244\.7\.2 .* the table ip raw/);
  },
);
