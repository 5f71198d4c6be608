/** The files of `gossamer install` and `gossamer uninstall`, in a folder that plays the system's root. */
import assert from "node:assert/strict";
import {
  CONFIG_FILE,
  EXECUTABLE,
  installFiles,
  type InstallOptions,
  uninstallFiles,
  UNIT_FILE,
  WANTS_LINK,
} from "../../../mod/cli/install/files.ts";
import { sealedUnit, serviceUnit } from "../../../mod/cli/install/service_unit.ts";

/** As a build of the launcher's form begins. */
const PROGRAM = "#!/bin/sh\n# gossamer in one file: made up\n";

interface Host {
  readonly root: string;
  readonly program: string;
  install(options?: Partial<InstallOptions>): ReturnType<typeof installFiles>;
  uninstall(options?: Partial<Parameters<typeof uninstallFiles>[0]>): string[];
  write(path: string, text: string): void;
  read(path: string): string;
  /** Files and links, with what they hold. */
  tree(): Record<string, string>;
}

function onHost(run: (host: Host) => void): void {
  const folder = Deno.makeTempDirSync({ prefix: "gossamer-install-" });
  const root = `${folder}/root`;
  const program = `${folder}/built`;
  Deno.mkdirSync(root);
  Deno.writeTextFileSync(program, PROGRAM);
  const common = { root, executable: program, force: false, dryRun: false };
  try {
    run({
      root,
      program,
      install: (options) =>
        installFiles({ ...common, configText: "vni = 3\n", isConfigured: true, ...options }),
      uninstall: (options) => uninstallFiles({ ...common, purge: false, ...options }),
      write(path, text) {
        Deno.mkdirSync((root + path).replace(/\/[^/]*$/, ""), { recursive: true });
        Deno.writeTextFileSync(root + path, text);
      },
      read: (path) => Deno.readTextFileSync(root + path),
      tree: () => Object.fromEntries(treeOf(root, "")),
    });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function treeOf(root: string, below: string): [string, string][] {
  return [...Deno.readDirSync(root + below)].flatMap(({ name, isDirectory, isSymlink }) => {
    const path = `${below}/${name}`;
    if (isDirectory) return treeOf(root, path);
    const held = isSymlink ? Deno.readLinkSync(root + path) : Deno.readTextFileSync(root + path);
    return [[path, held]] as [string, string][];
  });
}

Deno.test("install writes program, settings, unit and the link that starts it; uninstall takes all but the settings", () => {
  onHost(({ root, install, uninstall, tree }) => {
    assert(install({ dryRun: true }).changed);
    assert.deepEqual(tree(), {});
    assert(install().changed);
    const written = tree();
    assert.deepEqual(written, {
      [EXECUTABLE]: PROGRAM,
      [CONFIG_FILE]: "vni = 3\n",
      [UNIT_FILE]: sealedUnit(serviceUnit(EXECUTABLE)),
      [WANTS_LINK]: UNIT_FILE,
    });
    assert.equal((Deno.statSync(root + EXECUTABLE).mode ?? 0) & 0o777, 0o755);
    assert(!install().changed);
    assert.deepEqual(tree(), written);
    uninstall({ dryRun: true });
    assert.deepEqual(tree(), written);
    uninstall();
    assert.deepEqual(tree(), { [CONFIG_FILE]: "vni = 3\n" });
    uninstall({ purge: true });
    assert.deepEqual(tree(), {});
    assert.deepEqual(uninstall({ purge: true }), ["there is nothing of gossamer to remove"]);
  });
});

Deno.test("settings that are there stay, unless others are given with --force", () => {
  onHost(({ install, read }) => {
    install();
    assert(!install({ configText: "# nothing\n", isConfigured: false }).changed);
    const other = { configText: "vni = 4\n" };
    assert.throws(() => install(other), /gossamer\.toml is there already/);
    assert.equal(read(CONFIG_FILE), "vni = 3\n");
    install({ ...other, force: true });
    assert.equal(read(CONFIG_FILE), "vni = 4\n");
  });
});

Deno.test("a unit that was edited is neither replaced nor removed, and one of an older version is", () => {
  onHost(({ install, uninstall, read, write, tree }) => {
    install();
    const edited = read(UNIT_FILE).replace("RestartSec=3", "RestartSec=30");
    write(UNIT_FILE, edited);
    assert.throws(() => install(), /gossamer\.service is not as gossamer install writes it/);
    assert(uninstall().some((line) => line.includes("gossamer.service stays")));
    assert.equal(read(UNIT_FILE), edited);
    assert.equal(tree()[EXECUTABLE], undefined);
    install({ force: true });
    write(UNIT_FILE, sealedUnit("[Service]\nExecStart=/usr/local/bin/gossamer old\n"));
    install();
    assert.equal(read(UNIT_FILE), sealedUnit(serviceUnit(EXECUTABLE)));
  });
});

Deno.test("another program of the name stays where it is; another gossamer is replaced", () => {
  onHost(({ install, uninstall, read, write }) => {
    write(EXECUTABLE, "#!/bin/sh\n# for spiders\n");
    assert.throws(() => install(), /bin\/gossamer is another program/);
    assert(uninstall().some((line) => line.includes("is another program")));
    write(EXECUTABLE, `${PROGRAM}# an older one\n`);
    install();
    assert.equal(read(EXECUTABLE), PROGRAM);
  });
});

Deno.test("beside a package install refuses, and uninstall leaves the package's settings and state alone", () => {
  onHost(({ install, uninstall, write, tree }) => {
    write("/lib/systemd/system/gossamer.service", "[Service]\n");
    write("/var/lib/gossamer/node.json", "{}");
    assert.throws(() => install(), /a package has installed gossamer/);
    const before = tree();
    install({ force: true });
    uninstall({ purge: true });
    assert.deepEqual(tree(), { ...before, [CONFIG_FILE]: "vni = 3\n" });
  });
});

Deno.test("links in the way are replaced, and none leads out of the root", () => {
  onHost(({ root, program, install, tree }) => {
    const elsewhere = `${program}.elsewhere`;
    Deno.writeTextFileSync(elsewhere, "not ours\n");
    Deno.mkdirSync(`${root}/usr/local/bin`, { recursive: true });
    Deno.symlinkSync(elsewhere, `${root}${EXECUTABLE}.new`);
    install();
    assert.equal(Deno.readTextFileSync(elsewhere), "not ours\n");
    assert.equal(tree()[EXECUTABLE], PROGRAM);
    Deno.removeSync(`${root}/etc`, { recursive: true });
    Deno.mkdirSync(`${elsewhere}.d`);
    Deno.symlinkSync(`${elsewhere}.d`, `${root}/etc`);
    assert.throws(() => install(), /etc is a link that leads out of/);
    assert.deepEqual([...Deno.readDirSync(`${elsewhere}.d`)], []);
  });
});

Deno.test("a copy that fails leaves nothing of its own behind", () => {
  onHost(({ root, program, install, tree }) => {
    Deno.mkdirSync(`${root}${EXECUTABLE}`, { recursive: true });
    assert.throws(() => install({ force: true }), /usr\/local\/bin\/gossamer: /);
    assert.deepEqual(tree(), {});
    assert.equal(Deno.readTextFileSync(program), PROGRAM);
  });
});
