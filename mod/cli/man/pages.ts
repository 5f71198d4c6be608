/** The manual pages, made from the same descriptions that parsing and help read. Pure. */
import { RELOADED_SETTINGS } from "../../agent/reload_plan.ts";
import { VERSION } from "../../base/version.ts";
import type { Command, Flag } from "../command.ts";
import { type Setting, variableOf } from "../config/setting.ts";
import { CONFIG_FILE_DEFAULT, SETTING_LIST } from "../config/settings.ts";
import {
  bold,
  example,
  italic,
  item,
  paragraphs,
  plain,
  section,
  subsection,
  title,
} from "./roff.ts";

export interface ManPage {
  /** `gossamer-up.1`, as the file is called. */
  readonly file: string;
  readonly text: string;
}

const SOURCE = `gossamer ${VERSION}`;

const EXIT_CODES: readonly (readonly [code: string, meaning: string])[] = [
  ["0", "Done."],
  ["1", "Failed."],
  ["2", "Wrong usage or configuration."],
  ["3", "The agent is not running."],
  ["4", "The agent is not ready."],
  ["5", "A privilege is missing."],
];

const FILES: readonly (readonly [path: string, meaning: string])[] = [
  [CONFIG_FILE_DEFAULT, "Settings of the agent: gossamer.toml(5)."],
  ["/var/lib/gossamer", "Identity, claim and known hosts; must survive reboots."],
  [
    "/run/gossamer/gossamer.sock",
    "Control socket, through which the other commands find the agent.",
  ],
  ["/run/flannel/subnet.env", "Network, subnet and MTU, written when containers may be started."],
];

const SIGNALS: readonly (readonly [signal: string, meaning: string])[] = [
  ["SIGTERM, SIGINT", "The agent tells the others that it leaves, and ends. The overlay stays up."],
  ["SIGHUP", "It reads its files again: what can change at once does, and what cannot is named."],
];

const SUMMARY =
  `Hosts find each other by gossip, agree on who owns which subnet, and program the kernel
themselves. There is no server and no store.`;

/** All of them, gossamer(1) first. */
export function manPages(commands: readonly Command[]): ManPage[] {
  const pages = commands.filter(({ name }) => name !== "version");
  return [
    { file: "gossamer.1", text: overviewPage(commands) },
    ...pages.map((command) => ({ file: `${pageName(command)}.1`, text: commandPage(command) })),
    { file: "gossamer.toml.5", text: settingsPage() },
  ];
}

function pageName({ name }: Command): string {
  return `gossamer-${name}`;
}

function overviewPage(commands: readonly Command[]): string {
  const brief = "a container subnet for every host, and a network between them";
  return page([
    title("gossamer", 1, SOURCE),
    section("NAME", `gossamer \\- ${plain(brief)}`),
    section("SYNOPSIS", `${bold("gossamer")} ${italic("COMMAND")} [flags]`),
    section("DESCRIPTION", paragraphs(SUMMARY)),
    section(
      "COMMANDS",
      ...commands.map((command) => item(reference(command), `${plain(command.brief)}.`)),
    ),
    section(
      "EXAMPLES",
      paragraphs("On the first host:"),
      example(["gossamer up"]),
      paragraphs("On every other one:"),
      example(["gossamer up --join FIRST-HOST"]),
      paragraphs("And then:"),
      example(["gossamer status"]),
    ),
    table("FILES", FILES),
    table("EXIT STATUS", EXIT_CODES),
    section("SEE ALSO", references(["gossamer.toml(5)", "ip(8)", "bridge(8)", "nft(8)"])),
  ]);
}

function commandPage(command: Command): string {
  const isAgent = command.name === "up";
  return page([
    title(pageName(command), 1, SOURCE),
    section("NAME", `${plain(pageName(command))} \\- ${plain(command.brief)}`),
    section("SYNOPSIS", synopsis(command)),
    section("DESCRIPTION", paragraphs(command.description)),
    section("OPTIONS", ...options(command.flags)),
    section(
      "EXAMPLES",
      ...command.examples.map(({ line, text }) => `${paragraphs(`${text}:`)}\n${example([line])}`),
    ),
    isAgent ? table("SIGNALS", SIGNALS) : "",
    isAgent ? table("FILES", FILES) : "",
    table("EXIT STATUS", EXIT_CODES),
    section("SEE ALSO", references(["gossamer(1)", ...(isAgent ? ["gossamer.toml(5)"] : [])])),
  ]);
}

function settingsPage(): string {
  const groups = Map.groupBy(SETTING_LIST.filter(({ name }) => name !== "config"), groupOf);
  return page([
    title("gossamer.toml", 5, SOURCE),
    section("NAME", `gossamer.toml \\- ${plain("settings of the gossamer agent")}`),
    section("SYNOPSIS", bold(CONFIG_FILE_DEFAULT)),
    section(
      "DESCRIPTION",
      paragraphs(`TOML. Keys are the flags of gossamer-up(1) without the dashes in front; there are
no tables. A flag comes before its environment variable, that before the file, that before the
default. An unknown key or a value that does not fit is an error, which names both.

gossamer config check FILE reads a file and says what is wrong with it; gossamer config show
shows each setting and where it comes from. After SIGHUP the agent takes over what is marked below;
everything else waits for its next start.`),
    ),
    ...[...groups].map(([group, settings]) =>
      section(group.toUpperCase(), ...settings.map(settingItem))
    ),
    section(
      "EXAMPLE",
      example(['join = ["192.168.1.10", "192.168.1.11"]', "ip-masq = true", 'log-level = "debug"']),
    ),
    section("SEE ALSO", references(["gossamer(1)", "gossamer-up(1)", "gossamer-config(1)"])),
  ]);
}

function groupOf({ group }: Setting<unknown>): string {
  return group;
}

function settingItem({ name, fileType, text, defaultText }: Setting<unknown>): string {
  const facts = [
    ...(defaultText === null ? [] : [`Default: ${defaultText}.`]),
    ...(RELOADED_SETTINGS.includes(name) ? ["Taken over after SIGHUP."] : []),
  ];
  const variable = `Variable: ${bold(variableOf(name))}.`;
  const meaning = [`${plain(text)}.`, ...facts.map(plain), variable].join(" ");
  return item(`${bold(name)} (${plain(fileType)})`, meaning);
}

function options(flags: readonly Flag[]): string[] {
  const groups = Map.groupBy(flags, ({ group }) => group);
  return [...groups].flatMap(([group, members]) => {
    const items = members.map(optionItem);
    return group === undefined ? items : [subsection(group, ...items)];
  });
}

function optionItem(flag: Flag): string {
  const { kind, text, defaultText, variable } = flag;
  const facts = [
    ...(kind === "list" ? ["May be repeated."] : []),
    ...(defaultText === undefined ? [] : [`Default: ${defaultText}.`]),
  ];
  const named = variable === undefined ? [] : [`Variable: ${bold(variable)}.`];
  return item(spelling(flag), [`${plain(text)}.`, ...facts.map(plain), ...named].join(" "));
}

function spelling({ name, letter, kind, placeholder }: Flag): string {
  const short = letter === undefined ? "" : `${bold(`-${letter}`)}, `;
  const value = kind === "switch" ? "" : ` ${italic(placeholder)}`;
  return `${short}${bold(`--${name}`)}${value}`;
}

function synopsis(command: Command): string {
  const flags = command.flags.length === 0 ? "" : " [flags]";
  const { arguments: wanted } = command;
  const words = wanted === undefined
    ? ""
    : ` ${italic(wanted.placeholder)}${wanted.once === true ? "" : "..."}`;
  return `${bold(`gossamer ${command.name}`)}${flags}${words}`;
}

function reference(command: Command): string {
  return command.name === "version" ? bold("version") : `${bold(pageName(command))}(1)`;
}

function references(pages: readonly string[]): string {
  return pages.map((name) =>
    name.replace(/^(.*)(\(\d\))$/, (_, page, number) => bold(page) + number)
  )
    .join(", ");
}

function table(heading: string, rows: readonly (readonly [string, string])[]): string {
  return section(heading, ...rows.map(([term, meaning]) => item(bold(term), plain(meaning))));
}

function page(parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("\n") + "\n";
}
