/** Bodies of requests on the control socket: JSON objects of a limited size, read no further than that, and what is in them. */
import { parseSeed } from "../address/seed.ts";
import { reasonOf, UserError } from "../base/errors.ts";

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

/** Whether a goodbye gives the subnet back as well; no unless asked for. Throws UserError. */
export function releaseOf(body: Record<string, unknown>): boolean {
  const release = body["release"] ?? false;
  if (typeof release === "boolean") return release;
  throw new UserError('"release" must be true or false');
}
