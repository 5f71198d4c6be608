/** Letters: round trips, limits, refusals. */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { WireError } from "../../../mod/base/errors.ts";
import {
  type ClaimAnswer,
  type ClaimMessage,
  decodeClaimMessage,
  encodeAnswer,
  encodePush,
  encodeRequest,
  idPrefix,
  LETTERS_MAX,
  seal,
  type SealedRecord,
} from "../../../mod/claim/messages.ts";
import { encode } from "../../../mod/wire/codec.ts";
import { hostId, record } from "./samples.ts";

const TENTATIVE = record({ state: "tentative", strength: 0 });

function answer(changes: Partial<ClaimAnswer> = {}): ClaimAnswer {
  return {
    kind: "answer",
    sender: hostId(2),
    claimant: hostId(1),
    generation: 4,
    sequence: 5,
    verdict: { kind: "yes" },
    members: [],
    tentative: [],
    ...changes,
  };
}

/** With byte strings as plain arrays of their own, whatever the decoder makes. */
function plain(message: ClaimMessage): ClaimMessage {
  const copy = ({ record, bytes }: SealedRecord) => ({ record, bytes: new Uint8Array(bytes) });
  switch (message.kind) {
    case "request":
      return { ...message, claim: copy(message.claim) };
    case "push":
      return { ...message, claims: message.claims.map(copy) };
    case "answer":
      return {
        ...message,
        verdict: message.verdict.kind === "busy"
          ? { kind: "busy", claim: copy(message.verdict.claim) }
          : message.verdict,
        tentative: message.tentative.map(copy),
      };
    case "fence":
    case "pool":
      return message;
  }
}

Deno.test("requests, pushes and answers survive their encoding", () => {
  const request = plain(decodeClaimMessage(encodeRequest(seal(TENTATIVE))));
  deepEqual(request, { kind: "request", claim: seal(TENTATIVE), isLastResort: false });
  const push = plain(decodeClaimMessage(encodePush([seal(record()), seal(TENTATIVE)])));
  deepEqual(push, { kind: "push", claims: [seal(record()), seal(TENTATIVE)] });
  const full = answer({
    verdict: { kind: "busy", claim: seal(record({ hostId: hostId(3) })) },
    members: [idPrefix(hostId(7)), idPrefix(hostId(8))],
    tentative: [seal(TENTATIVE)],
  });
  deepEqual(plain(decodeClaimMessage(encodeAnswer(full, 1_300))), full);
  const crowded = answer({ members: null });
  deepEqual(plain(decodeClaimMessage(encodeAnswer(crowded, 1_300))), crowded);
});

Deno.test("an answer that names 64 members fits a letter and leaves out what does not", () => {
  const members = Array.from({ length: LETTERS_MAX }, (_, index) => idPrefix(hostId(index + 10)));
  const tentative = Array.from(
    { length: 30 },
    (_, index) => seal({ ...TENTATIVE, hostId: hostId(index + 100) }),
  );
  const bytes = encodeAnswer(
    answer({ verdict: { kind: "busy", claim: seal(record()) }, members, tentative }),
    1_000,
  );
  ok(bytes.length <= 1_000, `${bytes.length} bytes`);
  const decoded = decodeClaimMessage(bytes);
  ok(decoded.kind === "answer");
  equal(decoded.members?.length, LETTERS_MAX);
  ok(decoded.tentative.length >= 2);
  deepEqual(decoded.tentative[0]?.record, tentative[0]?.record);
});

Deno.test("a held claim asks nothing", () => {
  throws(() => decodeClaimMessage(encodeRequest(seal(record()))), /a held claim asks nothing/);
});

Deno.test("malformed messages are refused as a whole", () => {
  const good = seal(record()).bytes;
  const bad = new Uint8Array(good);
  bad[1] = 9;
  const messages = [
    new Uint8Array(),
    encode(null),
    encode([]),
    encode([9]),
    encode([1]),
    encode([1, "x"]),
    encode([3, good]),
    encode([3, [good, bad]]),
    encode([3, Array(17).fill(good)]),
    encodeAnswer(answer(), 1_300).subarray(0, 40),
    encode([2, new Uint8Array(15), new Uint8Array(16), 1, 1, null, null, []]),
    encode([2, new Uint8Array(16), new Uint8Array(16), 1, 1, null, new Uint8Array(9), []]),
  ];
  for (const bytes of messages) throws(() => decodeClaimMessage(bytes), WireError);
});
