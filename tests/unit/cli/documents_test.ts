/** The contract's example of `status --json`: every field there, of the right type, in what the commands print. */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { joinAnswerOf, leaveAnswerOf, statusOf, subnetsOf } from "../../../mod/cli/documents.ts";
import { READY, SUBNETS, WAITING } from "../../support/documents.ts";

/** As the contract writes it, ids shortened; values that may be null are given once each way below. */
const CONTRACT = {
  schema: 1,
  version: "0.1.0",
  ready: true,
  host: {
    id: "…",
    name: "h1",
    address: "192.168.100.1",
    gossipPort: 7947,
    incarnation: 4,
    healthScore: 0,
  },
  cluster: {
    network: "10.244.0.0/16",
    subnetLen: 24,
    backend: "vxlan",
    alive: 3,
    suspect: 0,
    dead: 0,
    left: 0,
  },
  claim: { state: "held", subnet: "10.244.7.0/24", since: "2026-01-02T03:04:05Z", conflicts: 0 },
  overlay: {
    device: "flannel.1",
    mac: "…",
    mtu: 1450,
    inSync: true,
    peersWanted: 2,
    peersProgrammed: 2,
    repairs: 0,
    lastError: null,
  },
  members: [{
    id: "…",
    name: "h2",
    address: "192.168.100.2",
    status: "alive",
    subnet: "10.244.9.0/24",
    claim: "held",
    mac: "…",
    rttMs: 0.4,
    version: "0.1.0",
  }],
  problems: [{ code: "forward-drop", severity: "warning", text: "…", remedy: "…" }],
};

/** Every path of `example` with the type of its value; an array stands for its first item. */
function shapeOf(example: unknown, path = ""): [path: string, type: string][] {
  if (Array.isArray(example)) return shapeOf(example[0], `${path}[]`);
  if (typeof example !== "object" || example === null) {
    return [[path, example === null ? "null" : typeof example]];
  }
  return Object.entries(example).flatMap(([key, value]) => shapeOf(value, `${path}.${key}`));
}

Deno.test("a status document has every field of the contract's example, of the same type", () => {
  const shape = new Map(shapeOf(READY));
  for (const [path, type] of shapeOf(CONTRACT)) {
    // The first member is this host, which has no round trip to itself.
    if (path === ".members[].rttMs") equal(shape.get(path), "null");
    else equal(shape.get(path), type, path);
  }
});

Deno.test("checked documents come back as they were, fields of later versions included", () => {
  for (const document of [READY, WAITING]) deepEqual(statusOf(document), document);
  deepEqual(subnetsOf(SUBNETS), SUBNETS);
  const later = { ...READY, uptimeMs: 5, host: { ...READY.host, zone: "a" } };
  deepEqual(statusOf(later), later);
});

/** Leaves out, or replaces, the value at a path of keys. */
function without(document: object, keys: readonly string[], replacement?: unknown): unknown {
  const copy = structuredClone(document);
  let at: unknown = copy;
  for (const key of keys.slice(0, -1)) at = Reflect.get(Object(at), key);
  const last = keys.at(-1) ?? "";
  if (replacement === undefined) Reflect.deleteProperty(Object(at), last);
  else Reflect.set(Object(at), last, replacement);
  return copy;
}

Deno.test("a field that is missing or of another type is named", () => {
  let fields = 0;
  for (const [path] of shapeOf(CONTRACT)) {
    const keys = path.replaceAll("[]", ".0").split(".").slice(1);
    const name = keys.join(".");
    const refused = (error: unknown) => {
      ok(error instanceof Error && error.message.includes(`: ${name}: `), `${name}: ${error}`);
      return true;
    };
    throws(() => statusOf(without(READY, keys)), refused);
    throws(() => statusOf(without(READY, keys, { wrong: true })), refused);
    fields++;
  }
  ok(fields > 35);
});

Deno.test("answers that are no documents at all are refused", () => {
  for (const value of [null, [], "text", 7, {}]) {
    throws(() => statusOf(value), /the agent's status cannot be understood/);
    throws(() => subnetsOf(value), /the agent's list of subnets cannot be understood/);
    throws(() => joinAnswerOf(value), /the agent's answer to join cannot be understood/);
    throws(() => leaveAnswerOf(value), /the agent's answer to leave cannot be understood/);
  }
});
