/** A container runtime for tests, as far as CNI goes: containers are network namespaces, the plugin is the real program. */
import assert from "node:assert/strict";
import { addressDump } from "../../ffi/route/address.ts";
import { type Link, linkDump } from "../../ffi/route/link.ts";
import { Namespace } from "../../mod/lab/namespace.ts";
import type { Stage } from "./scenario.ts";

/** What hosts of {@linkcode newDriver} hold, as the subnet file has it. */
export const SUBNET = "10.244.7.1/24";

/** What a call of the plugin left behind. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as JSON, null when it is empty. */
  // deno-lint-ignore no-explicit-any
  readonly answer: any;
}

export interface CallOptions {
  /** Merged over the network configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Instead of the configuration. */
  readonly input?: string;
  /** Merged over the CNI_ variables; undefined takes one away. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
  readonly ifname?: string;
}

export interface DriverOptions {
  readonly host: Namespace;
  /** The program, and arguments if it needs any. */
  readonly command: readonly string[];
  readonly folder: string;
  readonly subnetFile?: string;
  readonly path?: string;
  /** Plugins in Go look themselves up in /proc, which has to be that of the lab's own process namespace. */
  readonly needsOwnProc?: boolean;
}

const WITH_OWN_PROC = [
  "unshare",
  "--mount",
  "--propagation=private",
  "sh",
  "-c",
  'mount -t proc proc /proc && exec "$@"',
  "sh",
];

/** One container; its namespace goes when it is closed. */
export class TestContainer {
  readonly id: string;
  readonly namespace: Namespace;

  constructor(id: string) {
    this.id = id;
    this.namespace = new Namespace(id);
  }

  /** As other processes can open it, by the /proc of this process or by that of its process namespace. */
  netns(byOwnProc = false): string {
    const pid = byOwnProc ? Deno.pid : Deno.readLinkSync("/proc/self");
    return `/proc/${pid}/fd/${this.namespace.fd}`;
  }

  /** Global addresses of a device, with prefix lengths, sorted; of all but the loopback by default. */
  addresses(ifname?: string): string[] {
    const links = linkDump(this.namespace.netlink).filter(({ name }) =>
      ifname === undefined ? name !== "lo" : name === ifname
    );
    return links.flatMap(({ index }) => addressDump(this.namespace.netlink, { index }))
      .filter(({ scope }) => scope === 0)
      .map(({ address, prefixLength }) => `${address}/${prefixLength}`).sort();
  }
}

export class CniDriver {
  readonly host: Namespace;
  readonly subnetFile: string;
  readonly dataDir: string;
  /** The network's configuration, as a runtime would hand it to the plugin. */
  config: Record<string, unknown>;
  readonly #command: readonly string[];
  readonly #path: string;
  readonly #hasOwnProc: boolean;

  constructor(options: DriverOptions) {
    this.host = options.host;
    this.#hasOwnProc = options.needsOwnProc ?? false;
    this.#command = [...this.#hasOwnProc ? WITH_OWN_PROC : [], ...options.command];
    this.#path = options.path ?? "/nowhere";
    this.subnetFile = options.subnetFile ?? `${options.folder}/subnet.env`;
    this.dataDir = `${options.folder}/cni`;
    this.config = {
      cniVersion: "1.1.0",
      name: "gossamer",
      type: "gossamer",
      subnetFile: this.subnetFile,
      dataDir: this.dataDir,
    };
  }

  /** Writes the subnet file as the agent does; null removes it. */
  holdSubnet(subnet: string | null, more = ""): void {
    if (subnet === null) return Deno.removeSync(this.subnetFile);
    const text = `FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=${subnet}\n${more}` +
      "FLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n";
    Deno.writeTextFileSync(this.subnetFile, text);
  }

  /** Starts the plugin, gives it its configuration, and does not wait for more. */
  async start(
    command: string,
    container: TestContainer | string | null,
    options: CallOptions = {},
  ): Promise<Deno.ChildProcess> {
    const isReal = container instanceof TestContainer;
    const variables = {
      CNI_COMMAND: command,
      CNI_CONTAINERID: isReal ? container.id : container ?? undefined,
      CNI_NETNS: isReal ? container.netns(this.#hasOwnProc) : undefined,
      CNI_IFNAME: options.ifname ?? "eth0",
      CNI_PATH: this.#path,
      ...options.variables,
    };
    const given = Object.entries(variables).filter(([, value]) => value !== undefined);
    const child = this.host.spawn(this.#command, {
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      env: Object.fromEntries(given) as Record<string, string>,
    });
    const writer = child.stdin.getWriter();
    const text = options.input ?? JSON.stringify({ ...this.config, ...options.config });
    // A plugin that fails early does not read.
    await writer.write(new TextEncoder().encode(text)).then(() => writer.close()).catch(() => {});
    return child;
  }

  async call(
    command: string,
    container: TestContainer | string | null,
    options: CallOptions = {},
  ): Promise<Outcome> {
    const { code, stdout, stderr } = await (await this.start(command, container, options))
      .output();
    const text = new TextDecoder().decode(stdout);
    return {
      code,
      stdout: text,
      stderr: new TextDecoder().decode(stderr),
      answer: text.trim() === "" ? null : JSON.parse(text),
    };
  }

  /** A call that must succeed; returns its answer. */
  async ok(
    command: string,
    container: TestContainer | string | null,
    options: CallOptions = {},
    // deno-lint-ignore no-explicit-any
  ): Promise<any> {
    const { code, stdout, stderr, answer } = await this.call(command, container, options);
    assert.equal(code, 0, `${command}: ${stdout}${stderr}`);
    if (command === "ADD") assert.equal(answer.cniVersion, this.#version(options));
    else if (command !== "VERSION") assert.equal(stdout, "", `${command} answers nothing`);
    return answer;
  }

  /** A call that must fail with that error code; returns message and details. */
  async refused(
    errorCode: number,
    command: string,
    container: TestContainer | string | null,
    options: CallOptions = {},
  ): Promise<string> {
    const { code, stdout, stderr, answer } = await this.call(command, container, options);
    assert.equal(code, 1, `${command} did not fail: ${stdout}${stderr}`);
    assert.equal(answer.code, errorCode, stdout);
    assert.equal(typeof answer.msg, "string");
    assert.equal(typeof answer.cniVersion, "string");
    return `${answer.msg}\n${answer.details ?? ""}`;
  }

  /** What the plugin knows of containers, by their IDs. */
  attached(): string[] {
    return this.ledger().map(({ containerId }) => containerId).sort();
  }

  ledger(): { containerId: string; device: string; addresses: string[] }[] {
    try {
      return JSON.parse(Deno.readTextFileSync(`${this.dataDir}/ledger.json`)).attachments;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  }

  /** The host's ends of all cables. */
  cables(): Link[] {
    return linkDump(this.host.netlink).filter(({ kind }) => kind === "veth");
  }

  /** Addresses of one of the host's devices, with prefix lengths. */
  hostAddresses(device: string): string[] {
    const index = this.host.deviceIndex(device);
    return addressDump(this.host.netlink, { index }).filter(({ scope }) => scope === 0)
      .map(({ address, prefixLength }) => `${address}/${prefixLength}`).sort();
  }

  #version({ config }: CallOptions): unknown {
    return config?.cniVersion ?? this.config.cniVersion;
  }
}

let hosts = 0;

/** On a host of its own, which holds that subnet; null for none. */
export function newDriver(
  { executable, folder }: Stage,
  subnet: string | null = SUBNET,
  options: Partial<DriverOptions> = {},
): CniDriver {
  const name = `cni${++hosts}`;
  Deno.mkdirSync(`${folder}/${name}`);
  const host = new Namespace(name);
  const driver = new CniDriver({
    host,
    command: [executable],
    folder: `${folder}/${name}`,
    ...options,
  });
  if (subnet !== null) driver.holdSubnet(subnet);
  return driver;
}
