/** A host in a namespace of its own whose nf_tables are ours to change, by gossamer and by `nft`. */
import { strict as assert } from "node:assert";
import type { AddressFamily, FirewallTable } from "../../../mod/base/firewall_objects.ts";
import { openFirewall } from "../../../mod/host/firewall.ts";
import { diffFirewall } from "../../../mod/overlay/firewall_diff.ts";
import { Host, kernelTest } from "../ffi/namespace.ts";

/** Of our table. */
export const NAME = "gossamer_1";

export class FirewallHost {
  readonly host = new Host();
  readonly firewall = this.host.run(() => openFirewall());

  apply(wanted: FirewallTable): void {
    this.firewall.apply(diffFirewall(wanted, this.dump(wanted.family)).operations);
  }

  dump(family: AddressFamily) {
    return this.firewall.dump(family, NAME);
  }

  nft(command: string): string {
    const text = this.host.text(`nft ${command}`);
    assert(text !== null);
    return text;
  }

  /** Runs a file of nft. */
  script(text: string): void {
    const path = Deno.makeTempFileSync({ suffix: ".nft" });
    try {
      Deno.writeTextFileSync(path, text);
      this.nft(`-f ${path}`);
    } finally {
      Deno.removeSync(path);
    }
  }

  async close(): Promise<void> {
    await this.firewall.close();
    this.host[Symbol.dispose]();
  }
}

/** A test with such a host, left out where there is no `nft` but the test wants it. */
export function firewallTest(
  name: string,
  run: (host: FirewallHost) => void | Promise<void>,
  needsNft = true,
): void {
  kernelTest(name, async () => {
    const host = new FirewallHost();
    try {
      await run(host);
    } finally {
      await host.close();
    }
  }, () => needsNft ? whyNoNft() : null);
}

function whyNoNft(): string | null {
  try {
    new Deno.Command("nft", { args: ["--version"], stdout: "null", stderr: "null" }).outputSync();
    return null;
  } catch {
    return "needs nft: install the package nftables";
  }
}
