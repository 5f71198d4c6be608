/** What people read of a dual-stack cluster. */
import { deepEqual } from "node:assert/strict";
import type { StatusDocument, SubnetsDocument } from "../../../mod/agent/api.ts";
import { statusOf, subnetsOf } from "../../../mod/cli/documents.ts";
import { plainPaint } from "../../../mod/cli/paint.ts";
import { renderStatus } from "../../../mod/cli/render_status.ts";
import { renderSubnets } from "../../../mod/cli/render_subnets.ts";
import { NOW_MS, READY, SUBNETS } from "../../support/documents.ts";
import { matchGolden } from "../../support/golden.ts";

const DUAL_STATUS: StatusDocument = {
  ...READY,
  cluster: { ...READY.cluster, ipv6Network: "fd00:244::/56", ipv6SubnetLen: 64 },
  claim: { ...READY.claim, ipv6Subnet: "fd00:244:0:7::/64" },
  overlay: {
    ...READY.overlay,
    inSync: false,
    ipv6: {
      network: "fd00:244::/56",
      device: "flannel-v6.1",
      mtu: 1430,
      inSync: false,
      peersWanted: 4,
      peersProgrammed: 2,
      repairs: 1,
      lastError: "ip route add fd00:244:0:9::/64: EACCES",
    },
  },
  members: READY.members.map((one) => ({ ...one, ipv6Subnet: "fd00:244:0:9::/64" })),
  problems: [],
};

const DUAL_SUBNETS: SubnetsDocument = {
  ...SUBNETS,
  ipv6Network: "fd00:244::/56",
  subnets: SUBNETS.subnets.map((one, index) => ({
    ...one,
    ipv6Subnet: index === 0 ? null : `fd00:244:0:${index}::/64`,
  })),
};

Deno.test("the status of a dual-stack host has both subnets, and how the IPv6 half is", () => {
  const text = renderStatus(DUAL_STATUS, NOW_MS, plainPaint);
  matchGolden(new URL("./status_dual_stack.txt", import.meta.url), text);
});

Deno.test("subnets of a dual-stack cluster have their IPv6 half beside them", () => {
  const text = renderSubnets(DUAL_SUBNETS, plainPaint);
  matchGolden(new URL("./subnets_dual_stack.txt", import.meta.url), text);
});

Deno.test("dual-stack documents come back from their check as they were", () => {
  deepEqual(statusOf(DUAL_STATUS), DUAL_STATUS);
  deepEqual(subnetsOf(DUAL_SUBNETS), DUAL_SUBNETS);
});
