/** What the kernel said, without what Deno adds: error number, name of the call, and a path that is named already. */
export function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message.replace(/ \(os error \d+\).*$/s, "");
}
