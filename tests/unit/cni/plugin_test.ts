/** The plugin's answers where no kernel is asked, the shapes of results, and the ledger on disk. */
import assert from "node:assert/strict";
import { isPluginCall } from "../../../mod/cli/plugin_call.ts";
import { CniError } from "../../../mod/cni/errors.ts";
import { LedgerFile, without } from "../../../mod/cni/ledger.ts";
import { runPlugin } from "../../../mod/cni/plugin.ts";
import { resultDocument } from "../../../mod/cni/result.ts";
import { bridgeMac, containerMac, hostDeviceName } from "../../../mod/cni/stable_names.ts";

async function call(
  variables: Record<string, string>,
  input: unknown,
): Promise<{ code: number; answer: Record<string, unknown> }> {
  let text = "";
  const code = await runPlugin({
    variable: (name) => variables[name],
    input: () => typeof input === "string" ? input : JSON.stringify(input),
    print: (more) => void (text += more),
  });
  return { code, answer: text === "" ? {} : JSON.parse(text) };
}

Deno.test("a runtime calls without arguments, a person with a command", () => {
  const cni = (name: string) => name === "CNI_COMMAND" ? "ADD" : undefined;
  const none = () => undefined;
  assert.equal(isPluginCall([], cni), true);
  assert.equal(isPluginCall(["cni"], cni), true);
  assert.equal(isPluginCall(["cni"], none), true);
  assert.equal(isPluginCall([], none), false);
  assert.equal(isPluginCall([], () => ""), false);
  assert.equal(isPluginCall(["status"], cni), false);
  assert.equal(isPluginCall(["cni", "install"], cni), false);
});

Deno.test("an error has the configuration's version, code, message and details", async () => {
  const variables = {
    CNI_COMMAND: "ADD",
    CNI_CONTAINERID: "one",
    CNI_NETNS: "/nowhere",
    CNI_IFNAME: "eth0",
  };
  const subnetFile = "/nowhere/subnet.env";
  const input = { cniVersion: "0.4.0", name: "n", type: "gossamer", subnetFile };
  assert.deepEqual(await call(variables, input), {
    code: 1,
    answer: {
      cniVersion: "0.4.0",
      code: 11,
      msg: `this host has no subnet yet: there is no ${subnetFile}`,
      details: "gossamer up writes it; gossamer status says what the agent waits for",
    },
  });
});

Deno.test("results have the shape of their version, behind what an earlier plugin answered", () => {
  const result = {
    interfaces: [{ name: "eth0", mac: "02:00:00:00:00:01", mtu: 1450, sandbox: "/ns" }],
    container: 0,
    ips: [{ address: "10.1.17.2/24", gateway: "10.1.17.1" }],
    routes: [{ dst: "0.0.0.0/0", gw: "10.1.17.1" }],
    dns: null,
  };
  const previous = {
    cniVersion: "0.4.0",
    interfaces: [{ name: "a" }, { name: "b" }],
    ips: [{ version: "4", interface: 1, address: "192.0.2.2/24" }],
    dns: { nameservers: ["192.0.2.53"] },
    other: true,
  };
  assert.deepEqual(resultDocument(result, "0.4.0", previous), {
    cniVersion: "0.4.0",
    interfaces: [{ name: "a" }, { name: "b" }, {
      name: "eth0",
      mac: "02:00:00:00:00:01",
      sandbox: "/ns",
    }],
    ips: [previous.ips[0], {
      version: "4",
      interface: 2,
      address: "10.1.17.2/24",
      gateway: "10.1.17.1",
    }],
    routes: result.routes,
    dns: previous.dns,
    other: true,
  });
  const [first] = resultDocument(result, "1.1.0", null).interfaces as { mtu: number }[];
  assert.equal(first?.mtu, 1450);
});

Deno.test("names and MAC addresses are the same each time, and differ between containers", () => {
  const key = { containerId: "one", ifname: "eth0" };
  assert.equal(hostDeviceName("n", key), hostDeviceName("n", { ...key }));
  assert.match(hostDeviceName("n", key), /^veth[0-9a-f]{8}$/);
  const others = [
    hostDeviceName("m", key),
    hostDeviceName("n", { ...key, ifname: "eth1" }),
    hostDeviceName("n", key, 1),
    hostDeviceName("n", { ...key, containerId: "two" }),
  ];
  assert.equal(new Set([...others, hostDeviceName("n", key)]).size, 5);
  assert.equal(containerMac("10.244.7.2"), "0a:58:0a:f4:07:02");
  assert.match(bridgeMac("cni0"), /^0a:67(:[0-9a-f]{2}){4}$/);
});

Deno.test("the ledger is kept as a whole, or stays as it was", () => {
  const folder = Deno.makeTempDirSync({ prefix: "gossamer-cni-" });
  try {
    const file = new LedgerFile(`${folder}/new`);
    assert.deepEqual(file.peek(), { attachments: [], last: 0, resting: [] });
    const attachment = {
      network: "net",
      containerId: "one",
      ifname: "eth0",
      netns: "/ns",
      device: "veth0",
      bridge: "cni0",
      addresses: ["10.1.17.2/24"],
    };
    file.change((ledger) => ({ ...ledger, attachments: [attachment], last: 2 }));
    assert.deepEqual(file.peek(), { attachments: [attachment], last: 2, resting: [] });
    assert.throws(() =>
      file.change(() => {
        throw new Error("stop");
      }), /stop/);
    file.change(() => null);
    assert.equal(file.peek().attachments.length, 1);
    file.change((ledger) => without(ledger, attachment));
    assert.deepEqual(file.peek(), { attachments: [], last: 2, resting: ["10.1.17.2"] });
    Deno.writeTextFileSync(`${folder}/new/ledger.json`, '{"attach');
    assert.throws(() => file.peek(), (error) => error instanceof CniError && error.code === 6);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("a ledger that no plugin of this kind wrote is refused, with what to do", () => {
  const folder = Deno.makeTempDirSync();
  const attachment = {
    network: "n",
    containerId: "c",
    ifname: "eth0",
    netns: "/ns",
    device: "veth1",
    bridge: "cni0",
    addresses: ["10.244.7.2/24"],
  };
  const file = new LedgerFile(folder);
  const read = (text: string) => {
    Deno.writeTextFileSync(`${folder}/ledger.json`, text);
    return file.peek().attachments;
  };
  try {
    const whole = { version: 1, attachments: [attachment], last: 2, resting: [] };
    assert.deepEqual(read(JSON.stringify(whole)), [attachment]);
    for (
      const text of [
        "",
        "{",
        "[]",
        '{"attachments":1}',
        JSON.stringify({ ...whole, version: 2 }),
        JSON.stringify({ attachments: [{}] }),
        JSON.stringify({ attachments: [{ ...attachment, device: "" }] }),
        JSON.stringify({ attachments: [{ ...attachment, addresses: ["x"] }] }),
      ]
    ) {
      assert.throws(() => read(text), { code: 6, details: /stop them all, then remove it/ }, text);
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
