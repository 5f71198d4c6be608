/** Answers of the control API on the pool: as configured, and after operators changed all there is to change. */
import type { PoolDocument } from "../../mod/agent/api.ts";

const H2 = { host: "h2 (22222222)", hostId: "22".repeat(16) };
const H3 = { host: "storage-node-3.example (3d3d3d3d)", hostId: "3d".repeat(16) };
const H4 = { host: "host 44444444", hostId: "44".repeat(16) };
const H5 = { host: "host 55555555", hostId: "55".repeat(16) };

export const PLAIN_POOL: PoolDocument = {
  schema: 1,
  version: 1,
  subnetLen: 24,
  used: 3,
  total: 255,
  networks: [{ network: "10.244.0.0/16", added: false, used: 3, total: 255 }],
  reserved: [],
  pins: [],
  outside: [],
};

export const CHANGED_POOL: PoolDocument = {
  ...PLAIN_POOL,
  version: 9,
  used: 5,
  total: 510,
  networks: [
    { network: "10.244.0.0/16", added: false, used: 3, total: 255 },
    { network: "10.245.0.0/16", added: true, used: 1, total: 255 },
  ],
  reserved: [
    {
      network: "10.244.200.0/22",
      holders: [{ ...H2, subnet: "10.244.201.0/24" }, { ...H3, subnet: "10.244.203.0/24" }],
    },
    { network: "10.244.255.0/24", holders: [] },
  ],
  pins: [
    { ...H2, subnet: "10.244.201.0/24", holds: "10.244.201.0/24" },
    { ...H3, subnet: "10.244.9.0/24", holds: "10.244.203.0/24" },
    { ...H4, subnet: "10.245.1.0/24", holds: "10.246.3.0/24" },
    { ...H5, subnet: "10.245.2.0/24", holds: null },
  ],
  outside: [{ ...H4, subnet: "10.246.3.0/24" }],
};
