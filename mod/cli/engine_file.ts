/** Files that container engines read. */
import { systemReasonOf, UserError } from "../base/errors.ts";
import { writeSubnetFile } from "../host/subnet_file.ts";

/** Replaced as a whole, and left alone where nothing changed: an engine may be reading it. Throws UserError. */
export function writeForEngine(path: string, text: string): void {
  try {
    writeSubnetFile(path, text);
  } catch (error) {
    throw new UserError(`${path} cannot be written: ${systemReasonOf(error)}`, { cause: error });
  }
}
