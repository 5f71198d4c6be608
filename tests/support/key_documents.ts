/** Answers of the control API on gossip keys: a rotation that one of three hosts has slept through. */
import type { KeysAnswer, KeysDocument } from "../../mod/agent/api.ts";

const ASLEEP = {
  id: "3d".repeat(16),
  name: "storage-node-3.example",
  address: "192.168.100.3",
  reason: "it has failed and does not answer",
};

export const KEYS: KeysDocument = {
  schema: 1,
  hosts: 3,
  keys: [
    { fingerprint: "02b6d1f0", hosts: 2, primaryHosts: 2, here: true, primaryHere: true },
    { fingerprint: "7c1f3a90", hosts: 2, primaryHosts: 0, here: true, primaryHere: false },
    { fingerprint: "e81d05c7", hosts: 1, primaryHosts: 0, here: false, primaryHere: false },
  ],
  unanswered: [ASLEEP],
};

/** Everybody did it. */
export const USED: KeysAnswer = {
  schema: 1,
  operation: "use",
  fingerprint: "7c1f3a90",
  hosts: 3,
  done: 3,
  refused: null,
  failed: [],
};

/** Everybody but one did it. */
export const INSTALLED_ON_SOME: KeysAnswer = {
  ...USED,
  operation: "install",
  done: 2,
  failed: [ASLEEP],
};

/** Nobody did it, since one would be left behind. */
export const NOT_REMOVED: KeysAnswer = {
  ...USED,
  operation: "remove",
  fingerprint: "02b6d1f0",
  done: 0,
  refused: { text: "Host storage-node-3.example would be cut off", remedy: "Start it" },
  failed: [ASLEEP],
};
