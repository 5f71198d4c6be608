/** Nothing of a sandbox outlives it, whoever dies first and however. */
import assert from "node:assert/strict";
import { spawnSandboxed } from "../../../mod/lab/sandbox.ts";
import { Workspace } from "../../../mod/lab/workspace.ts";

const sandbox = new URL("../../../mod/lab/sandbox.ts", import.meta.url).href;

// The library stays loaded for the life of the process.
const options = { sanitizeResources: false };

/** A program that starts a grandchild, prints both numbers as the machine knows them, and waits. */
const PROGRAM = `
  import { watchParent } from ${JSON.stringify(sandbox)};
  watchParent(() => Deno.exit(7));
  const child = new Deno.Command("sleep", { args: ["1000"], stdin: "null" }).spawn();
  const numberOf = (pid) => [...Deno.readDirSync("/proc")].map(({ name }) => name).find((name) => {
    try {
      const status = Deno.readTextFileSync("/proc/" + name + "/status");
      return new RegExp("^NSpid:.*\\\\s" + pid + "$", "m").test(status) &&
        Deno.readLinkSync("/proc/" + name + "/ns/pid") === Deno.readLinkSync("/proc/self/ns/pid");
    } catch { return false; }
  });
  console.log(Deno.pid + " " + numberOf(child.pid));
  setInterval(() => {}, 1000);
`;

async function start(): Promise<{ child: Deno.ChildProcess; own: string; grandchild: number }> {
  const child = spawnSandboxed([Deno.execPath(), "eval", PROGRAM], { stdout: "piped" });
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const [own = "", grandchild = ""] = new TextDecoder().decode(value).trim().split(" ");
  await reader.cancel();
  return { child, own, grandchild: Number(grandchild) };
}

async function gone(pid: number): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (performance.now() < deadline) {
    try {
      if (/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`))) return;
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`Process ${pid} is still there`);
}

Deno.test("a sandboxed program is init, and its children die with it", options, async () => {
  const { child, own, grandchild } = await start();
  assert.equal(own, "1");
  assert(grandchild > 0);
  child.kill("SIGKILL");
  await child.status;
  await gone(grandchild);
  await child.stdin.close().catch(() => {});
});

Deno.test(
  "when the parent lets go, the program ends and takes its children along",
  options,
  async () => {
    const { child, grandchild } = await start();
    await child.stdin.close();
    assert.equal((await child.status).code, 7);
    await gone(grandchild);
  },
);

Deno.test(
  "a program started after a sandbox is in the machine's pid namespace again",
  options,
  async () => {
    const { child } = await start();
    child.kill("SIGKILL");
    await child.status;
    await child.stdin.close().catch(() => {});
    const { stdout } = await new Deno.Command("readlink", { args: ["/proc/self/ns/pid"] }).output();
    assert.equal(new TextDecoder().decode(stdout).trim(), Deno.readLinkSync("/proc/self/ns/pid"));
  },
);

Deno.test(
  "a workspace sweeps what a dead one left and spares what a living one uses",
  options,
  () => {
    const parent = Deno.makeTempDirSync();
    const before = Deno.env.get("TMPDIR");
    Deno.env.set("TMPDIR", parent);
    try {
      Deno.mkdirSync(`${parent}/gossamer-lab-dead`);
      Deno.writeTextFileSync(`${parent}/gossamer-lab-dead/lock`, "");
      Deno.mkdirSync(`${parent}/somebody-elses`);
      const living = new Workspace();
      const other = new Workspace();
      const names = [...Deno.readDirSync(parent)].map(({ name }) => `${parent}/${name}`).sort();
      assert.deepEqual(names, [living.path, other.path, `${parent}/somebody-elses`].sort());
      living.close();
      other.close();
      assert.deepEqual([...Deno.readDirSync(parent)].map(({ name }) => name), ["somebody-elses"]);
    } finally {
      if (before === undefined) Deno.env.delete("TMPDIR");
      else Deno.env.set("TMPDIR", before);
      Deno.removeSync(parent, { recursive: true });
    }
  },
);
