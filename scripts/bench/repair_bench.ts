/** How long the kernel stays without what somebody removed by hand, with five hosts. */
import { linkDelete } from "../../ffi/route/link.ts";
import { routeDelete } from "../../ffi/route/route.ts";
import type { Host } from "../../mod/lab/host.ts";
import { routeLines } from "../../mod/lab/kernel_text.ts";
import { sleep } from "../../mod/lab/ping.ts";
import { benchLab, benchmark, progress } from "./bench_lab.ts";
import { type Figure, spreadOf, spreadText } from "./statistics.ts";

const HOSTS = 5;
const RUNS = 21;
const DEVICE = "flannel.1";
/** Longer than an agent that has just repaired something pauses. */
const PAUSE_MS = 200;

/** Breaks, then watches without letting go of the processor: to a tenth of a millisecond or so. */
async function measure(host: Host, breakIt: () => void): Promise<number> {
  const began = performance.now();
  breakIt();
  while (routeLines(host.namespace, DEVICE).length !== HOSTS - 1) await sleep(0);
  return performance.now() - began;
}

await benchmark(async (folder): Promise<Figure[]> => {
  const lab = await benchLab(folder, "repair", HOSTS);
  for (const host of lab.hosts) {
    host.start(...(host.number === 1 ? [] : [`--join=${lab.host(1).address}`]));
    await host.waitForSubnet();
  }
  await sleep(1000);
  const host = lab.host(2);
  const index = () => host.namespace.deviceIndex(DEVICE);
  const device: number[] = [];
  const route: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    device.push(await measure(host, () => linkDelete(host.namespace.netlink, index())));
    await sleep(PAUSE_MS);
    const destination = routeLines(host.namespace, DEVICE)[0]?.split(" ")[0] ?? "";
    route.push(
      await measure(
        host,
        () => routeDelete(host.namespace.netlink, { destination, index: index() }),
      ),
    );
    await sleep(PAUSE_MS);
  }
  progress(`${RUNS} devices and ${RUNS} routes deleted`);
  await lab.close();
  const never = "flannel: device back empty, routes never";
  return [
    {
      name: "repair: VTEP deleted to all routes back, ms",
      measured: spreadText(spreadOf(device)),
      aim: "< 1000",
      rivals: never,
    },
    {
      name: "repair: one route deleted to back, ms",
      measured: spreadText(spreadOf(route)),
      aim: "< 1000",
      rivals: "flannel: never",
    },
  ];
});
