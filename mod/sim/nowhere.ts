/** Nobody's address (TEST-NET-3, RFC 5737): where simulated noise comes from. */
import type { Endpoint } from "../base/core.ts";

export const NOWHERE: Endpoint = "203.0.113.66:7947";
