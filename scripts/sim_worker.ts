/** One worker of `scripts/sim.ts`: gets its share of the seeds, and sends back what became of them. */
/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
import { runShare, type Share } from "../mod/sim/campaign.ts";

self.onmessage = (event: MessageEvent<Share>) => {
  runShare(event.data, (news) => self.postMessage(news));
};
