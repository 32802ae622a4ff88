// What to do about a matter, in the words of the messages: what happened, numbered steps, how one knows that it is over, whom to call.

import { useTexts } from "../core/house";
import "./advice.css";
import { en, ja } from "./texts";

export const useWords = () => useTexts({ en, ja });
export interface AdviceText { title: string; what: string; steps: string; over: string; call: string }

export function Advice({ advice }: { advice: AdviceText | null | undefined }) {
	const w = useWords();
	if (!advice) return <p class="note">{w("advice")}</p>;
	return (
		<div class="advice">
			<h3>{w("what")}</h3><p>{advice.what}</p>
			<h3>{w("steps")}</h3><ol class="steps">{advice.steps.split("\n").filter(Boolean).map((step) => <li key={step}>{step.replace(/^\d+[.)]\s*/, "")}</li>)}</ol>
			<h3>{w("over")}</h3><p>{advice.over}</p>
			<h3>{w("call")}</h3><p>{advice.call}</p>
		</div>
	);
}
