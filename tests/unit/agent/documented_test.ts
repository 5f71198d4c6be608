/** What the documents say of events and metrics is what there is. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { EVENT_NAMES } from "../../../mod/agent/api.ts";
import { metricsText } from "../../../mod/agent/metrics.ts";
import { stagedSources } from "../../support/claim_sources.ts";
import { programPath } from "../../support/programs.ts";
import { parseMetrics } from "../../support/prometheus.ts";

function documentText(name: string): string {
  return Deno.readTextFileSync(new URL(`../../../docs/${name}`, import.meta.url));
}

Deno.test("docs/events.md lists every event, in their order", () => {
  const [, table = ""] = documentText("events.md").split("## The events");
  const listed = [...table.matchAll(/^\| `([a-z-]+)`/gm)].map(([, name]) => name);
  deepEqual(listed, [...EVENT_NAMES]);
});

Deno.test("the dashboard asks for metrics that there are, by labels that they have", () => {
  const metrics = parseMetrics(metricsText(stagedSources()));
  const text = documentText("grafana-dashboard.json");
  const asked = new Set(text.match(/\bgossamer_[a-z_]+/g));
  ok(asked.size > 10);
  for (const name of asked) ok(metrics.has(name), name);
  const expressions = dashboardExpressions();
  for (const expression of expressions) {
    const [, label = ""] = / by \((\w+)\)/.exec(expression) ?? [];
    const [name = ""] = /gossamer_[a-z_]+/.exec(expression) ?? [];
    const samples = [...metrics.get(name)?.samples.keys() ?? []];
    if (label !== "") ok(samples.every((labels) => labels.includes(`${label}="`)), expression);
    const isCounter = metrics.get(name)?.type === "counter";
    if (isCounter) ok(expression.includes(`increase(${name}`), expression);
  }
});

const promtool = programPath("promtool");

Deno.test({
  name: `promtool can read what the dashboard asks for${
    promtool === undefined ? " [left out: needs promtool]" : ""
  }`,
  ignore: promtool === undefined,
  async fn() {
    const expressions = dashboardExpressions().map((expression) =>
      expression.replaceAll("$instance", ".*").replaceAll("$__rate_interval", "1m")
    );
    const rules = expressions.map((expr, index) => ({ record: `rule_${index}`, expr }));
    const path = Deno.makeTempFileSync({ suffix: ".yml" }); // JSON is YAML
    Deno.writeTextFileSync(path, JSON.stringify({ groups: [{ name: "dashboard", rules }] }));
    const output = await new Deno.Command(promtool ?? "", { args: ["check", "rules", path] })
      .output();
    Deno.removeSync(path);
    equal(output.code, 0, new TextDecoder().decode(output.stderr));
  },
});

/** As Prometheus is asked. */
function dashboardExpressions(): string[] {
  const text = documentText("grafana-dashboard.json");
  return [...text.matchAll(/"expr": ("(?:[^"\\]|\\.)*")/g)].map(([, quoted = '""']) =>
    JSON.parse(quoted)
  );
}

Deno.test("the dashboard's panels stand beside each other", () => {
  const { panels } = JSON.parse(documentText("grafana-dashboard.json")) as {
    panels: {
      id: number;
      title: string;
      gridPos: { x: number; y: number; w: number; h: number };
    }[];
  };
  equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  const cells = new Set<string>();
  for (const { title, gridPos: { x, y, w, h } } of panels) {
    ok(x + w <= 24, title);
    for (let column = x; column < x + w; column++) {
      for (let row = y; row < y + h; row++) {
        ok(!cells.has(`${column} ${row}`), `${title} covers another panel`);
        cells.add(`${column} ${row}`);
      }
    }
  }
});
