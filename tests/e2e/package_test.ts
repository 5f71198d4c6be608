/**
 * The Debian package in a clean Debian: installed, upgraded, removed, purged. And what gossamer install and install.sh do to a
 * root folder of their own.
 */
import assert from "node:assert/strict";
import { hasProgram } from "../support/programs.ts";
import { builtExecutable } from "./executable.ts";
import { SYSTEMD_PACKAGES, SystemdHost, whyNoSystemdHost } from "./systemd_host.ts";

const PROJECT = decodeURIComponent(new URL("../../", import.meta.url).pathname);
/** Of dpkg itself, and what it logs. */
const NOT_COMPARED = /^(var\/lib\/dpkg|var\/log|var\/cache\/(debconf|ldconfig)|tmp|dev|proc)(\/|$)/;
const CONFIG = "etc/gossamer/gossamer.toml";
const WANTS = "etc/systemd/system/multi-user.target.wants/gossamer.service";
/** As dpkg-deb names it. */
const ARCHITECTURE = Deno.build.arch === "aarch64" ? "arm64" : "amd64";

/** What the tests put there. */
const PACKAGES_IN_ROOT = [
  "srv/gossamer",
  ...["0.1.0", "0.2.0"].map((version) => `srv/${nameOf(version)}`),
];

const missing = ["debootstrap", "dpkg-deb", "chroot"].filter((program) => !hasProgram(program));
const leftOut = Deno.uid() !== 0 ? ["root"] : missing;
if (leftOut.length > 0) console.log(`the package is left out: needs ${leftOut.join(", ")}`);

Deno.test({
  name: "the package installs, upgrades, is removed and purged in a clean Debian",
  ignore: leftOut.length > 0,
  async fn(test) {
    const folder = Deno.makeTempDirSync({ prefix: "gossamer-lab-" });
    const root = `${folder}/root`;
    const inside = (...command: string[]) => run("chroot", root, ...command);
    let host: SystemdHost | undefined;
    try {
      const making = makeRoot(root);
      const [first, second] = [await pack(folder, "0.1.0"), await pack(folder, "0.2.0")];
      await test.step("the same sources make the same package", async () => {
        const again = await pack(`${folder}/again`, "0.1.0");
        const [one, other] = (await run("sha256sum", first, again)).split("\n");
        assert.equal(one?.split(" ")[0], other?.split(" ")[0]);
      });
      const refusal = await making;
      if (refusal !== null) return console.log(`left out: debootstrap: ${refusal}`);
      for (const path of [first, second, await builtExecutable()]) {
        Deno.copyFileSync(path, path.replace(/^.*\//, `${root}/srv/`));
      }
      const before = files(root);

      await test.step("it installs, and the program runs", async () => {
        await inside("dpkg", "-i", `/srv/${nameOf("0.1.0")}`);
        assert.match(await inside("gossamer", "version"), /^gossamer 0\.1\.0/);
        assert.match(await inside("gossamer", "config", "check", `/${CONFIG}`), /is right/);
        assert.equal(await inside("dpkg", "--verify", "gossamer"), "");
      });
      await test.step("an upgrade keeps what the operator wrote, and that it starts", async () => {
        Deno.writeTextFileSync(`${root}/${CONFIG}`, "ip-masq = true\n");
        Deno.mkdirSync(`${root}/var/lib/gossamer`, { mode: 0o700 });
        await inside("systemctl", "enable", "gossamer");
        await inside("dpkg", "-i", `/srv/${nameOf("0.2.0")}`);
        assert.match(await inside("dpkg", "-s", "gossamer"), /^Version: 0\.2\.0$/m);
        assert.equal(Deno.readTextFileSync(`${root}/${CONFIG}`), "ip-masq = true\n");
        assert(Deno.lstatSync(`${root}/${WANTS}`).isSymlink);
      });
      await test.step("a removal leaves settings and state", async () => {
        await inside("dpkg", "-r", "gossamer");
        const left = files(root).filter((path) => !before.includes(path));
        assert.deepEqual(left, ["etc/gossamer", CONFIG, "var/lib/gossamer"]);
      });
      await test.step("a purge leaves nothing", async () => {
        await inside("dpkg", "-P", "gossamer");
        assert.deepEqual(files(root), before);
      });

      const whyNot = whyNoSystemdHost();
      if (whyNot !== undefined) return console.log(`left out: systemd: ${whyNot}`);
      const booted = host = await startSystemd(folder, root);
      if (booted === undefined) return;
      await test.step("systemd starts what gossamer install wrote", async () => {
        assert.match(
          await booted.ok("/srv/gossamer", "install", "--ip-masq"),
          /systemctl restart/,
        );
        await booted.active();
        assert.match(await booted.ok("cat", "/run/flannel/subnet.env"), /^FLANNEL_IPMASQ=true$/m);
        const pid = await mainPid(booted);
        await booted.ok("/srv/gossamer", "install", "--ip-masq");
        assert.equal(await mainPid(booted), pid);
      });
      await test.step("uninstall leaves the overlay, and with --purge nothing", async () => {
        await booted.ok("gossamer", "uninstall");
        await booted.ok("test", "-e", "/sys/class/net/flannel.1");
        await booted.ok("/srv/gossamer", "install");
        await booted.active();
        await booted.ok("gossamer", "uninstall", "--purge");
        await booted.ok("test", "!", "-e", "/sys/class/net/flannel.1");
        assert.deepEqual(files(root).filter((path) => path.includes("gossamer")), PACKAGES_IN_ROOT);
      });
      await test.step("systemd starts the package's service, and an upgrade starts it anew", async () => {
        await booted.ok("dpkg", "-i", `/srv/${nameOf("0.1.0")}`);
        assert.match((await booted.run("systemctl", "is-active", "gossamer")).said, /^inactive/);
        await booted.ok("systemctl", "enable", "--now", "gossamer");
        const [pid, device] = [await mainPid(booted), await overlayOf(booted)];
        await booted.ok("dpkg", "-i", `/srv/${nameOf("0.2.0")}`);
        await booted.until("another agent runs", async () => await mainPid(booted) !== pid);
        await booted.active();
        assert.equal(await overlayOf(booted), device);
      });
      await test.step("a removal ends the service, and a purge leaves nothing", async () => {
        await booted.ok("dpkg", "-r", "gossamer");
        assert.match((await booted.run("systemctl", "is-active", "gossamer")).said, /^inactive/);
        assert.equal(await overlayOf(booted) === "", false);
        await booted.ok("dpkg", "-P", "gossamer");
        assert.deepEqual(files(root).filter((path) => path.includes("gossamer")), PACKAGES_IN_ROOT);
      });
    } finally {
      await host?.stop();
      Deno.removeSync(folder, { recursive: true });
      host?.removeRest();
    }
  },
});

Deno.test("gossamer install does the same once and twice, and uninstall takes it away", async () => {
  const program = await builtExecutable();
  const root = Deno.makeTempDirSync({ prefix: "gossamer-install-" });
  const call = (...args: string[]) => run(program, ...args, "--root", root);
  try {
    assert.match(await call("install", "--dry-run"), /would be written\n/);
    assert.deepEqual(files(root), []);
    const settings = ["--ip-masq", "--join", "192.168.1.10,192.168.1.11"];
    await call("install", ...settings);
    const text = Deno.readTextFileSync(`${root}/${CONFIG}`);
    assert.match(text, /^join = \["192\.168\.1\.10","192\.168\.1\.11"\]\nip-masq = true$/m);
    assert.match(await run(program, "config", "check", `${root}/${CONFIG}`), /sets 2 of/);
    const installed = files(root);
    assert(installed.includes("usr/local/bin/gossamer"));

    const again = await call("install", ...settings);
    assert.equal(again.match(/is as it should be/g)?.length, 4);
    assert.match(await call("install"), /gossamer\.toml is as it should be/);
    await assert.rejects(call("install", "--vni=7"), /says something else.*--force/s);
    assert.equal(Deno.readTextFileSync(`${root}/${CONFIG}`), text);

    const unit = `${root}/etc/systemd/system/gossamer.service`;
    Deno.writeTextFileSync(unit, "[Service]\n");
    await assert.rejects(call("install"), /is not as gossamer install writes it/);
    assert.match(await call("uninstall"), /gossamer\.service stays/);
    await call("install", "--force");
    await call("uninstall");
    const left = files(root).filter((path) => Deno.statSync(`${root}/${path}`).isFile);
    assert.deepEqual(left, [CONFIG]);
    await call("uninstall", "--purge");
    assert(files(root).every((path) => Deno.statSync(`${root}/${path}`).isDirectory));
    assert.match(await call("uninstall"), /there is nothing of gossamer to remove/);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});

Deno.test("install.sh copies a file that is whole, and nothing else", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "gossamer-install-" });
  const script = `${PROJECT}scripts/install.sh`;
  try {
    Deno.writeTextFileSync(`${folder}/gossamer`, "a program\n");
    const [sum = ""] = (await run("sha256sum", `${folder}/gossamer`)).split(" ");
    const shells = [
      ["sh"],
      ["bash", "--posix"],
      ...hasProgram("busybox") ? [["busybox", "sh"]] : [],
    ];
    for (const [shell = "", ...args] of shells) {
      const call = (...given: string[]) =>
        run(shell, ...args, script, `${folder}/gossamer`, ...given);
      const target = `${folder}/${args.join("") || "bin"}`;
      await assert.rejects(call("0".repeat(64), target), /is not what it should be/);
      await assert.rejects(call("", target), /give the file's SHA-256/);
      assert.throws(() => Deno.statSync(`${target}/gossamer`), Deno.errors.NotFound);
      await call(sum, target);
      assert.equal(Deno.readTextFileSync(`${target}/gossamer`), "a program\n");
      assert.equal((Deno.statSync(`${target}/gossamer`).mode ?? 0) & 0o777, 0o755);
      Deno.writeTextFileSync(`${folder}/SHA256SUMS`, `${sum}  gossamer\n`);
      await call("", target);
      Deno.writeTextFileSync(`${folder}/SHA256SUMS`, `${sum}  gossamer.deb\n`);
      await assert.rejects(call("", target), /says nothing about gossamer/);
      Deno.removeSync(`${folder}/SHA256SUMS`);
      await call(sum.toUpperCase(), target);
      Deno.mkdirSync(`${target}/in-the-way/gossamer`, { recursive: true });
      await assert.rejects(call(sum, `${target}/in-the-way`), /is a folder/);
      assert.deepEqual(
        [...Deno.readDirSync(target)].map(({ name }) => name).sort(),
        ["gossamer", "in-the-way"],
      );
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

/** Undefined, and says why, where control groups or mounts are not to be had. */
async function startSystemd(folder: string, root: string): Promise<SystemdHost | undefined> {
  try {
    return await SystemdHost.start(folder, root);
  } catch (error) {
    console.log(`left out: systemd does not start here: ${String(error).slice(0, 500)}`);
    return undefined;
  }
}

async function mainPid(host: SystemdHost): Promise<string> {
  return await host.ok("systemctl", "show", "-p", "MainPID", "gossamer");
}

/** The device's number: another one after it was made anew. */
async function overlayOf(host: SystemdHost): Promise<string> {
  return await host.ok("cat", "/sys/class/net/flannel.1/ifindex");
}

function nameOf(version: string): string {
  return `gossamer_${version}_${ARCHITECTURE}.deb`;
}

/** Null, or why there is none: without a mirror there is no clean Debian. */
async function makeRoot(root: string): Promise<string | null> {
  const suite = /^VERSION_CODENAME=(.*)$/m.exec(Deno.readTextFileSync("/etc/os-release"))?.[1];
  const include = `--include=${SYSTEMD_PACKAGES.join(",")}`;
  try {
    await run("debootstrap", "--variant=minbase", include, suite ?? "stable", root);
    return null;
  } catch (error) {
    return String(error).slice(0, 500);
  }
}

async function pack(output: string, version: string): Promise<string> {
  const args = ["run", "-A", `${PROJECT}scripts/package.ts`];
  await run(Deno.execPath(), ...args, `--output=${output}`, `--version=${version}`);
  return `${output}/${nameOf(version)}`;
}

/** What is there, folders included, without what dpkg keeps for itself. */
function files(root: string, below = ""): string[] {
  const paths: string[] = [];
  for (const { name, isDirectory } of Deno.readDirSync(`${root}/${below}`)) {
    const path = below === "" ? name : `${below}/${name}`;
    if (NOT_COMPARED.test(path)) continue;
    paths.push(path, ...isDirectory ? files(root, path) : []);
  }
  return paths.sort();
}

/** Standard output, and standard error behind it. Throws with both. */
async function run(program: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    stdin: "null",
    env: { DEBIAN_FRONTEND: "noninteractive" },
  }).output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  if (success) return said;
  throw new Error(`${program} ${args.join(" ")}: ${said}`);
}
