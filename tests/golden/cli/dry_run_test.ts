/** What `up --dry-run` prints: of a newcomer, of a host that was there before, and where nothing is to be done. */
import { deepEqual, match, rejects } from "node:assert/strict";
import { makeIpv6Pool } from "../../../mod/address/dual_stack.ts";
import { vtepMac } from "../../../mod/address/mac.ts";
import { makePool } from "../../../mod/address/pool.ts";
import type { AgentConfig } from "../../../mod/agent/config.ts";
import { type DryRunHost, planStart } from "../../../mod/agent/dry_run.ts";
import type { FirewallTable } from "../../../mod/base/firewall_objects.ts";
import type { HostSetting, HostSettings } from "../../../mod/base/host_setting.ts";
import { UserError } from "../../../mod/base/errors.ts";
import { encodeClaimMemory } from "../../../mod/claim/memory.ts";
import type { RestoredClaim } from "../../../mod/claim/options.ts";
import { desiredState } from "../../../mod/overlay/desired.ts";
import { desiredFirewall } from "../../../mod/overlay/firewall.ts";
import { sortedAddresses } from "../../../mod/overlay/firewall_elements.ts";
import { settingText } from "../../../mod/overlay/host_settings.ts";
import { agentConfig } from "../../support/agent_config.ts";
import { FIREWALL, ModelFirewall } from "../../support/firewall.ts";
import { matchGolden } from "../../support/golden.ts";
import { hostAddress, hostDevice, hostRoute } from "../../support/host_network.ts";
import { ModelKernel } from "../../support/model_kernel.ts";
import { claim, claims, CONFIG, DEVICE, programmed } from "../../support/overlay.ts";

const IPV4 = makePool({ network: "10.244.0.0/16" });
const DUAL_STACK = { ...IPV4, ipv6: makeIpv6Pool(IPV4, { network: "fd00:244::/56" }) };
const SELF = claim(7);

/** Host 7 as an earlier run left it. */
function memory(changes: Partial<RestoredClaim> = {}): RestoredClaim {
  return {
    hostId: SELF.hostId,
    generation: 1,
    lamport: 9,
    fence: [],
    record: SELF,
    previous: null,
    others: [2, 3].map((number) => ({ record: claim(number), ageMs: 0 })),
    ...changes,
  };
}

/** A host that forwards nothing yet, with eth0 as its underlay. Whoever writes to it fails. */
class DryHost implements DryRunHost, HostSettings {
  readonly model = new ModelKernel(DEVICE);
  readonly firewall = new ModelFirewall();
  readonly openFirewall = () => this.firewall;
  readonly settings = this;
  readonly machine = undefined;
  readonly kernel = {
    dump: () => this.model.dump(),
    apply: () => refused(),
    applyLater: () => refused(),
    watch: () => refused(),
    watchDevices: () => refused(),
    routeTo: () => null,
    hostDevice: () => hostDevice(2, "eth0", ["192.168.100.7/24"]),
    hostNetwork: () => ({
      devices: [hostDevice(2, "eth0", ["192.168.100.7/24"])],
      routes: [hostRoute("0.0.0.0/0", 2)],
      ipv6: { addresses: [{ ...hostAddress("fd00:100::7/64"), index: 2 }], routes: [] },
    }),
  };
  readonly documents = new Map<string, Uint8Array>();
  readonly peek = (document: string, copy = "state") =>
    this.documents.get(`${document}.${copy}`) ?? null;

  read = (setting: HostSetting): string | null =>
    settingText(setting).includes(DEVICE) ? null : "0";

  write(): void {
    refused();
  }

  plan(changes: Partial<AgentConfig> = {}) {
    return planStart(agentConfig({ name: "h7", ...changes }), this);
  }
}

function refused(): never {
  throw new Error("a dry run changes nothing");
}

function golden(name: string, text: string): void {
  matchGolden(new URL(`./dry_run_${name}.txt`, import.meta.url), text);
}

Deno.test("a newcomer's subnet and MAC are words, for both families and the packet filter", async () => {
  const { text, warnings } = await new DryHost().plan({ pool: DUAL_STACK, ipMasq: true });
  golden("newcomer", text);
  deepEqual(warnings, []);
});

Deno.test("a host that held a subnet gets it, with the peers that it remembers", async () => {
  const host = new DryHost();
  host.documents.set("claim.state", encodeClaimMemory(memory()));
  const { text, warnings } = await host.plan({ txChecksum: false });
  golden("returning", text);
  deepEqual(warnings, []);
});

Deno.test("what is there already is left out, and what nobody remembers stays", async () => {
  const host = new DryHost();
  host.documents.set("claim.state", encodeClaimMemory(memory()));
  host.read = (setting) => setting.value;
  // As an earlier run left it, with a peer that this host has forgotten, and without the way to another.
  const mac = vtepMac(SELF.hostId, 1);
  const config = { ...CONFIG, mac, underlay: { ...CONFIG.underlay, address: "192.168.100.7" } };
  const state = programmed(desiredState(config, SELF, claims(2, 3, 4)));
  const routes = state.routes.filter(({ destination }) => destination !== "10.244.3.0/24");
  host.model.state = { ...state, routes };
  const members = [2, 4, 7].map((number) => `192.168.100.${number}`);
  const table = desiredFirewall({ ...FIREWALL, masquerade: false }, {
    subnet: SELF.subnet,
    networks: ["10.244.0.0/16"],
    members,
  });
  host.firewall.apply([{ kind: "table-replace", table }]);
  golden("almost_there", (await host.plan()).text);
  host.model.state = state;
  host.firewall.tamper("ip", { kind: "ours", table: withMember(table, "192.168.100.3") });
  match((await host.plan()).text, /\n# nothing: the kernel is as wanted\n$/);
});

function withMember(table: FirewallTable, address: string): FirewallTable {
  const sets = table.sets.map((set) =>
    set.name === "members" ? { ...set, elements: sortedAddresses([...set.elements, address]) } : set
  );
  return { ...table, sets };
}

Deno.test("a pinned host is told so, and a remembered smaller host counts with --mtu min", async () => {
  const host = new DryHost();
  const small = claim(2, { vtep: { ...claim(2).vtep, mtu: 1300 } });
  const others = [{ record: small, ageMs: 0 }];
  host.documents.set("claim.state", encodeClaimMemory(memory({ record: null, others })));
  const { text } = await host.plan({ pin: "10.244.9.0/24", followsMtu: true });
  match(text, /^# subnet: 10\.244\.9\.0\/24, to which this host is pinned/m);
  match(text, / mtu 1300 /);
  match(text, /^ip address add 10\.244\.9\.0\/32 dev flannel\.1$/m);
  match((await host.plan()).text, / mtu 1450 .*\n(.*\n)*ip address add SUBNET_ADDRESS\/32/);
});

Deno.test("SUBNET stands for none that another host has, nor for one that is left out", async () => {
  const host = new DryHost();
  const others = [{ record: claim(255), ageMs: 0 }];
  host.documents.set("claim.state", encodeClaimMemory(memory({ record: null, others })));
  const { text } = await host.plan({ ipMasq: true, masqueradeExcluded: ["10.244.254.0/24"] });
  match(text, /^ip address add SUBNET_ADDRESS\/32 dev flannel\.1$/m);
  match(text, /^ip route add 10\.244\.255\.0\/24 via 10\.244\.255\.0 /m);
  match(text, /elements = \{ 10\.244\.254\.0\/24 \}/);
});

Deno.test("a damaged claim is said, and the copy before it used; without one it is refused", async () => {
  const host = new DryHost();
  host.documents.set("claim.state", Uint8Array.of(1, 2, 3));
  await rejects(() => host.plan(), UserError);
  host.documents.set("claim.previous", encodeClaimMemory(memory()));
  const { text, warnings } = await host.plan();
  match(text, /10\.244\.7\.0\/24, which this host held before/);
  match(warnings.join("\n"), /claim\.state is not a usable claim.*\nclaim\.previous, the copy/);
});

Deno.test("a disk of another machine gives no identity, but its claim is respected", async () => {
  const host = new DryHost();
  Object.assign(host, { machine: "aa".repeat(16) });
  const { hostId } = claim(8);
  const lost = memory({ hostId, record: claim(8), machine: "bb".repeat(16) });
  host.documents.set("claim.state", encodeClaimMemory(lost));
  const { text, warnings } = await host.plan();
  match(text, /^# subnet: still to be chosen/m);
  match(text, /^ip route add 10\.244\.8\.0\/24 via /m);
  match(warnings.join(), /written on another machine/);
  const kept = await host.plan({ keepIdentity: true });
  match(kept.text, /10\.244\.8\.0\/24, which this host held before/);
});

Deno.test("tables that cannot be read are said", async () => {
  const host = new DryHost();
  Object.assign(host, { openFirewall: refused });
  const { text, warnings } = await host.plan();
  match(text, /^nft -f - /m);
  match(warnings.join(), /^The tables of nftables cannot be read: a dry run changes nothing$/);
});
