/** The status page in a real browser: five hosts, one of them killed; on a phone, without scripts, by axe's rules. */
import assert from "node:assert/strict";
import type { Host } from "../../mod/lab/host.ts";
import { sleep } from "../../mod/lab/ping.ts";
import { accessibilityFaults } from "../support/accessibility.ts";
import { Chromium, findChromium, type Page } from "../support/chromium.ts";
import { startCluster, untilStatus } from "./cluster.ts";
import { scenario } from "./scenario.ts";

const PORT = 9000;
const URL_OF_PAGE = `http://127.0.0.1:${PORT}/`;
/** Gossip's own bound for the profile tight (docs/operating.md), the page's interval, and a busy machine. */
const RED_MS_MAX = 4_000 + 2_000 + 10_000;
const PHONE_COLUMNS = 360;
/** Set to write docs/images anew. */
const WRITES_IMAGES = Deno.env.get("UPDATE_SCREENSHOTS") === "1";

const program = findChromium();
if (program === undefined) {
  Deno.test({
    name: "the page in a browser [left out: needs chromium]",
    ignore: true,
    fn() {},
  });
} else {
  scenario(import.meta, "the page shows a cluster in a browser", { hosts: 5 }, async (
    { lab: { hosts }, folder, step },
  ) => {
    const [first, , , , last] = hosts;
    assert(first !== undefined && last !== undefined);
    const flags = ["--gossip-profile=tight", `--http=127.0.0.1:${PORT}`];
    await step("five hosts form a cluster", async () => {
      await startCluster(hosts, ...flags);
      await untilStatus(first, "all alive", ({ cluster }) => cluster.alive === hosts.length);
    });
    const browser = new Chromium(
      program,
      `${folder}/profile`,
      (command, options) => first.namespace.spawn(command, options),
    );
    const page = await browser.newPage();
    await step("it shows every host, its subnet, and that all is well", () => shows(page, hosts));
    await step("axe finds no fault, in light and in dark", () => accessible(page));
    await step("on a phone nothing lies outside the screen", () => onPhone(page));
    await step("a host that is killed turns red without a reload", () => kill(page, last));
    await step("a host in trouble is no fault for axe either", () => accessible(page));
    await step("it complained of nothing, and asked nobody else", () => quiet(page));
    await step("without scripts it says the same", () => withoutScripts(browser, last));
    await step("when the agent ends, the page says so", () => agentEnds(page, first));
    await browser.close();
  });
}

async function shows(page: Page, hosts: readonly Host[]): Promise<void> {
  await page.resize(1100, 960);
  await page.open(URL_OF_PAGE);
  const text = await page.evaluate<string>("document.body.innerText");
  for (const host of hosts) {
    const row = await rowOf(page, host.name);
    const { subnet } = await host.waitForSubnet();
    for (const part of [host.address, subnet, "alive"]) {
      assert(row.text.includes(part), `${part} in ${JSON.stringify(row)}\n${text}`);
    }
  }
  assert.match(text, /Ready/);
  assert.match(text, /Hosts: 5 alive; no problems/);
  assert.match(text, /member-joined/);
  const cells = await page.evaluate<number>("document.querySelectorAll('svg .cell').length");
  assert.equal(cells, hosts.length);
}

async function accessible(page: Page): Promise<void> {
  for (const scheme of ["light", "dark"] as const) {
    await page.prefer(scheme);
    assert.deepEqual(await accessibilityFaults(page), [], scheme);
    if (WRITES_IMAGES && scheme === "light") await page.screenshot("docs/images/page.png");
  }
  await page.prefer("light");
}

async function onPhone(page: Page): Promise<void> {
  await page.resize(PHONE_COLUMNS, 740);
  await page.open(URL_OF_PAGE);
  const width = await page.evaluate<number>("document.documentElement.scrollWidth");
  assert(width <= PHONE_COLUMNS, `the page is ${width} wide`);
  const table = await page.evaluate<number>("document.querySelector('table').scrollWidth");
  assert(table <= PHONE_COLUMNS, `the table is ${table} wide`);
  if (WRITES_IMAGES) await page.screenshot("docs/images/page-phone.png");
  await page.resize(1100, 960);
}

async function kill(page: Page, host: Host): Promise<void> {
  await host.kill();
  const deadline = performance.now() + RED_MS_MAX;
  let row = await rowOf(page, host.name);
  while (!row.text.includes("dead")) {
    if (performance.now() > deadline) throw new Error(`still ${JSON.stringify(row)}`);
    await sleep(50);
    row = await rowOf(page, host.name);
  }
  const [red, green, blue] = row.color;
  assert(red > green + 60 && red > blue + 60, `${row.color} is no red`);
  const text = await page.evaluate<string>("document.body.innerText");
  assert.match(text, /Hosts: 4 alive, 1 dead/);
  assert.match(text, new RegExp(`member-failed ${host.name} failed`));
}

function quiet(page: Page): void {
  assert.deepEqual(page.complaints, []);
  const elsewhere = page.requested.filter((url) =>
    !url.startsWith(URL_OF_PAGE) && !url.startsWith("data:")
  );
  assert.deepEqual(elsewhere, []);
}

async function withoutScripts(browser: Chromium, dead: Host): Promise<void> {
  const page = await browser.newPage();
  await page.allowScripts(false);
  await page.open(URL_OF_PAGE);
  const row = await rowOf(page, dead.name);
  assert(row.text.includes("dead"), JSON.stringify(row));
  assert.match(await page.evaluate<string>("document.body.innerText"), /load the page again/);
  assert.deepEqual(page.complaints, []);
}

async function agentEnds(page: Page, host: Host): Promise<void> {
  await page.toFront();
  await host.stop();
  const deadline = performance.now() + RED_MS_MAX;
  const says = () => page.evaluate<string>("document.getElementById('connection').innerText");
  while (!/No answer from the agent/.test(await says())) {
    if (performance.now() > deadline) throw new Error(`still ${await says()}`);
    await sleep(50);
  }
}

interface Row {
  readonly text: string;
  /** Of the status: red, green, blue. */
  readonly color: readonly [number, number, number];
}

function rowOf(page: Page, name: string): Promise<Row> {
  return page.evaluate<Row>(`(() => {
    const row = [...document.querySelectorAll("tbody tr")]
      .find((row) => row.querySelector(".name").textContent === ${JSON.stringify(name)});
    if (row === undefined) return { text: "no row", color: [0, 0, 0] };
    const style = getComputedStyle(row.querySelector(".status"));
    return { text: row.innerText, color: style.color.match(/\\d+/g).slice(0, 3).map(Number) };
  })()`);
}
