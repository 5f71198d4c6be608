/** The programs that are compared: how each is started, and what its log says of the other members. */

/** What one agent said of another member. */
export interface Sighting {
  readonly kind: "alive" | "failed";
  readonly name: string;
}

/** Where an agent runs: a lab host, and a fresh folder of its own. */
export interface Place {
  readonly name: string;
  readonly address: string;
  readonly folder: string;
}

export interface Contestant {
  readonly name: "gossamer" | "tight" | "serf";
  /** Gossip, UDP and TCP. */
  readonly port: number;
  command(place: Place, seed: string | null): string[];
  /** What a line of its output says, null when it is about something else. */
  read(line: string): Sighting | null;
}

/** Two gossamers on one host need overlays that do not meet. */
interface GossamerOverlay {
  readonly name: "gossamer" | "tight";
  readonly port: number;
  readonly vni: number;
  readonly vxlanPort: number;
  readonly network: string;
  readonly flags: readonly string[];
}

const GOSSAMER: GossamerOverlay = {
  name: "gossamer",
  port: 7947,
  vni: 1,
  vxlanPort: 8472,
  network: "10.244.0.0/16",
  flags: [],
};

const TIGHT: GossamerOverlay = {
  name: "tight",
  port: 7948,
  vni: 2,
  vxlanPort: 8473,
  network: "10.245.0.0/16",
  flags: ["--gossip-profile=tight"],
};

const SERF_PORT = 7946;

/** Messages of mod/agent/event_log.ts. */
const GOSSAMER_MESSAGES: ReadonlyMap<string, Sighting["kind"]> = new Map([
  ["member joined", "alive"],
  ["member is back", "alive"],
  ["member failed; its subnet stays its own", "failed"],
]);

/** gossamer with its default timings; or with the tight ones. */
export function gossamer(executable: string, timings: "default" | "tight"): Contestant {
  const { name, port, vni, vxlanPort, network, flags } = timings === "tight" ? TIGHT : GOSSAMER;
  return {
    name,
    port,
    command: (place, seed) => [
      executable,
      "up",
      `--name=${place.name}`,
      `--state-dir=${place.folder}/state`,
      `--run-dir=${place.folder}/run`,
      `--subnet-file=${place.folder}/subnet.env`,
      `--gossip-port=${port}`,
      `--vni=${vni}`,
      `--vxlan-port=${vxlanPort}`,
      `--network=${network}`,
      "--log-level=info",
      "--log-format=json",
      ...flags,
      ...(seed === null ? [] : [`--join=${seed}:${port}`]),
    ],
    read: readGossamer,
  };
}

/** The LAN profile, which is serf's default; `-retry-join` because the seed may not listen yet. */
export function serf(): Contestant {
  return {
    name: "serf",
    port: SERF_PORT,
    command: (place, seed) => [
      "serf",
      "agent",
      `-node=${place.name}`,
      `-bind=${place.address}:${SERF_PORT}`,
      "-rpc-addr=127.0.0.1:7373",
      "-log-level=info",
      "-retry-interval=1s",
      ...(seed === null ? [] : [`-retry-join=${seed}:${SERF_PORT}`]),
    ],
    read: readSerf,
  };
}

function readGossamer(line: string): Sighting | null {
  if (!line.startsWith("{") || !line.includes('"member ')) return null;
  const { message, name } = JSON.parse(line);
  const kind = GOSSAMER_MESSAGES.get(message);
  return kind === undefined ? null : { kind, name };
}

/** `2026/11/22 12:00:00 [INFO] serf: EventMemberFailed: h2 192.168.100.2`. */
function readSerf(line: string): Sighting | null {
  const [, what, name] = / serf: EventMember(Join|Failed): (\S+) /.exec(line) ?? [];
  return name === undefined ? null : { kind: what === "Join" ? "alive" : "failed", name };
}
