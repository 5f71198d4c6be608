/** Finds the functions that read what comes from outside, by their names. */
import { projectFiles, projectRoot } from "../layers/project_files.ts";

/** Where bytes and text from outside are read. */
const FOLDERS =
  /^(mod\/(address|agent|claim|cli\/config|host|overlay|swim|wire)|ffi\/(netlink|nftables|route))\//;

/** A decoder is an exported function that is called so. */
const DECODER = /^export (?:async )?function ((?:decode|parse|read)(?![a-z])\w*)/gm;

/** Named like decoders, but read nothing from outside themselves. */
export const NO_DECODERS: ReadonlyMap<string, string> = new Map([
  ["ffi/route/neighbour_message.ts readNeighbourHeader", "a part of decodeNeighbour"],
  ["mod/agent/stored_claim.ts readClaim", "reads files; decodeClaimMemory decodes them"],
  ["mod/host/host_network.ts readDevice", "asks the kernel; ffi/route decodes its answers"],
  ["mod/host/host_network.ts readHostNetwork", "asks the kernel; ffi/route decodes its answers"],
  ["mod/host/host_network.ts readRouteTo", "asks the kernel; ffi/route decodes its answers"],
  ["mod/host/host_network.ts readIpv6Addresses", "asks the kernel; ffi/route decodes its answers"],
  ["mod/host/host_network.ts readIpv6OfHost", "asks the kernel; ffi/route decodes its answers"],
  ["mod/host/key_file.ts readKeyFile", "reads a file; parseKeys decodes it"],
  ["mod/host/subnet_file.ts readSubnetFile", "reads a file; readSubnetEnv decodes it"],
]);

/** All of them, as `file function`. */
export async function exportedDecoders(): Promise<string[]> {
  const found: string[] = [];
  for (const path of await projectFiles()) {
    if (!FOLDERS.test(path) || !path.endsWith(".ts")) continue;
    const text = await Deno.readTextFile(new URL(path, projectRoot));
    for (const [, name] of text.matchAll(DECODER)) found.push(`${path} ${name}`);
  }
  return found;
}
