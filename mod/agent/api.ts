/**
 * What the agent says over its control socket: HTTP with JSON bodies on `<run-dir>/gossamer.sock`.
 *
 * These types are the outside's contract (schema 1) and stand apart from internal types on purpose: fields may be added,
 * never renamed or retyped within a schema.
 *
 * | request         | body                     | answer                                              |
 * | --------------- | ------------------------ | --------------------------------------------------- |
 * | GET /status     |                          | {@linkcode StatusDocument}                          |
 * | GET /subnets    |                          | {@linkcode SubnetsDocument}                         |
 * | GET /subnets/why?of=WHAT |                 | {@linkcode WhyDocument}                             |
 * | GET /metrics    |                          | Prometheus text: docs/metrics.md                    |
 * | GET /plan       |                          | PlanDocument of overlay_documents.ts                |
 * | GET /events[?recent=true] |                | {@linkcode EventDocument}s as JSON lines, without end |
 * | GET /events/recent |                       | the last of them: `{schema, events}`                |
 * | GET /keys       |                          | {@linkcode KeysDocument}, when the others answered  |
 * | POST /join      | `{"seeds": [...]}`       | {@linkcode JoinAnswer}                              |
 * | POST /keys      | {@linkcode KeysRequest}  | {@linkcode KeysAnswer}, when the others answered    |
 * | POST /forget    | {@linkcode ForgetRequest}| {@linkcode ForgetAnswer}                            |
 * | GET /pool       |                          | {@linkcode PoolDocument}                            |
 * | POST /pool      | {@linkcode PoolRequest}  | {@linkcode PoolAnswer}                              |
 * | POST /ping      | {@linkcode PingRequest}  | {@linkcode GossipPingDocument}, within 4 s          |
 * | POST /leave     | `{"release": bool}`      | {@linkcode LeaveAnswer}, when it is done            |
 *
 * An error is answered with a 4xx or 5xx status and `{"error": "...", "remedy": "..."}`.
 */
import type { MemberStatusName } from "./api/names.ts";

export { STATUS_SCHEMA } from "./api/names.ts";
export type * from "./api/names.ts";
export type * from "./api/status.ts";
export type * from "./api/subnets.ts";
export type * from "./api/keys.ts";
export type * from "./api/ping.ts";
export type * from "./api/pool.ts";
export { EVENT_NAMES } from "./api/events.ts";
export type * from "./api/events.ts";

export interface JoinAnswer {
  seeds: string[];
}

export interface LeaveAnswer {
  released: string | null;
}

/** A host, by name, address or id; `force` also when it seems to be there. */
export interface ForgetRequest {
  host: string;
  force?: boolean;
}

export interface ForgetAnswer {
  id: string;
  name: string;
  /** With the gossip port. */
  address: string;
  /** As it was before; `unknown` when it is only remembered from before the restart. */
  status: MemberStatusName | "unknown";
}

export interface ErrorAnswer {
  error: string;
  remedy?: string;
}
