/** Which devices of a host are gossamer's, whichever agent's: by their alias alone. */
import { DEVICE_ALIAS } from "./limits.ts";

/** The alias alone, or with the number of the overlay behind it. */
export function isOwnAlias(alias: string | null): boolean {
  return alias === DEVICE_ALIAS || alias?.startsWith(`${DEVICE_ALIAS} `) === true;
}
