/** What is left out of reports, and what is not. */
import assert from "node:assert/strict";
import { redacted } from "../../../mod/cli/redact.ts";

const KEY = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=";
const SECRETS = [
  KEY,
  KEY.replace("=", ""),
  "q83vASNFZ4mrze8BI0Vni_vN7wEjRWeJq83vASNFZ-k",
  "abcdef0123456789".repeat(4),
  "ABCDEF0123456789".repeat(4),
  `0x${"abcdef0123456789".repeat(4)}`,
  Array(32).fill("a7").join(":"),
];

for (const secret of SECRETS) {
  Deno.test(`a key written as ${secret} is left out, whatever stands around it`, () => {
    const around = [`${secret}`, `key: "${secret}"`, `a\n${secret}\nb`, `(${secret})`];
    const inPaths = [`/etc/keys/${secret}`, `https://h/hook/${secret}/in?a=b`, `./${secret}.old`];
    for (const text of [...around, `KEY=${secret}`, ...inPaths]) {
      assert(!redacted(text).includes(secret), redacted(text));
    }
  });
}

Deno.test("what operators put into commands and addresses is left out", () => {
  const cases = [
    'on-event = "curl -H \\"Authorization: Bearer hunter2\\" https://x"',
    "https://user:hunter2@hooks.example",
    "notify --token hunter2",
    "notify --api-key=hunter2",
    "PASSWORD=hunter2 notify",
    '{"secret": "hunter2"}',
  ];
  for (const text of cases) assert(!redacted(text).includes("hunter2"), redacted(text));
});

Deno.test("ids, addresses, fingerprints and folders stay", () => {
  const text = "id 09475686e2b33b06bc7836b559c83ccc 10.244.54.0/24 f2:21:f9:05:80:b2 " +
    "key c32f0e65d4a9f0aa /var/lib/gossamer/claim.state https://example.org/path " +
    '"fingerprints": ["c32f0e65d4a9f0aa"], "key-file": "/etc/gossamer/gossip.key"';
  assert.equal(redacted(text), text);
});
