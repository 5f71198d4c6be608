/** main.ts as a process: exit codes arrive, data and talk go their ways, a closed pipe is no error. */
import { deepEqual, equal, match } from "node:assert/strict";

const main = new URL("../../../main.ts", import.meta.url).pathname;

function start(...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", "--unstable-net", main, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
}

async function run(...args: string[]) {
  const { code, stdout, stderr } = await start(...args).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("data goes to standard output and exit code 0 arrives", async () => {
  deepEqual(await run("version"), { code: 0, stdout: "gossamer 0.1.0\n", stderr: "" });
});

Deno.test("errors go to standard error and exit code 2 arrives", async () => {
  const { code, stdout, stderr } = await run("up", "--vni=0");
  deepEqual([code, stdout], [2, ""]);
  match(stderr, /^gossamer: --vni: [^\n]*\n$/);
});

Deno.test("a reader that goes away before the first line is no error", async () => {
  const child = start("up", "--help");
  await child.stdout.cancel();
  const talk = await new Response(child.stderr).text();
  equal((await child.status).code, 0);
  equal(talk, "");
});

Deno.test("a listener of standard error that goes away does not change the exit code", async () => {
  const child = start("up", "--vni=0");
  await Promise.all([child.stderr.cancel(), child.stdout.cancel()]);
  equal((await child.status).code, 2);
});

Deno.test("a full disk under standard output is told in one line, with exit code 1", async () => {
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", 'exec "$0" run -A --no-check --quiet --unstable-net "$1" version >/dev/full']
      .concat(
        Deno.execPath(),
        main,
      ),
    stdin: "null",
    stderr: "piped",
  }).spawn();
  const talk = await new Response(child.stderr).text();
  equal((await child.status).code, 1);
  equal(talk, "gossamer: the output cannot be written: No space left on device\n");
});

Deno.test("standard input is read to its end, and no further than a key file can be long", async () => {
  const answers: string[] = [];
  for (const input of [`${new Uint8Array(32).toBase64()}\n`, "#".repeat(200_000)]) {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--quiet", "--unstable-net", main]
        .concat("keys", "install", "-", "--run-dir", "/nonexistent"),
      stdin: "piped",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {});
    const { code, stderr } = await child.output();
    answers.push(`${code} ${new TextDecoder().decode(stderr)}`);
  }
  match(answers[0] ?? "", /^3 gossamer: no agent is running/);
  match(answers[1] ?? "", /^2 gossamer: standard input is longer than 65536 characters/);
});
