// What accounts and tokens share: the choice of a role, a secret that is shown once, a question before what cannot be undone.

import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ApiError } from "../core/api";
import { useHouse, useTexts } from "../core/house";
import { nameOf } from "../members/model";
import { type Organisation } from "./model";
import { en, ja } from "./texts";

export const useWords = () => useTexts({ en, ja });

/** What a request answered: a good word, or the hub's own sentence. */
export interface Said { good: boolean; text: string }
export function useFault(): (fault: ApiError) => Said {
	const { language } = useHouse();
	return (fault) => ({ good: false, text: (language === "ja" && fault.messageJa) || fault.message });
}

export function Saying({ said }: { said: Said | null }) {
	return <p class={`saying${said ? (said.good ? " good" : " bad") : ""}`} role={said && !said.good ? "alert" : "status"}>{said?.text}</p>;
}

interface RoleProps { roles: readonly string[]; role: string; member: string; organisations: Organisation[]; changed: (role: string, member: string) => void; disabled?: boolean }

/** A role with what it may, and whose people it is where the role asks for that. */
export function RoleFields({ roles, role, member, organisations, changed, disabled }: RoleProps) {
	const { tOf, language } = useHouse();
	const w = useWords();
	const list = useId();
	const chosen = organisations.find((one) => one.key === member.trim());
	return (
		<>
			<label class="field">{w("role")}
				<select name="role" value={role} disabled={disabled} onChange={(event) => changed(event.currentTarget.value, member)}>
					{roles.map((one) => <option key={one} value={one}>{tOf("role", one)}</option>)}
				</select>
			</label>
			{role === "member" && (
				<label class="field">{w("member")}
					<input name="member" list={list} required value={member} placeholder={w(organisations.length ? "member.choose" : "member.none")} autocomplete="off" autocapitalize="none" spellcheck={false} onInput={(event) => changed(role, event.currentTarget.value)} />
					<datalist id={list}>{organisations.map((one) => <option key={one.key} value={one.key}>{nameOf(one, language)}</option>)}</datalist>
				</label>
			)}
			<p class="hint may">{role === "member" && chosen && <b>{nameOf(chosen, language)}</b>}{w(`may.${role}` as "may.viewer")}</p>
		</>
	);
}

export function CopyButton({ text }: { text: string }) {
	const w = useWords();
	const [copied, setCopied] = useState(false);
	return <button type="button" class="main" onClick={() => void navigator.clipboard?.writeText(text).then(() => setCopied(true))}>{w(copied ? "copied" : "copy")}</button>;
}

/** Shown once: the eye is led here, and nothing else takes it away but the reader. */
export function Secret({ title, hint, secret, children, done }: { title: string; hint: string; secret: string; children?: ComponentChildren; done: () => void }) {
	const w = useWords();
	const box = useRef<HTMLElement>(null);
	useLayoutEffect(() => box.current?.focus(), [secret]);
	return (
		<section class="panel secret" ref={box} tabIndex={-1} role="status">
			<h2>{title}</h2>
			<p class="hint">{hint}</p>
			<pre class="command">{secret}</pre>
			<div class="row"><CopyButton text={secret} />{children}<button type="button" class="plain" onClick={done}>{w("done")}</button></div>
		</section>
	);
}

export function Sure({ question, word, act, leave }: { question: string; word: string; act: () => void; leave: () => void }) {
	const w = useWords();
	const stay = useRef<HTMLButtonElement>(null);
	useLayoutEffect(() => stay.current?.focus(), []);
	return (
		<div class="sure" role="alertdialog" aria-label={question} onKeyDown={(event) => { if (event.key === "Escape") leave(); }}>
			<p>{question}</p>
			<div class="row"><button type="button" class="grave" onClick={act}>{word}</button><button type="button" ref={stay} onClick={leave}>{w("keep")}</button></div>
		</div>
	);
}
