/**
 * What an ADD and a DEL of the CNI plugin take, from the start of the process to its end: with the built-in bridge, delegating as
 * flannel's plugin does, and the stock plugins alone; and flannel's own plugin where FLANNEL_CNI names its file. Each round runs
 * all of them, one after the other.
 *
 * Plugins in Go look themselves up in /proc, which has to be that of this process namespace: so this starts itself again in a mount
 * namespace that has one.
 */
import { Namespace } from "../../mod/lab/namespace.ts";
import { benchExecutable, benchmark, progress } from "./bench_lab.ts";
import { type Figure, spreadOf, spreadText } from "./statistics.ts";

const ROUNDS = 21;
const AT_ONCE = 50;
const PLUGINS = "/usr/lib/cni";
const INNER_VARIABLE = "GOSSAMER_BENCH_INNER";
const GATEWAY = "10.244.7.1";

interface Chain {
  readonly name: string;
  readonly program: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly host: Namespace;
}

function chainsOf(folder: string): Chain[] {
  const subnetFile = `${folder}/subnet.env`;
  Deno.writeTextFileSync(
    subnetFile,
    `FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=${GATEWAY}/24\nFLANNEL_MTU=1450\n` +
      "FLANNEL_IPMASQ=true\n",
  );
  const chain = (name: string, program: string, config: Record<string, unknown>): Chain => ({
    name,
    program,
    config: { cniVersion: "1.0.0", name: `bench-${name.replaceAll(" ", "-")}`, ...config },
    host: new Namespace(name),
  });
  const dataDir = (name: string) => `${folder}/${name}`;
  const flannel = Deno.env.get("FLANNEL_CNI");
  return [
    chain("built-in", benchExecutable(), {
      type: "gossamer",
      subnetFile,
      dataDir: dataDir("built-in"),
    }),
    chain("delegating", benchExecutable(), {
      type: "flannel",
      subnetFile,
      dataDir: dataDir("delegating"),
      delegate: { hairpinMode: true, isDefaultGateway: true },
      ipam: { dataDir: dataDir("host-local") },
    }),
    chain("stock bridge and host-local", `${PLUGINS}/bridge`, {
      type: "bridge",
      mtu: 1450,
      hairpinMode: true,
      isDefaultGateway: true,
      ipam: {
        type: "host-local",
        ranges: [[{ subnet: "10.244.7.0/24" }]],
        routes: [{ dst: "10.244.0.0/16" }],
        dataDir: dataDir("host-local"),
      },
    }),
    ...flannel === undefined ? [] : [
      chain("plugin of flannel", flannel, {
        // The newest that releases in the repository of the stock plugins know.
        cniVersion: "0.4.0",
        type: "flannel",
        subnetFile,
        dataDir: dataDir("flannel"),
        delegate: { hairpinMode: true, isDefaultGateway: true },
        ipam: { dataDir: dataDir("flannel-local") },
      }),
    ],
  ];
}

/** Milliseconds of one call. */
async function call(chain: Chain, command: string, container: Namespace): Promise<number> {
  const began = performance.now();
  const child = chain.host.spawn([chain.program], {
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    env: {
      CNI_COMMAND: command,
      CNI_CONTAINERID: container.name,
      CNI_NETNS: `/proc/${Deno.pid}/fd/${container.fd}`,
      CNI_IFNAME: "eth0",
      CNI_PATH: PLUGINS,
    },
  });
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(chain.config)));
  await writer.close();
  const { success, stdout } = await child.output();
  const took = performance.now() - began;
  if (success) return took;
  throw new Error(`${chain.name}, ${command}: ${new TextDecoder().decode(stdout)}`);
}

async function measure(folder: string): Promise<Figure[]> {
  const chains = chainsOf(folder);
  const figures: Figure[] = [];
  const times = new Map(
    chains.map((chain) => [chain, { ADD: [] as number[], DEL: [] as number[] }]),
  );
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [chain, { ADD, DEL }] of times) {
      const container = new Namespace(`c${round}`);
      const added = await call(chain, "ADD", container);
      const deleted = await call(chain, "DEL", container);
      container.close();
      // The first one unpacks, makes the bridge and fills caches.
      if (round === 0) continue;
      ADD.push(added);
      DEL.push(deleted);
    }
  }
  for (const [{ name }, { ADD, DEL }] of times) {
    for (const [command, values] of [["ADD", ADD], ["DEL", DEL]] as const) {
      progress(`CNI ${command}, ${name}: ${spreadText(spreadOf(values))} ms`);
      figures.push(figure(`CNI ${command}, ${name}, ms`, spreadText(spreadOf(values))));
    }
  }
  for (const chain of chains) {
    const containers = Array.from({ length: AT_ONCE }, (_, at) => new Namespace(`m${at}`));
    const began = performance.now();
    await Promise.all(containers.map((container) => call(chain, "ADD", container)));
    const took = performance.now() - began;
    await Promise.all(containers.map((container) => call(chain, "DEL", container)));
    for (const container of containers) container.close();
    progress(`CNI, ${AT_ONCE} ADDs at once, ${chain.name}: ${took.toFixed(0)} ms`);
    figures.push(figure(`CNI, ${AT_ONCE} ADDs at once, ${chain.name}, ms`, took.toFixed(0)));
  }
  return figures;
}

function figure(name: string, measured: string): Figure {
  return { name, measured, aim: "-", rivals: "-" };
}

if (Deno.env.has(INNER_VARIABLE)) {
  await benchmark(measure);
} else {
  const script = 'mount -t proc proc /proc && exec "$@"';
  const self = [Deno.execPath(), "run", "-A", "--no-check", import.meta.filename ?? ""];
  const { code } = await new Deno.Command("unshare", {
    args: ["--mount", "--propagation=private", "sh", "-c", script, "sh", ...self, ...Deno.args],
    env: { [INNER_VARIABLE]: "1" },
    stdin: "inherit",
  }).spawn().status;
  Deno.exit(code);
}
