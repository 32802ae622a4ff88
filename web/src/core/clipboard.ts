// Copying, also where the hub is reached without TLS and browsers keep the clipboard back.

function byHand(text: string): boolean {
	const field = document.createElement("textarea");
	field.value = text;
	field.setAttribute("readonly", "");
	field.style.cssText = "position:fixed;top:0;opacity:0";
	const before = document.activeElement;
	document.body.append(field);
	field.select();
	const done = document.execCommand("copy");
	field.remove();
	if (before instanceof HTMLElement) before.focus();
	return done;
}

export async function copy(text: string): Promise<boolean> {
	try {
		await navigator.clipboard.writeText(text);
		return true;
	} catch {
		return byHand(text);
	}
}
