/** The agent's companions, in the order in which they are opened; each loads its own code when it is wanted. */
import type { CompanionOpener } from "./companions.ts";

export const COMPANIONS: readonly CompanionOpener[] = [
  async (inside) =>
    Deno.env.has("NOTIFY_SOCKET")
      ? (await import("./service_companion.ts")).openService(inside)
      : null,
  async (inside) => new (await import("./event_watch.ts")).EventWatch(inside),
  async (inside) => {
    const { onEvent } = inside.config;
    if (onEvent === null) return null;
    return (await import("./event_hook.ts")).openEventHook(onEvent, inside);
  },
  async (inside) => {
    const { http } = inside.config;
    return http === null ? null : (await import("./http_companion.ts")).openHttp(http, inside);
  },
  async (inside) => (await import("./overlay_probe.ts")).openOverlayProbe(inside),
  async (inside) => (await import("./health_checks.ts")).openHealthChecks(inside),
];
