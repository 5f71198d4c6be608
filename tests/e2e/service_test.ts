/** What the agent tells systemd, by a real socket; the unit file, by systemd's own judge and with the capabilities it names. */
import assert from "node:assert/strict";
import { hasProgram } from "../support/programs.ts";
import { startOne, until } from "./cluster.ts";
import { scenario } from "./scenario.ts";

const UNIT = new URL("../../scripts/gossamer.service", import.meta.url);

scenario(
  import.meta,
  "a service tells its manager",
  { hosts: 2 },
  async ({ lab, folder, step }) => {
    const [one, two] = [lab.host(1), lab.host(2)];
    const path = `${folder}/notify.sock`;
    const socket = Deno.listenDatagram({ transport: "unixpacket", path });
    const told: string[] = [];
    const listening = (async () => {
      for await (const [bytes] of socket) told.push(...new TextDecoder().decode(bytes).split("\n"));
    })();
    const has = (wanted: string) => told.some((line) => line.startsWith(wanted));
    await step("a start without an answer is given more time, and is not ready", async () => {
      two.variables = { NOTIFY_SOCKET: path, WATCHDOG_USEC: "1000000" };
      startOne(two, lab.hosts);
      await until("more time", lab.hosts, () => has("EXTEND_TIMEOUT_USEC="));
      assert.ok(has("STATUS=no subnet is held"), told.join("\n"));
      assert.ok(!has("READY=1"));
    });
    await step("ready is said when subnet.env is there", async () => {
      one.start();
      await two.waitForSubnet();
      await until("ready", lab.hosts, () => has("READY=1"));
      await until("the status", lab.hosts, () => has("STATUS=10.244."));
    });
    await step("signs of life come until the process stands still", async () => {
      const alive = () => told.filter((line) => line === "WATCHDOG=1").length;
      const before = alive();
      await until("signs of life", lab.hosts, () => alive() > before + 1);
      two.agent.signal("SIGSTOP");
      let last = -1;
      await until("silence", lab.hosts, async () => {
        const known = last;
        last = alive();
        await new Promise((resolve) => setTimeout(resolve, 1_500)); // three times what it asks for
        return known === alive();
      });
      two.agent.signal("SIGCONT");
      await until("signs of life again", lab.hosts, () => alive() > last);
    });
    await step("the end is told", async () => {
      await two.stop();
      await until("stopping", lab.hosts, () => has("STOPPING=1"));
    });
    socket.close();
    await listening.catch(() => {});
  },
);

const leftOut = hasProgram("setpriv") && hasProgram("unshare")
  ? undefined
  : "needs setpriv and unshare of util-linux";

scenario(
  import.meta,
  "with the unit's capabilities, and all but its own folders read-only, everything is done",
  { hosts: 2, leftOut },
  async ({ lab, step, folder }) => {
    const unit = Deno.readTextFileSync(UNIT);
    const names = /^CapabilityBoundingSet=(.*)$/m.exec(unit)?.[1] ?? "";
    const set = [
      "-all",
      ...names.split(" ").map((name) => name.replace("CAP_", "+").toLowerCase()),
    ];
    const starts = lab.hosts.map(({ command }) => command);
    // Unpacks its runtime, for which the unit has a CacheDirectory=.
    await lab.host(1).gossamer("version");
    for (const backend of ["vxlan", "udp"]) {
      await step(
        `two agents join, masquerade, answer HTTP and run commands: ${backend}`,
        async () => {
          for (const [at, host] of lab.hosts.entries()) {
            const { directory } = host;
            // What ProtectSystem=strict and ReadWritePaths= come to.
            const writable = [directory, folder].map((path) => `mount --bind ${path} ${path}`);
            const capabilities = ["setpriv", `--bounding-set=${set.join(",")}`, "--no-new-privs"];
            host.command = [
              ...["unshare", "--mount", "--propagation=private", "sh", "-c"],
              `${writable.join(" && ")} && mount -o remount,ro,bind / && exec "$@"`,
              ...["sh", ...capabilities, ...starts[at] ?? []],
            ];
            const told = `${folder}/${backend}-${host.name}.jsonl`;
            startOne(
              host,
              lab.hosts,
              `--backend=${backend}`,
              "--ip-masq",
              `--http=${directory}/http.sock`,
              `--on-event=cat >> ${told}`,
            );
            await host.waitForSubnet();
          }
          for (const host of lab.hosts) {
            const { directory } = host;
            const told = `${folder}/${backend}-${host.name}.jsonl`;
            const status = async () => JSON.parse((await host.gossamer("status", "--json")).stdout);
            await until(
              "the peer, and an event of it",
              lab.hosts,
              async () =>
                (await status()).overlay.peersProgrammed === 1 &&
                textOf(told).includes("peer-added"),
            );
            const { problems, firewall } = await status();
            assert.deepEqual(problems, []);
            assert.equal(firewall.inSync, true);
            assert.equal((Deno.statSync(`${directory}/http.sock`).mode ?? 0) & 0o777, 0o600);
            const peer = lab.hosts.find((one) => one !== host)?.name ?? "";
            const { code, stdout } = await host.gossamer("ping", peer);
            assert.equal(code, 0, stdout);
          }
          await Promise.all(lab.hosts.map((host) => host.stop()));
          await Promise.all(lab.hosts.map((host) => host.gossamer("cleanup")));
        },
      );
    }
  },
);

function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

Deno.test({
  name: "systemd finds nothing to say about the unit file",
  ignore: !hasProgram("systemd-analyze"),
  async fn() {
    const folder = Deno.makeTempDirSync();
    try {
      // What it starts is not installed here.
      const text = Deno.readTextFileSync(UNIT).replaceAll("/usr/local/bin/gossamer", "/bin/true");
      Deno.writeTextFileSync(`${folder}/gossamer.service`, text);
      const { code, stderr } = await new Deno.Command("systemd-analyze", {
        args: ["verify", "--man=no", `${folder}/gossamer.service`],
      }).output();
      const said = new TextDecoder().decode(stderr).split("\n")
        .filter((line) => line.includes("gossamer"));
      assert.deepEqual([code, said], [0, []]);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});
