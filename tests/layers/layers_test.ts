/** The house stands as scripts/house.ts says, and the rules that check it do catch what they should. */
import assert from "node:assert/strict";
import { forbiddenArrows, importCircles, impureImports, scatteredPackages } from "./layer_rules.ts";
import { type ModuleGraph, readModuleGraph } from "./module_graph.ts";
import { projectFiles, projectRoot } from "./project_files.ts";

const RULES = { forbiddenArrows, importCircles, scatteredPackages, impureImports };

const files = await projectFiles();
const roots = files.filter((path) => /^(main\.ts|(mod|ffi)\/.*\.ts)$/.test(path));
const graph = await readModuleGraph(roots);

for (const [name, rule] of Object.entries(RULES)) {
  Deno.test(`the product has no ${name}`, () => {
    const complaints = rule(graph);
    assert.equal(complaints.length, 0, "\n" + complaints.join("\n"));
  });
}

Deno.test("the module graph holds every file of the product", () => {
  assert.deepEqual(roots.filter((path) => !graph.has(path)), []);
});

/**
 * Who starts other programs: the lab its agents and `unshare`, the hooks the operator's own commands, CNI other
 * plugins, docker-opts asks dockerd for its version, install and uninstall call systemctl. Nobody starts `ip` or `nft`.
 */
const STARTS_PROGRAMS =
  /^mod\/(lab\/\w+|agent\/(renumber|event)_hook|cni\/delegate|cli\/commands\/docker_opts|cli\/install\/systemd)\.ts$/;

Deno.test("the product starts no other program, and names no networking tool as one", async () => {
  for (const path of roots) {
    const text = await Deno.readTextFile(new URL(path, projectRoot));
    if (!/new Deno\.Command\(|child_process/.test(text)) continue;
    assert.match(path, STARTS_PROGRAMS);
    assert.doesNotMatch(text, /"(ip|bridge|nft|iptables|ethtool|ping)"/, path);
  }
});

/** A graph from `[file, import, import...]` rows; imports that are no row are packages or node:. */
function graphOf(...rows: [string, ...string[]][]): ModuleGraph {
  return new Map(
    rows.map((
      [file, ...targets],
    ) => [file, targets.map((target) => ({ specifier: target, target }))]),
  );
}

const MADE_UP: {
  name: string;
  rule: keyof typeof RULES;
  graph: ModuleGraph;
  complaints: string[];
}[] = [
  {
    name: "an arrow along the chain is fine",
    rule: "forbiddenArrows",
    graph: graphOf(["mod/swim/a.ts", "mod/base/b.ts"], ["mod/base/b.ts", "mod/base/c.ts"], [
      "mod/base/c.ts",
    ]),
    complaints: [],
  },
  {
    name: "an arrow against the chain is caught",
    rule: "forbiddenArrows",
    graph: graphOf(["mod/wire/a.ts", "mod/swim/b.ts"], ["mod/swim/b.ts"]),
    complaints: ["mod/wire/a.ts imports mod/swim/b.ts, but wire may import only base, address"],
  },
  {
    name: "ffi that knows the product is caught",
    rule: "forbiddenArrows",
    graph: graphOf(["ffi/route/link.ts", "mod/base/b.ts"], ["mod/base/b.ts"]),
    complaints: ["ffi/route/link.ts imports mod/base/b.ts, but ffi may import no other module"],
  },
  {
    name: "a pure module that reaches the kernel is caught",
    rule: "forbiddenArrows",
    graph: graphOf(["mod/overlay/a.ts", "ffi/libc.ts"], ["ffi/libc.ts"]),
    complaints: [
      "mod/overlay/a.ts imports ffi/libc.ts, but overlay may import only base, address, wire, swim, claim",
    ],
  },
  {
    name: "the product does not import tests",
    rule: "forbiddenArrows",
    graph: graphOf(["mod/base/a.ts", "tests/x.ts"], ["tests/x.ts", "mod/base/a.ts"]),
    complaints: ["mod/base/a.ts imports tests/x.ts, which is no part of the product"],
  },
  {
    name: "a module outside the plan is caught",
    rule: "forbiddenArrows",
    graph: graphOf(["mod/extra/a.ts"]),
    complaints: ["mod/extra/a.ts: the module extra has no place in scripts/house.ts (ARROWS)"],
  },
  {
    name: "a tree and a shared import are no circle",
    rule: "importCircles",
    graph: graphOf(["a.ts", "b.ts", "c.ts"], ["b.ts", "d.ts"], ["c.ts", "d.ts"], ["d.ts"]),
    complaints: [],
  },
  {
    name: "a circle is caught and shown once",
    rule: "importCircles",
    graph: graphOf(["a.ts", "b.ts"], ["b.ts", "c.ts"], ["c.ts", "b.ts"]),
    complaints: ["Import circle: b.ts -> c.ts -> b.ts"],
  },
  {
    name: "one file may wrap a package",
    rule: "scatteredPackages",
    graph: graphOf(["mod/wire/cbor.ts", "cbor-x/index-no-eval"], ["tests/x_test.ts", "cbor-x"]),
    complaints: [],
  },
  {
    name: "a package imported by two files is caught",
    rule: "scatteredPackages",
    graph: graphOf(["mod/wire/a.ts", "cbor-x/index-no-eval"], ["mod/wire/b.ts", "cbor-x"]),
    complaints: ["cbor-x is imported by mod/wire/a.ts and mod/wire/b.ts; one file wraps a package"],
  },
  {
    name: "a package away from home is caught",
    rule: "scatteredPackages",
    graph: graphOf(["mod/swim/a.ts", "cbor-x/index-no-eval"]),
    complaints: ["mod/swim/a.ts imports cbor-x, which belongs to mod/wire"],
  },
  {
    name: "a package the house does not know is caught",
    rule: "scatteredPackages",
    graph: graphOf(["mod/cli/a.ts", "@other/thing/entry"]),
    complaints: [
      "mod/cli/a.ts imports @other/thing, which scripts/house.ts does not give the product",
    ],
  },
  {
    name: "a pure module imports nothing of the runtime",
    rule: "impureImports",
    graph: graphOf(["mod/base/x.ts", "node:crypto"], [
      "mod/host/y.ts",
      "node:fs",
    ]),
    complaints: ["mod/base/x.ts imports node:crypto, but base is pure"],
  },
];

for (const { name, rule, graph, complaints } of MADE_UP) {
  Deno.test(`${rule}: ${name}`, () => assert.deepEqual(RULES[rule](graph), complaints));
}
