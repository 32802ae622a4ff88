// Choosing members: type, pick, see them as chips.

import { useEffect, useState } from "preact/hooks";
import { get } from "../core/api";
import { useWords } from "./texts";

interface Found { key: string; name: string }

export function MemberPicker({ chosen, names, change, single = false, label }: { chosen: string[]; names: Record<string, string>; change: (keys: string[], names: Record<string, string>) => void; single?: boolean; label: string }) {
	const w = useWords();
	const [text, setText] = useState("");
	const [found, setFound] = useState<Found[]>([]);
	useEffect(() => {
		if (!text.trim()) return setFound([]);
		const controller = new AbortController();
		const timer = setTimeout(() => {
			get<{ members: Found[] }>(`/members?limit=8&text=${encodeURIComponent(text.trim())}`, controller.signal).then((answer) => setFound(answer.members), () => undefined);
		}, 120);
		return () => { clearTimeout(timer); controller.abort(); };
	}, [text]);
	const add = (member: Found) => {
		change(single ? [member.key] : [...chosen.filter((key) => key !== member.key), member.key], { ...names, [member.key]: member.name });
		setText("");
	};
	const key = (event: KeyboardEvent) => {
		const first = found.find((member) => !chosen.includes(member.key));
		if (event.key === "Enter" && text.trim()) {
			event.preventDefault();
			if (first) add(first);
		}
		if (event.key === "Escape") setText("");
	};
	return (
		<div class="picker">
			{chosen.length > 0 && (
				<ul class="chips">
					{chosen.map((one) => <li key={one} class="chip" title={one}>{names[one] ?? one}<button type="button" class="link" aria-label={w("remove", { name: names[one] ?? one })} onClick={() => change(chosen.filter((other) => other !== one), names)}>×</button></li>)}
				</ul>
			)}
			<input type="text" value={text} placeholder={w("field.members.add")} aria-label={label} autocomplete="off" onInput={(event) => setText(event.currentTarget.value)} onKeyDown={key} />
			{found.length > 0 && (
				<ul class="picker-found">
					{found.filter((member) => !chosen.includes(member.key)).map((member) => <li key={member.key}><button type="button" onClick={() => add(member)}><span>{member.name}</span><em>{member.key}</em></button></li>)}
				</ul>
			)}
		</div>
	);
}
