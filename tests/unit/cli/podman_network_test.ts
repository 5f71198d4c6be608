/** `gossamer podman-network`: the file that Podman reads. */
import { deepEqual, equal, match } from "node:assert/strict";
import { runCommandLine } from "../../../mod/cli/command_line.ts";
import { FakeOutside } from "../../support/fake_outside.ts";

const SAMPLE = `FLANNEL_NETWORK=10.1.0.0/16
FLANNEL_SUBNET=10.1.74.1/24
FLANNEL_MTU=1472
FLANNEL_IPMASQ=false
`;

async function podmanNetwork(args: readonly string[], text = SAMPLE) {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/subnet.env`, text);
    const outside = new FakeOutside();
    const words = ["podman-network", `--subnet-file=${folder}/subnet.env`, ...args]
      .map((word) => word.replace("OUTPUT", `${folder}/networks/n.json`));
    const code = await runCommandLine(words, outside);
    const written = await Deno.readTextFile(`${folder}/networks/n.json`).catch(() => null);
    return { code, stdout: outside.stdout, stderr: outside.stderr, written };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the network has this host's subnet, gateway and MTU, and always the same id", async () => {
  const { code, stdout } = await podmanNetwork([]);
  equal(code, 0);
  deepEqual(JSON.parse(stdout), {
    name: "gossamer",
    id: "e1e59c14294010c440a5ba533a3bbe2f6ffaac2a7247c399c219a8f1626a9c94",
    driver: "bridge",
    network_interface: "gossamer0",
    subnets: [{ subnet: "10.1.74.0/24", gateway: "10.1.74.1" }],
    ipv6_enabled: false,
    internal: false,
    dns_enabled: false,
    options: { mtu: "1472" },
    ipam_options: { driver: "host-local" },
  });
});

Deno.test("with dual stack it has both subnets", async () => {
  const text = `${SAMPLE}FLANNEL_IPV6_SUBNET=fd00:244:0:7::1/64\n`;
  const network = JSON.parse((await podmanNetwork(["--name=n", "--device=br7"], text)).stdout);
  deepEqual([network.name, network.network_interface, network.ipv6_enabled], ["n", "br7", true]);
  deepEqual(network.subnets[1], { subnet: "fd00:244:0:7::/64", gateway: "fd00:244:0:7::1" });
});

Deno.test("it is written where it is said, the same each time", async () => {
  const { code, stdout, stderr, written } = await podmanNetwork(["--output=OUTPUT"]);
  deepEqual([code, stdout], [0, ""]);
  match(stderr, /wrote .*n\.json: podman run --network gossamer/);
  equal(written, (await podmanNetwork([])).stdout);
});

Deno.test("names that Podman or the kernel would not take are refused", async () => {
  const name = await podmanNetwork(["--name=a/b"]);
  deepEqual([name.code, name.stdout], [2, ""]);
  match(name.stderr, /--name: "a\/b" is not 1 to 63 letters/);
  const device = await podmanNetwork(["--device=gossamer-bridge0"]);
  equal(device.code, 2);
  match(device.stderr, /--device: .* is neither an interface name \(1 to 15 characters\)/);
});
