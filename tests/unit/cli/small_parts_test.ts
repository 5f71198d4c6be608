/** The small parts: did-you-mean, ages, columns, privilege, the client's failures. */
import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { ExitCode, UserError } from "../../../mod/base/errors.ts";
import { age, roundTrip, wholeSeconds } from "../../../mod/cli/age.ts";
import { columns, printable } from "../../../mod/cli/columns.ts";
import { agentRuns, askAgent } from "../../../mod/cli/control_client.ts";
import { editDistance, nearest } from "../../../mod/base/nearest.ts";
import { plainPaint } from "../../../mod/cli/paint.ts";
import { hasNetAdmin, requireNetAdmin } from "../../../mod/cli/privilege.ts";
import { sayError } from "../../../mod/cli/say_error.ts";
import { wordLines } from "../../../mod/cli/wrap.ts";
import { FakeAgent } from "../../support/fake_agent.ts";
import { FakeOutside } from "../../support/fake_outside.ts";

Deno.test("editDistance() counts inserted, deleted, replaced and swapped letters", () => {
  const rows: [string, string, number][] = [
    ["", "", 0],
    ["abc", "", 3],
    ["", "abc", 3],
    ["abc", "abc", 0],
    ["abc", "abd", 1],
    ["abc", "acb", 1],
    ["jion", "join", 1],
    ["statsu", "status", 1],
    ["kitten", "sitting", 3],
  ];
  for (const [from, to, edits] of rows) equal(editDistance(from, to), edits, `${from} ${to}`);
});

Deno.test("nearest() proposes a close word or the only longer one, and nothing else", () => {
  const words = ["up", "status", "members", "subnets", "gossip-port", "log-level", "log-format"];
  equal(nearest("statsu", words), "status");
  equal(nearest("gossip_port", words), "gossip-port");
  equal(nearest("memb", words), "members");
  equal(nearest("log", words), undefined);
  equal(nearest("xyz", words), undefined);
  equal(nearest("ab", words), undefined);
  equal(nearest("", words), undefined);
});

Deno.test("age() says one unit, rounded down, and nothing negative", () => {
  const nowMs = Date.parse("2026-01-03T00:00:00Z");
  const rows: [string, string][] = [
    ["2026-01-03T00:00:05Z", "0s"],
    ["2026-01-02T23:59:00.001Z", "59s"],
    ["2026-01-02T23:59:00Z", "1m"],
    ["2026-01-02T23:00:00Z", "1h"],
    ["2026-01-01T00:01:00Z", "47h"],
    ["2026-01-01T00:00:00Z", "2d"],
    ["nonsense", "?"],
  ];
  for (const [since, expected] of rows) equal(age(since, nowMs), expected, since);
});

Deno.test("times lose their fractions, round trips keep three digits at most", () => {
  equal(wholeSeconds("2026-01-02T03:04:05.123Z"), "2026-01-02T03:04:05Z");
  equal(wholeSeconds("2026-01-02T03:04:05Z"), "2026-01-02T03:04:05Z");
  deepEqual([null, 0.042, 0.42, 9.96, 12.4].map(roundTrip), [
    "-",
    "0.04 ms",
    "0.4 ms",
    "10.0 ms",
    "12 ms",
  ]);
});

Deno.test("columns() aligns by the plain text and ends lines without blanks", () => {
  const rows = [["A", "LONG", ""], [{ text: "bbb", meaning: "bad" as const }, "c", ""]];
  equal(columns(rows, (_, text) => `<${text}>`), "A    LONG\n<bbb>  c\n");
  equal(columns([], plainPaint), "");
});

Deno.test("names from other hosts cannot draw on the terminal", () => {
  equal(printable("h\x1b[2J\n\r\x9b\u202e1"), "h\ufffd[2J\ufffd\ufffd\ufffd\ufffd1");
  equal(columns([["a\x1b[31m", "b"]], plainPaint), "a\ufffd[31m  b\n");
});

Deno.test("wordLines() breaks at blanks and leaves a word that is too long alone", () => {
  deepEqual(wordLines("aa bb cc", 5), ["aa bb", "cc"]);
  deepEqual(wordLines("aaaaaaaa b", 5), ["aaaaaaaa", "b"]);
  deepEqual(wordLines("", 5), []);
});

Deno.test("the privilege is read from the effective set", () => {
  ok(hasNetAdmin("Name:\tx\nCapEff:\t000001ffffffffff\nCapBnd:\t0\n"));
  ok(hasNetAdmin("CapEff:\t0000000000001000\n"));
  ok(!hasNetAdmin("CapEff:\t0000000000000fff\nCapBnd:\t000001ffffffffff\n"));
  ok(!hasNetAdmin("nothing"));
  throws(() => requireNetAdmin("gossamer up", "CapEff:\t0\n"), (error) => {
    ok(error instanceof UserError);
    equal(error.exitCode, ExitCode.privilege);
    ok(error.message.includes("CAP_NET_ADMIN"));
    return true;
  });
});

/** A socket on which `answer` is sent to whoever connects; null never answers. */
async function withSocket(
  answer: string | null,
  use: (runDir: string) => Promise<void>,
): Promise<void> {
  const runDir = Deno.makeTempDirSync({ prefix: "gossamer-cli-" });
  const listener = Deno.listen({ transport: "unix", path: `${runDir}/gossamer.sock` });
  const served = (async () => {
    const connection = await listener.accept();
    const request = new Uint8Array(4096);
    await connection.read(request);
    if (answer !== null) await connection.write(new TextEncoder().encode(answer));
    // Without an answer: until the client gives up.
    else while (await connection.read(request) !== null);
    connection.close();
  })();
  try {
    await use(runDir);
    await served;
  } finally {
    listener.close();
    Deno.removeSync(runDir, { recursive: true });
  }
}

async function exitCodeOf(asked: Promise<unknown>): Promise<ExitCode> {
  try {
    await asked;
    return ExitCode.done;
  } catch (error) {
    ok(error instanceof UserError, String(error));
    ok(!error.message.includes("\n"));
    return error.exitCode;
  }
}

const STATUS = { method: "GET", path: "/status" } as const;

Deno.test("an agent that does not answer in time is unhealthy: exit code 4", async () => {
  await withSocket(null, async (runDir) => {
    equal(await exitCodeOf(askAgent(runDir, { ...STATUS, timeoutMs: 50 })), ExitCode.notReady);
  });
});

for (
  const answer of [
    "",
    "220 smtp ready\r\n",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200 OK\r\n\r\n{",
    "HTTP/1.1 500 Oops\r\n\r\n",
  ]
) {
  Deno.test(`the answer ${JSON.stringify(answer)} is an error that names the socket`, async () => {
    await withSocket(answer, async (runDir) => {
      await rejects(
        askAgent(runDir, STATUS),
        (error) => error instanceof UserError && error.message.includes(`${runDir}/gossamer.sock`),
      );
    });
  });
}

Deno.test("a refusal without words still says its status", async () => {
  await withSocket("HTTP/1.1 503 Busy\r\n\r\n[]", async (runDir) => {
    await rejects(askAgent(runDir, STATUS), /the agent refused: status 503/);
  });
});

Deno.test("a long answer in several pieces is put together", async () => {
  await using agent = new FakeAgent();
  const names = Array.from({ length: 20_000 }, (_, index) => `hôte-${index}`);
  agent.answers.set("GET /status", { body: { names } });
  deepEqual(await askAgent(agent.runDir, STATUS), { names });
});

Deno.test("a socket that nobody listens on any more is no agent", async () => {
  const runDir = Deno.makeTempDirSync({ prefix: "gossamer-cli-" });
  try {
    equal(await agentRuns(runDir), false);
    equal(await exitCodeOf(askAgent(runDir, STATUS)), ExitCode.notRunning);
    Deno.writeTextFileSync(`${runDir}/gossamer.sock`, "not a socket");
    equal(await agentRuns(runDir), false);
    equal(await exitCodeOf(askAgent(runDir, STATUS)), ExitCode.notRunning);
  } finally {
    Deno.removeSync(runDir, { recursive: true });
  }
});

Deno.test("agentRuns() sees an agent", async () => {
  await using agent = new FakeAgent();
  equal(await agentRuns(agent.runDir), true);
});

Deno.test("an error goes on after the program's name, abbreviations as they are", () => {
  const said = (message: string, remedy: string) => {
    const outside = new FakeOutside();
    equal(sayError(new UserError(message, { remedy }), outside), 1);
    return outside.stderr;
  };
  equal(
    said("No device", "Name one with --iface"),
    "gossamer: no device - name one with --iface\n",
  );
  equal(
    said("UDP port 7947 is in use", "stop it"),
    "gossamer: UDP port 7947 is in use - stop it\n",
  );
  equal(said("--name: x", "GOSSAMER_NAME has it"), "gossamer: --name: x - GOSSAMER_NAME has it\n");
});
