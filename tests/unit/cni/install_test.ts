/** `gossamer cni install`: what it writes, leaves alone, and says. */
import assert from "node:assert/strict";
import { installPlugin } from "../../../mod/cni/install.ts";

function inFolder(run: (folder: string) => void): void {
  const folder = Deno.makeTempDirSync({ prefix: "gossamer-cni-" });
  try {
    run(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function optionsOf(folder: string) {
  const executable = `${folder}/gossamer-1.0`;
  Deno.writeTextFileSync(executable, "");
  return {
    executable: Deno.realPathSync(executable),
    binDir: `${folder}/opt/bin`,
    confDir: `${folder}/etc/net.d`,
    subnetFile: null,
    force: false,
  };
}

/** What was done to each file, without notes. */
function done(lines: readonly string[]): string[] {
  return lines.filter((line) => !line.startsWith("note"))
    .map((line) => /: (\w+)/.exec(line)?.[1] ?? line);
}

Deno.test("a second installation does nothing, and both say what they did", () =>
  inFolder((folder) => {
    const options = optionsOf(folder);
    const { binDir, confDir } = options;
    assert.deepEqual(done(installPlugin(options)), ["made", "made"]);
    assert.equal(Deno.readLinkSync(`${binDir}/gossamer`), options.executable);
    const conflist = JSON.parse(Deno.readTextFileSync(`${confDir}/10-gossamer.conflist`));
    assert.deepEqual(conflist.plugins, [
      { type: "gossamer", capabilities: { ips: true, mac: true } },
    ]);
    assert.deepEqual(done(installPlugin(options)), ["unchanged", "unchanged"]);
  }));

Deno.test("portmap joins the configuration once it is installed", () =>
  inFolder((folder) => {
    const options = optionsOf(folder);
    assert.match(installPlugin(options).join("\n"), /published ports do not work/);
    Deno.writeTextFileSync(`${options.binDir}/portmap`, "");
    assert.deepEqual(done(installPlugin(options)), ["unchanged", "replaced"]);
    const text = Deno.readTextFileSync(`${options.confDir}/10-gossamer.conflist`);
    assert.deepEqual(JSON.parse(text).plugins[1].type, "portmap");
  }));

Deno.test("an agent that does not masquerade is named", () =>
  inFolder((folder) => {
    const subnetFile = `${folder}/subnet.env`;
    const options = { ...optionsOf(folder), subnetFile };
    const text = "FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=10.1.17.1/24\nFLANNEL_MTU=1450\n";
    assert.doesNotMatch(installPlugin(options).join("\n"), /masquerade/);
    Deno.writeTextFileSync(subnetFile, `${text}FLANNEL_IPMASQ=false\n`);
    assert.match(installPlugin(options).join("\n"), /start it with --ip-masq/);
    Deno.writeTextFileSync(subnetFile, `${text}FLANNEL_IPMASQ=true\n`);
    assert.doesNotMatch(installPlugin(options).join("\n"), /masquerade/);
  }));

Deno.test("what somebody else wrote stays, unless forced", () =>
  inFolder((folder) => {
    const options = optionsOf(folder);
    const { binDir, confDir } = options;
    Deno.mkdirSync(binDir, { recursive: true });
    Deno.mkdirSync(confDir, { recursive: true });
    Deno.writeTextFileSync(`${binDir}/gossamer`, "theirs");
    assert.throws(() => installPlugin(options), /gossamer is another program/);
    Deno.writeTextFileSync(`${confDir}/10-gossamer.conflist`, "{}");
    Deno.removeSync(`${binDir}/gossamer`);
    assert.deepEqual(done(installPlugin(options)), ["made", "kept"]);
    assert.deepEqual(done(installPlugin({ ...options, force: true })), ["unchanged", "replaced"]);
  }));

Deno.test("an upgraded program replaces its own link, and earlier configurations are named", () =>
  inFolder((folder) => {
    const options = optionsOf(folder);
    installPlugin(options);
    const executable = `${folder}/gossamer-2.0`;
    Deno.renameSync(options.executable, executable);
    Deno.writeTextFileSync(`${options.confDir}/05-other.conf`, "{}");
    const lines = installPlugin({ ...options, executable: Deno.realPathSync(executable) });
    assert.deepEqual(done(lines), ["replaced", "unchanged"]);
    assert.match(lines.at(-1) ?? "", /05-other\.conf, which sorts first/);
  }));
