/** Events as users get them: monitor, --on-event, /readyz and the metrics; and that no key is in anything of it. */
import assert from "node:assert/strict";
import { AgentProcess } from "../../mod/lab/agent_process.ts";
import type { Host } from "../../mod/lab/host.ts";
import { parseMetrics } from "../support/prometheus.ts";
import { startOne, until, untilStatus } from "./cluster.ts";
import { scenario } from "./scenario.ts";

const SOCKET = "http.sock";
/** Of what is searched for keys, the first ones must not be empty: status, metrics, page, two logs, monitor, --on-event. */
const REQUIRED = 7;

scenario(import.meta, "events reach monitor, --on-event and the page, and keys reach nothing", {
  hosts: 2,
}, async ({ lab: { hosts }, folder, executable, step }) => {
  const [first, second] = hosts;
  assert(first !== undefined && second !== undefined);
  const heard = `${folder}/heard.jsonl`;
  const key = crypto.getRandomValues(new Uint8Array(32));
  const keyFile = `${folder}/keys`;
  Deno.writeTextFileSync(keyFile, `${key.toBase64()}\n`, { mode: 0o600 });
  const socket = `${first.directory}/${SOCKET}`;
  const flags = ["--gossip-profile=tight", `--key-file=${keyFile}`, "--log-level=debug"];

  await step("a host that looks for its seeds is alive but not ready, and says why", async () => {
    first.start(
      "--join=192.168.100.99",
      ...flags,
      `--http=${socket}`,
      `--on-event=cat >> ${heard}`,
    );
    await until("an answer", hosts, async () => (await ask(socket, "/healthz")) !== null);
    assert.match(await ask(socket, "/healthz") ?? "", /^HTTP\/1\.1 200 .*\n\r\nok\n$/s);
    assert.match(
      await ask(socket, "/readyz") ?? "",
      /^HTTP\/1\.1 503 .*not ready: no subnet is held/s,
    );
    assert.equal((Deno.statSync(socket).mode ?? 0) & 0o777, 0o600);
    await first.stop();
    assert.throws(() => Deno.statSync(socket), Deno.errors.NotFound);
  });

  let monitor: AgentProcess | null = null;
  await step("it is ready when its subnet is held", async () => {
    startOne(first, hosts, ...flags, `--http=${socket}`, `--on-event=cat >> ${heard}`);
    await first.waitForSubnet();
    await until(
      "ready",
      hosts,
      async () => /^HTTP\/1\.1 200 /.test(await ask(socket, "/readyz") ?? ""),
    );
    monitor = follow(first, executable, "--json", "--recent");
  });

  await step("monitor tells of a host that comes and goes", async () => {
    startOne(second, hosts, ...flags);
    await second.waitForSubnet();
    await untilHeard("peer-added", () => monitor?.stdout ?? "");
    await second.kill();
    await untilHeard("member-failed", () => monitor?.stdout ?? "");
    const events = eventsIn(monitor?.stdout ?? "");
    const names = events.map(({ event }) => event);
    for (const name of ["claim-changed", "ready", "member-joined", "member-suspected"]) {
      assert(names.includes(name), `${name} in ${names}`);
    }
    const failed = events.find(({ event }) => event === "member-failed");
    assert.equal(failed?.["member"]?.name, second.name);
    assert.deepEqual(events.map(({ sequence }) => sequence), events.map((_, index) => index + 1));
  });

  await step("the command of --on-event was given the same, in order", async () => {
    await untilHeard("member-failed", () => Deno.readTextFileSync(heard));
    const all = eventsIn(Deno.readTextFileSync(heard));
    // The agent that was stopped told its last event, too.
    const start = all.findLastIndex(({ sequence }) => sequence === 1);
    assert(all.slice(0, start).some(({ event }) => event === "left"), "left was told");
    assert.deepEqual(
      all.slice(start),
      eventsIn(monitor?.stdout ?? "").slice(0, all.length - start),
    );
  });

  await step("metrics count them", async () => {
    const text = await ask(socket, "/metrics") ?? "";
    const metrics = parseMetrics(bodyOf(text));
    assert.equal(metrics.get("gossamer_events_total")?.samples.get('{event="member-failed"}'), 1);
  });

  await step("no key is in status, metrics, page, events, logs or report", async () => {
    const told = [
      ...await Promise.all(["/status", "/metrics", "/"].map((path) => ask(socket, path))),
      first.log(),
      second.log(),
      monitor?.stdout ?? "",
      Deno.readTextFileSync(heard),
    ];
    for (
      const args of [["status"], ["status", "--json"], ["report"], ["keys", "list"], [
        "config",
        "show",
      ]]
    ) {
      const { stdout, stderr } = await first.gossamer(...args);
      assert(stdout + stderr !== "");
      told.push(stdout, stderr);
    }
    const texts = told.map((text) => text ?? "");
    assert(texts.slice(0, REQUIRED).every((text) => text !== ""));
    const [fingerprint = "none"] = JSON.parse(bodyOf(texts[0] ?? "")).encryption.fingerprints;
    assert(texts.slice(3).some((text) => text.includes(fingerprint)), "what is told is found");
    for (const form of formsOf(key)) {
      assert(!texts.some((text) => text.includes(form)), `${form} is told`);
    }
  });

  await step(
    "monitor ends with 3 when the agent ends, and with 0 when it is interrupted",
    async () => {
      const other = follow(first, executable, "--recent");
      await untilHeard("member-failed", () => other.stdout);
      await first.stop();
      assert.equal((await monitor?.wait())?.code, 3);
      assert.equal((await other.wait()).code, 3);
      assert.match(other.stderr, /the agent on .* ended - start it again/);
      startOne(first, hosts, ...flags);
      await first.waitForSubnet();
      await untilStatus(first, "an answer", ({ ready }) => ready);
      const third = follow(first, executable, "--recent");
      await untilHeard("claim-changed", () => third.stdout);
      third.signal("SIGINT");
      assert.equal((await third.wait()).code, 0);
      assert.equal(third.stderr, "");
    },
  );
});

/** A gossamer monitor on the host, running. */
function follow(host: Host, executable: string, ...flags: string[]): AgentProcess {
  return new AgentProcess(host.namespace, [executable, "monitor", ...flags], host.environment);
}

interface Event {
  readonly event: string;
  readonly sequence: number;
  readonly [field: string]: unknown;
  readonly member?: { readonly name: string };
}

function eventsIn(text: string): Event[] {
  return text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
}

async function untilHeard(name: string, text: () => string): Promise<void> {
  await until(name, [], () => text().includes(name));
}

/** The whole answer over the unix socket; null while nobody listens. */
async function ask(socket: string, path: string): Promise<string | null> {
  try {
    using connection = await Deno.connect({ transport: "unix", path: socket });
    await connection.write(new TextEncoder().encode(`GET ${path} HTTP/1.0\r\n\r\n`));
    return await new Response(connection.readable).text();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    if (error instanceof Deno.errors.ConnectionRefused) return null;
    throw error;
  }
}

function bodyOf(answer: string): string {
  return answer.slice(answer.indexOf("\r\n\r\n") + 4);
}

/** The key as a careless program might write it. */
function formsOf(key: Uint8Array): string[] {
  const base64 = key.toBase64();
  return [
    base64.slice(0, 20),
    base64.slice(20),
    key.toBase64({ alphabet: "base64url" }).slice(0, 20),
    key.toHex().slice(0, 16),
    key.toHex().slice(-16),
    [...key.slice(0, 8)].join(","),
  ];
}
