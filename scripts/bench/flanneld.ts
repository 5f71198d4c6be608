/** Two hosts with flannel's udp backend instead of ours, for a comparison: flanneld on each, and the etcd that it needs. */
import type { Lab } from "../../mod/lab/lab.ts";
import { sleep } from "../../mod/lab/ping.ts";
import { benchLab, progress } from "./bench_lab.ts";

const NETWORK = `{"Network":"10.250.0.0/16","Backend":{"Type":"udp"}}`;
const PATIENCE_MS = 10_000;
const QUIET = { stdin: "null", stdout: "null", stderr: "null" } as const;

export interface FlannelLab {
  readonly lab: Lab;
  readonly processes: readonly number[];
}

/** @param flanneld path of the program; `etcd` and `etcdctl` are on PATH. */
export async function flannelLab(folder: string, flanneld: string): Promise<FlannelLab> {
  const lab = await benchLab(folder, "flannel", 2);
  const first = lab.host(1);
  const endpoint = `http://${first.address}:2379`;
  const data = `--data-dir=${folder}/etcd`;
  const urls = [`--listen-client-urls=${endpoint}`, `--advertise-client-urls=${endpoint}`];
  first.namespace.spawn(["etcd", data, ...urls], QUIET);
  const put = ["etcdctl", `--endpoints=${endpoint}`, "put", "/coreos.com/network/config", NETWORK];
  await until("etcd answers", async () => {
    return (await first.namespace.output(put, { env: { ETCDCTL_API: "3" } })).code === 0;
  });
  const processes = [];
  for (const { namespace, subnetFile } of lab.hosts) {
    const options = ["-iface=eth0", `-subnet-file=${subnetFile}`];
    const command = [flanneld, `-etcd-endpoints=${endpoint}`, ...options];
    processes.push(namespace.spawn(command, QUIET).pid);
    await until("flanneld has a subnet", () => Deno.stat(subnetFile).then(() => true, () => false));
  }
  for (const host of lab.hosts) await host.addContainer();
  progress("flannel's udp backend runs");
  return { lab, processes };
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!await holds()) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${PATIENCE_MS} ms`);
    await sleep(50);
  }
}
