// Cuts the fine map into cells beside the page, so that the picture does not halt for it.

import world from "world-atlas/countries-50m.json";
import { buildGeography, type WorldTopology } from "./geography";

const geography = buildGeography(world as unknown as WorldTopology);
(self as unknown as { postMessage(message: unknown, transfer: Transferable[]): void }).postMessage(geography, [
	geography.land.buffer,
	geography.lines.buffer,
]);
