/** Whole command lines: what is printed where, and the exit code. */
import { deepEqual, doesNotMatch, equal, match, ok } from "node:assert/strict";
import { READY, SUBNETS, WAITING } from "../../support/documents.ts";
import { runCommandLine } from "../../../mod/cli/command_line.ts";
import { FakeAgent } from "../../support/fake_agent.ts";
import { FakeOutside, type FakeOutsideOptions } from "../../support/fake_outside.ts";

async function gossamer(args: readonly string[], options: FakeOutsideOptions = {}) {
  const outside = new FakeOutside(options);
  const code = await runCommandLine(args, outside);
  return { code, stdout: outside.stdout, stderr: outside.stderr };
}

/** A command line that is wrong, and the one line it is answered with. */
const WRONG: readonly (readonly [line: string, says: RegExp])[] = [
  ["frobnicate", /there is no command "frobnicate" - gossamer --help lists the commands$/],
  ["statsu", /there is no command "statsu" - did you mean status\?$/],
  ["memb", /did you mean members\?$/],
  ["pign h2", /there is no command "pign" - did you mean ping\?$/],
  ["ping", /ping: HOST is missing - for example: gossamer ping h2/],
  ["ping h2 h3", /ping: one host at a time, not h3 as well/],
  ["ping h2 --size 9", /--size: "9" is not a whole number/],
  ["doctor h2", /"h2" is one argument too many/],
  ["doctr", /there is no command "doctr".*doctor/],
  ["--join a", /--join: a flag comes after its command/],
  ["constructor", /there is no command "constructor"/],
  ["up --jion=a", /--jion: there is no such flag - did you mean --join\?$/],
  ["up --frobnicate", /--frobnicate: there is no such flag - see gossamer up --help$/],
  ["up --constructor=x", /--constructor: there is no such flag/],
  ["up --no-bootstrap", /--no-bootstrap: there is no such flag - did you mean --bootstrap\?$/],
  ["up -iface eth0", /-iface: there is no such flag - did you mean --iface\?$/],
  ["up --vni", /--vni: the value is missing - write --vni NUMBER$/],
  ["up --vni --bootstrap", /--vni: the value is missing/],
  ["up --name=", /--name: the value is empty/],
  ["up --join=", /--join: the value is empty/],
  ["up --vni 1 --vni 2", /--vni: given 2 times, as "1" and "2" - give it once$/],
  ["up 10.0.0.1", /"10\.0\.0\.1" is one argument too many/],
  ["up --bootstrap=perhaps", /--bootstrap: found "perhaps", but it is a switch/],
  ["up --vni 0", /--vni: "0" is not a whole number/],
  ["up --http :80", /--http: ":80" names no address - give ADDRESS:PORT/],
  ["up --net-conf /nonexistent", /--net-conf: cannot read \/nonexistent: there is no such file/],
  ["up --udp-port 0", /--udp-port: "0" is not/],
  ["status --jsno", /--jsno: there is no such flag - did you mean --json\?$/],
  ["status now", /"now" is one argument too many/],
  ["status --run-dir", /--run-dir: the value is missing - write --run-dir DIRECTORY$/],
  ["members --status ded", /--status: "ded" is none of alive, suspect, dead, left/],
  ["join", /join: HOST\[:PORT\] is missing - for example: gossamer join/],
  ["join a:99999", /join: "a:99999" has a port/],
  ["config", /config: check FILE \| show is missing - for example: gossamer config check/],
  ["config chekc x", /config: "chekc x" is not understood - write gossamer config check FILE/],
  ["config check", /config check: FILE is missing - for example: gossamer config check/],
  ["config check /dev", /\/dev: is a directory - name the file in it$/],
  ["up --log-level warn", /"warn" is not known - give debug or info or warning or error$/],
  ["config show x", /config: "show x" is not understood/],
  [
    "config check /nonexistent/g.toml",
    /cannot read \/nonexistent\/g\.toml: there is no such file$/,
  ],
  ["leave --relase", /did you mean --release\?$/],
  ["demo --hosts 1", /--hosts: "1" is not a whole number from 2 to 9$/],
  ["cleanup --vni=x --dry-run", /--vni: "x" is not a whole number/],
];

for (const [line, says] of WRONG) {
  Deno.test(`gossamer ${line} is answered in one line, with exit code 2`, async () => {
    // If an agent did start after all, it would find no underlay, and leave this machine alone.
    const variables = { GOSSAMER_IFACE: "nonexistent0" };
    const { code, stdout, stderr } = await gossamer(line.split(" "), { variables });
    equal(code, 2, stderr);
    equal(stdout, "");
    match(stderr, /^gossamer: [^\n]+\n$/);
    match(stderr.trimEnd(), says);
  });
}

Deno.test("alone, with --help, -h or help, the overview goes to standard output", async () => {
  const { stdout } = await gossamer([]);
  match(stdout, /Usage: gossamer COMMAND/);
  for (const args of [["--help"], ["-h"], ["help"]]) {
    deepEqual(await gossamer(args), { code: 0, stdout, stderr: "" });
  }
});

Deno.test("a command explains itself in every spelling that people try", async () => {
  const { stdout } = await gossamer(["up", "--help"]);
  match(stdout, /^Usage: gossamer up/);
  for (const args of [["up", "-h"], ["help", "up"], ["up", "--vni", "3", "--help"]]) {
    deepEqual(await gossamer(args), { code: 0, stdout, stderr: "" });
  }
});

Deno.test("version, and what people try for it", async () => {
  const expected = { code: 0, stdout: "gossamer 0.1.0\n", stderr: "" };
  deepEqual(await gossamer(["version"]), expected);
  deepEqual(await gossamer(["--version"]), expected);
});

Deno.test("a reader who went away ends any command quietly", async () => {
  await using agent = new FakeAgent();
  const options = { outputClosed: true, variables: { GOSSAMER_RUN_DIR: agent.runDir } };
  for (const args of [["--help"], ["up", "-h"], ["version"], ["status"], ["members", "--json"]]) {
    deepEqual(await gossamer(args, options), { code: 0, stdout: "", stderr: "" }, args.join(" "));
  }
});

Deno.test("without an agent, commands end with 3 and say how to start it", async () => {
  const variables = { GOSSAMER_RUN_DIR: "/nonexistent" };
  const lines = ["status", "status --watch", "members", "subnets", "join a", "leave", "ping a"];
  for (const line of lines) {
    const { code, stdout, stderr } = await gossamer(line.split(" "), { variables });
    equal(code, 3, line);
    equal(stdout, "");
    match(
      stderr,
      /^gossamer: no agent is running: .*\/nonexistent\/gossamer\.sock - .*gossamer up/,
    );
  }
});

Deno.test("status prints the document and ends with 0 when the agent is ready", async () => {
  await using agent = new FakeAgent();
  const variables = { GOSSAMER_RUN_DIR: agent.runDir };
  const healthy = {
    ...READY,
    problems: READY.problems.filter((one) => one.severity === "warning"),
  };
  agent.answers.set("GET /status", { body: healthy });
  const text = await gossamer(["status"], { variables });
  equal(text.code, 0);
  match(text.stdout, /Agent: h1 at 192\.168\.100\.1:7947, ready/);
  ok(!text.stdout.includes("\x1b"), "no escape sequences");
  const json = await gossamer(["status", "--json"], { variables });
  equal(json.code, 0);
  deepEqual(JSON.parse(json.stdout), healthy);
  deepEqual(agent.requests, ["GET /status", "GET /status"]);
});

Deno.test("status of an agent that is ready but has an error to report ends with 4", async () => {
  await using agent = new FakeAgent();
  agent.answers.set("GET /status", { body: READY });
  const { code, stdout } = await gossamer(["status", "--run-dir", agent.runDir]);
  equal(code, 4);
  match(stdout, /ready/);
});

Deno.test("status of an agent that is not ready ends with 4, and still prints", async () => {
  await using agent = new FakeAgent();
  agent.answers.set("GET /status", { body: WAITING });
  for (const args of [["status"], ["status", "--json"]]) {
    const { code, stdout } = await gossamer([...args, "--run-dir", agent.runDir]);
    equal(code, 4);
    match(stdout, /no seed answers/);
  }
});

Deno.test("colour is for terminals, unless NO_COLOR or a dumb terminal says no", async () => {
  await using agent = new FakeAgent();
  const colored = async (variables: Record<string, string>, terminal = true) => {
    const all = { GOSSAMER_RUN_DIR: agent.runDir, ...variables };
    const { stdout } = await gossamer(["members"], { variables: all, terminal });
    return stdout.includes("\x1b[");
  };
  equal(await colored({ TERM: "xterm" }), true);
  equal(await colored({ TERM: "xterm", NO_COLOR: "1" }), false);
  equal(await colored({ TERM: "xterm", NO_COLOR: "" }), true);
  equal(await colored({ TERM: "dumb" }), false);
  equal(await colored({ TERM: "xterm" }, false), false);
});

Deno.test("members are filtered by status, in either form", async () => {
  await using agent = new FakeAgent();
  const variables = { GOSSAMER_RUN_DIR: agent.runDir };
  const text = await gossamer(["members", "--status", "dead"], { variables });
  deepEqual(text.stdout.split("\n").map((row) => row.split(/\s+/)[2]), [
    "STATUS",
    "dead",
    undefined,
  ]);
  const args = ["members", "--json", "--status=dead,left"];
  const json = JSON.parse((await gossamer(args, { variables })).stdout);
  equal(json.schema, 1);
  deepEqual(json.members.map((member: { name: string }) => member.name), [
    "storage-node-3.example",
    "h5",
  ]);
});

Deno.test("subnets come as a list, a map or JSON", async () => {
  await using agent = new FakeAgent();
  const variables = { GOSSAMER_RUN_DIR: agent.runDir };
  match((await gossamer(["subnets"], { variables })).stdout, /^SUBNET +OWNER +STATE +SINCE\n/);
  match((await gossamer(["subnets", "--map"], { variables })).stdout, /a cell is a \/24/);
  const json = await gossamer(["subnets", "--json"], { variables });
  deepEqual(JSON.parse(json.stdout), SUBNETS);
});

Deno.test("join sends the seeds, split at commas, and says so on standard error", async () => {
  await using agent = new FakeAgent();
  const result = await gossamer(["join", "--run-dir", agent.runDir, "a,b:1", "10.0.0.9"]);
  deepEqual(agent.requests, ['POST /join {"seeds":["a","b:1","10.0.0.9"]}']);
  deepEqual([result.code, result.stdout], [0, ""]);
  match(result.stderr, /^joining 10\.0\.0\.9 - /);
});

Deno.test("leave asks for release only when told to", async () => {
  await using agent = new FakeAgent();
  const release = await gossamer(["leave", "--release", "--run-dir", agent.runDir]);
  equal(release.stderr, "left the cluster; 10.244.7.0/24 is released\n");
  agent.answers.set("POST /leave", { body: { released: null } });
  const stay = await gossamer(["leave", "--run-dir", agent.runDir]);
  match(stay.stderr, /the overlay stays up\n$/);
  deepEqual(agent.requests, ['POST /leave {"release":true}', 'POST /leave {"release":false}']);
});

Deno.test("forget names each host, with force only when told to", async () => {
  await using agent = new FakeAgent();
  const result = await gossamer(["forget", "h3", "--run-dir", agent.runDir]);
  equal(result.stderr, "h3 (192.168.100.3:7947) is forgotten\n");
  const body = { id: "3d", name: "h3", address: "192.168.100.3:7947", status: "left" };
  agent.answers.set("POST /forget", { body });
  const forced = await gossamer(["forget", "--force", "a", "b", "--run-dir", agent.runDir]);
  match(forced.stderr, /^(h3 \(192\.168\.100\.3:7947\) had left already\n){2}$/);
  deepEqual(agent.requests, [
    'POST /forget {"host":"h3","force":false}',
    'POST /forget {"host":"a","force":true}',
    'POST /forget {"host":"b","force":true}',
  ]);
});

Deno.test("the agent's refusal is passed on with its remedy", async () => {
  await using agent = new FakeAgent();
  const body = { error: "this host has left", remedy: "start it again" };
  agent.answers.set("POST /join", { status: 400, body });
  const result = await gossamer(["join", "a", "--run-dir", agent.runDir]);
  equal(result.code, 1);
  equal(result.stderr, "gossamer: the agent refused: this host has left - start it again\n");
});

Deno.test("an answer of another schema is refused, naming what is wrong with it", async () => {
  await using agent = new FakeAgent();
  const variables = { GOSSAMER_RUN_DIR: agent.runDir };
  agent.answers.set("GET /status", { body: { ...READY, schema: 2 } });
  const schema = await gossamer(["status"], { variables });
  equal(schema.code, 1);
  match(schema.stderr, /^gossamer: the agent's status cannot be understood: schema: .*2/);
  agent.answers.set("GET /status", { body: { ...READY, ready: "yes" } });
  match((await gossamer(["status"], { variables })).stderr, /cannot be understood: ready: /);
  agent.answers.set("GET /status", { body: "hello" });
  match((await gossamer(["status"], { variables })).stderr, /something that is not JSON/);
});

Deno.test("a broken configuration file does not keep anybody from asking for the status", async () => {
  const path = Deno.makeTempFileSync({ suffix: ".toml" });
  try {
    Deno.writeTextFileSync(path, "vnni = 7\n");
    const { code, stderr } = await gossamer(["status"], { variables: { GOSSAMER_CONFIG: path } });
    equal(code, 3);
    match(stderr, /^gossamer: warning: .*vnni: is not a known key; using \/run\/gossamer\n/);
  } finally {
    Deno.removeSync(path);
  }
});

Deno.test("up is refused by a bad file with the place in it", async () => {
  const path = Deno.makeTempFileSync({ suffix: ".toml" });
  try {
    Deno.writeTextFileSync(path, "gossip-port = 99999\n");
    const { code, stderr } = await gossamer(["up", "--config", path]);
    equal(code, 2);
    equal(
      stderr,
      `gossamer: ${path}:1: gossip-port: "99999" is not a whole number from 1 to 65535\n`,
    );
  } finally {
    Deno.removeSync(path);
  }
});

Deno.test("cleanup is refused while an agent answers", async () => {
  await using agent = new FakeAgent();
  const { code, stdout, stderr } = await gossamer(["cleanup", "--run-dir", agent.runDir]);
  // Without the privilege that is what is said first.
  if (code !== 5) equal(code, 1);
  equal(stdout, "");
  match(stderr, /an agent is running|CAP_NET_ADMIN/);
});

Deno.test("watching draws on a screen of its own and gives it back", async () => {
  await using agent = new FakeAgent();
  const variables = { GOSSAMER_RUN_DIR: agent.runDir, TERM: "xterm" };
  const onTick = (tick: number) => {
    if (tick === 1) agent.answers.set("GET /status", { body: WAITING });
    if (tick === 2) agent.answers.set("GET /status", { status: 500, body: { error: "broken" } });
  };
  const options = { variables, terminal: true, rows: 10, ticks: 3, onTick };
  const { code, stdout } = await gossamer(["status", "--watch"], options);
  equal(code, 1, "that of the last picture");
  equal(stdout.startsWith("\x1b[?1049h"), true);
  equal(stdout.endsWith("\x1b[?1049l"), true);
  const frames = stdout.split("\x1b[H").slice(1);
  equal(frames.length, 3);
  match(frames[0] ?? "", /ready/);
  match(frames[1] ?? "", /not ready/);
  match(frames[2] ?? "", /the agent refused: broken/);
  for (const frame of frames) equal(frame.split("\r\n").length <= 10, true, "it fits the rows");
  match(frames[0] ?? "", /Ctrl-C ends it; \d+ lines below do not fit/);
  doesNotMatch(frames[2] ?? "", /fit/);
});

Deno.test("watching without a terminal prints one picture after the other, or JSON lines", async () => {
  await using agent = new FakeAgent();
  const variables = { GOSSAMER_RUN_DIR: agent.runDir };
  const text = await gossamer(["status", "--watch"], { variables, ticks: 2 });
  equal(text.stdout.match(/Agent: h1/g)?.length, 2);
  ok(!text.stdout.includes("\x1b"), "no escape sequences");
  const json = await gossamer(["status", "--watch", "--json"], { variables, ticks: 2 });
  deepEqual(json.stdout.trimEnd().split("\n").map((row) => JSON.parse(row)), [READY, READY]);
});

Deno.test("config check says whether a file is right, whatever the environment says", async () => {
  const path = Deno.makeTempFileSync({ suffix: ".toml" });
  const variables = { GOSSAMER_VNI: "0" };
  try {
    Deno.writeTextFileSync(path, 'vni = 7\njoin = ["a"]\n');
    const right = await gossamer(["config", "check", path], { variables });
    deepEqual([right.code, right.stdout], [0, ""]);
    match(right.stderr, /is right; it sets 2 of \d+ settings\n$/);
    Deno.writeTextFileSync(path, 'network = "10.0.0.0/8"\nsubnet = "10.0.0.0/16"\n');
    const wrong = await gossamer(["config", "check", path], { variables });
    equal(wrong.code, 2);
    match(wrong.stderr, /\.toml:2: subnet: 10\.0\.0\.0\/16 has prefix length 16/);
  } finally {
    Deno.removeSync(path);
  }
});

Deno.test("config show prints a file that means the same, and where each value comes from", async () => {
  const path = Deno.makeTempFileSync({ suffix: ".toml" });
  try {
    const hook = 'echo "a\\b" # not a comment';
    const text = `vni = 7\njoin = ["a", "b:3"]\non-renumber = ${JSON.stringify(hook)}\n`;
    Deno.writeTextFileSync(path, text);
    const variables = { GOSSAMER_MTU: "1400", GOSSAMER_CONFIG: path };
    const shown = await gossamer(["config", "show"], { variables });
    equal(shown.code, 0);
    match(shown.stdout, /^vni = 7 +# .*\.toml:1: vni$/m);
    match(shown.stdout, /^mtu = 1400 +# GOSSAMER_MTU; reloads$/m);
    match(shown.stdout, /^gossip-port = 7947 +# default$/m);
    match(shown.stdout, /^# name +# the host name$/m);
    const json = await gossamer(["config", "show", "--json"], { variables });
    Deno.writeTextFileSync(path, shown.stdout);
    const again = await gossamer(["config", "show", "--config", path, "--json"]);
    const values = (text: string) =>
      JSON.parse(text).settings.map(({ name, value }: { name: string; value: unknown }) => [
        name,
        value,
      ]);
    deepEqual(values(again.stdout), values(json.stdout));
    deepEqual(new Map(values(again.stdout)).get("on-renumber"), hook);
  } finally {
    Deno.removeSync(path);
  }
});
