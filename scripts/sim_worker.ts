/** One worker of `scripts/sim.ts`: gets one seed after another, and sends back what became of it. */
/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
import { runTask, type Task } from "../mod/sim/campaign.ts";

self.onmessage = (event: MessageEvent<Task>) => {
  runTask(event.data, (news) => self.postMessage(news));
};
