/** The agent's companions, in the order in which they are opened; each loads its own code when it is wanted. */
import type { CompanionOpener } from "./companions.ts";

export const COMPANIONS: readonly CompanionOpener[] = [];
