/** Requests and replies over scripted datagrams: what a kernel says on bad days. */
import { strict as assert } from "node:assert";
import { ERRNO } from "../../../ffi/errno.ts";
import { DUMP_ATTEMPTS, NetlinkConversation } from "../../../ffi/netlink/conversation.ts";
import {
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_MULTI,
  NLM_F_REQUEST,
  NLMSG_NOOP,
  NLMSG_OVERRUN,
} from "../../../ffi/netlink/message.ts";
import { execute, type NetlinkRequest } from "../../../ffi/netlink/transport.ts";
import {
  datagramOf,
  done,
  randomFrom,
  ScriptedDatagrams,
  type Step,
  verdict,
} from "./scripted_datagrams.ts";

function requestOf(subject: string, payloadBytes = 12): NetlinkRequest {
  const payload = new Uint8Array(payloadBytes).fill(7);
  return { operation: "route add", subject, type: 24, flags: NLM_F_CREATE, payload };
}

function conversation(steps: readonly Step[]) {
  const datagrams = new ScriptedDatagrams(steps);
  return { datagrams, transport: new NetlinkConversation(datagrams) };
}

const acknowledgeLast: Step = (sent) => datagramOf([verdict(sent.at(-1)?.sequence ?? 0, 0)]);

Deno.test("a request goes out with a sequence number, our port and a wish for an answer", () => {
  const { datagrams, transport } = conversation([acknowledgeLast]);
  assert.deepEqual(execute(transport, requestOf("a")), []);
  const [[message] = []] = datagrams.sends;
  assert.equal(message?.type, 24);
  assert.equal(message?.flags, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE);
  assert.equal(message?.sequence, 1);
  assert.equal(message?.port, 42);
  assert.deepEqual(message?.payload, new Uint8Array(12).fill(7));
});

Deno.test("only the last message of a batch asks for an acknowledgement", () => {
  const { datagrams, transport } = conversation([acknowledgeLast]);
  transport.request([requestOf("a"), requestOf("b"), requestOf("c")]);
  assert.deepEqual(datagrams.sends.length, 1);
  const flags = datagrams.sends[0]?.map((message) => message.flags & NLM_F_ACK);
  assert.deepEqual(flags, [0, 0, NLM_F_ACK]);
});

Deno.test("many requests go out in several sends, none of them cut", () => {
  const { datagrams, transport } = conversation(Array(10).fill(acknowledgeLast));
  const replies = transport.request(Array.from({ length: 500 }, () => requestOf("x", 200)));
  assert.equal(replies.length, 500);
  assert.deepEqual(datagrams.sends.map(({ length }) => length), [151, 151, 151, 47]);
});

Deno.test("a request larger than a batch goes out alone", () => {
  const { datagrams, transport } = conversation(Array(3).fill(acknowledgeLast));
  transport.request([requestOf("a"), requestOf("b", 100_000), requestOf("c")]);
  const sizes = datagrams.sends.map((sent) => sent.map(({ payload }) => payload.length));
  assert.deepEqual(sizes, [[12], [100_000], [12]]);
});

Deno.test("an error finds its request by sequence number", () => {
  const { transport } = conversation([
    (sent) =>
      datagramOf([
        verdict(sent[1]?.sequence ?? 0, ERRNO.EEXIST),
        verdict(sent[3]?.sequence ?? 0, ERRNO.ENOENT),
      ]),
  ]);
  const replies = transport.request(["a", "b", "c", "d"].map((name) => requestOf(name)));
  assert.deepEqual(replies.map(({ error }) => error?.code ?? null), [
    null,
    "EEXIST",
    null,
    "ENOENT",
  ]);
  assert.equal(replies[1]?.error?.op, "route add b");
  assert.equal(replies[1]?.error?.sequence, 2);
});

Deno.test("replies may come in several datagrams, with noise between", () => {
  const { transport } = conversation([
    () => datagramOf([verdict(4711, ERRNO.EPERM), verdict(4712, 0)]),
    (sent) => datagramOf([{ type: 16, sequence: sent[0]?.sequence ?? 0 }, { type: NLMSG_NOOP }]),
    acknowledgeLast,
  ]);
  const [first, second] = transport.request([requestOf("a"), requestOf("b")]);
  assert.equal(first?.messages.length, 1);
  assert.equal(first?.error, null);
  assert.deepEqual(second, { error: null, messages: [] });
});

Deno.test("execute throws the kernel's refusal", () => {
  const { transport } = conversation([
    (sent) => datagramOf([verdict(sent[0]?.sequence ?? 0, ERRNO.EPERM)]),
  ]);
  assert.throws(() => execute(transport, requestOf("10.0.0.0/8")), {
    name: "NetlinkError",
    code: "EPERM",
    message: 'Kernel refused "route add 10.0.0.0/8": Operation not permitted (EPERM)',
  });
});

Deno.test("lost replies empty the socket and are an error of their own", () => {
  const { datagrams, transport } = conversation([
    ERRNO.ENOBUFS,
    datagramOf([verdict(1, 0)]),
    ERRNO.ENOBUFS,
    datagramOf([verdict(1, 0)]),
    ERRNO.EAGAIN,
    acknowledgeLast,
  ]);
  assert.throws(() => transport.request([requestOf("a")]), {
    name: "NetlinkError",
    code: "ENOBUFS",
  });
  assert.equal(datagrams.stepsLeft, 1);
  assert.deepEqual(transport.request([requestOf("a")]), [{ error: null, messages: [] }]);
});

Deno.test("a kernel that says replies were lost is believed", () => {
  const { transport } = conversation([datagramOf([{ type: NLMSG_OVERRUN }])]);
  assert.throws(() => transport.request([requestOf("a")]), { code: "ENOBUFS" });
});

Deno.test("a kernel that does not answer is an error, not a hang", () => {
  const { transport } = conversation([]);
  assert.throws(() => transport.request([requestOf("a")]), { name: "SysError", code: "ETIMEDOUT" });
  assert.throws(() => transport.dump(requestOf("a")), { name: "SysError", code: "ETIMEDOUT" });
});

Deno.test("a broken socket is an error that names the request", () => {
  const { transport } = conversation([ERRNO.EBADF]);
  assert.throws(() => transport.request([requestOf("a")]), {
    name: "SysError",
    code: "EBADF",
    message: /Cannot receive the answer to "route add a"/,
  });
});

Deno.test("a dump collects the parts up to the end", () => {
  const { datagrams, transport } = conversation([
    datagramOf([
      { flags: NLM_F_MULTI, sequence: 1, payload: Uint8Array.of(1, 0, 0, 0) },
      { flags: NLM_F_MULTI, sequence: 99, payload: Uint8Array.of(9, 0, 0, 0) },
      { flags: NLM_F_MULTI, sequence: 1, payload: Uint8Array.of(2, 0, 0, 0) },
    ]),
    datagramOf([{ flags: NLM_F_MULTI, sequence: 1, payload: Uint8Array.of(3, 0, 0, 0) }]),
    datagramOf([done(1)]),
  ]);
  const messages = transport.dump({ ...requestOf("a"), flags: 0 });
  assert.deepEqual(messages.map(({ payload }) => payload[0]), [1, 2, 3]);
  assert.equal(datagrams.sends[0]?.[0]?.flags, NLM_F_REQUEST | NLM_F_DUMP);
});

Deno.test("a torn dump is taken again", () => {
  const torn = (sequence: number) =>
    datagramOf([{ flags: NLM_F_MULTI | NLM_F_DUMP_INTR, sequence }, done(sequence)]);
  const { datagrams, transport } = conversation([
    torn(1),
    datagramOf([{ sequence: 2 }, done(2, 0, NLM_F_MULTI | NLM_F_DUMP_INTR)]),
    datagramOf([{ sequence: 3 }, { sequence: 3 }, done(3)]),
  ]);
  assert.equal(transport.dump(requestOf("a")).length, 2);
  assert.equal(datagrams.sends.length, 3);
});

Deno.test("a dump that is torn every time is given up", () => {
  const steps = Array.from(
    { length: DUMP_ATTEMPTS + 5 },
    (_, attempt) => datagramOf([done(attempt + 1, 0, NLM_F_DUMP_INTR)]),
  );
  const { datagrams, transport } = conversation(steps);
  assert.throws(() => transport.dump(requestOf("a")), { name: "NetlinkError", code: "EINTR" });
  assert.equal(datagrams.sends.length, DUMP_ATTEMPTS);
});

Deno.test("a dump that fails, at once or at its end, throws the kernel's error", () => {
  const { transport } = conversation([
    datagramOf([verdict(1, ERRNO.EINVAL)]),
    datagramOf([{ sequence: 2 }, done(2, ERRNO.ENOENT)]),
    ERRNO.ENOBUFS,
  ]);
  assert.throws(() => transport.dump(requestOf("a")), { code: "EINVAL" });
  assert.throws(() => transport.dump(requestOf("a")), { code: "ENOENT" });
  assert.throws(() => transport.dump(requestOf("a")), { code: "ENOBUFS" });
});

Deno.test("a closed conversation closes its socket once and refuses work", () => {
  const { datagrams, transport } = conversation([]);
  transport.close();
  transport[Symbol.dispose]();
  assert.equal(datagrams.closed, 1);
  assert.throws(() => transport.request([requestOf("a")]), /closed/);
  assert.throws(() => transport.dump(requestOf("a")), /closed/);
});

Deno.test("random and cut replies end in an answer or a typed error", () => {
  const random = randomFrom(20_261_122);
  const whole = datagramOf([{ sequence: 1, payload: new Uint8Array(40).fill(4) }, verdict(1, 5)]);
  const outcomes = new Set<string>();
  for (let round = 0; round < 5000; round++) {
    const datagram = random(2) === 0
      ? Uint8Array.from({ length: random(200) }, () => random(256))
      : whole.slice(0, random(whole.length + 1));
    for (let flips = random(4); flips > 0 && datagram.length > 0; flips--) {
      datagram[random(datagram.length)] = random(256);
    }
    const { transport } = conversation([datagram]);
    try {
      if (random(2) === 0) transport.request([requestOf("a")]);
      else transport.dump(requestOf("a"));
      outcomes.add("answer");
    } catch (error) {
      assert(error instanceof Error);
      outcomes.add(error.name);
    }
  }
  const expected = ["NetlinkError", "NetlinkFormatError", "SysError", "answer"];
  assert.deepEqual([...outcomes].sort(), expected);
});

/** Answers everything, in the order of what was sent, when it is told to. */
class PatientDatagrams extends ScriptedDatagrams {
  readonly waiting: (() => void)[] = [];
  readonly answers: Uint8Array[] = [];

  constructor() {
    super([]);
  }

  override sendLater(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    super.send(bytes);
    const sent = this.sends.at(-1) ?? [];
    const { promise, resolve } = Promise.withResolvers<void>();
    this.waiting.push(() => {
      const first = sent[0]?.sequence ?? 0;
      this.answers.push(
        datagramOf([verdict(first, ERRNO.EEXIST), verdict(sent.at(-1)?.sequence ?? 0, 0)]),
      );
      resolve();
    });
    return promise;
  }

  override send(bytes: Uint8Array<ArrayBuffer>): void {
    super.send(bytes);
    const sequence = this.sends.at(-1)?.at(-1)?.sequence ?? 0;
    this.answers.push(datagramOf([verdict(sequence, 0)]));
  }

  override receive(): Uint8Array | number {
    return this.answers.shift() ?? ERRNO.EAGAIN;
  }
}

/** All that can go without an answer has gone. */
const sent = () => new Promise((resolve) => setTimeout(resolve, 0));

const pair = (name: string) => [requestOf(`${name}1`), requestOf(`${name}2`)];

Deno.test("two that wait for the kernel, and one that does not, each get their own answers", async () => {
  const datagrams = new PatientDatagrams();
  const transport = new NetlinkConversation(datagrams);
  const first = transport.requestLater(pair("a"));
  const second = transport.requestLater(pair("b"));
  await sent();
  for (const answer of datagrams.waiting) answer(); // before either looks
  assert.deepEqual(transport.request([requestOf("c")]).map(({ error }) => error), [null]);
  for (const replies of [await first, await second]) {
    assert.deepEqual(replies.map(({ error }) => error?.code ?? null), ["EEXIST", null]);
  }
  assert.deepEqual((await second)[0]?.error?.op, "route add b1");
});

Deno.test("answers that are lost while others are read are lost to all that wait", async () => {
  const datagrams = new PatientDatagrams();
  const transport = new NetlinkConversation(datagrams);
  const later = transport.requestLater(pair("a"));
  await sent();
  const receive = datagrams.receive.bind(datagrams);
  let calls = 0;
  datagrams.receive = () => calls++ === 0 ? ERRNO.ENOBUFS : receive();
  assert.throws(() => transport.request([requestOf("c")]), { code: "ENOBUFS" });
  for (const answer of datagrams.waiting) answer();
  await assert.rejects(later, { code: "ENOBUFS" });
});

Deno.test("requests are taken as the kernel gets on, and no further after an end", async () => {
  const datagrams = new PatientDatagrams();
  const transport = new NetlinkConversation(datagrams);
  let taken = 0;
  const later = transport.requestLater((function* () {
    for (; taken < 10_000; taken++) yield requestOf("x", 200);
  })());
  await sent();
  const takenAtFirst = taken;
  assert(takenAtFirst < 2_000, `${takenAtFirst} requests were made before the first was done`);
  transport.close();
  for (const answer of datagrams.waiting) answer();
  await assert.rejects(later, /closed/);
  assert(taken < 2_000);
});
