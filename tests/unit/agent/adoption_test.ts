/** What a host that ran flannel brings along. */
import { deepStrictEqual, throws } from "node:assert/strict";
import { makePool } from "../../../mod/address/pool.ts";
import { adopt } from "../../../mod/agent/adoption.ts";
import { firewallWish } from "../../../mod/agent/firewall_wish.ts";
import type { HostSnapshot } from "../../../mod/claim/host_core.ts";
import { ConfigError } from "../../../mod/base/errors.ts";
import { agentConfig } from "../../support/agent_config.ts";
import { EMPTY_STATE } from "../../support/model_kernel.ts";
import { CONFIG, DEVICE, OWN } from "../../support/overlay.ts";
import { vxlanLink } from "../../../mod/overlay/vxlan.ts";

const FILE = "FLANNEL_NETWORK=10.5.0.0/16\nFLANNEL_SUBNET=10.5.72.1/24\nFLANNEL_MTU=1450\n";
const pool = makePool({ network: "10.5.0.0/16" });
const NOTHING = { dump: () => EMPTY_STATE };

function adopted(text: string | null, changes = {}, kernel = NOTHING, hasClaim = false) {
  const folder = Deno.makeTempDirSync();
  try {
    const subnetFile = `${folder}/subnet.env`;
    if (text !== null) Deno.writeTextFileSync(subnetFile, text);
    return adopt(agentConfig({ pool, subnetFile, ...changes }), kernel, hasClaim);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("the subnet of flannel's file is asked for, unless there is a better one", () => {
  deepStrictEqual(adopted(FILE), { pin: "10.5.72.0/24", mac: null });
  deepStrictEqual(adopted(FILE, { pin: "10.5.9.0/24" }).pin, "10.5.9.0/24");
  deepStrictEqual(adopted(FILE, {}, NOTHING, true).pin, null);
  deepStrictEqual(adopted(null), { pin: null, mac: null });
});

Deno.test("of a flannel of IPv6 alone, its subnet and the MAC of its device", () => {
  const file = "FLANNEL_IPV6_NETWORK=fd00:10:244::/56\nFLANNEL_IPV6_SUBNET=fd00:10:244:7::1/64\n";
  const ipv6 = { pool: makePool({ network: "fd00:10:244::/56" }) };
  const asked: unknown[] = [];
  const link = { ...vxlanLink(CONFIG), alias: "", mac: "7e:00:00:00:00:01" };
  const kernel = {
    dump: (...which: unknown[]) => {
      asked.push(which);
      return { ...EMPTY_STATE, link };
    },
  };
  const { pin, mac } = adopted(file, ipv6, kernel);
  deepStrictEqual([pin, mac], ["fd00:10:244:7::/64", "7e:00:00:00:00:01"]);
  deepStrictEqual(asked, [["flannel-v6.1", undefined, 6]]);
  throws(() => adopted(FILE, ipv6), /has no FLANNEL_IPV6_SUBNET that could be taken over/);
});

Deno.test("a subnet that cannot be kept is no reason to take another one silently", () => {
  const refused = (text: string, message: RegExp, changes = {}) =>
    throws(() => adopted(text, changes), (error) => {
      return error instanceof ConfigError && message.test(`${error.message} - ${error.remedy}`);
    });
  const other = { pool: makePool({ network: "10.244.0.0/16" }) };
  refused(FILE, /network is 10\.5\.0\.0\/16, .* 10\.244\.0\.0\/16 - give --network 10\.5/, other);
  refused("FLANNEL_NETWORK=10.5.0.0/16\n", /no FLANNEL_SUBNET that could be taken over/);
  refused(FILE.replace("72.1/24", "72.1/26"), /--adopt-flannel, .*subnet\.env: .*10\.5\.72\.0\/26/);
  refused(FILE.replace("10.5.72.1", "10.9.72.1"), /--adopt-flannel/);
});

Deno.test("the device's MAC stays where flannel made the device, or we took it over", () => {
  const macOf = (changes: object) => {
    const link = { ...vxlanLink(CONFIG), mac: "7e:00:00:00:00:01", ...changes };
    return adopted(null, {}, { dump: () => ({ ...EMPTY_STATE, link }) }).mac;
  };
  deepStrictEqual(macOf({ alias: "" }), "7e:00:00:00:00:01");
  deepStrictEqual(macOf({ alias: "gossamer" }), "7e:00:00:00:00:01");
  deepStrictEqual(macOf({ alias: "somebody's" }), null);
  deepStrictEqual(macOf({ alias: "", mac: "00:00:00:00:00:00" }), null);
  const dummy = { name: DEVICE, kind: "dummy", alias: "" };
  deepStrictEqual(adopted(null, {}, { dump: () => ({ ...EMPTY_STATE, link: dummy }) }).mac, null);
});

Deno.test("the guard lets hosts of flannel in as it does members", () => {
  const claim = { state: "held", record: OWN, records: [OWN], pool };
  const snapshot = { claim } as unknown as HostSnapshot;
  const wish = firewallWish(snapshot, true, ["192.168.100.9"]);
  deepStrictEqual(
    wish.want === "up" && wish.facts.map(({ members }) => members),
    [["192.168.100.1", "192.168.100.9"]],
  );
});
