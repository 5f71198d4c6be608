/** Who the hosts of the search are: names, ids, addresses and process instances. */

const NAMES = ["Ada", "Ben", "Cyd", "Dan"];

export function nameOf(host: number): string {
  return NAMES[host] ?? `host ${host}`;
}

export function endpointOf(host: number): string {
  return `192.168.0.${host + 1}:7947`;
}

export function instanceOf(host: number, starts: number): string {
  return `${(host + 1).toString(16).padStart(8, "0")}${starts.toString(16).padStart(8, "0")}`;
}

/** Ids of hosts that all want the first subnet first: the worst that can happen. */
export function hostIds(count: number): string[] {
  return Array.from({ length: count }, (_, at) => (at + 1).toString(16).repeat(32));
}
