/** Netlink attributes: every kind of value there and back, and lengths that cannot be. */
import { strict as assert } from "node:assert";
import { hex } from "../../../ffi/bytes.ts";
import {
  type Attributes,
  type AttributeWriter,
  decodeAttributes,
  encodePayload,
  fixedHeader,
} from "../../../ffi/netlink/attribute.ts";
import { randomFrom } from "./scripted_datagrams.ts";

const ROWS: readonly {
  name: string;
  write: (writer: AttributeWriter) => void;
  bytes: string;
  read: (attributes: Attributes) => unknown;
  value: unknown;
}[] = [
  {
    name: "a flag",
    write: (writer) => writer.flag(23),
    bytes: "04 00 17 00",
    read: (attributes) => attributes.has(23),
    value: true,
  },
  {
    name: "eight bits",
    write: (writer) => writer.u8(1, 0xab),
    bytes: "05 00 01 00 ab 00 00 00",
    read: (attributes) => attributes.u8(1),
    value: 0xab,
  },
  {
    name: "sixteen bits in host order",
    write: (writer) => writer.u16(2, 0x1234),
    bytes: "06 00 02 00 34 12 00 00",
    read: (attributes) => attributes.u16(2),
    value: 0x1234,
  },
  {
    name: "sixteen bits in network order",
    write: (writer) => writer.be16(15, 8472),
    bytes: "06 00 0f 00 21 18 00 00",
    read: (attributes) => attributes.be16(15),
    value: 8472,
  },
  {
    name: "thirty-two bits",
    write: (writer) => writer.u32(4, 0xfffffffe),
    bytes: "08 00 04 00 fe ff ff ff",
    read: (attributes) => [attributes.u32(4), attributes.i32(4)],
    value: [0xfffffffe, -2],
  },
  {
    name: "sixty-four bits",
    write: (writer) => writer.u64(5, 0x0102030405060708n),
    bytes: "0c 00 05 00 08 07 06 05 04 03 02 01",
    read: (attributes) => attributes.u64(5),
    value: 0x0102030405060708n,
  },
  {
    name: "bytes",
    write: (writer) => writer.bytes(1, Uint8Array.of(1, 2, 3)),
    bytes: "07 00 01 00 01 02 03 00",
    read: (attributes) => [...attributes.bytes(1) ?? []],
    value: [1, 2, 3],
  },
  {
    name: "a string with its zero",
    write: (writer) => writer.string(3, "eth0"),
    bytes: "09 00 03 00 65 74 68 30 00 00 00 00",
    read: (attributes) => attributes.string(3),
    value: "eth0",
  },
  {
    name: "attributes inside attributes",
    write: (writer) =>
      writer.nested(18, () => {
        writer.string(1, "x").nested(2, () => writer.u8(7, 1));
      }),
    bytes: "18 00 12 00 06 00 01 00 78 00 00 00 0c 00 02 00 05 00 07 00 01 00 00 00",
    read: (attributes) => {
      const inside = attributes.nested(18);
      return [inside?.string(1), inside?.nested(2)?.u8(7)];
    },
    value: ["x", 1],
  },
];

for (const { name, write, bytes, read, value } of ROWS) {
  Deno.test(`an attribute can be ${name}`, () => {
    const payload = encodePayload(write);
    assert.equal(hex(payload), bytes);
    assert.deepEqual(read(decodeAttributes(payload)), value);
  });
}

Deno.test("a fixed header comes before the attributes", () => {
  const payload = encodePayload((writer) => {
    writer.header(8, (view) => view.setUint32(4, 0x01020304, true));
    writer.u8(1, 9);
  });
  assert.equal(hex(payload), "00 00 00 00 04 03 02 01 05 00 01 00 09 00 00 00");
  assert.equal(fixedHeader(payload, 8, "test").getUint32(4, true), 0x01020304);
  assert.equal(decodeAttributes(payload, 8).u8(1), 9);
});

Deno.test("an absent attribute is null, and a repeated one is its last", () => {
  const attributes = decodeAttributes(encodePayload((writer) => writer.u8(1, 1).u8(1, 2)));
  assert.equal(attributes.u8(1), 2);
  assert.equal(attributes.u32(9), null);
  assert.equal(attributes.string(9), null);
  assert.equal(attributes.nested(9), null);
  assert.deepEqual(attributes.types(), [1]);
});

Deno.test("the bits for nested and byte order are not part of the type", () => {
  const bytes = Uint8Array.of(5, 0, 1, 0x80, 7, 0, 0, 0, 5, 0, 2, 0x40, 8, 0, 0, 0);
  const attributes = decodeAttributes(bytes);
  assert.deepEqual([attributes.u8(1), attributes.u8(2)], [7, 8]);
});

Deno.test("a payload larger than the writer's buffer is written whole", () => {
  const value = Uint8Array.from({ length: 5000 }, (_, index) => index);
  const payload = encodePayload((writer) => writer.u32(1, 1).bytes(2, value).u8(3, 3));
  const attributes = decodeAttributes(payload);
  assert.deepEqual(attributes.bytes(2), value);
  assert.equal(attributes.u8(3), 3);
});

Deno.test("padding does not leak an earlier request", () => {
  encodePayload((writer) => writer.bytes(1, new Uint8Array(64).fill(0xff)));
  assert.equal(hex(encodePayload((writer) => writer.u8(1, 1))), "05 00 01 00 01 00 00 00");
});

Deno.test("requests may be encoded while another is being written", () => {
  let inner = new Uint8Array();
  const outer = encodePayload((writer) => {
    writer.u8(1, 1);
    inner = encodePayload((other) => other.u8(2, 2)).slice();
    writer.u8(3, 3);
  });
  assert.deepEqual(decodeAttributes(outer).types(), [1, 3]);
  assert.deepEqual(decodeAttributes(inner).types(), [2]);
});

Deno.test("what netlink cannot carry is refused before it is sent", () => {
  const tooLong = new Uint8Array(0xffff - 3);
  assert.throws(() => encodePayload((writer) => writer.bytes(1, tooLong)), /65535/);
  assert.throws(
    () =>
      encodePayload((writer) =>
        writer.nested(1, () => writer.bytes(2, new Uint8Array(40_000)).bytes(3, tooLong.slice(9)))
      ),
    /65535/,
  );
  assert.throws(() => encodePayload((writer) => writer.string(3, "a\0b")), /NUL/);
  assert.equal(encodePayload((writer) => writer.u8(1, 1)).length, 8, "the writer recovers");
});

for (
  const [what, bytes] of [
    ["is longer than its payload", [9, 0, 1, 0, 1, 2, 3, 4]],
    ["is shorter than its own header", [3, 0, 1, 0]],
    ["has no length", [0, 0, 0, 0]],
  ] as const
) {
  Deno.test(`an attribute that ${what} is refused`, () => {
    assert.throws(() => decodeAttributes(Uint8Array.from(bytes)), { name: "NetlinkFormatError" });
  });
}

Deno.test("a value shorter than what is asked for is refused, not guessed", () => {
  const attributes = decodeAttributes(encodePayload((writer) => writer.u8(1, 1).flag(2)));
  assert.throws(() => attributes.u32(1), { name: "NetlinkFormatError" });
  assert.throws(() => attributes.u64(1), { name: "NetlinkFormatError" });
  assert.throws(() => attributes.u8(2), { name: "NetlinkFormatError" });
  assert.throws(
    () => fixedHeader(new Uint8Array(7), 8, "rtmsg"),
    /7 bytes where struct rtmsg has 8/,
  );
});

Deno.test("up to three bytes behind the last attribute are padding", () => {
  const attributes = decodeAttributes(Uint8Array.of(5, 0, 1, 0, 7, 0, 0, 0, 9, 9, 9));
  assert.deepEqual(attributes.types(), [1]);
});

Deno.test("random bytes are attributes or a format error", () => {
  const random = randomFrom(7);
  for (let round = 0; round < 20_000; round++) {
    const bytes = Uint8Array.from({ length: random(40) }, () => random(random(2) === 0 ? 8 : 256));
    try {
      const attributes = decodeAttributes(bytes);
      for (const type of attributes.types()) {
        const length = attributes.bytes(type)?.length ?? 0;
        assert(length <= bytes.length - 4);
      }
    } catch (error) {
      assert.equal((error as Error).name, "NetlinkFormatError");
    }
  }
});
