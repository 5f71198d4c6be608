/**
 * What cannot work is said in one clear line that names what was found and where, with what to do next, and
 * ends with the contract's exit code.
 */
import assert from "node:assert/strict";
import type { Host } from "../../mod/lab/host.ts";
import { sleep } from "../../mod/lab/ping.ts";
import { actualKernel, DEVICE, startCluster, statusOf, untilStatus } from "./cluster.ts";
import { scenario, type Stage } from "./scenario.ts";

const NOBODY = 65534;

/** A command line, its exit code, and what its error has to say. */
const USAGE: readonly (readonly [args: readonly string[], code: number, says: RegExp])[] = [
  [["up", "--jion=192.168.100.1"], 2, /--jion.*--join/s],
  [["up", "--network=10.244.0.0/33"], 2, /--network.*10\.244\.0\.0\/33/s],
  [["up", "--network=10.244.0.1/16"], 2, /--network.*10\.244\.0\.0\/16/s],
  [["up", "--network=10.244.0.0/16", "--subnet=10.99.1.0/24"], 2, /--subnet.*10\.99\.1\.0\/24/s],
  [["up", "--subnet-len=8"], 2, /--?subnet-len/],
  [["up", "--vni=0"], 2, /--vni/],
  [["up", "--gossip-port=70000"], 2, /--gossip-port.*70000/s],
  [["up", "--backend=vxlna"], 2, /vxlna/],
  [["up", "--join="], 2, /--join/],
  [["up", "--iface=eth7"], 1, /eth7/],
  [["up", "--key-file=/nonexistent/key"], 2, /\/nonexistent\/key/],
  [["up", "--config=/nonexistent/gossamer.toml"], 2, /\/nonexistent\/gossamer\.toml/],
  [["up", "--network=192.168.0.0/16"], 2, /192\.168\.0\.0\/16.*192\.168\.100\.0\/24|eth0/s],
  [["staus"], 2, /staus.*status/s],
  [["status", "--jsno"], 2, /--jsno.*--json/s],
  [["status"], 3, /gossamer up/],
  [["members"], 3, /gossamer up/],
  [["subnets"], 3, /gossamer up/],
  [["leave"], 3, /gossamer up/],
];

scenario(import.meta, "what cannot work is said in one line, with the contract's exit code", {
  hosts: 4,
}, async (stage) => {
  const { lab, step } = stage;
  const [first] = lab.hosts;
  assert(first !== undefined);
  for (const [args, code, says] of USAGE) {
    await step(`gossamer ${args.join(" ")}`, async () => {
      const result = await first.gossamer(...args, ...(args[0] === "up" ? folders(first) : []));
      assertSaid(result, code, says);
      assert.equal(first.deviceMtu(DEVICE), null, "nothing was made");
    });
  }
  await step("without CAP_NET_ADMIN", () => withoutPrivilege(stage));
  await step("with the gossip port in use", () => portInUse(stage));
  await step("with another agent in the same folders", () => secondAgent(stage));
  await step("with a network that differs from the cluster's", () => otherNetwork(stage));
});

function folders(host: Host): string[] {
  return [
    `--state-dir=${host.stateDir}`,
    `--run-dir=${host.runDir}`,
    `--subnet-file=${host.subnetFile}`,
  ];
}

function assertSaid(
  result: { code: number; stdout: string; stderr: string },
  code: number,
  says: RegExp,
): void {
  const { stderr } = result;
  assert.equal(result.code, code, stderr);
  assert.match(stderr, says);
  // The error itself, and at most one more line with what to do.
  const lines = stderr.trimEnd().split("\n");
  assert(lines.length <= 2, `more than an error and its remedy:\n${stderr}`);
  assert.doesNotMatch(stderr, /^\s+at .*:\d+:\d+/m, "no stack trace");
  assert.equal(result.stdout, "");
}

async function withoutPrivilege({ lab, executable }: Stage): Promise<void> {
  const host = lab.host(1);
  const result = await host.namespace.output([executable, "up", ...folders(host)], {
    uid: NOBODY,
    gid: NOBODY,
    // Unpacked by root already; nobody has no home to unpack it into.
    env: { GOSSAMER_RUNTIME_DIR: "/var/cache/gossamer", HOME: "/nonexistent" },
    cwd: "/",
  });
  assertSaid(result, 5, /CAP_NET_ADMIN/);
}

async function portInUse({ lab }: Stage): Promise<void> {
  const host = lab.host(2);
  for (const transport of ["udp", "tcp"] as const) {
    // Listening is done on this thread, and so in the host's namespace, before the call returns.
    const listener = host.namespace.run(() =>
      transport === "udp"
        ? Deno.listenDatagram({ transport, hostname: "0.0.0.0", port: 7947 })
        : Deno.listen({ transport, hostname: "0.0.0.0", port: 7947 })
    );
    const result = await host.gossamer("up", ...folders(host));
    listener.close();
    assertSaid(result, 1, new RegExp(`${transport}.*7947|7947.*${transport}`, "is"));
    assert.equal(host.deviceMtu(DEVICE), null);
  }
}

async function secondAgent({ lab }: Stage): Promise<void> {
  const host = lab.host(1);
  await startCluster([host]);
  const before = actualKernel(host);
  const elsewhere = `${host.directory}/second`;
  const [stateDir, runDir, subnetFile] = folders(host);
  assert(stateDir !== undefined && runDir !== undefined && subnetFile !== undefined);
  const other = {
    stateDir: `--state-dir=${elsewhere}/state`,
    runDir: `--run-dir=${elsewhere}/run`,
    subnetFile: `--subnet-file=${elsewhere}/subnet.env`,
  };
  const seconds: readonly (readonly string[])[] = [
    [stateDir, runDir, subnetFile],
    [other.stateDir, runDir, other.subnetFile],
    [stateDir, other.runDir, other.subnetFile],
    // Nothing in common but the device.
    [other.stateDir, other.runDir, other.subnetFile],
  ];
  for (const flags of seconds) {
    const result = await host.gossamer("up", "--gossip-port=7950", ...flags);
    assertSaid(result, 1, /another agent|already running/);
    assert(host.running);
    assert.equal((await statusOf(host)).ready, true);
    assert.deepEqual(actualKernel(host), before);
    assert.equal(host.agent.stderr.includes("repaired"), false, host.log());
  }
}

/** Disagreement about the network: the newcomer stays a member and claims nothing; nobody else suffers. */
async function otherNetwork({ lab }: Stage): Promise<void> {
  const [host, newcomer] = [lab.host(1), lab.host(3)];
  newcomer.start(`--join=${host.address}`, "--network=10.99.0.0/16");
  const status = await untilStatus(
    newcomer,
    "is a member with a problem",
    (view) => view.cluster.alive === 2 && view.problems.length > 0,
  );
  assert.equal(status.claim.subnet, null);
  assert.equal(status.ready, false);
  const problem = status.problems.map(({ text, remedy }) => `${text} ${remedy}`).join("\n");
  assert.match(problem, /10\.99\.0\.0\/16/);
  // Of the other network it knows a digest, and what the other host holds of it.
  assert.match(problem, /10\.244\.\d+\.0\/24/);
  await sleep(500);
  assert.equal(newcomer.subnetText(), null);
  assert.equal((await newcomer.gossamer("status")).code, 4);
  const view = await statusOf(host);
  assert.equal(view.ready, true);
  assert.equal(view.claim.state, "held");
  assert.deepEqual(actualKernel(host).routes, []);
}
