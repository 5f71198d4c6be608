/**
 * How the lab gets the right to make namespaces: it has it (root), or it starts again as the root of a
 * user namespace (user_namespaces(7)), which any user may be where the machine allows that.
 *
 * A process with several threads cannot unshare its user namespace, and Deno has several, so util-linux's
 * `unshare` does it before our program starts.
 */
import { hasCapability } from "../../ffi/capability.ts";
import { ExitCode, UserError } from "../base/errors.ts";

const USER_NAMESPACE = ["unshare", "--user", "--map-root-user", "--net", "--mount"] as const;

/** Whether this process may make network and pid namespaces. */
export function mayMakeNamespaces(): boolean {
  return hasCapability("CAP_SYS_ADMIN") && hasCapability("CAP_NET_ADMIN");
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
  throw new UserError(
    `Network namespaces need root, and this machine lets no other user make them: ${stderr}`,
    { exitCode: ExitCode.privilege, remedy: remedy() },
  );
}

function remedy(): string {
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
  const setting = refused === undefined
    ? "in a container, give it CAP_SYS_ADMIN and CAP_NET_ADMIN"
    : `allow it with sysctl -w ${refused[2]}`;
  return `run it as root (sudo), or ${setting}`;
}

function readSetting(path: string): string | null {
  try {
    return Deno.readTextFileSync(path).trim();
  } catch {
    return null; // Kernels without the setting have no such restriction.
  }
}
