// A command that prints a result, read back as the description that the hub answers: `yagura query tuple --where port=23 ...`.

import type { Filter, Query } from "./api";
import { bucketFor } from "./format";

const WHERE = /^([a-z_]+)(!=|<=|>=|=|<|>)(.*)$/;

/** The question of a finding's ground, by time; null when the command asks for something else. */
export function courseOf(command: string): Query | null {
	const words = command.trim().split(/\s+/).map((word) => word.replace(/^'(.*)'$/, "$1"));
	if (words[0] !== "yagura" || words[1] !== "query" || !words[2]) return null;
	const filters: Filter[] = [];
	let from = "", to = "";
	for (let at = 3; at + 1 < words.length; at += 2) {
		const value = words[at + 1] ?? "";
		if (words[at] === "--from") from = value;
		else if (words[at] === "--to") to = value;
		else if (words[at] === "--where") {
			const parts = WHERE.exec(value);
			if (!parts) return null;
			const [, field = "", op = "=", text = ""] = parts;
			const values = text.split(",").map((one) => (/^\d+$/.test(one) ? Number(one) : one));
			filters.push({ field, op: values.length > 1 ? "in" : op, value: values.length > 1 ? values : values[0] });
		} else return null;
	}
	const span = Date.parse(to) - Date.parse(from);
	if (!(span > 0)) return null;
	return { kind: words[2], from, to, filters, bucket: bucketFor(span), aggregates: [{ op: "sum", field: "packets" }], order: [{ by: "time" }], limit: 10000 };
}
