/** Gossip keys in the control API: requests read strictly, answers made of what the core says, and no asker who waits for ever. */
import assert from "node:assert/strict";
import { UserError } from "../../../mod/base/errors.ts";
import type { HostSnapshot } from "../../../mod/claim/host_core.ts";
import { awaitedHosts, KeyRequests } from "../../../mod/agent/key_requests.ts";
import { keysAnswer, keysDocument } from "../../../mod/agent/keys_document.ts";
import { keyChangeOf } from "../../../mod/agent/request_body.ts";
import { keysAnswerOf, keysOf } from "../../../mod/cli/documents.ts";
import type { KeyHolder, KeyOutcome } from "../../../mod/swim/key_outcome.ts";
import { fingerprintOf } from "../../../mod/wire/keyring.ts";

const KEY = new Uint8Array(32).fill(7);

function holder(number: number, fingerprints: string[] | null, failure: string | null): KeyHolder {
  return {
    id: String(number).repeat(32),
    name: `h${number}`,
    endpoint: `192.168.100.${number}:7947`,
    status: "alive",
    fingerprints,
    failure,
  };
}

/** This host encrypts with the old key and has the new one; one other has done the same, one sleeps. */
const OUTCOME: KeyOutcome = {
  isComplete: false,
  refusal: null,
  hosts: [
    holder(1, ["02b6d1f0", "7c1f3a90"], null),
    holder(2, ["02b6d1f0", "7c1f3a90", "e81d05c7"], null),
    holder(3, null, "it does not answer"),
  ],
  keys: [
    { fingerprint: "02b6d1f0", holders: 2, primaries: 2 },
    { fingerprint: "7c1f3a90", holders: 2, primaries: 0 },
    { fingerprint: "e81d05c7", holders: 1, primaries: 0 },
  ],
};

const REFUSED: KeyOutcome = {
  ...OUTCOME,
  refusal: { text: "h3 would be cut off", remedy: "Start it" },
};

Deno.test("the list says what this host has, and who did not answer", () => {
  const document = keysDocument(OUTCOME);
  assert.deepEqual(keysOf(structuredClone(document)), document);
  assert.equal(document.hosts, 3);
  assert.deepEqual(
    document.keys.map((key) => [key.fingerprint, key.hosts, key.primaryHosts, key.here]),
    [["02b6d1f0", 2, 2, true], ["7c1f3a90", 2, 0, true], ["e81d05c7", 1, 0, false]],
  );
  assert.deepEqual(document.keys.map(({ primaryHere }) => primaryHere), [true, false, false]);
  assert.deepEqual(document.unanswered, [
    { id: "3".repeat(32), name: "h3", address: "192.168.100.3", reason: "it does not answer" },
  ]);
});

Deno.test("a host that can list nothing says why and what to do", () => {
  assert.throws(() => keysDocument(REFUSED), (error) => {
    assert(error instanceof UserError);
    assert.deepEqual([error.message, error.remedy], ["h3 would be cut off", "Start it"]);
    return true;
  });
});

Deno.test("the answer to a change counts those who did it, and none when it was refused", () => {
  const change = { kind: "use", fingerprint: "7c1f3a90" } as const;
  const some = keysAnswer(change, OUTCOME);
  assert.deepEqual(keysAnswerOf(structuredClone(some)), some);
  assert.deepEqual([some.hosts, some.done, some.refused], [3, 2, null]);
  assert.deepEqual(some.failed.map(({ name }) => name), ["h3"]);
  const none = keysAnswer(change, REFUSED);
  assert.deepEqual(keysAnswerOf(structuredClone(none)), none);
  assert.deepEqual([none.done, none.refused], [0, REFUSED.refusal]);
});

Deno.test("who stands in the way of a change is named with the reason", () => {
  const inTheWay = (kind: "use" | "remove", fingerprint: string) =>
    keysAnswer({ kind, fingerprint }, REFUSED).failed.map(({ name, reason }) => [name, reason]);
  const asleep = ["h3", "it does not answer"];
  assert.deepEqual(inTheWay("use", "e81d05c7"), [["h1", "it does not have the key"], asleep]);
  assert.deepEqual(inTheWay("remove", "02b6d1f0"), [
    ["h1", "it encrypts with the key"],
    ["h2", "it encrypts with the key"],
    asleep,
  ]);
  assert.deepEqual(inTheWay("remove", "7c1f3a90"), [asleep]);
  assert.deepEqual(
    inTheWay("use", "00000000"),
    [asleep],
    "nobody has it: those who have not are all",
  );
});

Deno.test("the answer to install has the key's fingerprint and not the key", () => {
  const answer = keysAnswer({ kind: "install", key: KEY }, OUTCOME);
  assert.deepEqual([answer.operation, answer.fingerprint], ["install", fingerprintOf(KEY)]);
  assert.equal(JSON.stringify(answer).includes(KEY.toBase64()), false);
});

Deno.test("a change is read as it is written", () => {
  assert.deepEqual(keyChangeOf({ operation: "install", key: KEY.toBase64() }), {
    change: { kind: "install", key: KEY },
    force: false,
  });
  assert.deepEqual(keyChangeOf({ operation: "remove", fingerprint: "02b6d1f0", force: true }), {
    change: { kind: "remove", fingerprint: "02b6d1f0" },
    force: true,
  });
});

Deno.test("a change that makes no sense is refused, and what may be a key is not repeated", () => {
  const refused: readonly (readonly [body: Record<string, unknown>, says: RegExp])[] = [
    [{}, /"operation" must be/],
    [{ operation: "list" }, /"operation" must be/],
    [{ operation: "install" }, /"key" must be base64 of 32 bytes/],
    [{ operation: "install", key: 7 }, /"key" must be base64 of 32 bytes/],
    [{ operation: "install", key: "c2VjcmV0" }, /"key" must be base64 of 32 bytes/],
    [{ operation: "install", key: "c2VjcmV0!" }, /"key" must be base64 of 32 bytes/],
    [{ operation: "use" }, /"fingerprint" must be 8 hexadecimal digits/],
    [{ operation: "use", fingerprint: "c2VjcmV0" }, /"fingerprint" must be 8/],
    [{ operation: "use", fingerprint: "02B6D1F0" }, /"fingerprint" must be 8/],
    [{ operation: "remove", fingerprint: "02b6d1f" }, /"fingerprint" must be 8/],
    [{ operation: "remove", fingerprint: "02b6d1f0a" }, /"fingerprint" must be 8/],
    [{ operation: "use", fingerprint: "02b6d1f0", force: "yes" }, /"force" must be true or false/],
  ];
  for (const [body, says] of refused) {
    assert.throws(() => keyChangeOf(body), (error) => {
      assert(error instanceof UserError);
      assert.match(error.message, says);
      assert.doesNotMatch(error.message, /c2VjcmV0/);
      return true;
    });
  }
});

Deno.test("who left is expected back while it keeps its subnet, unless it was forgotten", () => {
  const member = (id: string, status: string, isForgotten = false) => ({ id, status, isForgotten });
  const record = (hostId: string, state: string) => ({ hostId, state });
  const snapshot = {
    swim: {
      members: [
        member("here", "alive"),
        member("stopped", "left"),
        member("lost", "dead"),
        member("forgotten", "left", true),
        member("released", "left"),
        member("never-had-one", "left"),
      ],
    },
    claim: {
      records: [
        ...["here", "stopped", "lost", "forgotten"].map((id) => record(id, "held")),
        record("released", "released"),
      ],
    },
  } as unknown as HostSnapshot;
  assert.deepEqual(awaitedHosts(snapshot), ["stopped"]);
});

Deno.test("each asker gets the answer to its own request, also one that comes at once", async () => {
  const requests = new KeyRequests();
  const numbers: number[] = [];
  const first = requests.ask((request) => numbers.push(request));
  const second = requests.ask((request) => {
    numbers.push(request);
    requests.done(request, REFUSED);
  });
  assert.equal(await second, REFUSED);
  requests.done(numbers[0] ?? -1, OUTCOME);
  assert.equal(await first, OUTCOME);
  assert.equal(new Set(numbers).size, 2);
  requests.done(numbers[0] ?? -1, REFUSED); // nobody waits for it any more
});

Deno.test("an asker to whom nothing is said is told so after a while", async () => {
  const requests = new KeyRequests();
  await assert.rejects(requests.ask(() => {}, 1), /the other hosts were not heard of within/);
});

Deno.test("an asker whose request cannot be started is told, and no timer is left", async () => {
  const requests = new KeyRequests();
  const start = () => {
    throw new Error("the core is at fault");
  };
  await assert.rejects(requests.ask(start), /the core is at fault/);
});
