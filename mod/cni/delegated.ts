/** What each command does when another plugin makes the devices: flannel's way, with CHECK, STATUS and GC as well. */
import type { CniCall } from "./call.ts";
import { findPlugin, runDelegate } from "./delegate.ts";
import { delegateConfig, delegateTypeOf } from "./delegate_config.ts";
import {
  type Delegated,
  forgetDelegated,
  keepDelegated,
  listDelegated,
  readDelegated,
} from "./delegate_state.ts";
import { CniCode, CniError } from "./errors.ts";
import { readHostSubnet } from "./host_subnet.ts";
import { isJsonObject, type JsonObject } from "./json.ts";
import { type AttachmentKey, sameAttachment } from "./ledger.ts";
import type { NetworkConfig } from "./network_config.ts";
import { previousResultOf } from "./result.ts";

/** Returns what the other plugin printed. When it fails, what it may have made is deleted again. */
export async function addDelegated(config: NetworkConfig, call: CniCall): Promise<string> {
  const delegated = delegateConfig(config, readHostSubnet(config.subnetFile));
  const type = delegateTypeOf(delegated);
  findPlugin(type, call.path);
  const earlier = readDelegated(config.dataDir, call);
  keepDelegated(config.dataDir, call, delegated);
  try {
    return await runDelegate({ call, type, config: delegated });
  } catch (error) {
    // Of a container that is there already, a second ADD must not take anything away.
    if (earlier === null) await deleteDelegated(config, call).catch(() => {});
    throw error;
  }
}

/** Nothing kept means nothing to delete. */
export async function deleteDelegated(config: NetworkConfig, call: CniCall): Promise<void> {
  const kept = readDelegated(config.dataDir, call);
  if (kept === null) return;
  const delegated = withPrevious(kept.config, config);
  await runDelegate({ call, command: "DEL", type: delegateTypeOf(delegated), config: delegated });
  forgetDelegated(kept);
}

/** Hands CHECK on, with what ADD got. */
export async function checkDelegated(config: NetworkConfig, call: CniCall): Promise<void> {
  const kept = readDelegated(config.dataDir, call);
  if (kept === null) {
    throw new CniError(
      CniCode.unknownContainer,
      `the container ${call.containerId} has no ${call.ifname} on the network ${config.name}`,
    );
  }
  const delegated = withPrevious(kept.config, config);
  const prevResult = previousResultOf(delegated);
  await runDelegate({
    call,
    type: delegateTypeOf(delegated),
    config: prevResult === null
      ? delegated
      : { ...delegated, prevResult: withGateways(prevResult) },
  });
}

/**
 * A result whose routes say which way they go. They may leave it out, and then go by the gateway of the addresses; but the bridge
 * plugin's CHECK looks for the word.
 */
function withGateways(result: JsonObject): JsonObject {
  const { ips, routes } = result;
  if (!Array.isArray(ips) || !Array.isArray(routes)) return result;
  const isIpv6 = (text: unknown) => typeof text === "string" && text.includes(":");
  return {
    ...result,
    routes: routes.map((route: unknown) => {
      if (!isJsonObject(route) || route.gw !== undefined) return route;
      const ip = ips.find((one: unknown) =>
        isJsonObject(one) && one.gateway !== undefined &&
        isIpv6(one.gateway) === isIpv6(route.dst)
      );
      return isJsonObject(ip) ? { ...route, gw: ip.gateway } : route;
    }),
  };
}

/** Throws CniError code 50 when no ADD can be served. */
export async function statusOfDelegated(config: NetworkConfig, call: CniCall): Promise<void> {
  try {
    const delegated = delegateConfig(config, readHostSubnet(config.subnetFile));
    const type = delegateTypeOf(delegated);
    findPlugin(type, call.path);
    if (await speaks(call, type, config.cniVersion)) {
      await runDelegate({ call, type, config: delegated });
    }
  } catch (error) {
    if (!(error instanceof CniError)) throw error;
    const { code, message, details } = error;
    const known = code === CniCode.notAvailable || code === CniCode.limitedConnectivity;
    throw known ? error : new CniError(CniCode.notAvailable, message, details, error);
  }
}

/** DEL for every attachment that is not in the list, then GC for plugins that have it; goes on after errors. */
export async function collectDelegated(
  config: NetworkConfig,
  call: CniCall,
  valid: readonly AttachmentKey[],
): Promise<void> {
  const errors: unknown[] = [];
  const attempt = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      errors.push(error);
    }
  };
  const types = new Map<string, JsonObject>();
  for (const kept of listDelegated(config.dataDir, config.name)) {
    types.set(delegateTypeOf(kept.config), kept.config);
    if (valid.some((key) => sameAttachment(kept.key, key))) continue;
    await attempt(() => deleteStale(call, kept));
  }
  const list = config.fields.object["cni.dev/valid-attachments"] ?? [];
  for (const [type, delegated] of types) {
    await attempt(async () => {
      if (!await speaks(call, type, config.cniVersion)) return;
      const asked = {
        ...delegated,
        cniVersion: config.cniVersion,
        "cni.dev/valid-attachments": list,
      };
      await runDelegate({ call, type, config: asked });
    });
  }
  if (errors.length > 0) throw errors[0];
}

async function deleteStale(call: CniCall, kept: Delegated): Promise<void> {
  await runDelegate({
    call,
    command: "DEL",
    variables: {
      CNI_CONTAINERID: kept.key.containerId,
      CNI_IFNAME: kept.key.ifname,
      CNI_NETNS: "",
    },
    type: delegateTypeOf(kept.config),
    config: kept.config,
  });
  forgetDelegated(kept);
}

/** Whether the plugin is of that version of the specification: older ones have neither STATUS nor GC. */
async function speaks(call: CniCall, type: string, version: string): Promise<boolean> {
  const answer: unknown = JSON.parse(
    await runDelegate({ call, command: "VERSION", type, config: { cniVersion: version } }),
  );
  return typeof answer === "object" && answer !== null && "supportedVersions" in answer &&
    Array.isArray(answer.supportedVersions) && answer.supportedVersions.includes(version);
}

function withPrevious(delegated: JsonObject, config: NetworkConfig): JsonObject {
  const prevResult = previousResultOf(config.fields.object);
  return prevResult === null ? delegated : { ...delegated, prevResult };
}
