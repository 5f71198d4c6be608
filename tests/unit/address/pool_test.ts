/** The pool: flannel's defaults and checks, its own vectors, and what is refused in which words. */
import { deepEqual, equal, match, notEqual, throws } from "node:assert/strict";
import { vtepMac } from "../../../mod/address/mac.ts";
import {
  checkPin,
  makePool,
  poolDigest,
  poolHasSubnet,
  type PoolSettings,
  subnetCount,
  subnetsOf,
} from "../../../mod/address/pool.ts";
import { ConfigError } from "../../../mod/base/errors.ts";

function refused(settings: PoolSettings): ConfigError {
  try {
    makePool(settings);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(settings)} was accepted`);
}

/** flannel's config_test.go and the defaults of its pkg/subnet/config.go. */
const FLANNEL_VECTORS: readonly [PoolSettings, number, string, string][] = [
  [{ network: "10.3.0.0/16" }, 24, "10.3.1.0", "10.3.255.0"],
  [
    { network: "10.3.0.0/16", subnetMin: "10.3.5.0", subnetMax: "10.3.8.0" },
    24,
    "10.3.5.0",
    "10.3.8.0",
  ],
  [{ network: "10.3.0.0/16", subnetLength: 28 }, 28, "10.3.0.16", "10.3.255.240"],
  [{ network: "10.0.0.0/8" }, 24, "10.0.1.0", "10.255.255.0"],
  [{ network: "10.3.0.0/22" }, 24, "10.3.1.0", "10.3.3.0"],
  [{ network: "10.3.0.0/23" }, 25, "10.3.0.128", "10.3.1.128"],
  [{ network: "10.3.0.0/24" }, 26, "10.3.0.64", "10.3.0.192"],
  [{ network: "10.3.0.0/28" }, 30, "10.3.0.4", "10.3.0.12"],
];

for (const [settings, length, min, max] of FLANNEL_VECTORS) {
  Deno.test(`${JSON.stringify(settings)} becomes what flannel makes of it`, () => {
    const pool = makePool(settings);
    deepEqual([pool.subnetLength, pool.subnetMin, pool.subnetMax], [length, min, max]);
  });
}

Deno.test("a network too small for four subnets is refused", () => {
  match(refused({ network: "10.3.0.0/29" }).message, /^--network: 10\.3\.0\.0\/29 is too small/);
  match(refused({ network: "10.3.0.0/16", subnetLength: 17 }).message, /^--subnet-len: 17/);
  match(refused({ network: "10.3.0.0/16", subnetLength: 17 }).remedy ?? "", /18 .* to 30/);
  match(refused({ network: "10.3.0.0/16", subnetLength: 31 }).message, /^--subnet-len: 31/);
  match(refused({ network: "10.3.0.0/16", subnetLength: 24.5 }).message, /^--subnet-len: 24\.5/);
});

Deno.test("the smallest and largest subnet lie in the network, aligned and in order", () => {
  const network = "10.3.0.0/16";
  match(refused({ network, subnetMin: "10.4.0.0" }).message, /--subnet-min: 10\.4\.0\.0 is not in/);
  match(refused({ network, subnetMax: "10.3.5.16" }).message, /not the first address of a \/24/);
  match(refused({ network, subnetMax: "10.3.5.16" }).remedy ?? "", /10\.3\.5\.0/);
  match(
    refused({ network, subnetMin: "10.3.9.0", subnetMax: "10.3.8.0" }).message,
    /--subnet-min: 10\.3\.9\.0 lies above --subnet-max 10\.3\.8\.0/,
  );
  match(refused({ network, subnetMin: "10.3.5" }).message, /--subnet-min: "10\.3\.5" is not an/);
});

Deno.test("networks that no host routes are refused", () => {
  for (const network of ["127.0.0.0/16", "224.0.0.0/8", "0.0.0.0/8", "0.0.0.0/0", "96.0.0.0/3"]) {
    match(refused({ network }).message, /which hosts do not route/);
  }
});

Deno.test("messages name the setting as it was given", () => {
  const names = {
    network: "Network",
    subnetLength: "SubnetLen",
    subnetMin: "SubnetMin",
    subnetMax: "SubnetMax",
  };
  throws(
    () => makePool({ network: "10.3.0.0" }, names),
    /Network: "10\.3\.0\.0" has/,
  );
});

Deno.test("subnets by index and as a list, without the reserved ones", () => {
  const pool = makePool({ network: "10.9.0.0/26", subnetLength: 28 });
  equal(subnetCount(pool), 3);
  deepEqual(subnetsOf(pool), ["10.9.0.16/28", "10.9.0.32/28", "10.9.0.48/28"]);
  const reserved = makePool({
    network: "10.9.0.0/26",
    subnetLength: 28,
    reserved: ["10.9.0.40/32"],
  });
  deepEqual(subnetsOf(reserved), ["10.9.0.16/28", "10.9.0.48/28"]);
  equal(subnetCount(makePool({ network: "10.244.0.0/16" })), 255);
});

Deno.test("a pin is one of the pool's subnets", () => {
  const pool = makePool({ network: "10.244.0.0/16" });
  equal(checkPin(pool, "10.244.7.0/24"), "10.244.7.0/24");
  throws(() => checkPin(pool, "10.244.7.0/25"), /--subnet: .* has prefix length 25/);
  throws(() => checkPin(pool, "10.244.0.0/24"), /not a subnet of the pool/);
  throws(() => checkPin(pool, "10.245.7.0/24"), /not a subnet of the pool/);
  throws(() => checkPin(pool, "10.244.7.1/24"), /did you mean 10\.244\.7\.0\/24/);
  equal(poolHasSubnet(pool, "10.244.255.0/24"), true);
  equal(poolHasSubnet(pool, "10.244.6.0/23"), false);
});

Deno.test("the digest differs with everything that hosts must agree on", () => {
  const base = { network: "10.244.0.0/16" };
  const digests = [
    base,
    { ...base, subnetLength: 25 },
    { ...base, subnetMin: "10.244.2.0" },
    { ...base, subnetMax: "10.244.9.0" },
    { ...base, reserved: ["10.244.3.0/24"] },
    { network: "10.245.0.0/16" },
  ].map((settings) => poolDigest(makePool(settings)));
  equal(new Set(digests).size, digests.length);
  match(digests[0] ?? "", /^[0-9a-f]{16}$/);
  const explicit = makePool({ ...base, subnetLength: 24, subnetMin: "10.244.1.0" });
  equal(poolDigest(explicit), digests[0], "defaults and the same values written out agree");
});

Deno.test("the VTEP MAC is unicast, locally administered, and the host's and the network's own", () => {
  const id = "00112233445566778899aabbccddeeff";
  const mac = vtepMac(id, 1);
  match(mac, /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/);
  equal(parseInt(mac.slice(0, 2), 16) & 3, 2);
  equal(vtepMac(id, 1), mac);
  notEqual(vtepMac(id, 2), mac);
  notEqual(vtepMac(id.replace("f", "e"), 1), mac);
});
