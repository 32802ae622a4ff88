// Does everything work: intake, store, sensors, processes.

import { useEffect, useState } from "preact/hooks";
import { get } from "../core/api";
import { ago, bytes, digits, time } from "../core/format";
import { useHouse, useLoad } from "../core/house";
import { stream } from "../live/stream";
import { Count, Page, Shown } from "../shell/parts";

interface Sensor { id: number; name: string; state: string; last_packet: string | null; packets: number; bytes: number; pps: number; lost: number; outside: number; malformed: Record<string, number>; restarts: number; remote: boolean }
interface Status {
	version: string; started: string; now: string; mode: string; confined: boolean; sensors: Sensor[]; processes: { name: string; pid: number; state: string; restarts: number; rss_bytes: number }[];
	store: { state: string; reason: string | null; bytes: number; free_bytes: number; raw_bytes?: number; oldest: string | null; newest: string | null; kinds: Record<string, { rows: number; oldest?: string | null; newest?: string | null }> };
	live: { clients: number; latency_ms: number }; darknet: { prefix: string; addresses: number | null }[];
}

function State({ value }: { value: string }) {
	const { tOf } = useHouse();
	const good = value === "running" || value === "ok", idle = value === "ended";
	return <span class={`status-mark${good ? "" : idle ? " idle" : " bad"}`}>{tOf("state.of", value)}</span>;
}

export default function SystemPage() {
	const { t, tOf, language } = useHouse();
	const load = useLoad("status", (signal) => get<Status>("/status", signal), 5000);
	const [latency, setLatency] = useState(NaN);
	useEffect(() => {
		const timer = setInterval(() => setLatency(stream.state.latency), 1000);
		const leave = stream.subscribe({});
		return () => { clearInterval(timer); leave(); };
	}, []);
	return (
		<Page title={t("health.title")} tools={<><a class="button" href="./metrics" target="_blank" rel="noopener">{t("health.metrics")}</a><a class="button" href="./api/v1/openapi.json" target="_blank" rel="noopener">{t("health.api")}</a></>}>
			<Shown load={load}>
				{(status) => (
					<>
						{status.store.state !== "ok" && <div class="alarm" role="alert"><b>{t("health.stopped", { reason: status.store.reason ?? "" })}</b>{t("health.stoppedHint")}</div>}
						{status.sensors.length === 0 && <div class="note"><b>{t("state.noSensor")}</b><p>{t("state.noSensorHint")}</p></div>}
						<dl class="figures">
							<div><dt>{t("health.store")}</dt><dd class="small"><State value={status.store.state} /></dd></div>
							<div><dt>{t("health.uptime")}</dt><dd class="small">{time(status.started, language, false)}</dd></div>
							<div><dt>{t("health.latency")}</dt><dd>{Number.isNaN(latency) ? "–" : <span id="latency">{Math.round(latency)} ms</span>}</dd></div>
							<div><dt>{t("health.size")}</dt><dd>{bytes(status.store.bytes)}</dd><span class="sub">{bytes(status.store.free_bytes)} {t("health.free")}</span></div>
							<div><dt>{t("health.mode")}</dt><dd class="small">{tOf("mode", status.mode)}</dd><span class="sub">{status.version}{status.confined && ` · ${t("health.confined")}`}</span></div>
						</dl>
						<section class="panel">
							<h2>{t("health.sensors")}</h2>
							<div class="scroll"><table>
								<thead><tr><th scope="col">{t("account.name")}</th><th scope="col">{t("health.state")}</th><th scope="col">{t("count.last")}</th><th scope="col" class="n">{t("count.packets")}</th><th scope="col" class="n">{t("count.perSecond")}</th><th scope="col" class="n">{t("health.lost")}</th><th scope="col" class="n">{t("health.outside")}</th><th scope="col">{t("health.malformed")}</th><th scope="col" class="n">{t("health.restarts")}</th></tr></thead>
								<tbody>{status.sensors.map((sensor) => (
									<tr key={sensor.id}><td>{sensor.name}</td><td><State value={sensor.state} /></td><td class="t" title={time(sensor.last_packet, language)}>{sensor.last_packet ? ago(sensor.last_packet, language) : "–"}</td><td class="n"><Count value={sensor.packets} /></td><td class="n"><Count value={sensor.pps} /></td><td class="n">{sensor.lost ? <b class="error">{digits(sensor.lost, language)}</b> : 0}</td><td class="n"><Count value={sensor.outside} /></td><td>{Object.entries(sensor.malformed).map(([name, count]) => `${name} ${digits(count, language)}`).join(", ") || "0"}</td><td class="n">{sensor.restarts}</td></tr>
								))}</tbody>
							</table></div>
						</section>
						<div class="grid">
							<section class="panel half">
								<h2>{t("health.store")}</h2>
								<div class="scroll"><table>
									<thead><tr><th scope="col">{t("query.kind")}</th><th scope="col" class="n">{t("health.rows")}</th><th scope="col">{t("count.first")}</th><th scope="col">{t("count.last")}</th></tr></thead>
									<tbody>{Object.entries(status.store.kinds).map(([kind, one]) => <tr key={kind}><td>{kind}</td><td class="n"><Count value={one.rows} /></td><td class="t">{time(one.oldest, language, false)}</td><td class="t">{time(one.newest, language, false)}</td></tr>)}</tbody>
								</table></div>
							</section>
							<section class="panel half">
								<h2>{t("health.processes")}</h2>
								<div class="scroll"><table>
									<thead><tr><th scope="col">{t("account.name")}</th><th scope="col">{t("health.state")}</th><th scope="col" class="n">PID</th><th scope="col" class="n">{t("health.memory")}</th><th scope="col" class="n">{t("health.restarts")}</th></tr></thead>
									<tbody>{status.processes.map((process) => <tr key={process.name}><td>{process.name}</td><td><State value={process.state} /></td><td class="n">{process.pid}</td><td class="n">{bytes(process.rss_bytes)}</td><td class="n">{process.restarts}</td></tr>)}</tbody>
								</table></div>
							</section>
							<section class="panel">
								<h2>{t("health.darknet")}</h2>
								<p class="chips">{status.darknet.map((one) => <span key={one.prefix} class="chip mono">{one.prefix} {one.addresses !== null && <b>{digits(one.addresses, language)}</b>}</span>)}</p>
							</section>
						</div>
					</>
				)}
			</Shown>
		</Page>
	);
}
