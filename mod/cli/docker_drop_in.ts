/**
 * What systemd must be told so that Docker starts after the agent, in this host's subnet: a drop-in for the unit of Docker. Pure: what
 * there is on the host in, text out.
 */

/** A version of dockerd as far as its options differ. */
export interface DockerVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

export interface DockerDropIn {
  /** Paths of the two programs. */
  readonly gossamer: string;
  readonly dockerd: string;
  readonly subnetFile: string;
  /** Null when it is not known: then nothing is said that one of them would refuse. */
  readonly version: DockerVersion | null;
}

/** Where the drop-in belongs. */
export const DOCKER_DROP_IN_PATH = "/etc/systemd/system/docker.service.d/gossamer.conf";

/** Where flannel's script writes it, too. */
const OPTIONS_FILE = "/run/docker_opts.env";

/** The first with the option against its dropping what comes to a container from other hosts. */
const DIRECT_ROUTING: DockerVersion = { major: 28, minor: 2, patch: 0 };

/** `28.2.2`, or what `dockerd --version` prints; null when it is something else. */
export function dockerVersionOf(text: string): DockerVersion | null {
  const match = /^(?:Docker version )?(\d+)\.(\d+)\.(\d+)/.exec(text);
  if (match === null) return null;
  return { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3]) };
}

/** The drop-in's text. */
export function dockerDropInText({ gossamer, dockerd, subnetFile, version }: DockerDropIn): string {
  const hasOption = version !== null && isAtLeast(version, DIRECT_ROUTING);
  const directRouting = hasOption ? " --allow-direct-routing" : "";
  // Versions before 28.0.2 do not know it, and do not mind; later ones take it for the option.
  const environment = hasOption ? "" : "Environment=DOCKER_INSECURE_NO_IPTABLES_RAW=1\n";
  const rule = 'DOCKER-USER -s "$$FLANNEL_NETWORK" -j ACCEPT';
  return `# Written by gossamer: Docker's default network is this host's subnet.
[Unit]
Wants=gossamer.service
After=gossamer.service

[Service]
ExecStartPre=${gossamer} docker-opts -c -f ${subnetFile} -d ${OPTIONS_FILE}
EnvironmentFile=-${OPTIONS_FILE}
EnvironmentFile=-${subnetFile}
${environment}ExecStart=
ExecStart=${dockerd} -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS${directRouting}
# Docker keeps what comes from other hosts away from ports that are not published.
ExecStartPost=-/bin/sh -c 'iptables -C ${rule} 2>/dev/null || iptables -I ${rule}'
`;
}

function isAtLeast(version: DockerVersion, other: DockerVersion): boolean {
  return version.major !== other.major
    ? version.major > other.major
    : version.minor !== other.minor
    ? version.minor > other.minor
    : version.patch >= other.patch;
}
