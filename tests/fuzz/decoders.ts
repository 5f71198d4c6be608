/**
 * Every function of gossamer that reads bytes or text from outside, in one table. A new decoder gets one line in the part it
 * belongs to; a test names those that have none.
 */
import type { Decoder } from "./decoder.ts";
import { CLAIM_DECODERS } from "./decoders/claim.ts";
import { KERNEL_DECODERS } from "./decoders/kernel.ts";
import { NFTABLES_DECODERS } from "./decoders/nftables.ts";
import { TEXT_DECODERS } from "./decoders/text.ts";
import { WIRE_DECODERS } from "./decoders/wire.ts";

export const DECODERS: readonly Decoder[] = [
  ...WIRE_DECODERS,
  ...CLAIM_DECODERS,
  ...KERNEL_DECODERS,
  ...NFTABLES_DECODERS,
  ...TEXT_DECODERS,
];
