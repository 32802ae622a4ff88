// Bringing indicators: typed or from a file, judged first, taken when somebody says so.

import { useRef, useState } from "preact/hooks";
import type { ApiError } from "../core/api";
import { digits } from "../core/format";
import { useHouse } from "../core/house";
import { Saying, useFault, type Said } from "../people/forms";
import { Page } from "../shell/parts";
import { Tlp } from "../sharing/marks";
import { bring, TLPS, type How, type Imported } from "./model";
import { useWords } from "./parts";

const FORMATS = ["auto", "list", "csv", "stix", "misp"] as const;

function Preview({ found }: { found: Imported }) {
	const { language } = useHouse();
	const w = useWords();
	const tallies: [string, number][] = [[w("taken"), found.taken], [w("refused"), found.refused], [w("warnedcount"), found.warned], [w("unread"), found.unread]];
	return (
		<>
			<dl class="figures tally">{tallies.map(([word, count]) => <div key={word} class={count ? "" : "zero"}><dt>{word}</dt><dd class="num">{digits(count, language)}</dd></div>)}</dl>
			{found.values.length > 0 && (
				<section class="panel"><h2>{w("import.preview")}</h2>
					<div class="scroll"><table class="preview"><thead><tr><th scope="col">{w("value")}</th><th scope="col">{w("kind")}</th><th scope="col">{w("tlp")}</th><th scope="col">{w("import.becomes")}</th></tr></thead>
						<tbody>{found.values.map((one, i) => <tr key={i}><td class="mono">{one.value}</td><td>{w(`kind.${one.kind}` as "kind.ipv4")}</td><td><Tlp of={one.tlp} /></td><td>{w(one.known ? "known" : "fresh")}{one.warning && <span class="warned"> ▲ {w("warned", { list: one.warning })}</span>}</td></tr>)}</tbody></table></div>
					{found.values.length >= 200 && <p class="hint">{w("import.cut")}</p>}
				</section>
			)}
			{found.faults.length > 0 && (
				<section class="panel refused"><h2>{w("import.faults")}</h2>
					<div class="scroll"><table><thead><tr><th scope="col">{w("where")}</th><th scope="col">{w("why")}</th></tr></thead><tbody>{found.faults.map((one, i) => <tr key={i}><td class="mono">{one.where}</td><td>{one.why}</td></tr>)}</tbody></table></div>
				</section>
			)}
		</>
	);
}

export function Import() {
	const { language, session } = useHouse();
	const w = useWords(), fault = useFault();
	const field = useRef<HTMLInputElement>(null);
	const [text, setText] = useState(""), [found, setFound] = useState<Imported | null>(null), [said, say] = useState<Said | null>(null), [busy, setBusy] = useState(false);
	const [how, setHow] = useState<How>({ format: "auto", tlp: "amber", confidence: 50, days: 0, name: "" });
	const set = (changes: Partial<How>) => { setHow({ ...how, ...changes }); setFound(null); };
	const tlps = TLPS.filter((one) => one !== "red" || session?.user?.role !== "analyst");
	const ask = (dry: boolean) => {
		setBusy(true);
		bring(text, how, dry).then((done) => {
			setBusy(false);
			setFound(dry ? done : null);
			if (dry) return say(null);
			setText("");
			say({ good: true, text: w("import.done", { taken: digits(done.taken, language), known: digits(done.known, language), refused: digits(done.refused, language) }) });
		}, (reason: ApiError) => { setBusy(false); setFound(null); say(fault(reason)); });
	};
	const read = (file: File) => void file.text().then((all) => { setText(all); set({ name: file.name }); });
	return (
		<Page title={w("import.title")} hint={w("import.hint")} tools={<a class="button" href="#/indicators">{w("back")}</a>}>
			<Saying said={said} />
			<form class="panel indicator-import" aria-label={w("import.title")} aria-busy={busy ? "true" : undefined} onSubmit={(event) => { event.preventDefault(); ask(true); }}>
				<label class="field">{w("import.text")}<textarea class="mono" rows={8} required spellcheck={false} value={text} placeholder={"45.66.77.45\nlogin-example.test"} onInput={(event) => { setText(event.currentTarget.value); setFound(null); }} /></label>
				<div class="row"><button type="button" onClick={() => field.current?.click()}>{w("import.choose")}</button><span class="hint">{how.name}</span>
					<input ref={field} type="file" class="hidden" tabIndex={-1} aria-label={w("import.choose")} onChange={(event) => { const file = event.currentTarget.files?.[0]; if (file) read(file); }} /></div>
				<fieldset class="plain-set"><legend>{w("import.unsaid")}</legend>
					<div class="indicator-how">
						<label class="field">{w("import.format")}<select value={how.format} onChange={(event) => set({ format: event.currentTarget.value })}>{FORMATS.map((one) => <option key={one} value={one}>{w(`format.${one}`)}</option>)}</select></label>
						<label class="field">{w("tlp")}<select value={how.tlp} onChange={(event) => set({ tlp: event.currentTarget.value })}>{tlps.map((one) => <option key={one} value={one}>TLP:{one.toUpperCase()}</option>)}</select></label>
						<label class="field">{w("confidence")}<input type="number" min={0} max={100} value={how.confidence} onInput={(event) => set({ confidence: Number(event.currentTarget.value) })} /></label>
						<label class="field">{w("import.days")}<input type="number" min={0} max={3650} value={how.days} onInput={(event) => set({ days: Number(event.currentTarget.value) })} /><span class="hint">{w("import.days.hint")}</span></label>
					</div>
				</fieldset>
				<div class="row">
					<button type="submit" class={found ? "" : "main"} disabled={busy || !text.trim()}>{w("import.judge")}</button>
					{found && <button type="button" class="main" disabled={busy || found.taken === 0} onClick={() => ask(false)}>{found.taken ? w("import.take", { count: digits(found.taken, language) }) : w("import.nothing")}</button>}
				</div>
			</form>
			{found && <Preview found={found} />}
		</Page>
	);
}
