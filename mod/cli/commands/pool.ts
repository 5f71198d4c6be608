/** `gossamer pool`: the networks of the cluster, changed on all hosts while they run. */
import type { PoolRequest } from "../../agent/api.ts";
import { nearest } from "../../base/nearest.ts";
import { ExitCode, UserError } from "../../base/errors.ts";
import { runDirFlag, runDirOf } from "../agent_place.ts";
import { type Command, type Given, givenSwitch } from "../command.ts";
import { JSON_FLAG, printJson } from "../json_output.ts";
import type { Outside } from "../outside.ts";
import { paintFor } from "../paint.ts";

/** What can be done, and what stands behind it. */
const ACTIONS: ReadonlyMap<string, readonly string[]> = new Map([
  ["show", []],
  ["grow", ["NETWORK"]],
  ["shrink", ["NETWORK"]],
  ["reserve", ["NETWORK"]],
  ["unreserve", ["NETWORK"]],
  ["pin", ["HOST", "SUBNET"]],
  ["unpin", ["HOST"]],
]);

export const poolCommand: Command = {
  name: "pool",
  brief: "Show and change the networks that subnets are taken from",
  description: `Changes the pool on every host while the cluster runs. Once, on any host, is enough;
hosts that are down learn it when they are back.

grow adds a network, and hosts that wait for a free subnet get one at once. shrink takes
one away again that nobody has a subnet of. reserve keeps a part of the pool from being
claimed, unreserve ends that; who holds a subnet there keeps it.

pin keeps a subnet for one host, which claims no other one from then on. A host that runs
keeps what it holds until its agent starts again. A subnet that another host has, and a
host that has another subnet, take --force: the other host gives the subnet up at once and
gets another one. unpin takes a pin back.`,
  examples: [
    { line: "gossamer pool show", text: "networks, reserved parts, pins" },
    { line: "gossamer pool grow 10.245.0.0/16", text: "more subnets, of the same size" },
    { line: "gossamer pool reserve 10.244.200.0/22", text: "nobody claims these four anew" },
    { line: "gossamer pool pin h3 10.244.9.0/24", text: "that subnet is for h3 alone" },
  ],
  flags: [
    {
      name: "force",
      kind: "switch",
      placeholder: "",
      text: "Pin even though containers are renumbered by it",
    },
    JSON_FLAG,
    runDirFlag(),
  ],
  arguments: {
    placeholder: "ACTION [NETWORK | HOST [SUBNET]]",
    minimum: 1,
    text: "What to do, and with what",
    once: true,
  },
  async run(outside, given) {
    const request = requestOf(given);
    const { askAgent } = await import("../control_client.ts");
    const { poolAnswerOf, poolOf } = await import("../documents.ts");
    const runDir = await runDirOf(outside, given);
    if (request === null) {
      const document = poolOf(await askAgent(runDir, { method: "GET", path: "/pool" }));
      if (givenSwitch(given, "json")) printJson(outside, document);
      else {
        const { renderPool } = await import("../render_pool.ts");
        outside.print(renderPool(document, paintFor(outside)));
      }
      return ExitCode.done;
    }
    const body = await askAgent(runDir, { method: "POST", path: "/pool", body: request });
    const answer = poolAnswerOf(body);
    if (givenSwitch(given, "json")) printJson(outside, answer);
    say(outside, request, answer);
    return ExitCode.done;
  },
};

/** What the arguments ask for; null for the list. */
function requestOf(given: Given): PoolRequest | null {
  const [action = "", ...operands] = given.arguments;
  const wanted = ACTIONS.get(action);
  const known = [...ACTIONS.keys()];
  if (wanted === undefined) {
    const meant = nearest(action, known);
    const remedy = meant === undefined ? `give ${known.join(", ")}` : `did you mean ${meant}?`;
    throw usage(`${JSON.stringify(action)} is no action`, remedy);
  }
  const line = ["gossamer pool", action, ...wanted].join(" ");
  const missing = wanted[operands.length];
  if (missing !== undefined) throw usage(`${action}: ${missing} is missing`, `write ${line}`);
  if (operands.length > wanted.length) {
    const extra = JSON.stringify(operands.at(-1));
    throw usage(`${action}: ${extra} is one argument too many`, `write ${line}`);
  }
  const force = givenSwitch(given, "force");
  if (force && action !== "pin") {
    throw usage(`${action}: there is nothing to force`, "leave --force out");
  }
  const [first = "", second = ""] = operands;
  switch (action) {
    case "grow":
    case "shrink":
    case "reserve":
    case "unreserve":
      return { operation: action, network: first };
    case "pin":
      return { operation: "pin", host: first, subnet: second, force };
    case "unpin":
      return { operation: "unpin", host: first };
    default:
      return null;
  }
}

function usage(message: string, remedy: string): UserError {
  return new UserError(`pool: ${message}`, { exitCode: ExitCode.usage, remedy });
}

function say(
  outside: Outside,
  request: PoolRequest,
  { changed, used, total }: { changed: boolean; used: number; total: number },
): void {
  const now = `${used} of ${total} subnets used`;
  outside.say(changed ? `${done(request)}; ${now}` : `it was so before; ${now}`);
}

function done(request: PoolRequest): string {
  switch (request.operation) {
    case "grow":
      return `${request.network} is in the pool`;
    case "shrink":
      return `${request.network} is not in the pool any more`;
    case "reserve":
      return `${request.network} is reserved`;
    case "unreserve":
      return `${request.network} is not reserved any more`;
    case "pin":
      return `${request.subnet} is for ${request.host} alone`;
    case "unpin":
      return `${request.host} is not pinned any more`;
  }
}
