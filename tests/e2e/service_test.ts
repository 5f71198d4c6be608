/** What the agent tells systemd, by a real socket; the unit file, by systemd's own judge and with the capabilities it names. */
import assert from "node:assert/strict";
import { hasProgram } from "../support/programs.ts";
import { startOne, until, waitForMesh } from "./cluster.ts";
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

const leftOut = hasProgram("setpriv") ? undefined : "needs setpriv of util-linux";

scenario(
  import.meta,
  "with the unit's capabilities everything is done",
  { hosts: 2, leftOut },
  async (stage) => {
    const { lab, step } = stage;
    await step("two agents that may do no more join, program and masquerade", async () => {
      const unit = Deno.readTextFileSync(UNIT);
      const names = /^CapabilityBoundingSet=(.*)$/m.exec(unit)?.[1] ?? "";
      const set = [
        "-all",
        ...names.split(" ").map((name) => name.replace("CAP_", "+").toLowerCase()),
      ];
      for (const host of lab.hosts) {
        host.command = [
          "setpriv",
          `--bounding-set=${set.join(",")}`,
          "--no-new-privs",
          ...host.command,
        ];
        startOne(host, lab.hosts, "--ip-masq");
        await host.waitForSubnet();
      }
      await waitForMesh(lab.hosts);
      for (const host of lab.hosts) {
        const { problems, firewall } = JSON.parse((await host.gossamer("status", "--json")).stdout);
        assert.deepEqual(problems, []);
        assert.equal(firewall.inSync, true);
      }
    });
  },
);

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
