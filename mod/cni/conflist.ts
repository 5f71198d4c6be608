/** The network configuration that `gossamer cni install` writes: ours, and portmap behind it where it is installed. */

/** The network's name, part of files and of what runtimes show. */
export const NETWORK_NAME = "gossamer";
/** Runtimes take the first one by name. */
export const CONFLIST_NAME = "10-gossamer.conflist";
/** The plugin's, as the configuration has it. */
export const PLUGIN_NAME = "gossamer";
export const PORTMAP_NAME = "portmap";

export interface ConflistOptions {
  /** Null for the agent's default. */
  readonly subnetFile: string | null;
  /** Published ports are another plugin's business. */
  readonly hasPortmap: boolean;
}

/** The file's text. Runtimes that do not know `cniVersions` read 1.0.0, the others take the newest that they speak. */
export function conflistText({ subnetFile, hasPortmap }: ConflistOptions): string {
  const conflist = {
    cniVersion: "1.0.0",
    cniVersions: ["0.4.0", "1.0.0", "1.1.0"],
    name: NETWORK_NAME,
    plugins: [
      {
        type: PLUGIN_NAME,
        ...subnetFile === null ? {} : { subnetFile },
        capabilities: { ips: true, mac: true },
      },
      ...hasPortmap ? [{ type: PORTMAP_NAME, capabilities: { portMappings: true } }] : [],
    ],
  };
  return JSON.stringify(conflist, null, 2) + "\n";
}
