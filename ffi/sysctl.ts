/**
 * Kernel parameters, as sysctl(8), by file. /proc/sys/net shows the network namespace of the
 * thread that opens the file, so these are synchronous: they run on the main thread, inside runIn.
 */

const ROOT = "/proc/sys";
/** Path components that are names, never "." or "..", which would lead out of /proc/sys. */
const COMPONENT = /^(?!\.{1,2}$)[^/\0]+$/;

/**
 * The path of a parameter. A name with slashes is a path ("net/ipv4/conf/flannel.1/forwarding");
 * one without is dotted ("net.ipv4.ip_forward"), as sysctl(8) has it.
 */
export function sysctlPath(name: string): string {
  const components = name.split(name.includes("/") ? "/" : ".");
  if (!components.every((component) => COMPONENT.test(component))) {
    throw new Error(`Not a kernel parameter: ${JSON.stringify(name)}`);
  }
  return `${ROOT}/${components.join("/")}`;
}

function explain(verb: string, name: string, error: unknown): Error {
  const why = error instanceof Deno.errors.NotFound
    ? "this kernel does not have it (is the device there and the module loaded?)"
    : error instanceof Deno.errors.PermissionDenied
    ? "permission denied (it needs CAP_NET_ADMIN, and /proc/sys mounted writable)"
    : error instanceof Error
    ? error.message
    : String(error);
  return new Error(`Cannot ${verb} kernel parameter ${name}: ${why}`, { cause: error });
}

/** The value of a parameter, without its newline. Throws an Error that says why not. */
export function readSysctl(name: string): string {
  const path = sysctlPath(name);
  try {
    return Deno.readTextFileSync(path).trimEnd();
  } catch (error) {
    throw explain("read", name, error);
  }
}

/** Sets a parameter. Throws an Error that says why not. */
export function writeSysctl(name: string, value: string | number): void {
  const path = sysctlPath(name);
  try {
    Deno.writeTextFileSync(path, `${value}\n`, { create: false });
  } catch (error) {
    throw explain(`set to "${value}" the`, name, error);
  }
}
