/** The version of this software, told to peers and printed by `gossamer version`; deno.json names the same one. */
export const VERSION = "0.1.0";
