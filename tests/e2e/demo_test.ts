/** `gossamer demo` as a stranger runs it: as root, and without root where the machine allows it. */
import assert from "node:assert/strict";
import { mayMakeNamespaces } from "../../mod/lab/privilege.ts";
import { builtExecutable } from "./executable.ts";

const ignore = !mayMakeNamespaces();
const NOBODY = 65534;

/** Util-linux makes the surroundings of some tests; a machine with nothing but Node.js may lack it. */
function lacks(...programs: readonly string[]): boolean {
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  const isThere = (path: string) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  };
  return programs.some((name) => !folders.some((folder) => isThere(`${folder}/${name}`)));
}

Deno.test({ name: "the demo holds and leaves nothing behind", ignore, fn: () => runDemo({}) });

Deno.test({
  name: "the demo runs with two hosts",
  ignore,
  fn: () => runDemo({ args: ["--hosts", "2"] }),
});

Deno.test({
  name: "without root the demo runs in a user namespace, or says what is missing",
  ignore,
  async fn() {
    using folder = new TemporaryFolder();
    const { code, stdout, stderr } = await demo({
      uid: NOBODY,
      // The file has been unpacked by root; nobody has no home to unpack it into.
      env: {
        GOSSAMER_RUNTIME_DIR: "/var/cache/gossamer",
        HOME: "/nonexistent",
        TMPDIR: folder.path,
      },
    });
    if (code === 5) {
      assert.match(stderr, /root/);
      assert.equal(stderr.trimEnd().split("\n").length <= 2, true, stderr);
    } else {
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /Everything held/);
    }
  },
});

Deno.test({
  name: "without root and without unshare the demo says what it needs",
  ignore,
  async fn() {
    using folder = new TemporaryFolder();
    for (const { name } of Deno.readDirSync("/usr/bin")) {
      if (name !== "unshare") Deno.symlinkSync(`/usr/bin/${name}`, `${folder.path}/${name}`);
    }
    const { code, stdout, stderr } = await demo({
      uid: NOBODY,
      env: { GOSSAMER_RUNTIME_DIR: "/var/cache/gossamer", PATH: folder.path },
    });
    assert.equal(code, 5, stdout + stderr);
    assert.match(stderr, /need root.*util-linux.*sudo/s);
    assert.equal(stdout, "");
  },
});

Deno.test({
  name: "the root of a user namespace that cannot return to its network gets a new one",
  ignore: ignore || lacks("unshare"),
  async fn() {
    using folder = new TemporaryFolder();
    const { code, stdout, stderr } = await demo({
      prefix: ["unshare", "--user", "--map-root-user"],
      env: { TMPDIR: folder.path },
    });
    if (code === 5) return assert.match(stderr, /^gossamer: this root may not make/);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /Everything held/);
    assert.deepEqual(folder.names(), []);
  },
});

Deno.test({
  name: "with read-only kernel parameters, as in a container, the demo says so before it starts",
  ignore: ignore || lacks("unshare", "mount"),
  async fn() {
    using folder = new TemporaryFolder();
    const readOnly = "mount --bind /proc/sys /proc/sys && " +
      'mount -o remount,bind,ro /proc/sys && exec "$@"';
    const { code, stdout, stderr } = await demo({
      prefix: ["unshare", "--mount", "--propagation", "private", "sh", "-c", readOnly, "sh"],
      env: { TMPDIR: folder.path },
    });
    assert.equal(code, 5, stdout + stderr);
    assert.match(stderr, /ip_forward cannot be written: Read-only file system - .*--privileged\n$/);
    assert.equal(stdout, "");
    assert.deepEqual(folder.names(), []);
  },
});

Deno.test({
  name: "a demo that is interrupted ends at once and leaves nothing behind",
  ignore,
  async fn() {
    using folder = new TemporaryFolder();
    const child = new Deno.Command(await builtExecutable(), {
      args: ["demo"],
      env: { TMPDIR: folder.path },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    reader.releaseLock();
    child.kill("SIGINT");
    const { code, stdout } = await child.output();
    assert.equal(code, 1);
    assert.match(new TextDecoder().decode(stdout), /Interrupted/);
    assert.doesNotMatch(new TextDecoder().decode(stdout), /FAILED/);
    assert.deepEqual(folder.names(), []);
  },
});

interface Run {
  /** Starts the demo through another program. */
  readonly prefix?: readonly string[];
  readonly args?: readonly string[];
  readonly uid?: number;
  readonly env?: Record<string, string>;
}

async function runDemo(run: Run): Promise<void> {
  using folder = new TemporaryFolder();
  const { code, stdout, stderr } = await demo({ ...run, env: { TMPDIR: folder.path } });
  assert.equal(code, 0, stdout + stderr);
  assert.equal(stderr, "");
  assert.match(stdout, /Everything held/);
  assert.match(stdout, /pings through kill and restart, 0 lost/);
  assert.match(stdout, /its subnet\.env has not changed by a byte/);
  assert(!stdout.includes("\x1b"), "no colour where nobody sees it");
  assert.deepEqual(folder.names(), []);
}

async function demo({ prefix = [], args = [], uid, env = {} }: Run) {
  const [program = "", ...before] = [...prefix, await builtExecutable()];
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...before, "demo", ...args],
    cwd: "/",
    stdin: "null",
    env,
    ...(uid === undefined ? {} : { uid, gid: uid }),
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Takes the place of /tmp, so that what is left in it was left by the demo. */
class TemporaryFolder {
  readonly path = Deno.makeTempDirSync();

  constructor() {
    Deno.chmodSync(this.path, 0o1777);
  }

  names(): string[] {
    return [...Deno.readDirSync(this.path)].map(({ name }) => name).sort();
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}
