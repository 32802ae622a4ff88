// The HTTP API of the hub, typed. Every answer that is not 2xx becomes an ApiError with the hub's own sentence.

export interface Column { name: string; type: string; unit?: string }
export type Cell = string | number | boolean | null | Record<string, unknown>;
export interface Answer { columns: Column[]; rows: Cell[][]; exact: boolean; elapsed_ms: number; from: string; to: string; command: string; read?: string[]; since?: string; names?: Record<string, string> }
export interface Filter { field: string; op: string; value: unknown }
export interface Query {
	kind: string;
	from: string;
	to: string;
	filters?: Filter[];
	keys?: string[];
	bucket?: string | null;
	aggregates?: { op: string; field?: string }[];
	order?: { by: string; descending?: boolean }[];
	limit?: number;
}
export interface User { name: string; role: string; must_set_password?: boolean; member?: { id: number; key: string; name: string } | null }
export interface Session { user: User | null; guest_role: string | null; public_statistics: boolean; version: string }
export interface Finding {
	id: string; time: string; type: string; severity: string; subject: string; first: string; last: string; ended: number | boolean;
	packets: number; score: number; rule: string; rule_version: number; ground: Record<string, unknown>;
}

export class ApiError extends Error {
	constructor(readonly status: number, message: string, readonly messageJa?: string, readonly answer?: unknown) {
		super(message);
	}
}

const ROOT = "./api/v1";

/** A file goes as it is, anything else as JSON. */
export async function request<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
	let response: Response;
	const file = body instanceof Blob ? body : null;
	try {
		response = await fetch(ROOT + path, {
			method,
			headers: { "X-Yagura": "1", ...(body === undefined ? {} : { "Content-Type": file?.type || "application/json" }) },
			body: file ?? (body === undefined ? null : JSON.stringify(body)),
			credentials: "same-origin",
			signal: signal ?? null,
		});
	} catch (fault) {
		if (signal?.aborted) throw fault;
		throw new ApiError(0, "The hub does not answer.", "ハブが応答しません。");
	}
	if (response.status === 204) return undefined as T;
	const text = await response.text();
	let answer: unknown;
	try {
		answer = text ? JSON.parse(text) : undefined;
	} catch {
		throw new ApiError(response.status, "The hub's answer cannot be read.", "ハブの応答を読めません。");
	}
	if (response.ok) return answer as T;
	const error = (answer as { error?: { message?: string; message_ja?: string } } | undefined)?.error;
	throw new ApiError(response.status, error?.message ?? response.statusText, error?.message_ja, answer);
}

export const get = <T>(path: string, signal?: AbortSignal): Promise<T> => request<T>("GET", path, undefined, signal);
export const ask = (query: Query, signal?: AbortSignal): Promise<Answer> => request<Answer>("POST", "/query", query, signal);

/** Rows as objects by column name. */
export function records(answer: Answer): Record<string, Cell>[] {
	return answer.rows.map((row) => Object.fromEntries(answer.columns.map((column, i) => [column.name, row[i] ?? null])));
}

export function downloadAddress(query: Query, form: "csv" | "json"): string {
	return `${ROOT}/query.${form}?q=${encodeURIComponent(JSON.stringify(query))}`;
}

export function packetsAddress(address: string, from: string, to: string): string {
	return `${ROOT}/sources/${encodeURIComponent(address)}/packets.pcap?from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}`;
}
