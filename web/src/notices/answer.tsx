// What those concerned say: in the life of a notice, and behind the link of a message.

import { ANSWERS } from "./model";
import { useWords } from "./texts";

export function AnswerFields() {
	const w = useWords();
	return (
		<>
			<fieldset class="answers"><legend>{w("answer.label")}</legend>
				{ANSWERS.map((one) => <label key={one}><input type="radio" name="state" value={one} defaultChecked={one === "seen"} /><span>{w(`answer.${one}`)}</span></label>)}
			</fieldset>
			<label class="field">{w("answer.reference")}<input name="reference" maxLength={200} autocomplete="off" /></label>
			<label class="field">{w("answer.note")}<textarea class="prose" name="note" rows={2} maxLength={2000} /></label>
		</>
	);
}

export function answerOf(form: HTMLFormElement): Record<string, string> {
	const data = new FormData(form);
	return Object.fromEntries(["state", "reference", "note"].map((name) => [name, String(data.get(name) ?? "")]).filter(([, value]) => value));
}
