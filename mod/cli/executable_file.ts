/** The file that this program was started from. */
import { UserError } from "../base/errors.ts";
import type { Outside } from "./outside.ts";

/** The launcher says which file was started; it may itself be a link. Throws UserError for a program that is not built. */
export function executableFile(outside: Pick<Outside, "variable">): string {
  const started = outside.variable("GOSSAMER_EXECUTABLE") ?? "";
  if (started !== "") return Deno.realPathSync(started);
  if (Deno.build.standalone) return Deno.realPathSync(Deno.execPath());
  throw new UserError("only the built program can be installed", {
    remedy: "run deno task build, then dist/gossamer with the same arguments",
  });
}
