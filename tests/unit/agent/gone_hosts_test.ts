/** Whose kernels are asked, and on which address. */
import { deepStrictEqual } from "node:assert/strict";
import { goneHosts } from "../../../mod/agent/gone_hosts.ts";
import type { HostSnapshot } from "../../../mod/claim/host_core.ts";
import { claims, CONFIG } from "../../support/overlay.ts";

const [own, ...owners] = claims(1, 2, 3, 4, 5, 6);
const statuses = ["alive", "suspect", "dead", "left"];

/** Host 1 is this one; 2 is alive, 3 suspect, 4 dead, 5 left, and of 6 only the claim is known. */
function snapshot(vtep: object = {}): Pick<HostSnapshot, "swim" | "claim"> {
  const members = owners.slice(0, 4).map(({ hostId }, index) => ({
    id: hostId,
    name: `h${index + 2}`,
    status: statuses[index],
  }));
  return {
    swim: { self: { id: own?.hostId }, members },
    claim: {
      owners: [own, ...owners].map((record) => ({
        ...record,
        vtep: { ...record?.vtep, ...vtep },
      })),
    },
  } as unknown as Pick<HostSnapshot, "swim" | "claim">;
}

Deno.test("owners that nobody hears are asked on the address of their VTEP", () => {
  deepStrictEqual([...goneHosts(snapshot(), CONFIG).values()], [
    { name: "h4", subnet: "10.244.4.0/24", address: "10.244.4.0" },
    { name: "h5", subnet: "10.244.5.0/24", address: "10.244.5.0" },
    { name: "host 06060606", subnet: "10.244.6.0/24", address: "10.244.6.0" },
  ]);
});

Deno.test("where packets go without VXLAN it is the address on the underlay", () => {
  const gone = goneHosts(snapshot({ backend: "host-gw" }), { ...CONFIG, backend: "host-gw" });
  deepStrictEqual([...gone.values()].map(({ address }) => address), [
    "192.168.100.4",
    "192.168.100.5",
    "192.168.100.6",
  ]);
});

Deno.test("whom no packet can reach is not asked", () => {
  deepStrictEqual(goneHosts(snapshot({ backend: "host-gw" }), CONFIG).size, 0);
});

Deno.test("nor is a host of the other family, which would take a socket that this host may not have", () => {
  const { swim, claim } = snapshot();
  const owners = claim.owners.map((owner, index) =>
    index === 3 ? { ...owner, subnet: "fd00:10:244:4::/64" } : owner
  );
  const names = [...goneHosts({ swim, claim: { ...claim, owners } }, CONFIG).values()]
    .map(({ name }) => name);
  deepStrictEqual(names, ["h5", "host 06060606"]);
});
