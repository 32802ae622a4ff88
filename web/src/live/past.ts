// Whether what comes in is of the past: a history is simulated or a capture is read, so that nothing is live yet.

import { useEffect, useState } from "preact/hooks";
import { get } from "../core/api";

const EVERY_MS = 1500;
const PAST_MS = 60_000;

interface Status { now: string; sensors: { packets: number; last_packet: string | null }[] }

/** While nothing is live (`idle`) and packets of the past come in: the time up to which they have; null otherwise. */
export function usePast(idle: boolean): string | null {
	const [past, setPast] = useState<string | null>(null);
	useEffect(() => {
		setPast(null);
		if (!idle) return;
		const off = new AbortController();
		let before = NaN;
		const look = async () => {
			const { now, sensors } = await get<Status>("/status", off.signal);
			const packets = sensors.reduce((sum, sensor) => sum + sensor.packets, 0);
			const newest = sensors.map((sensor) => sensor.last_packet ?? "").sort().at(-1) ?? "";
			setPast(packets > before && Date.parse(now) - Date.parse(newest) > PAST_MS ? newest : null);
			before = packets;
		};
		const again = () => void look().catch(() => {});
		again();
		const timer = setInterval(again, EVERY_MS);
		return () => {
			clearInterval(timer);
			off.abort();
		};
	}, [idle]);
	return past;
}
