// Behind the link of a message: one press, no account. The press is asked for because programs that look through mail
// open links.

import { useEffect, useState } from "preact/hooks";
import { ApiError, request } from "../core/api";
import { useHouse } from "../core/house";
import { useRoute } from "../core/route";
import { AnswerFields, answerOf } from "./answer";
import { useWords } from "./texts";
import "./notices.css";

export default function Acknowledge() {
	const { language } = useHouse();
	const { params } = useRoute();
	const w = useWords();
	const [done, setDone] = useState<number | "used" | "wrong" | null>(null);
	const [error, setError] = useState("");
	const message = Number(params.get("message")), token = params.get("token") ?? "";
	useEffect(() => { document.title = `${w("ack.title")} · Yagura 櫓`; }, [language]);
	const send = (event: Event) => {
		event.preventDefault();
		request<{ acknowledged: number }>("POST", "/notices/acknowledge", { message, token, ...answerOf(event.currentTarget as HTMLFormElement) }).then(
			(answer) => setDone(answer.acknowledged),
			(fault: ApiError) => fault.status === 410 ? setDone("used") : fault.status === 403 ? setDone("wrong") : setError((language === "ja" && fault.messageJa) || fault.message));
	};
	const shown = !Number.isInteger(message) || message < 1 || !token ? "wrong" : done;
	return (
		<div class="center">
			<div class="card acknowledge">
				<img src="./mark.svg" width="56" height="56" alt="" />
				{shown === null ? (
					<>
						<h1>{w("ack.title")}</h1>
						<p>{w("ack.what")}</p>
						<form onSubmit={send}>
							<button type="submit" class="main big">{w("ack.button")}</button>
							<details><summary>{w("ack.more")}</summary><div class="answer-form"><AnswerFields /></div></details>
						</form>
						{error && <p class="error" role="alert">{error}</p>}
					</>
				) : (
					<div role="status">
						<h1>{shown === "used" ? w("ack.used") : shown === "wrong" ? w("ack.wrong") : w("ack.done")}</h1>
						<p class="hint">{shown === "used" ? w("ack.used.hint") : shown === "wrong" ? w("ack.wrong.hint") : w("ack.done.hint", { count: shown })}</p>
					</div>
				)}
			</div>
		</div>
	);
}
