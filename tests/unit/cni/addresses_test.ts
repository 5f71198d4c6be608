/** Which address a container gets. */
import assert from "node:assert/strict";
import { addressesAt, addressRoom, freeOffset, offsetOf } from "../../../mod/cni/addresses.ts";
import { familySubnet } from "../../../mod/cni/host_subnet.ts";

const small = [familySubnet("10.244.7.1/29")];
const dual = [familySubnet("10.244.7.1/24"), familySubnet("fd00:244:0:7::1/64")];

function memory(last = 0, taken: string[] = [], resting: string[] = []) {
  return { last, taken: new Set(taken), resting };
}

Deno.test("addresses are given out one after the other and begin anew at the end", () => {
  const given: number[] = [];
  const taken: string[] = [];
  for (let last = 0;;) {
    const offset = freeOffset(small, memory(last, taken));
    if (offset === null) break;
    given.push(offset);
    taken.push(...addressesAt(small, offset));
    last = offset;
  }
  assert.deepEqual(given, [2, 3, 4, 5, 6]);
  assert.equal(freeOffset(small, memory(6, ["10.244.7.2"])), 3);
  assert.equal(addressRoom(small), 5);
});

Deno.test("an address that was given back waits for those that were not, and the latest for the others", () => {
  assert.equal(freeOffset(small, memory(3, ["10.244.7.2"], ["10.244.7.4"])), 5);
  const all = ["10.244.7.5", "10.244.7.4", "10.244.7.3"];
  assert.equal(freeOffset(small, memory(2, ["10.244.7.2", "10.244.7.6"], all)), 5);
});

Deno.test("both families have the same distance, and it is free only if both are", () => {
  assert.deepEqual(addressesAt(dual, 77), ["10.244.7.77", "fd00:244:0:7::4d"]);
  assert.equal(freeOffset(dual, memory(0, ["fd00:244:0:7::2"])), 3);
  assert.equal(addressRoom(dual), 253);
  assert.equal(offsetOf(dual, "fd00:244:0:7::4d"), 77);
});

Deno.test("neither the network's, the gateway's, the broadcast address nor others' are given out", () => {
  for (const address of ["10.244.7.0", "10.244.7.1", "10.244.7.255", "10.244.8.2", "fd00::2"]) {
    assert.equal(offsetOf(dual, address), null, address);
  }
});

Deno.test("subnets too small for containers have no address", () => {
  for (const cidr of ["10.0.0.0/31", "10.0.0.1/32", "fd00::/127", "fd00::1/128"]) {
    assert.equal(addressRoom([familySubnet(cidr)]), 0, cidr);
    assert.equal(freeOffset([familySubnet(cidr)], memory()), null, cidr);
  }
  assert.equal(freeOffset([familySubnet("10.0.0.0/30")], memory()), 2);
});
