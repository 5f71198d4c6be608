/** The bytes of subnet.env, written and read. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { readSubnetEnv, subnetEnvText } from "../../../mod/overlay/subnet_env.ts";

Deno.test("subnet.env has flannel's bytes", () => {
  strictEqual(
    subnetEnvText({
      networks: ["10.5.0.0/16"],
      subnet: "10.5.72.0/24",
      mtu: 1450,
      ipMasq: true,
    }),
    "FLANNEL_NETWORK=10.5.0.0/16\nFLANNEL_SUBNET=10.5.72.1/24\nFLANNEL_MTU=1450\n" +
      "FLANNEL_IPMASQ=true\n",
  );
});

Deno.test("with dual stack the IPv6 lines stand between, as flannel has them", () => {
  const text = subnetEnvText({
    networks: ["10.5.0.0/16"],
    subnet: "10.5.72.0/24",
    ipv6: { network: "2001:cafe:42::/56", subnet: "2001:cafe:42:1::/64" },
    mtu: 1430,
    ipMasq: true,
  });
  strictEqual(
    text,
    "FLANNEL_NETWORK=10.5.0.0/16\nFLANNEL_SUBNET=10.5.72.1/24\n" +
      "FLANNEL_IPV6_NETWORK=2001:cafe:42::/56\nFLANNEL_IPV6_SUBNET=2001:cafe:42:1::1/64\n" +
      "FLANNEL_MTU=1430\nFLANNEL_IPMASQ=true\n",
  );
  deepStrictEqual(readSubnetEnv(text).ipv6Networks, ["2001:cafe:42::/56"]);
});

Deno.test("in a cluster of IPv6 alone there are only its lines, as with flannel's EnableIPv4 off", () => {
  const networks = ["fd00:10:244::/56", "fd00:10:245::/56"];
  const text = subnetEnvText({
    networks,
    subnet: "fd00:10:245:7::/64",
    mtu: 1430,
    ipMasq: false,
  });
  strictEqual(
    text,
    "FLANNEL_IPV6_NETWORK=fd00:10:244::/56,fd00:10:245::/56\n" +
      "FLANNEL_IPV6_SUBNET=fd00:10:245:7::1/64\nFLANNEL_MTU=1430\nFLANNEL_IPMASQ=false\n",
  );
  const read = readSubnetEnv(text);
  deepStrictEqual([read.networks, read.subnet], [[], null]);
  deepStrictEqual([read.ipv6Networks, read.ipv6Subnet], [networks, "fd00:10:245:7::/64"]);
});

Deno.test("what was written is read back", () => {
  const networks = ["10.244.0.0/16"];
  const env = { networks, subnet: "10.244.7.0/24", mtu: 8950, ipMasq: false };
  deepStrictEqual(readSubnetEnv(subnetEnvText(env)), {
    ...env,
    ipv6Networks: [],
    ipv6Subnet: null,
  });
});

Deno.test("several networks are a list with commas, as flannel writes them, and are read back", () => {
  const networks = ["10.244.0.0/16", "10.245.0.0/16"];
  const text = subnetEnvText({ networks, subnet: "10.245.7.0/24", mtu: 1450, ipMasq: false });
  strictEqual(text.split("\n")[0], "FLANNEL_NETWORK=10.244.0.0/16,10.245.0.0/16");
  deepStrictEqual(readSubnetEnv(text).networks, networks);
  const damaged = text.replace("10.244.0.0/16", "10.244.0.0/99");
  deepStrictEqual(readSubnetEnv(damaged).networks, ["10.245.0.0/16"]);
});

Deno.test("quotes, comments, export, other keys and Windows line ends are tolerated", () => {
  deepStrictEqual(
    readSubnetEnv(
      '# by hand\r\nexport FLANNEL_SUBNET="10.5.72.1/24"\r\nFLANNEL_MTU= 1450 \r\n\r\n' +
        "FLANNEL_IPV6_SUBNET=fd00::1/64\r\nPATH=/bin\r\nFLANNEL_NETWORK='10.5.0.0/16'",
    ),
    {
      networks: ["10.5.0.0/16"],
      ipv6Networks: [],
      ipv6Subnet: "fd00::/64",
      subnet: "10.5.72.0/24",
      mtu: 1450,
      ipMasq: null,
    },
  );
});

Deno.test("what makes no sense counts as missing", () => {
  const nothing = {
    networks: [],
    ipv6Networks: [],
    ipv6Subnet: null,
    subnet: null,
    mtu: null,
    ipMasq: null,
  };
  for (
    const text of [
      "",
      "FLANNEL_SUBNET=10.5.72.1/24,10.6.72.1/24",
      "FLANNEL_SUBNET=10.5.72.1",
      "FLANNEL_SUBNET=10.5.72.1/33",
      "FLANNEL_SUBNET=10.5.272.1/24",
      "FLANNEL_MTU=0\nFLANNEL_IPMASQ=yes",
      "FLANNEL_IPV6_SUBNET=10.5.72.1/24\nFLANNEL_SUBNET=fd00::1/64",
      "FLANNEL_IPV6_SUBNET=fd00::1/129\nFLANNEL_IPV6_NETWORK=fd00::1::/56",
      "FLANNEL_IPV6_SUBNET=fd00::1\nFLANNEL_IPV6_NETWORK=fd00::/064",
      "\0\0\0",
    ]
  ) {
    deepStrictEqual(readSubnetEnv(text), nothing, JSON.stringify(text));
  }
});
