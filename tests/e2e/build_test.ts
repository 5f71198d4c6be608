/**
 * The single file on this machine: a small program is built into it exactly as main.ts is, and the
 * file is started in the ways users, services and container runtimes start it.
 */
import assert from "node:assert/strict";
import { build } from "../../scripts/build.ts";
import { portable, renamed } from "../../scripts/build/bundle.ts";
import { sha256 } from "../../scripts/build/runtime.ts";

const PROGRAM = `
const [mode, ...rest]: string[] = Deno.args;
if (mode === "echo") {
  const stdin = await new Response(Deno.stdin.readable).text();
  console.log(JSON.stringify({ rest, stdin, pid: Deno.pid, env: Deno.env.toObject() }));
  console.error("on stderr");
  Deno.exit(42);
}
if (mode === "wait") {
  Deno.addSignalListener("SIGTERM", () => Deno.exit(7));
  console.log(Deno.pid);
  setInterval(() => {}, 1000);
}
if (mode === "hello") {
  console.log("hello", rest.join(" "));
  Deno.exit(0);
}
if (mode === "rare") {
  const { rare } = await import("./rare.ts");
  console.log(rare(rest.length));
}
`;

/** What only one command needs. */
const RARE = `
export function rare(count: number): string {
  return new Error("rare " + count).stack ?? "";
}
`;

const OTHER_VERSION = "0123456789abcdef";

const repository = new URL("../..", import.meta.url).pathname;
const decoder = new TextDecoder();

let folder = "";
/** The built file, and a runtime directory in which it is unpacked already. */
let file = "";
let ready = "";

Deno.test.beforeAll(async () => {
  folder = await Deno.makeTempDir({ prefix: "gossamer-build-test-" });
  file = await buildProgram("gossamer", PROGRAM);
  ready = `${folder}/cache/gossamer`;
  const first = await run(file, ["hello", "first"], { GOSSAMER_RUNTIME_DIR: ready });
  assert.deepEqual(first, { code: 0, stdout: "hello first\n", stderr: "" });
});

Deno.test.afterAll(async () => {
  await Deno.remove(folder, { recursive: true });
});

/** Builds `source` to a file of the temporary folder; the packed runtime is that of `deno task build`. */
async function buildProgram(name: string, source: string): Promise<string> {
  const entry = `${folder}/program.ts`;
  const output = `${folder}/${name}`;
  await Deno.writeTextFile(entry, source);
  await Deno.writeTextFile(`${folder}/rare.ts`, RARE);
  await build({ entry, output, form: "launcher", cacheFolder: `${repository}dist` });
  return output;
}

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

async function run(
  command: string,
  args: string[],
  env: Record<string, string>,
  options: { cwd?: string; stdin?: string } = {},
): Promise<Outcome> {
  const child = new Deno.Command(command, {
    args,
    clearEnv: true,
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: `${folder}/home`, ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  }).spawn();
  const writer = child.stdin.getWriter();
  // A launcher that fails does not read; its closed pipe is no failure of the test.
  await writer.write(new TextEncoder().encode(options.stdin ?? "")).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

async function names(path: string): Promise<string[]> {
  const found = [];
  for await (const entry of Deno.readDir(path)) found.push(entry.name);
  return found.sort();
}

/** The one version below a runtime directory. */
async function version(base: string): Promise<string> {
  const [name, ...others] = await names(base);
  assert.ok(name !== undefined && others.length === 0, `one version expected in ${base}`);
  return `${base}/${name}`;
}

/**
 * A new runtime directory with a copy of this version, or of its runtime under the name of another
 * version, that takes no room and little time: hard links.
 */
async function linkedRuntime(
  name: string,
  other?: string,
): Promise<{ base: string; home: string }> {
  const source = await version(ready);
  const base = `${folder}/${name}`;
  const home = other === undefined ? source.replace(ready, base) : `${base}/${other}`;
  await Deno.mkdir(`${home}/cache`, { recursive: true });
  for (const part of await names(source)) {
    if (part !== "cache") await Deno.link(`${source}/${part}`, `${home}/${part}`);
  }
  return { base, home };
}

Deno.test("arguments, stdin, environment and exit code pass through unchanged", async () => {
  const rest = ["", "a b", "--", "-A", "--version", "$HOME", "quote'\"", "line\nbreak", "ü"];
  const { code, stdout, stderr } = await run(file, ["echo", ...rest], {
    GOSSAMER_RUNTIME_DIR: ready,
    NEWLINE: "first\nsecond \"'`$(false)",
    home: "not ours",
  }, { stdin: "some input\n" });
  const seen = JSON.parse(stdout);
  assert.deepEqual(seen.rest, rest);
  assert.equal(seen.stdin, "some input\n");
  assert.equal(seen.env.NEWLINE, "first\nsecond \"'`$(false)");
  assert.equal(seen.env.home, "not ours");
  assert.equal(seen.env.GOSSAMER_EXECUTABLE, file);
  assert.equal(stderr, "on stderr\n");
  assert.equal(code, 42);
});

Deno.test("the program has the process id of the launcher, and signals reach it", async () => {
  const child = new Deno.Command(file, {
    args: ["wait"],
    env: { GOSSAMER_RUNTIME_DIR: ready },
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const line = decoder.decode((await reader.read()).value);
  child.kill("SIGTERM");
  const { code } = await child.status;
  await reader.cancel();
  assert.equal(line, `${child.pid}\n`);
  assert.equal(code, 7);
});

Deno.test("eight first starts at once succeed and leave one version and nothing else", async () => {
  const base = `${folder}/eight`;
  const starts = Array.from(
    { length: 8 },
    (_, i) => run(file, ["hello", `${i}`], { GOSSAMER_RUNTIME_DIR: base }),
  );
  const outcomes = await Promise.all(starts);
  const expected = outcomes.map((_, i) => ({ code: 0, stdout: `hello ${i}\n`, stderr: "" }));
  assert.deepEqual(outcomes, expected);
  assert.deepEqual(await names(base), await names(ready));
});

Deno.test("a later start runs no other command and writes nothing but V8's code cache", async () => {
  const home = await version(ready);
  const facts = async () => {
    const all = [];
    for (const path of [ready, home, `${home}/gossamer`, `${home}/gossamer.js`]) {
      const { ino, mtime, ctime } = await Deno.stat(path);
      all.push({ path, ino, mtime, ctime });
    }
    return all;
  };
  const before = await facts();
  // Without PATH no command but those built into the shell can be started.
  const later = await run(file, ["hello"], { GOSSAMER_RUNTIME_DIR: ready, PATH: "/nowhere" });
  assert.deepEqual(later, { code: 0, stdout: "hello \n", stderr: "" });
  assert.deepEqual(await facts(), before);
});

Deno.test("the first start leaves the program's compiled code for the later ones", async () => {
  const home = await version(ready);
  const cache = `${home}/cache/v8_code_cache_v2`;
  const parts = [cache, `${cache}-wal`].map((path) => Deno.readTextFile(path));
  const text = (await Promise.all(parts)).join("");
  for (const name of ["gossamer.js", "rare.js"]) assert.ok(text.includes(`file://${home}/${name}`));
});

Deno.test("what only one command needs is a module of its own, named in stack traces", async () => {
  const home = await version(ready);
  const { code, stdout } = await run(file, ["rare", "a", "b"], { GOSSAMER_RUNTIME_DIR: ready });
  assert.equal(code, 0);
  assert.match(stdout, /^Error: rare 2\n {4}at rare \(file:\/\/.*\/rare\.js:1:\d+\)\n/);
  assert.ok(!(await Deno.readTextFile(`${home}/gossamer.js`)).includes("rare 2"));
});

Deno.test("every POSIX shell of this machine runs the launcher", async () => {
  const shells = [["/bin/sh"], ["dash"], ["bash"], ["busybox", "ash"]];
  for (const [shell = "", ...args] of shells) {
    const { base } = await linkedRuntime(`shell ${shell}`, OTHER_VERSION);
    for (const start of ["first", "later"]) {
      try {
        const outcome = await run(shell, [...args, file, "hello", start], {
          GOSSAMER_RUNTIME_DIR: base,
        });
        assert.deepEqual(outcome, { code: 0, stdout: `hello ${start}\n`, stderr: "" }, shell);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
  }
});

Deno.test("a path with spaces, a link, PATH and a relative path all find the file", async () => {
  const spaced = `${folder}/with some 'spaces'`;
  await Deno.mkdir(spaced);
  await Deno.link(file, `${spaced}/gossamer`);
  const { base } = await linkedRuntime("run 'time'", OTHER_VERSION);
  await Deno.symlink(`${spaced}/gossamer`, `${spaced}/link`);
  const ways: [string, string[], string][] = [
    [`${spaced}/gossamer`, [], `${spaced}/gossamer`],
    [`${spaced}/link`, [], `${spaced}/link`],
    ["sh", ["-c", 'gossamer "$@"', "sh"], `${spaced}/gossamer`],
    ["sh", ["-c", './link "$@"', "sh"], `${spaced}/link`],
    ["sh", ["-c", 'cd .. && "${OLDPWD##*/}/link" "$@"', "sh"], `${spaced}/link`],
    ["sh", ["gossamer"], `${spaced}/gossamer`],
  ];
  for (const [command, args, expected] of ways) {
    const env = { PATH: `/usr/bin:/bin:${spaced}`, GOSSAMER_RUNTIME_DIR: base };
    const outcome = await run(command, [...args, "echo"], env, { cwd: spaced });
    assert.equal(outcome.code, 42, outcome.stderr);
    assert.equal(JSON.parse(outcome.stdout).env.GOSSAMER_EXECUTABLE, expected);
  }
});

Deno.test("a damaged file is refused by name and leaves nothing behind", async () => {
  const damaged = `${folder}/damaged`;
  const base = `${folder}/damaged runtime`;
  const bytes = await Deno.readFile(file);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await Deno.writeFile(damaged, bytes, { mode: 0o755 });
  const outcome = await run(damaged, ["hello"], { GOSSAMER_RUNTIME_DIR: base });
  assert.equal(outcome.code, 1);
  assert.equal(
    outcome.stderr,
    `gossamer: ${damaged} is damaged (the packed part has changed); copy or download it again\n`,
  );
  assert.deepEqual(await names(base), []);
});

Deno.test("a file cut short is refused by name and size", async () => {
  const cut = `${folder}/cut`;
  const bytes = await Deno.readFile(file);
  await Deno.writeFile(cut, bytes.subarray(0, 20_000_000), { mode: 0o755 });
  const outcome = await run(cut, ["hello"], { GOSSAMER_RUNTIME_DIR: `${folder}/never` });
  assert.equal(outcome.code, 1);
  assert.equal(
    outcome.stderr,
    `gossamer: ${cut} is damaged (20000000 bytes instead of ${bytes.length}); ` +
      "copy or download it again\n",
  );
});

Deno.test("leftovers of unpackings that were killed go, of running ones they stay", async () => {
  const { base } = await linkedRuntime("leftovers", OTHER_VERSION);
  const own = (await Deno.readLink("/proc/self/ns/pid")).replace(/\D/g, "");
  const boot = (await Deno.readTextFile("/proc/sys/kernel/random/boot_id")).split("-")[0];
  // A process that has ended, and this one, which has not.
  const ended = new Deno.Command("true").spawn();
  await ended.status;
  const dead = `.unpack.${own}-${boot}.${ended.pid}`;
  const alive = `.unpack.${own}-${boot}.${Deno.pid}`;
  const elsewhere = `.unpack.1-${boot}.${ended.pid}`;
  const old = `.unpack.2-${boot}.${Deno.pid}`;
  for (const name of [dead, alive, elsewhere, old]) {
    await Deno.mkdir(`${base}/${name}`, { recursive: true });
    await Deno.writeTextFile(`${base}/${name}/gossamer`, "half");
  }
  await Deno.utime(`${base}/${old}`, new Date(0), new Date(0));
  assert.equal((await run(file, ["hello"], { GOSSAMER_RUNTIME_DIR: base })).code, 0);
  const versions = [OTHER_VERSION, ...await names(ready)];
  assert.deepEqual(await names(base), [alive, elsewhere, ...versions].sort());
});

Deno.test("a version with a missing part is unpacked again", async () => {
  const { base, home } = await linkedRuntime("incomplete");
  await Deno.remove(`${home}/gossamer.js`);
  const outcome = await run(file, ["hello", "again"], { GOSSAMER_RUNTIME_DIR: base });
  assert.deepEqual(outcome, { code: 0, stdout: "hello again\n", stderr: "" });
  assert.ok(!(await names(home)).includes("broken"));
});

Deno.test("a second version shares the runtime of the first", async () => {
  const { base, home } = await linkedRuntime("versions");
  const next = await buildProgram("next", `console.log("next");`);
  const outcome = await run(next, [], { GOSSAMER_RUNTIME_DIR: base });
  assert.deepEqual(outcome, { code: 0, stdout: "next\n", stderr: "" });
  const homes = (await names(base)).map((name) => `${base}/${name}`);
  assert.equal(homes.length, 2);
  const inodes = await Promise.all(
    homes.map(async (at) => (await Deno.stat(`${at}/gossamer`)).ino),
  );
  assert.equal(inodes[0], inodes[1], `${home} holds a copy`);
});

Deno.test("versions that nothing runs go when another is unpacked", async () => {
  const base = `${folder}/retired`;
  const [unused, running, fresh] = ["0aaaaaaaaaaaaaaa", "0bbbbbbbbbbbbbbb", "0ccccccccccccccc"];
  for (const name of [unused, running, fresh]) await linkedRuntime("retired", name);
  for (const name of [unused, running]) await Deno.utime(`${base}/${name}`, 0, 0);
  const child = new Deno.Command(`${base}/${running}/gossamer`, {
    args: ["eval", "setInterval(() => {}, 1000)"],
    stdin: "null",
  }).spawn();
  try {
    const outcome = await run(file, ["hello"], { GOSSAMER_RUNTIME_DIR: base });
    assert.deepEqual(outcome, { code: 0, stdout: "hello \n", stderr: "" });
    assert.deepEqual(await names(base), [running, fresh, ...await names(ready)].sort());
  } finally {
    child.kill();
    await child.status;
  }
});

/** Runs the file in a mount namespace prepared by `mounts`, where /var/cache is the ready runtime. */
async function runMounted(mounts: string, base: string): Promise<Outcome> {
  const script = `set -e; mount --bind ${folder}/cache /var/cache; ${mounts}; exec "$@"`;
  const args = ["-m", "sh", "-c", script, "sh", file, "hello", "mounted"];
  return await run("unshare", args, { GOSSAMER_RUNTIME_DIR: base, TMPDIR: `${base}/tmp` });
}

async function whyNoMounts(): Promise<string | undefined> {
  const probe = new Deno.Command("unshare", { args: ["-m", "mount", "-t", "tmpfs", "t", "/mnt"] });
  try {
    const { success, stderr } = await probe.output();
    return success ? undefined : decoder.decode(stderr).trim();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const noMounts = await whyNoMounts();
const mountedTest = (name: string, fn: () => Promise<void>) =>
  Deno.test({
    name: noMounts === undefined ? name : `${name} (left out, no private mounts: ${noMounts})`,
    ignore: noMounts !== undefined,
    fn,
  });

mountedTest(
  "a place that is read-only, noexec or full is named and the next one used",
  async () => {
    const places = [
      ["-o ro", "Read-only file system|not writable"],
      ["-o noexec", "programs cannot be started there"],
      ["-o size=20m", "No space left on device"],
    ];
    for (const [options, reason] of places) {
      const base = `${folder}/place ${options}`;
      await Deno.mkdir(base);
      const outcome = await runMounted(`mount -t tmpfs ${options} tmpfs '${base}'`, base);
      assert.equal(outcome.stdout, "hello mounted\n", outcome.stderr);
      assert.equal(outcome.code, 0);
      const line = `^gossamer: GOSSAMER_RUNTIME_DIR is not used: ${base}: .*(${reason}).*\n$`;
      assert.match(outcome.stderr, new RegExp(line));
    }
  },
);

mountedTest(
  "where no place works, one error lists them all with reasons and a remedy",
  async () => {
    const base = `${folder}/nowhere`;
    await Deno.mkdir(base);
    const mounts = [
      `mount -t tmpfs -o noexec,mode=755 tmpfs ${base}`,
      "mount -t tmpfs -o ro tmpfs /var/cache",
      `mkdir ${base}/tmp ${folder}/home`,
      `mount -t tmpfs -o size=20m,mode=755 tmpfs ${folder}/home`,
    ];
    const { code, stdout, stderr } = await runMounted(mounts.join("; "), base);
    assert.equal(code, 1);
    assert.equal(stdout, "");
    const said = stderr.split("\n").slice(1);
    assert.match(
      said[0] ?? "",
      /^gossamer: found no place to unpack its runtime \(\d+ MB\)\. Tried:$/,
    );
    assert.ok(said[1]?.startsWith(`  ${base}: programs cannot be started there`), stderr);
    assert.match(said[2] ?? "", /^ {2}\/var\/cache\/gossamer: .*Read-only file system$/);
    assert.equal(
      said[3],
      `  ${folder}/home/.cache/gossamer: gzip: stdout: No space left on device`,
    );
    assert.match(said[4] ?? "", /tmp\/gossamer-0: programs cannot be started there/);
    assert.match(said[5] ?? "", /^ {2}Set GOSSAMER_RUNTIME_DIR to a writable directory/);
  },
);

mountedTest("a runtime unpacked before works from a read-only file system", async () => {
  const { base, home } = await linkedRuntime("read only");
  const mounts = `mount --bind '${base}' '${base}'; mount -o remount,bind,ro '${base}'`;
  const outcome = await runMounted(mounts, base);
  assert.deepEqual(outcome, { code: 0, stdout: "hello mounted\n", stderr: "" });
  assert.deepEqual(await names(`${home}/cache`), []);
});

mountedTest("a running unpacking is left alone where /proc shows other process ids", async () => {
  const { base } = await linkedRuntime("pid namespace", OTHER_VERSION);
  // In a pid namespace under the /proc of another one: a process whose own id is unknown there.
  const script = `set -e
    while sleep 600 & test -d /proc/$!; do kill $!; done
    namespace=$(readlink /proc/self/ns/pid | tr -dc 0-9)
    IFS=- read -r boot _ </proc/sys/kernel/random/boot_id
    mkdir "$0/.unpack.$namespace-$boot.$!"
    "$@"
    test -d "$0/.unpack.$namespace-$boot.$!"`;
  const args = ["--pid", "--fork", "sh", "-c", script, base, file, "hello", "inside"];
  const outcome = await run("unshare", args, { GOSSAMER_RUNTIME_DIR: base });
  assert.deepEqual(outcome, { code: 0, stdout: "hello inside\n", stderr: "" });
});

mountedTest("a directory that others can write is not trusted", async () => {
  const base = `${folder}/open`;
  await Deno.mkdir(base);
  await Deno.chmod(base, 0o777);
  const outcome = await runMounted("true", base);
  assert.equal(outcome.stdout, "hello mounted\n");
  assert.match(outcome.stderr, /open: .*open can be written by every user\n$/);
  assert.deepEqual(await names(base), []);
});

Deno.test("equal sources give equal bytes", async () => {
  const again = await buildProgram("again", PROGRAM);
  assert.equal(sha256(await Deno.readFile(again)), sha256(await Deno.readFile(file)));
});

Deno.test("modules are named by where they are used, not by the bundler's hashes", () => {
  const made = new Map([
    ["part-BBBBBBBB.js", "b"],
    [
      "main.js",
      'import"./chunk-CCCCCCCC.js";import("./part-AAAAAAAA.js");import("./part-BBBBBBBB.js")',
    ],
    ["part-AAAAAAAA.js", 'import"./chunk-CCCCCCCC.js"'],
    ["chunk-CCCCCCCC.js", "c"],
    ["forgotten-DDDDDDDD.js", "d"],
  ]);
  assert.deepEqual([...renamed(made, "main.js")], [
    // Deno does not foresee what the entry may import later, and so does not read it at every start.
    [
      "gossamer.js",
      'import"./chunk.js";import((name=>name)("./part.js"));import((name=>name)("./part2.js"))',
    ],
    ["chunk.js", "c"],
    ["part.js", 'import"./chunk.js"'],
    ["part2.js", "b"],
  ]);
});

Deno.test("paths of the build machine do not get into the bundle", () => {
  const cache = "../../home/me/.cache/deno/npm/registry.example.org";
  assert.equal(portable(`// ${cache}/cbor-x/1.6.9/x.js`), "// npm/cbor-x/1.6.9/x.js");
  assert.equal(portable(`"${cache}/@s/core/1.3.0/x.js"(a)`), `"npm/@s/core/1.3.0/x.js"(a)`);
  assert.equal(portable(`see "npm/a/b" and /npm/x/y`), `see "npm/a/b" and /npm/x/y`);
});
