// Releases: what waits and what was, one of them beside the list, and deciding it with a second pair of eyes.

import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, get, request } from "../core/api";
import { ago, digits, time } from "../core/format";
import { useHouse, useLoad } from "../core/house";
import { routeOf, useRoute, withParams } from "../core/route";
import { Shown } from "../shell/parts";
import { Eyes, StateMark, Tlp } from "./marks";
import { STATES, nameOf, type Group, type Preview, type Release } from "./model";
import { ProposalForm } from "./proposal";
import { useSector, useWords, type SharingWord } from "./texts";

function Reach({ preview }: { preview: Preview }) {
	const { language } = useHouse();
	const w = useWords();
	const word = useSector();
	const names = new Map(preview.members.map((member) => [member.sector, member.sector_name]));
	const sectorName = (sector: string) => { const name = names.get(sector); return name && name !== sector ? name : word(sector); };
	const most = Math.max(1, ...Object.values(preview.sectors));
	const sectors = Object.entries(preview.sectors).sort((a, b) => b[1] - a[1]);
	return (
		<section class="reach">
			<h3>{w("reach.title")}</h3>
			<p class="reach-count"><b>{digits(preview.count, language)}</b> {w("reach.count")} <Tlp of={preview.tlp} /></p>
			{preview.count === 0 && <p>{w("reach.nobody")}</p>}
			<ul class="sectors">{sectors.map(([sector, count]) => <li key={sector}><span>{sectorName(sector)}</span><span class="sector-bar"><span style={{ width: `${(100 * count) / most}%` }} /></span><span class="num">{digits(count, language)}</span></li>)}</ul>
			<ul class="chips">{preview.members.slice(0, 40).map((member) => <li key={member.key} class="chip" title={`${member.key} · ${member.sector}`}>{member.name}</li>)}{preview.count > 40 && <li class="hint">{w("more", { count: preview.count - Math.min(40, preview.members.length) })}</li>}</ul>
			{preview.warnings.length > 0 && (
				<div class="note look-twice" role="note"><b>{w("warnings")}</b>
					<ul>{preview.warnings.map((one) => <li key={one.code}>{language === "ja" ? one.message_ja : one.message}{one.detail && one.code === "sector" && <>: <b>{one.detail.split(", ").map((sector) => sectorName(sector)).join("、")}</b></>}{one.detail && (one.code === "larger" || one.code === "known-good") && <span class="num"> ({one.detail})</span>}</li>)}</ul>
				</div>
			)}
		</section>
	);
}

function Decision({ release, changed }: { release: Release; changed: () => void }) {
	const { language, session } = useHouse();
	const w = useWords();
	const [meant, setMeant] = useState(false);
	const [note, setNote] = useState("");
	const [error, setError] = useState("");
	const preview = release.preview;
	const own = release.proposer === session?.user?.name;
	const decide = (decision: string) => {
		request("POST", `/releases/${release.id}/decide`, { decision, note, preview: preview?.digest ?? "", acknowledged: meant }).then(
			() => { setError(""); changed(); },
			(fault: ApiError) => { setError(fault.status === 409 && /look again/.test(fault.message) ? w("decide.changed") : (language === "ja" && fault.messageJa) || fault.message); if (fault.status === 409) changed(); },
		);
	};
	if (release.state === "released")
		return <div class="decision"><button type="button" onClick={() => { if (confirm(w("decide.withdraw.sure"))) decide("withdrawn"); }}>{w("decide.withdraw")}</button>{error && <p class="error" role="alert">{error}</p>}</div>;
	if (!preview) return null;
	return (
		<div class="decision">
			<Reach preview={preview} />
			{!own && preview.warnings.length > 0 && <label class="check"><input type="checkbox" checked={meant} onChange={(event) => setMeant(event.currentTarget.checked)} /><span>{w("acknowledge")}</span></label>}
			<label class="field">{w("decide.note")}<input value={note} onInput={(event) => setNote(event.currentTarget.value)} /></label>
			<div class="row">
				{!own && <button type="button" class="main" disabled={preview.warnings.length > 0 && !meant} onClick={() => decide("released")}>{w("decide.release", { count: digits(preview.count, language) })}</button>}
				<button type="button" onClick={() => decide("refused")}>{own ? w("decide.withdraw") : w("decide.refuse")}</button>
			</div>
			{error && <p class="error" role="alert">{error}</p>}
		</div>
	);
}

/** Who looked, and who is still to look. */
function FourEyes({ release }: { release: Release }) {
	const { language, session } = useHouse();
	const w = useWords();
	const role = session?.user?.role ?? "";
	const decides = role === "operator" || role === "admin";
	const own = release.proposer === session?.user?.name;
	const second = release.state !== "proposed" ? release.releaser ?? "" : own ? w("eyes.own") : decides ? w("eyes.yours") : w("eyes.elsewhere");
	return (
		<ol class="four-eyes">
			<li class="done"><Eyes open /><div><span class="hint">{w("eyes.first")}</span><b>{release.proposer ?? ""}</b><span class="hint">{w("proposed")} {time(release.proposed, language, false)}</span></div></li>
			<li class={release.state === "proposed" ? "" : "done"}><Eyes open={release.state !== "proposed"} /><div><span class="hint">{w("eyes.second")}</span><b>{second}</b>{release.state !== "proposed" ? <span class="hint"><StateMark state={release.state} /> {time(release.decided, language, false)}</span> : null}</div></li>
		</ol>
	);
}

function Originator({ release }: { release: Release }) {
	const { session } = useHouse();
	const w = useWords();
	const member = session?.user?.role === "member";
	if (!release.originator) return <>{release.anonymous ? w("originator.hidden") : w("originator.staff")}</>;
	return <>{release.own && member ? w("originator.you") : release.originator.name}{release.anonymous && <span class="hint"> · {w("originator.anonymous")}</span>}</>;
}

function Detail({ id, groups, changed }: { id: string; groups: Group[]; changed: () => void }) {
	const { language, session } = useHouse();
	const w = useWords();
	const load = useLoad(`release ${id}`, (signal) => get<Release>(`/releases/${id}`, signal));
	const box = useRef<HTMLElement>(null);
	const arrived = load.data !== undefined;
	/* On a phone it stands below the list it was chosen from. */
	useEffect(() => { if (arrived && routeOf(location.hash).params.has("release") && innerWidth <= 900) box.current?.scrollIntoView({ block: "start" }); }, [arrived]);
	const role = session?.user?.role ?? "";
	const name = (key: string) => { const group = groups.find((one) => one.key === key); return group ? nameOf(group, language) : key; };
	return (
		<section class="panel release" aria-live="polite" ref={box}>
			<Shown load={load}>{(release) => (
				<>
					<p class="chips"><StateMark state={release.state} /><Tlp of={release.tlp} /></p>
					<h2 class="release-value"><span class="mono">{release.value}</span></h2>
					{release.title && <p class="release-title">{release.title}</p>}
					<dl class="facts">
						<dt>{w("to")}</dt><dd>{release.groups.map((key) => <a key={key} class="chip" href={`#/sharing/groups?group=${encodeURIComponent(key)}`}>{name(key)}</a>)}</dd>
						<dt>{w("originator")}</dt><dd><Originator release={release} /></dd>
						<dt>{w("confidence")}</dt><dd class="num">{release.confidence} %</dd>
						{release.kind !== "value" && release.subject && <><dt>{w(`what.${release.kind}` as SharingWord)}</dt><dd>{release.kind === "finding" ? <a href={`#/finding/${encodeURIComponent(release.subject)}`}>{release.subject}</a> : <code>{release.subject}</code>}</dd></>}
						{release.note && <><dt>{w("note")}</dt><dd>{release.note}</dd></>}
						{release.decision_note && <><dt>{w("decide.note")}</dt><dd>{release.decision_note}</dd></>}
						{release.audience && <><dt>{w("reach.title")}</dt><dd>{w("reach.was", { count: digits(release.audience.count, language) })}</dd></>}
						{release.object && <><dt>{w("object")}</dt><dd><code>{release.object}</code></dd></>}
					</dl>
					{release.proposer !== undefined && <FourEyes release={release} />}
					{(role === "operator" || role === "admin") && (release.state === "proposed" || release.state === "released") && <Decision key={`${release.id} ${release.preview?.digest ?? ""}`} release={release} changed={() => { load.reload(); changed(); }} />}
				</>
			)}</Shown>
		</section>
	);
}

function Line({ release, selected }: { release: Release; selected: boolean }) {
	const { language } = useHouse();
	return (
		<li><a class={selected ? "on" : ""} aria-current={selected ? "true" : undefined} href={withParams({ release: String(release.id), propose: undefined })}>
			<span class="line-value mono">{release.value}</span><StateMark state={release.state} />
			<span class="hint line-title">{release.title || release.groups.join(", ")}</span><span class="hint line-end"><Tlp of={release.tlp} />{ago(release.decided ?? release.proposed, language)}</span>
		</a></li>
	);
}

export function Releases({ groups, reload }: { groups: Group[]; reload: () => void }) {
	const { session } = useHouse();
	const w = useWords();
	const route = useRoute();
	const state = route.params.get("state") ?? "";
	const load = useLoad(`releases ${state}`, (signal) => get<{ releases: Release[] }>(`/releases?limit=200&state=${state}`, signal), 10_000);
	const proposing = route.params.has("propose");
	const chosen = route.params.get("release");
	const member = session?.user?.role === "member";
	const changed = () => { load.reload(); reload(); };
	return (
		<Shown load={load}>{({ releases }) => {
			const waiting = releases.filter((release) => release.state === "proposed");
			const sorted = [...waiting, ...releases.filter((release) => release.state !== "proposed")];
			const shown = chosen ?? (sorted[0] ? String(sorted[0].id) : null);
			if (releases.length === 0 && !state && !proposing && !chosen)
				return <div class="state"><p class="state-title">{w("releases.none")}</p><p>{member ? w("releases.none.member") : w("releases.none.hint")}</p>{groups.length > 0 && <a class="button" href={withParams({ propose: "1" })}>{w("release.propose")}</a>}</div>;
			return (
				<div class="sharing-two queue">
					<section class="panel">
						<h2><span class="segments" role="group">{["", ...STATES].map((one) => <a key={one} class={one === state ? "on" : ""} href={withParams({ state: one || undefined, release: undefined, propose: undefined })}>{one ? w(`state.${one}` as SharingWord) : w("state.all")}</a>)}</span><a class="button" href={withParams({ propose: "1", release: undefined })}>{w("release.propose")}</a></h2>
						<ul class="release-list">{sorted.map((release) => <Line key={release.id} release={release} selected={!proposing && String(release.id) === shown} />)}</ul>
					</section>
					{proposing ? <ProposalForm groups={groups} done={(id) => { changed(); location.hash = withParams({ propose: undefined, release: String(id), value: undefined, finding: undefined, indicator: undefined }); }} cancel={() => { location.hash = withParams({ propose: undefined }); }} />
						: shown ? <Detail key={shown} id={shown} groups={groups} changed={changed} /> : <div class="state quiet">{w("choose")}</div>}
				</div>
			);
		}}</Shown>
	);
}
