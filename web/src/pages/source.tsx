// One source: who it is, its life line, what it sought with what tool, what was found about it, and its packets.

import { useMemo, useState } from "preact/hooks";
import { Chart } from "../charts/chart";
import { columnsOverTime } from "../charts/options";
import { get, packetsAddress, type Finding } from "../core/api";
import { country, service, short, time } from "../core/format";
import { useHouse, useLoad } from "../core/house";
import { address as to, kept, range, useRoute } from "../core/route";
import { Feed } from "../shell/feed";
import { Count, Empty, KindName, Page, Shown } from "../shell/parts";

interface Source {
	address: string; country: string; network: number; network_name: string; packets: number; bytes: number; first: string | null; last: string | null; spoofed: boolean; bucket: string; raw: boolean;
	kinds: Record<string, number>; tools: Record<string, number>; ports: { protocol: string; port: number; packets: number; first: string; last: string }[]; minutes: [string, number][]; findings: Finding[];
}
interface Packet { time: string; source: string; destination: string; protocol: string; sport: number | null; dport: number | null; flags: string; ttl: number; length: number; info: string; hex: string }

/** Bytes as people read them: offset, sixteen bytes, and the letters. */
function dump(hex: string): string {
	const lines: string[] = [];
	for (let at = 0; at < hex.length; at += 32) {
		const pairs = hex.slice(at, at + 32).match(/../g) ?? [];
		const letters = pairs.map((pair) => { const code = parseInt(pair, 16); return code >= 32 && code < 127 ? String.fromCharCode(code) : "."; }).join("");
		lines.push(`${(at / 2).toString(16).padStart(4, "0")}  ${pairs.slice(0, 8).join(" ").padEnd(23)}  ${pairs.slice(8).join(" ").padEnd(23)}  ${letters}`);
	}
	return lines.join("\n");
}

function Packets({ address, from, until }: { address: string; from: string; until: string }) {
	const { t, language } = useHouse();
	const [open, setOpen] = useState(-1);
	const load = useLoad(`${address} ${from} ${until}`, (signal) => get<{ packets: Packet[]; more: boolean }>(`/sources/${encodeURIComponent(address)}/packets?from=${encodeURIComponent(from)}&to=${encodeURIComponent(until)}&limit=200`, signal));
	return (
		<section class="panel">
			<h2><span>{t("source.packets")}</span>{load.data && load.data.packets.length > 0 && <a class="button" id="pcap" href={packetsAddress(address, from, until)} download>{t("source.download")}</a>}</h2>
			<Shown load={load}>
				{(answer) => answer.packets.length === 0 ? <p class="hint">{t("source.noRaw")}</p> : (
					<div class="scroll tall">
						<table>
							<thead><tr><th scope="col">{t("word.time")}</th><th scope="col">{t("word.target")}</th><th scope="col">{t("word.protocol")}</th><th scope="col" class="n">{t("word.port")}</th><th scope="col">{t("word.flags")}</th><th scope="col" class="n">TTL</th><th scope="col" class="n">{t("word.length")}</th></tr></thead>
							<tbody>
								{answer.packets.map((packet, i) => [
									<tr key={i} class="go" onClick={() => setOpen(open === i ? -1 : i)}>
										<td class="t"><button type="button" class="link" aria-expanded={open === i}>{time(packet.time, language)}<span class="hint">.{packet.time.split(".")[1]?.slice(0, 3) ?? "000"}</span></button></td>
										<td class="mono">{packet.destination}</td><td>{packet.protocol}</td><td class="n">{packet.dport ?? ""}</td><td class="mono">{packet.flags}</td><td class="n">{packet.ttl}</td><td class="n">{packet.length}</td>
									</tr>,
									open === i && <tr key={`${i}+`}><td colSpan={7}><p class="mono">{packet.info}</p><div class="hex" tabIndex={0}>{dump(packet.hex)}</div></td></tr>,
								])}
							</tbody>
						</table>
						{answer.more && <p class="hint">{t("source.more", { count: answer.packets.length })}</p>}
					</div>
				)}
			</Shown>
		</section>
	);
}

export default function SourcePage() {
	const { t, tOf, theme, language } = useHouse();
	const { path, params } = useRoute();
	const address = path[1] ?? "";
	const { from, to: until } = range(params);
	const load = useLoad(`${address} ${from} ${until}`, (signal) => get<Source>(`/sources/${encodeURIComponent(address)}?from=${encodeURIComponent(from)}&to=${encodeURIComponent(until)}`, signal), 60_000);
	const option = useMemo(() => (load.data ? columnsOverTime(load.data.minutes.map(([at, packets]): [number, number] => [Date.parse(at), packets]), theme, language) : null), [load.data, theme, language]);
	const narrowed = (changes: Record<string, string>) => to("observe/series", { ...kept(params), source: address, ...changes });
	return (
		<Page title={address} hint={t("source.hint")}>
			<Shown load={load}>
				{(source) => source.packets === 0 ? <><p class="note">{t("source.unknown")}</p><Empty from={from} /></> : (
					<>
						{source.spoofed && <p class="note">{t("source.spoofed")}</p>}
						<dl class="figures">
							<div><dt>{t("count.packets")}</dt><dd><Count value={source.packets} /></dd></div>
							<a href={to("observe/top", { ...kept(params), country: source.country, by: "network" })}><dt>{t("word.country")}</dt><dd class="small">{country(source.country, language)}</dd></a>
							<a href={to("observe/top", { ...kept(params), network: String(source.network), by: "source" })}><dt>{t("word.network")}</dt><dd class="small">{source.network ? `AS${source.network} ${source.network_name}` : t("word.unknown")}</dd></a>
							<div><dt>{t("count.first")}</dt><dd class="small">{time(source.first, language)}</dd></div>
							<div><dt>{t("count.last")}</dt><dd class="small">{time(source.last, language)}</dd></div>
						</dl>
						<div class="grid">
							<div class="wide">{option && <Chart title={t("source.lifeline")} option={option} height={230} onTime={(ms) => { location.hash = narrowed({ at: new Date(ms).toISOString(), by: "port" }); }} />}</div>
							<section class="panel third">
								<h2>{t("source.what")}</h2>
								<dl class="facts">
									<dt>{t("word.kind")}</dt><dd>{Object.entries(source.kinds).map(([kind, count]) => <p key={kind}><KindName kind={kind} /> <span class="hint">{short(count, language)}</span></p>)}</dd>
									<dt>{t("word.tool")}</dt><dd>{Object.entries(source.tools).map(([tool, count]) => <p key={tool}><a href={to("observe/top", { ...kept(params), tool, by: "port" })}>{tOf("tool", tool)}</a> <span class="hint">{short(count, language)}</span></p>)}</dd>
								</dl>
							</section>
							<section class="panel half">
								<h2>{t("word.ports")}</h2>
								<div class="scroll tall"><table>
									<thead><tr><th scope="col">{t("word.port")}</th><th scope="col" class="n">{t("count.packets")}</th><th scope="col">{t("count.first")}</th><th scope="col">{t("count.last")}</th></tr></thead>
									<tbody>{source.ports.map((port) => {
										const name = `${port.protocol}/${port.port}`;
										return <tr key={name}><td><a href={narrowed({ port: name })}>{name}</a> <span class="hint">{service(name)}</span></td><td class="n"><Count value={port.packets} /></td><td class="t">{time(port.first, language, false)}</td><td class="t">{time(port.last, language, false)}</td></tr>;
									})}</tbody>
								</table></div>
							</section>
							<section class="panel half">
								<h2>{t("source.findings")}</h2>
								{source.findings.length ? <div class="tall"><Feed findings={source.findings} /></div> : <p class="hint">{t("overview.none")}</p>}
							</section>
						</div>
						<Packets address={address} from={from} until={until} />
						<p class="hint">{tOf("source", "asked")} <code>yagura query tuple --where source={address} --from={from}</code></p>
					</>
				)}
			</Shown>
		</Page>
	);
}
