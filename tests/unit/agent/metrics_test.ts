/** Metrics: what Prometheus reads, and that each one is documented. */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { newClaimCounters } from "../../../mod/claim/counters.ts";
import { metricsText } from "../../../mod/agent/metrics.ts";
import { memberNumber, stagedSources } from "../../support/claim_sources.ts";
import { programPath } from "../../support/programs.ts";
import { parseMetrics } from "../../support/prometheus.ts";

Deno.test("Prometheus can read every metric, and counters end in _total", () => {
  const parsed = parseMetrics(metricsText(stagedSources()));
  ok(parsed.size > 20);
  for (const [name, { type, samples }] of parsed) {
    ok(name.startsWith("gossamer_"), name);
    equal(type === "counter", name.endsWith("_total"), name);
    if (name !== "gossamer_problem") ok(samples.size > 0, name);
  }
});

Deno.test("names with quotes, backslashes and line breaks stay one label", () => {
  const text = metricsText(stagedSources({ selfName: 'a"b\\c\nd' }));
  const [labels = ""] = parseMetrics(text).get("gossamer_info")?.samples.keys() ?? [];
  ok(labels.includes('host="a\\"b\\\\c\\nd"'), labels);
});

Deno.test("hosts of one name, and names that pretend, are samples of their own; and one on its own has its name", () => {
  const traffic = { packetsSent: 1, bytesSent: 84, packetsReceived: 1, bytesReceived: 84 };
  const peers = [2, 3, 4, 5].map((number) => memberNumber(number));
  const [two, three, four, five] = peers;
  ok(two && three && four && five);
  const members = [
    memberNumber(1),
    { ...two, name: "web" },
    { ...three, name: "web" },
    { ...four, name: `web (${two.id})` },
    five,
  ];
  const sources = stagedSources({ members });
  const { tunnel } = sources.overlay;
  ok(tunnel);
  const overlay = {
    ...sources.overlay,
    tunnel: { ...tunnel, peers: new Map(peers.map(({ id }) => [id, traffic])) },
  };
  const samples = parseMetrics(metricsText({ ...sources, overlay }))
    .get("gossamer_udp_bytes_total")?.samples;
  equal(samples?.size, 8);
  ok(samples?.has('{peer="h5",direction="sent"}'), [...samples?.keys() ?? []].join(" "));
  ok(samples?.has(`{peer="web (${two.id})",direction="sent"}`));
});

Deno.test("every counter of claims is a metric of its own value", () => {
  const counters = newClaimCounters();
  let next = 1;
  for (const [name, value] of Object.entries(counters)) {
    if (typeof value === "number") Reflect.set(counters, name, next++);
    else for (const verdict of Object.keys(value)) Reflect.set(value, verdict, next++);
  }
  const parsed = parseMetrics(metricsText(stagedSources({ claim: { counters } })));
  const values = [...parsed].filter(([name]) =>
    name.startsWith("gossamer_claim_") && name.endsWith("_total")
  ).flatMap(([, { samples }]) => [...samples.values()]);
  deepEqual(
    values.sort((one, other) => one - other),
    Array.from({ length: next - 1 }, (_, index) => index + 1),
  );
});

Deno.test("exactly one stage is the present one, and problems are counted by kind", () => {
  const problem = { code: "nobody-heard", severity: "error", text: "t", remedy: "r" } as const;
  const sources = stagedSources({ claim: { state: "waiting", subnet: null, problems: [problem] } });
  const parsed = parseMetrics(metricsText(sources));
  const stages = [...parsed.get("gossamer_claim_stage")?.samples ?? []].filter(([, one]) =>
    one === 1
  );
  deepEqual(stages, [['{stage="lonely"}', 1]]);
  deepEqual([...parsed.get("gossamer_problem")?.samples ?? []], [
    ['{code="nobody-heard",severity="error"}', 1],
  ]);
  equal(parsed.get("gossamer_problems")?.samples.get('{severity="error"}'), 1);
});

Deno.test("identities that were given up are counted over the restarts within one process", () => {
  const parsed = parseMetrics(metricsText(stagedSources()));
  deepEqual([...parsed.get("gossamer_identities_lost_total")?.samples.values() ?? []], [2]);
});

Deno.test("what the device carried and who is silent through the overlay is counted", () => {
  const way = { rttMs: null, answeredAtMs: null };
  const health = new Map([
    ["2", { ...way, state: "silent" as const }],
    ["3", { ...way, state: "answers" as const }],
  ]);
  const parsed = parseMetrics(metricsText({ ...stagedSources(), health }));
  const valueOf = (name: string) => [...parsed.get(name)?.samples.values() ?? []];
  deepEqual(valueOf("gossamer_overlay_peers_silent"), [1]);
  deepEqual(valueOf("gossamer_overlay_sent_bytes_total"), [9_400]);
  deepEqual(valueOf("gossamer_overlay_received_bytes_total"), [8_400]);
  const without = parseMetrics(metricsText({ ...stagedSources(), traffic: null }));
  equal(without.has("gossamer_overlay_sent_bytes_total"), false);
});

Deno.test("docs/metrics.md names every metric, and none that there is not", () => {
  const docs = Deno.readTextFileSync(new URL("../../../docs/metrics.md", import.meta.url));
  const documented = new Set(docs.match(/\bgossamer_[a-z_]+/g));
  deepEqual([...documented].sort(), [...parseMetrics(metricsText(stagedSources())).keys()].sort());
});

const promtool = programPath("promtool");

Deno.test({
  name: `promtool finds nothing to say${
    promtool === undefined ? " [left out: needs promtool]" : ""
  }`,
  ignore: promtool === undefined,
  async fn() {
    const child = new Deno.Command(promtool ?? "", {
      args: ["check", "metrics"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(metricsText(stagedSources())));
    await writer.close();
    const { code, stdout, stderr } = await child.output();
    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    deepEqual([code, said], [0, ""]);
  },
});

Deno.test("the parser refuses what Prometheus would", () => {
  const head = "# HELP a A\n# TYPE a gauge\n";
  for (
    const text of [
      `${head}a 1`,
      `${head}a one\n`,
      `${head}a{b=c} 1\n`,
      `${head}a 1\na 1\n`,
      `# TYPE a gauge\na 1\n`,
      `${head}${head}a 1\n`,
      `${head}b 1\n`,
      `${head}a{b="x"y"} 1\n`,
    ]
  ) throws(() => parseMetrics(text));
  equal(parseMetrics(`${head}a{b="x"} 1\n`).get("a")?.samples.get('{b="x"}'), 1);
});
