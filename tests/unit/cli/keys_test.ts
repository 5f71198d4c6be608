/** `gossamer keys`: what is asked of the agent, what people and scripts are told, and that no key is ever shown. */
import { deepEqual, doesNotMatch, equal, match, notEqual } from "node:assert/strict";
import { parseKeys } from "../../../mod/wire/keyring.ts";
import { runCommandLine } from "../../../mod/cli/command_line.ts";
import { FakeAgent } from "../../support/fake_agent.ts";
import { FakeOutside, type FakeOutsideOptions } from "../../support/fake_outside.ts";
import { INSTALLED_ON_SOME, KEYS, NOT_REMOVED, USED } from "../../support/key_documents.ts";

const KEY = new Uint8Array(32).fill(7).toBase64();
const OTHER_KEY = new Uint8Array(32).fill(8).toBase64();

async function keys(line: string, options: FakeOutsideOptions = {}) {
  const outside = new FakeOutside(options);
  const code = await runCommandLine(["keys", ...line.split(" ")], outside);
  return { code, stdout: outside.stdout, stderr: outside.stderr };
}

async function withFile(text: string, test: (path: string) => Promise<void>): Promise<void> {
  const path = Deno.makeTempFileSync();
  try {
    Deno.writeTextFileSync(path, text);
    await test(path);
  } finally {
    Deno.removeSync(path);
  }
}

Deno.test("generate prints a key that no other run prints, and its fingerprint as talk", async () => {
  const { code, stdout, stderr } = await keys("generate");
  equal(code, 0);
  match(stdout, /^[A-Za-z0-9+/]{43}=\n$/);
  equal(parseKeys(stdout, "generate").length, 1);
  match(stderr, /^fingerprint [0-9a-f]{8}\n$/);
  notEqual((await keys("generate")).stdout, stdout);
  const { key, fingerprint } = JSON.parse((await keys("generate --json")).stdout);
  match(`${key} ${fingerprint}`, /^\S{44} [0-9a-f]{8}$/);
});

Deno.test("list shows who has what, who did not answer, and ends with 1 as long as somebody did not", async () => {
  await using agent = new FakeAgent();
  agent.answers.set("GET /keys", { body: KEYS });
  const text = await keys(`list --run-dir ${agent.runDir}`);
  equal(text.code, 1);
  match(text.stdout, /^02b6d1f0 +2 of 3 +2 of 3 +\(primary of this host\)$/m);
  match(text.stdout, /^storage-node-3\.example +192\.168\.100\.3 +it has failed/m);
  equal(text.stderr, "gossamer: 1 of 3 hosts did not answer\n");
  const json = await keys(`list --json --run-dir ${agent.runDir}`);
  deepEqual([json.code, JSON.parse(json.stdout)], [1, KEYS]);
  agent.answers.set("GET /keys", { body: { ...KEYS, unanswered: [] } });
  const whole = await keys(`list --run-dir ${agent.runDir}`);
  deepEqual([whole.code, whole.stderr], [0, ""]);
});

Deno.test("install reads the key from a file or standard input and says what comes next", async () => {
  await using agent = new FakeAgent();
  agent.answers.set("POST /keys", { body: { ...USED, operation: "install" } });
  await withFile(`# new\n\n${KEY}\n`, async (path) => {
    const file = await keys(`install --run-dir ${agent.runDir} ${path}`);
    deepEqual([file.code, file.stdout], [0, ""]);
    match(file.stderr, /^7c1f3a90 is on all 3 hosts; gossamer keys use 7c1f3a90 makes/);
  });
  await withFile(`${KEY}\n`, async (path) => {
    Deno.chmodSync(path, 0o644);
    const { code, stderr } = await keys(`install --run-dir ${agent.runDir} ${path}`);
    equal(code, 0);
    equal(stderr.split("\n")[0], `gossamer: other users of this host may read the key in ${path}`);
  });
  const piped = await keys(`install - --run-dir ${agent.runDir}`, { input: `${KEY}\n` });
  equal(piped.code, 0);
  const request = `POST /keys ${JSON.stringify({ operation: "install", key: KEY })}`;
  deepEqual(agent.requests, [request, request, request]);
});

Deno.test("use and remove name the key by its fingerprint, and hand on --force", async () => {
  await using agent = new FakeAgent();
  agent.answers.set("POST /keys", { body: USED });
  const used = await keys(`use 7C1F3A90 --run-dir ${agent.runDir}`);
  deepEqual([used.code, used.stdout], [0, ""]);
  match(used.stderr, /^all 3 hosts encrypt with 7c1f3a90; /);
  agent.answers.set("POST /keys", { body: { ...USED, operation: "remove", hosts: 1, done: 1 } });
  const removed = await keys(`remove 02b6d1f0 --force --run-dir ${agent.runDir}`);
  equal(removed.stderr, "7c1f3a90 is no longer on this host, the only one\n");
  deepEqual(agent.requests, [
    'POST /keys {"operation":"use","fingerprint":"7c1f3a90","force":false}',
    'POST /keys {"operation":"remove","fingerprint":"02b6d1f0","force":true}',
  ]);
});

Deno.test("what is not complete ends with 1 and names the hosts, what is refused says why", async () => {
  await using agent = new FakeAgent();
  agent.answers.set("POST /keys", { body: INSTALLED_ON_SOME });
  const some = await keys(`install - --run-dir ${agent.runDir}`, { input: KEY });
  equal(some.code, 1);
  equal(
    some.stderr,
    "gossamer: keys install: done on 2 of 3 hosts - repeat it when these are back or mended\n" +
      "  storage-node-3.example  192.168.100.3  it has failed and does not answer\n",
  );
  agent.answers.set("POST /keys", { body: NOT_REMOVED });
  const none = await keys(`remove 02b6d1f0 --run-dir ${agent.runDir}`);
  equal(none.code, 1);
  equal(
    none.stderr,
    "gossamer: keys remove: host storage-node-3.example would be cut off - start it\n" +
      "  storage-node-3.example  192.168.100.3  it has failed and does not answer\n",
  );
  const json = await keys(`remove 02b6d1f0 --json --run-dir ${agent.runDir}`);
  deepEqual([json.code, JSON.parse(json.stdout)], [1, NOT_REMOVED]);
});

Deno.test("what other hosts say cannot command the terminal", async () => {
  await using agent = new FakeAgent();
  const failed = [{ ...INSTALLED_ON_SOME.failed[0], name: "a\x1b[2J", reason: "b\x07\nc" }];
  const refused = { text: "d\x1b[31m", remedy: "e\nf" };
  agent.answers.set("POST /keys", { body: { ...NOT_REMOVED, failed, refused } });
  const { stderr } = await keys(`use 02b6d1f0 --run-dir ${agent.runDir}`);
  // deno-lint-ignore no-control-regex -- they are what must not be there
  doesNotMatch(stderr, /[\x00-\x09\x0b-\x1f]/);
  equal(stderr.trimEnd().split("\n").length, 2);
});

/** A command line that is wrong, and the one line it is answered with. */
const WRONG: readonly (readonly [line: string, says: RegExp])[] = [
  ["lst", /keys: "lst" is no action - did you mean list\?$/],
  ["frobnicate", /"frobnicate" is no action - give generate, list, install, use, remove$/],
  ["use", /use: FINGERPRINT is missing - write gossamer keys use FINGERPRINT$/],
  ["install", /install: FILE is missing - write gossamer keys install FILE$/],
  ["list 7c1f3a90", /list: "7c1f3a90" is one argument too many/],
  ["use 7c1f3a90 x", /use: "x" is one argument too many/],
  ["generate --force", /generate: there is nothing to force - leave --force out$/],
  ["install --force x", /install: there is nothing to force/],
  [
    "use 7c1f",
    /use: "7c1f" is no fingerprint, which has 8 hexadecimal digits - gossamer keys list/,
  ],
  [`remove ${KEY}`, /remove: a text of 44 characters is no fingerprint/],
  [`install ${KEY}`, /a key on the command line can be read by every user here - make another/],
  ["install /nonexistent/new.key", /cannot read \/nonexistent\/new\.key: there is no such file$/],
  ["install /etc", /keys install: cannot read \/etc: Is a directory$/],
];

for (const [line, says] of WRONG) {
  const shown = line.replace(KEY, "KEY");
  Deno.test(`gossamer keys ${shown} is answered in one line that has no key, with exit code 2`, async () => {
    const { code, stdout, stderr } = await keys(line);
    deepEqual([code, stdout], [2, ""]);
    match(stderr, /^gossamer: [^\n]+\n$/);
    match(stderr.trimEnd(), says);
    equal(stderr.includes(KEY), false);
  });
}

Deno.test("standard input that is no single key is refused by its place, and not repeated", async () => {
  const inputs: readonly (readonly [text: string, says: RegExp])[] = [
    ["", /^gossamer: standard input: There is no key in it/],
    ["secret", /^gossamer: standard input, line 1: /],
    [`\n${KEY.slice(4)}`, /^gossamer: standard input, line 2: The key has 29 bytes instead of 32/],
    [`${KEY}\n${OTHER_KEY}\n`, /^gossamer: standard input: there are 2 keys in it - give the new/],
  ];
  for (const [input, says] of inputs) {
    const { code, stderr } = await keys("install -", { input });
    equal(code, 2, stderr);
    match(stderr, says);
    doesNotMatch(stderr, /secret|BwcHBwcH|CAgICAgI/);
  }
});

Deno.test("without an agent, keys says so and ends with 3", async () => {
  for (const line of ["list", "use 7c1f3a90", "remove 7c1f3a90 --force", "install -"]) {
    const { code, stderr } = await keys(`${line} --run-dir /nonexistent`, { input: KEY });
    equal(code, 3, line);
    match(stderr, /^gossamer: no agent is running: /);
  }
});
