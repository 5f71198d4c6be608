/**
 * How the lab gets the right to make namespaces: it has it (root), or it starts again as the root of a
 * user namespace (user_namespaces(7)), which any user may be where the machine allows that.
 *
 * A process with several threads cannot unshare its user namespace, and Deno has several, so util-linux's
 * `unshare` does it before our program starts.
 */
import { hasCapability } from "../../ffi/capability.ts";
import { SysError } from "../../ffi/errno.ts";
import { closeNamespace, createNamespace, runIn } from "../../ffi/netns.ts";
import { ExitCode, UserError } from "../base/errors.ts";

const FORWARDING = "/proc/sys/net/ipv4/ip_forward";
const USER_NAMESPACE = ["unshare", "--user", "--map-root-user", "--net", "--mount"] as const;

/**
 * Whether this process may make network and pid namespaces and come back from them. The capabilities
 * alone do not say it: the root of a user namespace (a container on the network of its host) has them
 * and may still not enter what belongs to the namespace outside. So it is tried.
 */
export function mayMakeNamespaces(): boolean {
  if (!hasCapability("CAP_SYS_ADMIN") || !hasCapability("CAP_NET_ADMIN")) return false;
  try {
    const namespace = createNamespace();
    try {
      runIn(namespace, () => {}, { newPidNamespace: true });
    } finally {
      closeNamespace(namespace);
    }
    return true;
  } catch (error) {
    if (error instanceof SysError) return false;
    throw error;
  }
}

/**
 * Throws UserError with exit code 5 when the kernel parameters cannot be set, which the hosts of the lab
 * need in order to forward packets: containers without --privileged have them read-only.
 */
export function checkParametersWritable(): void {
  try {
    Deno.openSync(FORWARDING, { write: true }).close();
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/ \(os error.*/s, "") : error;
    throw new UserError(
      `The hosts of the lab must forward packets, but ${FORWARDING} cannot be written: ${reason}`,
      { exitCode: ExitCode.privilege, remedy: "in a container, start that with --privileged" },
    );
  }
}

/**
 * The prefix that starts a program as root and init of namespaces of its own. Throws UserError with exit
 * code 5 that says what is missing when this machine does not let a user do that.
 */
export async function userNamespacePrefix(): Promise<readonly string[]> {
  const [program, ...flags] = USER_NAMESPACE;
  let stderr: string;
  try {
    const probe = await new Deno.Command(program, { args: [...flags, "true"], stdin: "null" })
      .output();
    if (probe.success) return [...USER_NAMESPACE, "--pid", "--fork", "--kill-child"];
    stderr = new TextDecoder().decode(probe.stderr).trim().split("\n")[0] ?? "";
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    stderr = "there is no unshare program (package util-linux)";
  }
  const root = Deno.uid() === 0;
  throw new UserError(
    (root
      ? "This root may not make network namespaces, and no user namespace either: "
      : "Network namespaces need root, and this machine lets no other user make them: ") + stderr,
    { exitCode: ExitCode.privilege, remedy: remedy(root) },
  );
}

function remedy(root: boolean): string {
  const settings: readonly (readonly [path: string, refusing: string, name: string])[] = [
    ["/proc/sys/kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"],
    ["/proc/sys/user/max_user_namespaces", "0", "user.max_user_namespaces=15000"],
    [
      "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
      "1",
      "kernel.apparmor_restrict_unprivileged_userns=0",
    ],
  ];
  const refused = settings.find(([path, refusing]) => readSetting(path) === refusing);
  const ways = root ? [] : ["run it as root (sudo)"];
  if (refused !== undefined) ways.push(`allow it with sysctl -w ${refused[2]}`);
  if (root || refused === undefined) ways.push("in a container, start that with --privileged");
  return ways.join(", or ");
}

function readSetting(path: string): string | null {
  try {
    return Deno.readTextFileSync(path).trim();
  } catch {
    return null; // Kernels without the setting have no such restriction.
  }
}
