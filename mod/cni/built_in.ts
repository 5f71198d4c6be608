/** The built-in bridge and its addresses: what each command but ADD does when no other plugin is asked. */
import type { CniCall } from "./call.ts";
import { checkAttachment } from "./check.ts";
import { detach } from "./detach.ts";
import { CniCode, CniError } from "./errors.ts";
import { readHostSubnet } from "./host_subnet.ts";
import { type AttachmentKey, attachmentOf, LedgerFile, sameAttachment } from "./ledger.ts";
import { withContainer, withHost } from "./namespaces.ts";
import { bridgeConfigOf, type NetworkConfig } from "./network_config.ts";
import { freeAddresses, withoutGone } from "./reservation.ts";
import { previousResultOf } from "./result.ts";

/** Undoes ADD, as far as there is something to undo. */
export function deleteBuiltIn(config: NetworkConfig, call: CniCall): void {
  const file = new LedgerFile(config.dataDir);
  const attachment = attachmentOf(file.peek(), config.name, call);
  if (attachment !== undefined) withHost((host) => detach(host, file, attachment));
}

/** Throws CniError when the attachment is not as ADD made it. */
export function checkBuiltIn(config: NetworkConfig, call: CniCall): void {
  const previous = previousResultOf(config.fields.object);
  if (previous === null) {
    throw new CniError(CniCode.invalidConfig, "CHECK: the configuration has no prevResult");
  }
  const file = new LedgerFile(config.dataDir);
  const attachment = attachmentOf(file.peek(), config.name, call);
  if (attachment === undefined) {
    throw new CniError(
      CniCode.unknownContainer,
      `the container ${call.containerId} has no ${call.ifname} on the network ${config.name}`,
    );
  }
  withHost((host) =>
    withContainer(call.netns, ({ netlink }) =>
      checkAttachment({
        host,
        inside: netlink,
        attachment,
        previous,
      }))
  );
}

/** Throws CniError code 50 or 51 when no ADD can be served. */
export function statusOfBuiltIn(config: NetworkConfig): void {
  const ledger = new LedgerFile(config.dataDir).peek();
  try {
    const subnet = readHostSubnet(config.subnetFile);
    bridgeConfigOf(config, subnet.ipMasq);
    // An ADD would take back what containers that are gone have left.
    const isFull = freeAddresses(ledger, subnet) <= 0 &&
      withHost((host) => freeAddresses(withoutGone(ledger, host), subnet)) <= 0;
    if (isFull) {
      const networks = subnet.families.map(({ network }) => network).join(" and ");
      throw new CniError(CniCode.notAvailable, `all addresses of ${networks} are in use`);
    }
  } catch (error) {
    if (!(error instanceof CniError) || error.code === CniCode.notAvailable) throw error;
    // Without a subnet the other hosts do not send to it: who runs here talks to nobody else.
    const isLimited = error.code === CniCode.tryAgainLater && ledger.attachments.length > 0;
    const code = isLimited ? CniCode.limitedConnectivity : CniCode.notAvailable;
    throw new CniError(code, error.message, error.details, error);
  }
}

/** Removes every attachment that is not in the list; goes on after an error and throws the first one at the end. */
export function collectBuiltIn(config: NetworkConfig, valid: readonly AttachmentKey[]): void {
  const file = new LedgerFile(config.dataDir);
  const stale = file.peek().attachments.filter((one) =>
    one.network === config.name && !valid.some((key) => sameAttachment(one, key))
  );
  if (stale.length === 0) return;
  withHost((host) => {
    const errors: unknown[] = [];
    for (const attachment of stale) {
      try {
        detach(host, file, attachment);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  });
}
