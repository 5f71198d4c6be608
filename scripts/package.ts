/**
 * Makes the Debian package of the built file, `dist/gossamer_VERSION_ARCHITECTURE.deb`, by `deno task package`. The same sources
 * make the same package, byte by byte, where SOURCE_DATE_EPOCH says which time it is.
 *
 *   --version=VERSION   another version than that of deno.json
 *   --output=FOLDER     dist by default
 *
 * Needs `dpkg-deb` and `gzip`. What is in it and why: docs/adr/0045-how-it-is-installed.md.
 */
import { createHash } from "node:crypto";
import { parseArgs } from "node:util";
import { serviceUnit } from "../mod/cli/install/service_unit.ts";
import { configText } from "../mod/cli/install/config_text.ts";
import denoJson from "../deno.json" with { type: "json" };

const ROOT = decodeURIComponent(new URL("../", import.meta.url).pathname);
const DEBIAN = `${ROOT}scripts/debian`;
const MAINTAINER = "gossamer maintainers <maintainers@gossamer.invalid>";
const EXECUTABLE = "usr/bin/gossamer";
const CONFIG_FILE = "etc/gossamer/gossamer.toml";
/** Debian's names of what Deno calls otherwise. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64" };
/** Of the first release; without SOURCE_DATE_EPOCH the package is the same every day. */
const EPOCH_SECONDS = 1_767_225_600;
/** glibc that the runtime asks for; all else that it starts with is in every Debian. */
const DEPENDS = "libc6 (>= 2.27)";

interface Entry {
  readonly path: string;
  readonly mode: number;
  readonly content: string | Uint8Array<ArrayBuffer>;
}

/** The package's path. A pre-release comes before its release: for Debian that is what ~ says. */
async function makePackage(given: string, output: string): Promise<string> {
  const version = given.replace("-", "~");
  const architecture = ARCHITECTURES[Deno.build.arch];
  if (architecture === undefined) throw new Error(`no package is made for ${Deno.build.arch}`);
  await run(Deno.execPath(), "run", "-A", `${ROOT}scripts/build.ts`, "--if-stale");
  const folder = await Deno.makeTempDir({ prefix: "gossamer-package-" });
  try {
    const seconds = Deno.env.get("SOURCE_DATE_EPOCH") ?? String(EPOCH_SECONDS);
    Deno.env.set("SOURCE_DATE_EPOCH", seconds); // dpkg-deb writes it too
    const time = new Date(1000 * Number(seconds));
    const files = await payload(folder, version, time);
    const entries = [...files, ...await control(version, architecture, files)];
    const stage = `${folder}/package`;
    for (const entry of entries) await write(stage, entry);
    await setTimes(stage, time);
    await Deno.mkdir(output, { recursive: true });
    const path = `${output}/gossamer_${version}_${architecture}.deb`;
    // The runtime in it is packed already: harder work takes a minute, and nothing off.
    const packing = ["-Zgzip", "-z1", "--root-owner-group", "--build"];
    await run("dpkg-deb", ...packing, stage, path);
    return path;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function payload(folder: string, version: string, time: Date): Promise<Entry[]> {
  const built = `${ROOT}dist/gossamer`;
  const documents = "usr/share/doc/gossamer";
  const pages = await manPages(built, folder);
  return [
    { path: EXECUTABLE, mode: 0o755, content: await Deno.readFile(built) },
    { path: CONFIG_FILE, mode: 0o644, content: configText([]) },
    text("lib/systemd/system/gossamer.service", serviceUnit(`/${EXECUTABLE}`)),
    text("usr/share/bash-completion/completions/gossamer", await completion(built, "bash")),
    text("usr/share/zsh/vendor-completions/_gossamer", await completion(built, "zsh")),
    text("usr/share/fish/vendor_completions.d/gossamer.fish", await completion(built, "fish")),
    text(`${documents}/copyright`, await Deno.readTextFile(`${DEBIAN}/copyright`)),
    text(
      "usr/share/lintian/overrides/gossamer",
      await Deno.readTextFile(`${DEBIAN}/lintian-overrides`),
    ),
    await packed(`${documents}/changelog`, new TextEncoder().encode(changelog(version, time))),
    await packed(`${documents}/NEWS`, await Deno.readFile(`${ROOT}CHANGELOG.md`)),
    ...pages,
  ];
}

async function control(
  version: string,
  architecture: string,
  files: readonly Entry[],
): Promise<Entry[]> {
  // Each file in whole kibibytes, as dpkg-gencontrol counts.
  const size = files.reduce((sum, { content }) => sum + Math.ceil(content.length / 1024), 0);
  const fields = [
    "Package: gossamer",
    `Version: ${version}`,
    `Architecture: ${architecture}`,
    `Maintainer: ${MAINTAINER}`,
    `Installed-Size: ${size}`,
    `Depends: ${DEPENDS}`,
    "Section: net",
    "Priority: optional",
    "Description: container subnet for every host, and a network between them",
    " Hosts find each other by gossip, agree on who owns which subnet, and program",
    " the kernel themselves: VXLAN, routes and nftables. There is no server and no",
    " store. Works with Docker, Podman, containerd and Nomad.",
  ];
  const scripts = ["postinst", "prerm", "postrm"].map(async (name): Promise<Entry> => ({
    path: `DEBIAN/${name}`,
    mode: 0o755,
    content: await Deno.readTextFile(`${DEBIAN}/${name}`),
  }));
  return [
    text("DEBIAN/control", fields.map((field) => `${field}\n`).join("")),
    text("DEBIAN/conffiles", `/${CONFIG_FILE}\n`),
    // For dpkg --verify.
    text("DEBIAN/md5sums", files.filter(({ path }) => path !== CONFIG_FILE).map(md5Line).join("")),
    ...await Promise.all(scripts),
  ];
}

async function manPages(built: string, folder: string): Promise<Entry[]> {
  const pages = `${folder}/man`;
  await run(built, "man", "--out", pages);
  const entries: Entry[] = [];
  for (const { name: section } of Deno.readDirSync(pages)) {
    for (const { name } of Deno.readDirSync(`${pages}/${section}`)) {
      const page = await Deno.readFile(`${pages}/${section}/${name}`);
      entries.push(await packed(`usr/share/man/${section}/${name}`, page));
    }
  }
  return entries;
}

async function completion(built: string, shell: string): Promise<string> {
  return new TextDecoder().decode(await run(built, "completion", shell));
}

/** In the form of Debian; what changed is in NEWS. */
function changelog(version: string, time: Date): string {
  const date = time.toUTCString().replace("GMT", "+0000");
  return `gossamer (${version}) unstable; urgency=medium\n\n` +
    `  * See /usr/share/doc/gossamer/NEWS.gz.\n\n -- ${MAINTAINER}  ${date}\n`;
}

function md5Line({ path, content }: Entry): string {
  return `${createHash("md5").update(content).digest("hex")}  ${path}\n`;
}

async function packed(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<Entry> {
  return { path: `${path}.gz`, mode: 0o644, content: await gzip(bytes) };
}

function text(path: string, content: string): Entry {
  return { path, mode: 0o644, content };
}

async function write(stage: string, { path, mode, content }: Entry): Promise<void> {
  const target = `${stage}/${path}`;
  await Deno.mkdir(target.replace(/\/[^/]*$/, ""), { recursive: true });
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  await Deno.writeFile(target, bytes);
  await Deno.chmod(target, mode);
}

async function setTimes(path: string, time: Date): Promise<void> {
  const { isDirectory } = await Deno.lstat(path);
  if (isDirectory) {
    for (const { name } of Deno.readDirSync(path)) await setTimes(`${path}/${name}`, time);
    await Deno.chmod(path, 0o755);
  }
  await Deno.utime(path, time, time);
}

/** Without name and time in its head. */
async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const child = new Deno.Command("gzip", {
    args: ["-9n"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = child.output();
  const writer = child.stdin.getWriter();
  await writer.write(bytes);
  await writer.close();
  return (await output).stdout;
}

async function run(program: string, ...args: string[]): Promise<Uint8Array<ArrayBuffer>> {
  let result: Deno.CommandOutput;
  try {
    result = await new Deno.Command(program, { args, stdin: "null" }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(`there is no ${program} here; on Debian: apt-get install dpkg`);
  }
  if (result.success) return result.stdout;
  const said = new TextDecoder().decode(result.stderr).trim();
  throw new Error(`${program} ${args.slice(0, 2).join(" ")} failed: ${said}`);
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: [...Deno.args],
    options: {
      version: { type: "string", default: denoJson.version },
      output: { type: "string", default: `${ROOT}dist` },
    },
  });
  try {
    const path = await makePackage(values.version, values.output);
    console.error(`${path}, ${((await Deno.stat(path)).size / 1e6).toFixed(1)} MB`);
  } catch (error) {
    console.error(`package: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}
