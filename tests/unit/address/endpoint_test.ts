/** Endpoints as text. */
import { equal } from "node:assert/strict";
import { endpointText } from "../../../mod/address/endpoint.ts";

Deno.test("an IPv6 address stands in brackets before its port", () => {
  equal(endpointText("10.0.0.1", 7947), "10.0.0.1:7947");
  equal(endpointText("fd00::1", 7947), "[fd00::1]:7947");
});
