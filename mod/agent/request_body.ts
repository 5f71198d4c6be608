/** Bodies of requests on the control socket: JSON objects of a limited size, read no further than that, and what is in them. */
import { type Pool, poolFamily } from "../address/pool.ts";
import { otherFamily, parseSeed } from "../address/seed.ts";
import { reasonOf, UserError } from "../base/errors.ts";
import { KEY_BYTES } from "../wire/aead.ts";
import type { KeyOperation } from "../wire/key_messages.ts";
import { FINGERPRINT_BYTES } from "../wire/keyring.ts";
import type { PoolChange } from "./pool_change.ts";

/** Bytes: a join of 100 seeds of 255 characters is 26 kB. */
export const BODY_BYTES_MAX = 64 * 1024;

/** What a request brings, an empty object for no body at all. Throws UserError. */
export async function readBody(request: Request): Promise<Record<string, unknown>> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length;
    // Leaving the loop ends the stream: what a client goes on to send is not kept.
    if (bytes > BODY_BYTES_MAX) {
      throw new UserError(`a body of more than ${BODY_BYTES_MAX} bytes is too long`);
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return parseBody(text + decoder.decode());
}

/** The object that a body is; none at all is an empty one. Throws UserError. */
export function parseBody(text: string): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(text === "" ? "{}" : text);
    if (typeof body === "object" && body !== null && !Array.isArray(body)) {
      return body as Record<string, unknown>;
    }
  } catch {
    // Falls through to the same answer.
  }
  throw new UserError("the body is not a JSON object");
}

/** The seeds, each checked as `--join` checks it: a wrong one would be tried again for ever. Throws UserError. */
export function seedsOf(body: Record<string, unknown>): string[] {
  const seeds = body["seeds"];
  const isList = Array.isArray(seeds) && seeds.length > 0 &&
    seeds.every((seed) => typeof seed === "string");
  if (!isList) throw new UserError('"seeds" must be a list of at least one HOST[:PORT]');
  try {
    seeds.forEach(parseSeed);
  } catch (error) {
    throw new UserError(reasonOf(error), { remedy: "give HOST or HOST:PORT", cause: error });
  }
  return seeds;
}

/** Throws UserError for a seed at which no host of a cluster with that pool can be reached. */
export function refuseOtherFamily(seeds: readonly string[], pool: Pool): void {
  const family = poolFamily(pool);
  const fault = seeds.map((seed) => otherFamily(seed, family)).find((found) => found !== null);
  if (fault === undefined) return;
  throw new UserError(fault, { remedy: `give the IPv${family} address of that host, or its name` });
}

/** Whether a goodbye gives the subnet back as well; no unless asked for. Throws UserError. */
export function releaseOf(body: Record<string, unknown>): boolean {
  const release = body["release"] ?? false;
  if (typeof release === "boolean") return release;
  throw new UserError('"release" must be true or false');
}

/** Whom to forget, and whether also one that seems to be there. Throws UserError. */
export function forgetOf(body: Record<string, unknown>): { host: string; force: boolean } {
  const { host, force = false } = body;
  if (typeof host !== "string" || host === "") {
    throw new UserError('"host" must be the name, address or id of a host');
  }
  if (typeof force !== "boolean") throw new UserError('"force" must be true or false');
  return { host, force };
}

/** Whom to ask. Throws UserError. */
export function hostOf({ host }: Record<string, unknown>): string {
  if (typeof host === "string" && host !== "") return host;
  throw new UserError('"host" must be the name, address, subnet or id of a host');
}

const POOL_NETWORK_OPERATIONS = ["grow", "shrink", "reserve", "unreserve"] as const;

/** A change of the pool; what it means is judged elsewhere. Throws UserError. */
export function poolChangeOf(body: Record<string, unknown>): PoolChange {
  const { operation, force = false } = body;
  const withNetwork = POOL_NETWORK_OPERATIONS.find((one) => one === operation);
  if (withNetwork !== undefined) {
    return { operation: withNetwork, network: textIn(body, "network") };
  }
  if (operation === "unpin") return { operation, host: textIn(body, "host") };
  if (operation !== "pin") {
    throw new UserError(
      `"operation" must be one of ${POOL_NETWORK_OPERATIONS.join(", ")}, pin and unpin`,
    );
  }
  if (typeof force !== "boolean") throw new UserError('"force" must be true or false');
  return { operation, host: textIn(body, "host"), subnet: textIn(body, "subnet"), force };
}

function textIn(body: Record<string, unknown>, name: string): string {
  const value = body[name];
  if (typeof value === "string" && value !== "") return value;
  throw new UserError(`"${name}" must be a text`);
}

/** What somebody may want of the gossip keys; to list them is another request. */
export type KeyChange = Exclude<KeyOperation, { kind: "list" }>;

/** A change of the gossip keys, and whether it is meant even though hosts may be left behind. Throws UserError. */
export function keyChangeOf(
  body: Record<string, unknown>,
): { change: KeyChange; force: boolean } {
  const { operation, key, fingerprint, force = false } = body;
  if (typeof force !== "boolean") throw new UserError('"force" must be true or false');
  if (operation === "install") return { change: { kind: operation, key: keyOf(key) }, force };
  if (operation === "use" || operation === "remove") {
    return { change: { kind: operation, fingerprint: fingerprintIn(fingerprint) }, force };
  }
  throw new UserError('"operation" must be "install", "use" or "remove"');
}

function keyOf(value: unknown): Uint8Array {
  try {
    const key = typeof value === "string" ? Uint8Array.fromBase64(value) : undefined;
    if (key?.length === KEY_BYTES) return key;
  } catch {
    // Falls through to the same answer, which does not repeat what may be a secret.
  }
  throw new UserError(`"key" must be base64 of ${KEY_BYTES} bytes`);
}

function fingerprintIn(value: unknown): string {
  const isOne = typeof value === "string" && /^[0-9a-f]+$/.test(value) &&
    value.length === 2 * FINGERPRINT_BYTES;
  if (isOne) return value;
  throw new UserError(`"fingerprint" must be ${2 * FINGERPRINT_BYTES} hexadecimal digits`, {
    remedy: "gossamer keys list shows the fingerprints",
  });
}
