/** Names of kernel parameters, and what is said of those that are not there. */
import { strict as assert } from "node:assert";
import { readSysctl, sysctlPath } from "../../../ffi/sysctl.ts";

Deno.test("kernel parameters are named with dots or with slashes", () => {
  assert.equal(sysctlPath("net.ipv4.ip_forward"), "/proc/sys/net/ipv4/ip_forward");
  assert.equal(
    sysctlPath("net/ipv4/conf/flannel.1/forwarding"),
    "/proc/sys/net/ipv4/conf/flannel.1/forwarding",
  );
});

for (const name of ["", "..", "net/../../etc/passwd", "net//ipv4", "net..ipv4", "/net", "a\0b/c"]) {
  Deno.test(`${JSON.stringify(name)} is no kernel parameter`, () => {
    assert.throws(() => readSysctl(name), /Not a kernel parameter/);
  });
}

Deno.test("a parameter this kernel does not have is an error that says so", () => {
  assert.throws(() => readSysctl("kernel.no_such_thing"), {
    message: "Cannot read kernel parameter kernel.no_such_thing: this kernel does not have it " +
      "(is the device there and the module loaded?)",
  });
});
