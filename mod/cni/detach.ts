/** Takes an attachment away. */
import type { NetlinkTransport } from "../../ffi/netlink/transport.ts";
import { pullCable } from "./cable.ts";
import { type Attachment, attachmentOf, type LedgerFile, without } from "./ledger.ts";

/** First the cable, then the address: nobody else gets it while somebody still answers to it. */
export function detach(host: NetlinkTransport, file: LedgerFile, attachment: Attachment): void {
  pullCable(host, attachment.device);
  file.change((ledger) => {
    const known = attachmentOf(ledger, attachment.network, attachment);
    return known === undefined ? null : without(ledger, known);
  });
}
