/** The agent's companions, in the order in which they are opened; each loads its own code when it is wanted. */
import type { CompanionKind } from "./companions.ts";

export const COMPANIONS: readonly CompanionKind[] = [
  {
    open: async (inside) =>
      Deno.env.has("NOTIFY_SOCKET")
        ? (await import("./service_companion.ts")).openService(inside)
        : null,
  },
  { open: async (inside) => new (await import("./event_watch.ts")).EventWatch(inside) },
  {
    reads: ["onEvent"],
    open: async (inside, occasion) => {
      const { onEvent } = inside.config();
      if (onEvent === null) return null;
      return (await import("./event_hook.ts")).openEventHook(onEvent, inside, occasion);
    },
  },
  {
    reads: ["http"],
    open: async (inside) => {
      const { http } = inside.config();
      return http === null ? null : (await import("./http_companion.ts")).openHttp(http, inside);
    },
  },
  { open: async (inside) => (await import("./overlay_probe.ts")).openOverlayProbe(inside) },
  { open: async (inside) => (await import("./health_checks.ts")).openHealthChecks(inside) },
];
