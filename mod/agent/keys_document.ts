/** The documents of the control API on gossip keys, made of what the core says. No key appears in them. */
import { UserError } from "../base/errors.ts";
import { splitEndpoint } from "../host/endpoint.ts";
import type { KeyHolder, KeyOutcome } from "../swim/key_outcome.ts";
import { fingerprintOf } from "../wire/keyring.ts";
import { type KeyHostDocument, type KeysAnswer, type KeysDocument, STATUS_SCHEMA } from "./api.ts";
import type { KeyChange } from "./request_body.ts";

/** Who has which key. Throws UserError when nobody could be asked. */
export function keysDocument({ refusal, hosts, keys }: KeyOutcome): KeysDocument {
  if (refusal !== null) throw new UserError(refusal.text, { remedy: refusal.remedy });
  const own = hosts[0]?.fingerprints ?? [];
  return {
    schema: STATUS_SCHEMA,
    hosts: hosts.length,
    keys: keys.map(({ fingerprint, holders, primaries }) => ({
      fingerprint,
      hosts: holders,
      primaryHosts: primaries,
      here: own.includes(fingerprint),
      primaryHere: own[0] === fingerprint,
    })),
    unanswered: failed(hosts),
  };
}

/** How a change went. */
export function keysAnswer(change: KeyChange, { refusal, hosts }: KeyOutcome): KeysAnswer {
  const behind = refusal === null ? failed(hosts) : inTheWay(change, hosts);
  return {
    schema: STATUS_SCHEMA,
    operation: change.kind,
    fingerprint: change.kind === "install" ? fingerprintOf(change.key) : change.fingerprint,
    hosts: hosts.length,
    done: refusal === null ? hosts.length - behind.length : 0,
    refused: refusal === null ? null : { ...refusal },
    failed: behind,
  };
}

/** Those who did not answer, or did not do as asked. */
function failed(hosts: readonly KeyHolder[]): KeyHostDocument[] {
  return named(hosts, ({ failure }) => failure);
}

/** Those who would be left behind: of what they have it can be told as well. A key that nobody has needs no list. */
function inTheWay(change: KeyChange, hosts: readonly KeyHolder[]): KeyHostDocument[] {
  if (change.kind === "use") {
    const isKnown = hosts.some(({ fingerprints }) => fingerprints?.includes(change.fingerprint));
    if (!isKnown) return failed(hosts);
  }
  return named(hosts, ({ fingerprints, failure }) => {
    if (failure !== null || change.kind === "install") return failure;
    const { fingerprint } = change;
    if (change.kind === "use") {
      return fingerprints?.includes(fingerprint) === true ? null : "it does not have the key";
    }
    return fingerprints?.[0] === fingerprint ? "it encrypts with the key" : null;
  });
}

function named(
  hosts: readonly KeyHolder[],
  reasonOf: (host: KeyHolder) => string | null,
): KeyHostDocument[] {
  return hosts.flatMap((host) => {
    const reason = reasonOf(host);
    if (reason === null) return [];
    const { hostname: address } = splitEndpoint(host.endpoint);
    return [{ id: host.id, name: host.name, address, reason }];
  });
}
