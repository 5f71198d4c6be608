/** Namespaces: made, entered, left again whatever happens, inherited by children. */
import { strict as assert } from "node:assert";
import {
  closeNamespace,
  createNamespace,
  currentNamespace,
  namespaceId,
  openNamespace,
  runIn,
} from "../../../ffi/netns.ts";
import { bridgeAdd } from "../../../ffi/route/bridge.ts";
import { readSysctl, writeSysctl } from "../../../ffi/sysctl.ts";
import { Host, kernelTest } from "./namespace.ts";

/** The number of the namespace this thread is in. */
function here(): number {
  const fd = currentNamespace();
  try {
    return namespaceId(fd);
  } finally {
    closeNamespace(fd);
  }
}

/** Why a process namespace cannot be made here although a network namespace can. */
function whyNoPidNamespace(): string | null {
  const fd = createNamespace();
  try {
    runIn(fd, () => {}, { newPidNamespace: true });
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    closeNamespace(fd);
  }
}

kernelTest("making a namespace leaves this thread where it was", () => {
  const before = here();
  const fd = createNamespace();
  assert.equal(here(), before);
  assert.notEqual(namespaceId(fd), before);
  closeNamespace(fd);
});

kernelTest("a function runs inside and its result comes out", () => {
  const fd = createNamespace();
  const before = here();
  assert.equal(runIn(fd, here), namespaceId(fd));
  assert.equal(here(), before);
  closeNamespace(fd);
});

kernelTest("an exception inside still leads back", () => {
  const fd = createNamespace();
  const before = here();
  assert.throws(() =>
    runIn(fd, () => {
      throw new Error("inside");
    }), { message: "inside" });
  assert.equal(here(), before);
  closeNamespace(fd);
});

kernelTest("namespaces nest", () => {
  const [outer, inner] = [createNamespace(), createNamespace()];
  const seen = runIn(outer, () => [here(), runIn(inner, here), here()]);
  assert.deepEqual(seen, [namespaceId(outer), namespaceId(inner), namespaceId(outer)]);
  closeNamespace(outer);
  closeNamespace(inner);
});

kernelTest("an asynchronous function is refused", () => {
  const fd = createNamespace();
  const before = here();
  assert.throws(() => runIn(fd, () => Promise.resolve(1)), /asynchronous/);
  assert.equal(here(), before);
  closeNamespace(fd);
});

kernelTest("what is no namespace is refused, and this thread stays", () => {
  const before = here();
  assert.throws(() => runIn(-1, () => 1), { name: "SysError", code: "EBADF" });
  assert.throws(() => openNamespace("/run/netns/no such"), { name: "SysError", code: "ENOENT" });
  const file = openNamespace("/proc/self/status");
  assert.throws(() => namespaceId(file), /not a network namespace/);
  closeNamespace(file);
  assert.equal(here(), before);
});

kernelTest("a child started inside lives inside", async () => {
  const fd = createNamespace();
  const child = runIn(
    fd,
    () => new Deno.Command("readlink", { args: ["/proc/self/ns/net"], stdout: "piped" }).spawn(),
  );
  const { stdout } = await child.output();
  assert.equal(new TextDecoder().decode(stdout).trim(), `net:[${namespaceId(fd)}]`);
  closeNamespace(fd);
});

kernelTest("a child started in a process namespace of its own is its first process", async () => {
  const fd = createNamespace();
  const start = (newPidNamespace: boolean) =>
    runIn(fd, () => new Deno.Command("sh", { args: ["-c", "echo $$"], stdout: "piped" }).spawn(), {
      newPidNamespace,
    });
  const output = async (child: Deno.ChildProcess) =>
    new TextDecoder().decode((await child.output()).stdout).trim();
  assert.equal(await output(start(true)), "1");
  assert.notEqual(await output(start(false)), "1");
  closeNamespace(fd);
}, whyNoPidNamespace);

kernelTest("kernel parameters are those of the namespace inside which they are read", () => {
  using host = new Host();
  using other = new Host();
  const name = "net.ipv4.ip_forward";
  host.run(() => writeSysctl(name, 1));
  other.run(() => writeSysctl(name, 0));
  assert.equal(host.run(() => readSysctl(name)), "1");
  assert.equal(other.run(() => readSysctl(name)), "0");
});

kernelTest("a parameter of a device with a dot in its name is named with slashes", () => {
  using host = new Host();
  bridgeAdd(host.transport, { name: "br.7" });
  const name = "net/ipv4/conf/br.7/forwarding";
  host.run(() => writeSysctl(name, 1));
  assert.equal(host.run(() => readSysctl(name)), "1");
  assert.throws(
    () => host.run(() => readSysctl("net/ipv4/conf/nobody/forwarding")),
    /Cannot read kernel parameter .*\/nobody\/forwarding: this kernel does not have it/,
  );
  assert.throws(() => host.run(() => writeSysctl(name, "many")), /Cannot set to "many"/);
});
