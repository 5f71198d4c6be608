/** Strict parsing: what is accepted, what is refused, and what the refusal says. */
import { deepEqual, equal, match, throws } from "node:assert/strict";
import {
  AddressError,
  isAddress,
  isNetwork,
  parseAddress,
  parseEndpoint,
  parseNetwork,
} from "../../../mod/address/parse.ts";

const NOT_ADDRESSES = [
  "",
  " ",
  "10.1",
  "10.0.0",
  "10.0.0.0.0",
  "10.0.0.",
  ".10.0.0",
  "010.1.2.3",
  "10.00.0.1",
  "256.0.0.1",
  "1.2.3.999",
  "1.2.3.4 ",
  " 1.2.3.4",
  "1.2.3.4\n",
  "0x0a.0.0.1",
  "1.2.3.-4",
  "1.2.3.+4",
  "1e1.0.0.1",
  "167772161",
  "::1",
  "::ffff:10.0.0.1",
  "１.2.3.4",
  "1,2,3,4",
];

Deno.test("an address is four decimal octets", () => {
  equal(parseAddress("0.0.0.0"), 0);
  equal(parseAddress("10.244.7.1"), 0x0af40701);
  equal(parseAddress("255.255.255.255"), 0xffffffff);
});

for (const text of NOT_ADDRESSES) {
  Deno.test(`${JSON.stringify(text)} is not an address`, () => {
    throws(() => parseAddress(text), AddressError);
    equal(isAddress(text), false);
  });
}

Deno.test("a network has a prefix length and no host bits", () => {
  deepEqual(parseNetwork("10.244.0.0/16"), { address: 0x0af40000, length: 16 });
  deepEqual(parseNetwork("0.0.0.0/0"), { address: 0, length: 0 });
  deepEqual(parseNetwork("255.255.255.255/32"), { address: 0xffffffff, length: 32 });
  for (const text of ["10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1"]) {
    throws(() => parseNetwork(text), AddressError);
    equal(isNetwork(text), false);
  }
});

Deno.test("host bits are refused with the network that was probably meant", () => {
  throws(() => parseNetwork("10.244.7.1/24"), /did you mean 10\.244\.7\.0\/24\?/);
  throws(() => parseNetwork("192.168.255.255/17"), /did you mean 192\.168\.128\.0\/17\?/);
  throws(() => parseNetwork("128.0.0.1/0"), /did you mean 0\.0\.0\.0\/0\?/);
  throws(() => parseNetwork("128.0.0.0/0"), /did you mean 0\.0\.0\.0\/0\?/);
});

Deno.test("an endpoint has a port from 1 to 65535", () => {
  deepEqual(parseEndpoint("10.0.0.1:7947"), { address: 0x0a000001, port: 7947 });
  for (const text of ["10.0.0.1", "10.0.0.1:", "10.0.0.1:0", "10.0.0.1:65536", "10.0.0.1:07"]) {
    throws(() => parseEndpoint(text), AddressError);
  }
});

Deno.test("messages quote the text, cut when it is long", () => {
  throws(() => parseAddress("x".repeat(1000)), (error: Error) => {
    match(error.message, /^"x{60}…" is not an IPv4 address/);
    return true;
  });
});
