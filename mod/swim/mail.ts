/** What carries messages, made together: the envelope, who is reached how, what leaves, and questions that are under way. */
import { Envelope, type Sealing } from "../wire/envelope.ts";
import type { SwimCounters } from "./counters.ts";
import type { SwimOptions } from "./options.ts";
import { OwnKeys } from "./own_keys.ts";
import { Paths } from "./paths.ts";
import { Post } from "./post.ts";
import type { GossipQueue } from "./queue.ts";
import { Requests } from "./requests.ts";

export interface Mail {
  readonly envelope: Envelope;
  readonly paths: Paths;
  readonly post: Post;
  readonly requests: Requests;
  readonly ownKeys: OwnKeys;
}

export function openMail(options: SwimOptions, parts: {
  queue: GossipQueue;
  /** How often an item of gossip is sent, at the cluster's present size. */
  gossipLimit: () => number;
  counters: SwimCounters;
  /** Of the step under way. */
  now: () => number;
}): Mail {
  const { keys = null } = options;
  const sealing = sealingOf(options);
  const envelope = new Envelope(options.label, sealing);
  const paths = new Paths(sealing);
  const post = new Post(envelope, paths, parts.queue, parts.gossipLimit);
  const requests = new Requests({ ...parts, post, envelope, paths, keys });
  return { envelope, paths, post, requests, ownKeys: new OwnKeys(keys, post) };
}

function sealingOf({ keys, self, plainGossip = "refuse" }: SwimOptions): Sealing | null {
  return keys === undefined ? null : { keys, instance: self.instance, plainGossip };
}
