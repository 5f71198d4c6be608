/** The control socket: who may open it, what it makes of nonsense, and that it comes back when somebody removes it. */
import type { PoolAnswer, PoolDocument } from "../../../mod/agent/api.ts";
import type { PoolChange } from "../../../mod/agent/pool_change.ts";
import assert from "node:assert/strict";
import {
  ControlServer,
  controlSocketPath,
  type ControlTarget,
} from "../../../mod/agent/control.ts";
import { EventFeed } from "../../../mod/agent/event_feed.ts";
import type { KeyChange } from "../../../mod/agent/request_body.ts";
import { KEYS, USED } from "../../support/key_documents.ts";
import { agentLines } from "../../../mod/cli/agent_lines.ts";
import { askAgent } from "../../../mod/cli/control_client.ts";

/** Stands in for an agent and notes what it was told to do. */
const POOL: PoolDocument = {
  schema: 1,
  version: 2,
  subnetLen: 24,
  used: 0,
  total: 255,
  networks: [],
  reserved: [],
  pins: [],
  outside: [],
};

class Target implements ControlTarget {
  pool(): PoolDocument {
    return POOL;
  }
  changePool(change: PoolChange): PoolAnswer {
    this.poolChanges.push(change);
    return { ...POOL, changed: true };
  }
  readonly events = new EventFeed("h1", () => "2026-01-02T03:04:05.000Z");
  readonly poolChanges: PoolChange[] = [];
  readonly told: string[] = [];
  status(): never {
    throw new Error("not asked for here");
  }
  subnets(): never {
    throw new Error("not asked for here");
  }
  why(): never {
    throw new Error("not asked for here");
  }
  plan(): never {
    throw new Error("not asked for here");
  }
  metrics() {
    return "gossamer_ready 1\n";
  }
  join(seeds: readonly string[]) {
    this.told.push(`join ${seeds.join(" ")}`);
    return { seeds: [...seeds] };
  }
  forget(host: string, force: boolean) {
    this.told.push(`forget ${host} ${force}`);
    return { id: "3d", name: host, address: "192.168.100.3:7947", status: "dead" } as const;
  }
  leave(release: boolean) {
    this.told.push(`leave ${release}`);
    return Promise.resolve({ released: null });
  }
  ping(host: string) {
    this.told.push(`ping ${host}`);
    return Promise.resolve({
      id: "3d",
      name: host,
      datagramMs: 0.5,
      streamMs: null,
      streamReason: "connection refused",
    });
  }
  keys() {
    this.told.push("keys");
    return Promise.resolve(KEYS);
  }
  changeKeys(change: KeyChange, force: boolean) {
    this.told.push(`keys ${change.kind} ${force}`);
    return Promise.resolve(USED);
  }
}

async function withServer(
  run: (runDir: string, server: ControlServer, target: Target) => Promise<void>,
): Promise<void> {
  const parent = Deno.makeTempDirSync();
  const runDir = `${parent}/run`;
  const target = new Target();
  const server = await ControlServer.open(runDir, target);
  try {
    await run(runDir, server, target);
  } finally {
    await server.close();
    Deno.removeSync(parent, { recursive: true });
  }
}

/** The status line of the answer to these bytes. */
async function answerTo(runDir: string, text: string): Promise<string> {
  using connection = await Deno.connect({ transport: "unix", path: controlSocketPath(runDir) });
  await connection.write(new TextEncoder().encode(text));
  const buffer = new Uint8Array(4096);
  const count = await connection.read(buffer);
  return new TextDecoder().decode(buffer.subarray(0, count ?? 0)).split("\r\n")[0] ?? "";
}

const join = { method: "POST", path: "/join", body: { seeds: ["h1"] } } as const;

Deno.test("the control socket is its owner's alone", async () => {
  await withServer((runDir) => {
    assert.equal((Deno.statSync(controlSocketPath(runDir)).mode ?? 0) & 0o777, 0o600);
    return Promise.resolve();
  });
});

Deno.test("an agent whose run directory was removed can be found again", async () => {
  await withServer(async (runDir, server, target) => {
    Deno.removeSync(runDir, { recursive: true });
    await assert.rejects(askAgent(runDir, join), /no agent is running/);
    await server.restore();
    await askAgent(runDir, join);
    assert.deepEqual(target.told, ["join h1"]);
    assert.equal((Deno.statSync(controlSocketPath(runDir)).mode ?? 0) & 0o777, 0o600);
  });
});

Deno.test("a socket that is there is left alone", async () => {
  await withServer(async (runDir, server) => {
    const before = Deno.statSync(controlSocketPath(runDir)).ino;
    await server.restore();
    assert.equal(Deno.statSync(controlSocketPath(runDir)).ino, before);
    await askAgent(runDir, join);
  });
});

Deno.test("a second server in the same run directory is refused while the first answers", async () => {
  await withServer(async (runDir, _server, target) => {
    await assert.rejects(ControlServer.open(runDir, new Target()), /an agent is already running/);
    await askAgent(runDir, join);
    assert.deepEqual(target.told, ["join h1"]);
  });
});

Deno.test("requests that make no sense are refused and do nothing", async () => {
  const refused: readonly (readonly [text: string, status: RegExp])[] = [
    ["hello\r\n\r\n", /400/],
    ["GET http://[::bad/status HTTP/1.1\r\nHost: x\r\n\r\n", /[45]\d\d/],
    ["GET /status HTTP/1.1\r\nHost: a b\r\n\r\n", /[45]\d\d/],
    ["GET /nothing HTTP/1.0\r\n\r\n", /404/],
    ["POST /leave HTTP/1.0\r\nContent-Length: 2\r\n\r\n[]", /400/],
    ["POST /forget HTTP/1.0\r\n\r\n", /400/],
    ['POST /forget HTTP/1.0\r\nContent-Length: 11\r\n\r\n{"host":""}', /400/],
    ['POST /forget HTTP/1.0\r\nContent-Length: 25\r\n\r\n{"host":"h3","force":"n"}', /400/],
    ["POST /leave HTTP/1.0\r\nContent-Length: 1\r\n\r\n{", /400/],
    ['POST /leave HTTP/1.0\r\nContent-Length: 15\r\n\r\n{"release":"n"}', /400/],
    ['POST /keys HTTP/1.0\r\nContent-Length: 20\r\n\r\n{"operation":"list"}', /400/],
    ['POST /join HTTP/1.0\r\nContent-Length: 12\r\n\r\n{"seeds":[]}', /400/],
    ['POST /join HTTP/1.0\r\nContent-Length: 19\r\n\r\n{"seeds":["a:b:c"]}', /400/],
  ];
  await withServer(async (runDir, _server, target) => {
    for (const [text, status] of refused) assert.match(await answerTo(runDir, text), status, text);
    assert.deepEqual(target.told, []);
  });
});

Deno.test("keys are listed and changed", async () => {
  await withServer(async (runDir, _server, target) => {
    assert.deepEqual(await askAgent(runDir, { method: "GET", path: "/keys" }), KEYS);
    const body = { operation: "use", fingerprint: "7c1f3a90", force: true };
    assert.deepEqual(await askAgent(runDir, { method: "POST", path: "/keys", body }), USED);
    assert.deepEqual(target.told, ["keys", "keys use true"]);
  });
});

Deno.test({
  name: "a client that never finishes its request does not keep the agent from ending",
  // The request that is cut off here ends with the process.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    await withServer(async (runDir, server) => {
      const connection = await Deno.connect({
        transport: "unix",
        path: controlSocketPath(runDir),
      });
      await connection.write(
        new TextEncoder().encode("POST /leave HTTP/1.0\r\nContent-Length: 999\r\n\r\n{"),
      );
      await askAgent(runDir, join); // by then the other one was taken up, too
      await server.close();
      connection.close();
    });
  },
});

Deno.test("who follows events hears them over the socket, and is forgotten when it goes", async () => {
  await withServer(async (runDir, _server, { events }) => {
    const end = new AbortController();
    const lines = agentLines(runDir, "/events", end.signal);
    assert.equal((await lines.next()).value, "");
    events.add({ event: "ready", severity: "info", text: "heard" });
    assert.equal(JSON.parse((await lines.next()).value ?? "").text, "heard");
    assert.equal(events.listeners, 1);
    end.abort();
    assert.equal((await lines.next()).done, true);
    // The server finds out when it writes.
    while (events.listeners > 0) {
      events.add({ event: "ready", severity: "info", text: "unheard" });
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  });
});
