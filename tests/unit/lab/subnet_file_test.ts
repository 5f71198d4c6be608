/** What the lab reads out of subnet.env. */
import assert from "node:assert/strict";
import { addToAddress, parseSubnetFile } from "../../../mod/lab/subnet_file.ts";

const TEXT = "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.7.1/24\n" +
  "FLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n";

Deno.test("subnet.env tells the bridge's address, the subnet and the MTU", () => {
  assert.deepEqual(parseSubnetFile(TEXT), {
    network: "10.244.0.0/16",
    gateway: "10.244.7.1",
    prefixLength: 24,
    subnet: "10.244.7.0/24",
    ipv6: null,
    mtu: 1450,
    ipMasq: false,
  });
});

Deno.test("of a cluster of IPv6 alone it tells the same", () => {
  const text = "FLANNEL_IPV6_NETWORK=fd00:244::/56\nFLANNEL_IPV6_SUBNET=fd00:244:0:7::1/64\n" +
    "FLANNEL_MTU=1430\nFLANNEL_IPMASQ=true\n";
  assert.deepEqual(parseSubnetFile(text), {
    network: "fd00:244::/56",
    gateway: "fd00:244:0:7::1",
    prefixLength: 64,
    subnet: "fd00:244:0:7::/64",
    ipv6: null,
    mtu: 1430,
    ipMasq: true,
  });
});

Deno.test("with dual stack it tells the IPv6 half", () => {
  const { ipv6 } = parseSubnetFile(
    `${TEXT}FLANNEL_IPV6_NETWORK=fd00:244::/56\nFLANNEL_IPV6_SUBNET=fd00:244:0:7::1/64\n`,
  );
  assert.deepEqual(ipv6, {
    network: "fd00:244::/56",
    gateway: "fd00:244:0:7::1",
    prefixLength: 64,
    subnet: "fd00:244:0:7::/64",
  });
  assert.equal(addToAddress("fd00::ffff", 1), "fd00::1:0");
});

Deno.test("a subnet.env without one of its keys is refused by the key's name", () => {
  for (const key of ["FLANNEL_NETWORK", "FLANNEL_SUBNET", "FLANNEL_MTU", "FLANNEL_IPMASQ"]) {
    const without = TEXT.split("\n").filter((line) => !line.startsWith(key)).join("\n");
    assert.throws(() => parseSubnetFile(without), new RegExp(key));
  }
});

Deno.test("addresses are counted across byte borders, both ways", () => {
  assert.equal(addToAddress("10.244.7.255", 1), "10.244.8.0");
  assert.equal(addToAddress("10.245.0.0", -1), "10.244.255.255");
  assert.equal(addToAddress("192.168.100.1", 0), "192.168.100.1");
  assert.equal(addToAddress("223.255.255.255", 1), "224.0.0.0");
});
