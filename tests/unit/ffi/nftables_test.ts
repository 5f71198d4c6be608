/** nf_tables over scripted datagrams: transactions that are done, refused or lost, and rules written and read again. */
import { strict as assert } from "node:assert";
import { ERRNO, SysError } from "../../../ffi/errno.ts";
import { NetlinkError } from "../../../ffi/netlink/error.ts";
import { NLM_F_ACK } from "../../../ffi/netlink/message.ts";
import { commentData, commentIn, NFT_MSG, nftPayload } from "../../../ffi/nftables/message.ts";
import { decodeRule, ruleAddRequest } from "../../../ffi/nftables/rule.ts";
import { decodeElements, elementsAddRequests } from "../../../ffi/nftables/set.ts";
import { NftablesSocket } from "../../../ffi/nftables/socket.ts";
import { tableAddRequest, tableDeleteRequest } from "../../../ffi/nftables/table.ts";
import { decodeOwnRule } from "../../../mod/host/firewall_decode.ts";
import { encodeRule } from "../../../mod/host/firewall_encode.ts";
import { networksOf, sortedElements } from "../../../mod/host/firewall_ranges.ts";
import { wantedTable } from "../../support/firewall.ts";
import { datagramOf, ScriptedDatagrams, type Step, verdict } from "./scripted_datagrams.ts";

const TABLE = { family: "ip", name: "gossamer_1" } as const;
const REQUESTS = [tableAddRequest(TABLE, "x"), tableDeleteRequest(TABLE)];

function socketWith(...steps: Step[]) {
  const datagrams = new ScriptedDatagrams(steps);
  return { datagrams, socket: new NftablesSocket(datagrams) };
}

/** Verdicts on the messages at those places of the transaction; the first of all is its beginning. */
function verdicts(...those: readonly (readonly [at: number, errno: number])[]): Step {
  return (sent) => datagramOf(those.map(([at, errno]) => verdict(sent[at]?.sequence ?? 0, errno)));
}

Deno.test("a transaction goes out between its marks, and only its last message asks for an answer", () => {
  const { datagrams, socket } = socketWith(verdicts([2, 0]));
  socket.transact(REQUESTS);
  const [sent = []] = datagrams.sends;
  assert.deepEqual(sent.map(({ type }) => type), [0x10, NFT_MSG.NEWTABLE, NFT_MSG.DELTABLE, 0x11]);
  assert.deepEqual(sent.map(({ flags }) => (flags & NLM_F_ACK) !== 0), [false, false, true, false]);
  // struct nfgenmsg of the marks names the subsystem, in network order.
  assert.deepEqual([...sent[0]?.payload ?? []], [0, 0, 0, 10]);
  assert.equal(new Set(sent.map(({ sequence }) => sequence)).size, 4);
});

Deno.test("nothing at all is sent for nothing", () => {
  const { datagrams, socket } = socketWith();
  socket.transact([]);
  assert.deepEqual(datagrams.sends, []);
});

Deno.test("the first refusal is thrown, named after its request, once all have been answered", () => {
  const { datagrams, socket } = socketWith(
    verdicts([1, ERRNO.EEXIST]),
    verdicts([2, ERRNO.ENOENT]),
  );
  assert.throws(
    () => socket.transact(REQUESTS),
    (error) =>
      error instanceof NetlinkError && error.code === "EEXIST" &&
      error.op === "table add ip gossamer_1",
  );
  assert.equal(datagrams.stepsLeft, 0);
});

Deno.test("a refusal of the beginning is one of the whole", () => {
  const { socket } = socketWith(verdicts([0, ERRNO.EPERM]));
  assert.throws(
    () => socket.transact(REQUESTS),
    (error) =>
      error instanceof NetlinkError && error.code === "EPERM" && /2 changes/.test(error.op),
  );
});

Deno.test("answers to earlier transactions are passed over", () => {
  const stale: Step = (sent) => datagramOf([verdict((sent[0]?.sequence ?? 0) - 1, ERRNO.EPERM)]);
  const { socket } = socketWith(stale, verdicts([2, 0]));
  socket.transact(REQUESTS);
});

Deno.test("an answer that is lost, or does not come, is said to be", () => {
  assert.throws(
    () => socketWith(ERRNO.ENOBUFS).socket.transact(REQUESTS),
    (error) => error instanceof NetlinkError && error.code === "ENOBUFS",
  );
  assert.throws(
    () => socketWith(ERRNO.EAGAIN).socket.transact(REQUESTS),
    (error) => error instanceof SysError && error.code === "ETIMEDOUT",
  );
});

for (const family of ["ip", "ip6"] as const) {
  Deno.test(`${family}: every rule of ours reads back as it was written`, () => {
    const excluded = ["10.64.0.0/10", "2001:db8::/33"];
    const { chains } = wantedTable(family, { masqueradeExcluded: excluded });
    for (const rule of chains.flatMap(({ rules }) => rules)) {
      const expressions = encodeRule(rule, family);
      const { payload } = ruleAddRequest({
        table: { family, name: "t" },
        chain: "c",
        expressions,
        comment: rule.comment,
      });
      const read = decodeRule({ type: NFT_MSG.NEWRULE, flags: 0, sequence: 0, port: 0, payload });
      assert(read !== null);
      assert.deepEqual(read.expressions, expressions);
      assert.deepEqual(decodeOwnRule(read.expressions, read.comment, family), rule);
    }
  });
}

Deno.test("a rule with anything more, or anything less, is none of ours", () => {
  const [chain] = wantedTable("ip").chains;
  const rule = chain?.rules[1];
  assert(rule !== undefined);
  const expressions = encodeRule(rule, "ip");
  for (let left = 0; left < expressions.length; left++) {
    const fewer = expressions.toSpliced(left, 1);
    assert.notDeepEqual(decodeOwnRule(fewer, rule.comment, "ip"), rule, `without ${left}`);
    const more = expressions.toSpliced(left, 0, { kind: "other", name: "limit" });
    assert.equal(decodeOwnRule(more, rule.comment, "ip"), null, `with a limit at ${left}`);
  }
  assert.equal(decodeOwnRule(expressions, null, "ip"), null);
});

Deno.test("networks are ranges with their ends, and the last address of all has none behind it", () => {
  const read = (...ends: readonly [string, boolean][]) => {
    const elements = ends.map(([address, isEnd]) => ({ address, isEnd }));
    return networksOf(sortedElements(elements), "ip");
  };
  assert.deepEqual(read(["10.1.0.0", true], ["10.0.0.0", false]), ["10.0.0.0/16"]);
  assert.deepEqual(read(["255.0.0.0", false]), ["255.0.0.0/8"]);
  assert.deepEqual(
    read(["10.0.0.0", false], ["10.1.0.0", true], ["10.1.0.0", false], ["10.2.0.0", true]),
    ["10.0.0.0/16", "10.1.0.0/16"],
  );
  assert.deepEqual(read(["10.0.0.1", false], ["10.0.0.4", true]), ["10.0.0.1-10.0.0.3"]);
  // What nft puts in front of all ranges.
  assert.deepEqual(read(["0.0.0.0", true], ["10.0.0.0", false], ["10.0.0.1", true]), [
    "10.0.0.0/32",
  ]);
});

Deno.test("many elements are several messages, in their order", () => {
  const elements = Array.from({ length: 2_500 }, (_, at) => ({
    address: `10.0.${at >> 8}.${at & 255}`,
    isEnd: at % 2 === 1,
  }));
  const requests = elementsAddRequests({ table: TABLE, name: "members" }, elements);
  assert.equal(requests.length, 3);
  const read = requests.flatMap(({ type, payload }) =>
    decodeElements({ type, flags: 0, sequence: 0, port: 0, payload })
  );
  assert.deepEqual(read, elements);
});

Deno.test("a comment is found among other user data, and an unfinished one is none", () => {
  const data = Uint8Array.of(9, 1, 77, ...commentData(0, "gossamer"));
  assert.equal(commentIn(0, data), "gossamer");
  assert.equal(commentIn(0, data.subarray(0, data.length - 1)), null);
  assert.equal(commentIn(1, data), null);
  assert.throws(() => commentData(0, "x".repeat(255)), /nft allows 255/);
});

Deno.test("families have the kernel's numbers", () => {
  const families = ["inet", "ip", "ip6"] as const;
  assert.deepEqual(families.map((family) => nftPayload(family, () => {})[0]), [1, 2, 10]);
});
