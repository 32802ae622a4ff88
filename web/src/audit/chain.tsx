// The verdict of the chain: asked for by a button, told in words, with what to do when it is broken.

import { useState } from "preact/hooks";
import type { ApiError } from "../core/api";
import { digits, time } from "../core/format";
import { useHouse } from "../core/house";
import { withParams } from "../core/route";
import { verify, type Verdict } from "./model";
import { useWords } from "./words";

export type Checked = { verdict: Verdict; at: number } | null;

function Head({ head }: { head: string }) {
	const w = useWords();
	const [copied, setCopied] = useState("");
	return (
		<div class="head">
			<span class="label">{w("head")}</span>
			<code>{head.replace(/.{8}(?=.)/g, "$& ")}</code>
			<button type="button" onClick={() => void navigator.clipboard?.writeText(head).then(() => setCopied(head))}>{w(copied === head ? "copied" : "copy")}</button>
			<p class="hint">{w("head.hint")}</p>
		</div>
	);
}

function Told({ verdict, at }: { verdict: Verdict; at: number }) {
	const { language } = useHouse();
	const w = useWords();
	const count = digits(verdict.entries, language);
	if (verdict.broken) {
		const reason = w(/expected/.test(verdict.reason ?? "") ? "broken.gap" : "broken.words");
		return (
			<div class="verdict bad" role="alert">
				<p class="says">{w("broken", { number: verdict.broken })}</p>
				<p>{w("broken.sub", { reason, count })} <a href={withParams({ from: "1970-01-01T00:00:00Z", to: "now", before: String(verdict.broken + 1), actor: undefined, action: undefined, subject: undefined, sort: undefined })}>{w("broken.show")}</a></p>
			</div>
		);
	}
	if (!verdict.sound) return <div class="verdict bad" role="alert"><p class="says">{w("cut")}</p><p>{w("cut.sub", { count })}</p></div>;
	return (
		<div class="verdict good" role="status">
			<p class="says">{w("whole")}</p>
			<p>{w("whole.sub", { count, time: time(at, language) })}{verdict.noted ? ` ${w("noted.is", { number: verdict.noted })}` : ""}</p>
		</div>
	);
}

export function Chain({ checked, tell }: { checked: Checked; tell: (checked: Checked) => void }) {
	const { language } = useHouse();
	const w = useWords();
	const [noted, setNoted] = useState(""), [busy, setBusy] = useState(false), [error, setError] = useState("");
	const send = (event: Event) => {
		event.preventDefault();
		setBusy(true);
		setError("");
		verify(noted.replace(/\s/g, "").toLowerCase()).then(
			(verdict) => { tell({ verdict, at: Date.now() }); setBusy(false); },
			(fault: ApiError) => { tell(null); setError((language === "ja" && fault.messageJa) || fault.message); setBusy(false); },
		);
	};
	const command = `yagura audit verify${noted.trim() ? ` --head ${noted.replace(/\s/g, "")}` : ""}`;
	return (
		<section class="panel chain">
			<h2>{w("chain")}</h2>
			<p class="hint">{w("chain.hint")}</p>
			<form onSubmit={send}>
				<button type="submit" class="main" disabled={busy}>{w(checked ? "again" : "check")}</button>
				<details>
					<summary>{w("noted")}</summary>
					<label class="field"><input name="noted" aria-label={w("noted")} class="mono" value={noted} placeholder={w("noted.hint")} title={w("noted.hint")} pattern={"\\s*([0-9a-fA-F]\\s*){64}"} autocomplete="off" spellcheck={false} onInput={(event) => setNoted(event.currentTarget.value)} /></label>
					<p class="hint">{w("command")}</p>
					<pre class="command">{command}</pre>
				</details>
			</form>
			{busy && <p class="hint" role="status" aria-busy="true">{w("checking")}</p>}
			{error && <p class="error" role="alert">{error}</p>}
			{!busy && checked && <Told {...checked} />}
			{!busy && checked?.verdict.sound && <Head head={checked.verdict.head} />}
		</section>
	);
}
