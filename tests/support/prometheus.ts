/**
 * A parser of Prometheus' text format, exposition format 0.0.4, as strict as its description: HELP and TYPE once and before
 * the samples, samples of a metric together, names and labels of the right letters, no sample twice.
 */
import { ok } from "node:assert/strict";

export interface ParsedMetric {
  readonly type: string;
  readonly help: string;
  /** By the labels as text: `{status="alive"}`, empty without any. */
  readonly samples: ReadonlyMap<string, number>;
}

const METRIC_NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\"n])*"';
const SAMPLE = new RegExp(`^(${METRIC_NAME})(\\{${LABEL}(?:,${LABEL})*\\})? (\\S+)$`);
const COMMENT = new RegExp(`^# (HELP|TYPE) (${METRIC_NAME}) (.+)$`);
const TYPES = ["counter", "gauge", "histogram", "summary", "untyped"];

/** Fails on anything that Prometheus would not take. */
export function parseMetrics(text: string): Map<string, ParsedMetric> {
  ok(text.endsWith("\n"), "the last line ends");
  const metrics = new Map<string, { type: string; help: string; samples: Map<string, number> }>();
  let current = "";
  for (const line of text.slice(0, -1).split("\n")) {
    const comment = COMMENT.exec(line);
    if (comment !== null) {
      const [, kind, name = "", rest = ""] = comment;
      if (kind === "HELP") {
        ok(!metrics.has(name), `one HELP for ${name}`);
        metrics.set(name, { type: "", help: rest, samples: new Map() });
        current = name;
        continue;
      }
      const metric = metrics.get(name);
      ok(metric !== undefined && name === current, `HELP, then TYPE of ${name}`);
      ok(TYPES.includes(rest), `${rest} is a type`);
      ok(metric.type === "" && metric.samples.size === 0, `one TYPE of ${name}, before samples`);
      metric.type = rest;
      continue;
    }
    const sample = SAMPLE.exec(line);
    ok(sample !== null, `not a sample: ${JSON.stringify(line)}`);
    const [, name = "", labels = "", value = ""] = sample;
    const metric = metrics.get(name);
    ok(metric !== undefined && name === current && metric.type !== "", `${name} is introduced`);
    ok(!metric.samples.has(labels), `${name}${labels} stands once`);
    ok(value !== "" && Number.isFinite(Number(value)), `${value} is a number`);
    metric.samples.set(labels, Number(value));
  }
  return metrics;
}
