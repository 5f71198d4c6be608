/** Errors of libc and of the kernel: what they say, and how they are told apart. */
import { strict as assert } from "node:assert";
import { ERRNO, errnoName, errnoText, SysError } from "../../../ffi/errno.ts";
import { isExisting, isMissing, NetlinkError } from "../../../ffi/netlink/error.ts";

Deno.test("error numbers have names and texts, known or not", () => {
  assert.equal(errnoName(1), "EPERM");
  assert.equal(errnoText(105), "No buffer space available");
  assert.equal(errnoName(4711), "errno 4711");
  assert.equal(errnoText(4711), "Unknown error 4711");
});

Deno.test("a failed call says what was tried, why not, and what to do", () => {
  const error = new SysError("make a network namespace", ERRNO.EPERM, "become root");
  assert.equal(
    error.message,
    "Cannot make a network namespace: Operation not permitted (EPERM); become root",
  );
  assert.equal(error.code, "EPERM");
});

Deno.test("a refusal knows whether the thing was missing or there already", () => {
  const refused = (errno: number) => new NetlinkError("x", errno);
  const { ENOENT, ESRCH, ENODEV, EADDRNOTAVAIL, EEXIST, EPERM } = ERRNO;
  assert.deepEqual(
    [ENOENT, ESRCH, ENODEV, EADDRNOTAVAIL].map((errno) => isMissing(refused(errno))),
    [
      true,
      true,
      true,
      true,
    ],
  );
  assert.deepEqual([EEXIST, EPERM].map((errno) => isMissing(refused(errno))), [false, false]);
  assert.equal(isExisting(refused(EEXIST)), true);
  assert.equal(isExisting(refused(ENOENT)), false);
  assert.equal(isMissing(new Error("ENOENT")), false);
  assert.equal(isMissing(null), false);
});
