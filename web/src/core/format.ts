// Numbers, times and names as readers write them.

export type Language = "en" | "ja";

/** Plain digits with separators. */
export function digits(value: number, language: Language): string {
	return new Intl.NumberFormat(language, { maximumFractionDigits: 0 }).format(value);
}

/** Short: 1.2M in English, 120万 in Japanese; plain below ten thousand. */
export function short(value: number, language: Language): string {
	if (!Number.isFinite(value)) return "–";
	if (Math.abs(value) < 10000) return digits(value, language);
	return new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: Math.abs(value) < 100000 ? 2 : 1 }).format(value);
}

/** A share of one, with one digit. */
export function percent(value: number, language: Language): string {
	return new Intl.NumberFormat(language, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(value);
}

export function bytes(value: number): string {
	const units = ["B", "KiB", "MiB", "GiB", "TiB"];
	let unit = 0;
	while (value >= 1024 && unit < units.length - 1) {
		value /= 1024;
		unit++;
	}
	return `${value.toFixed(unit && value < 100 ? 1 : 0)} ${units[unit]}`;
}

/** 2026-11-23 09:05:00 in English, 2026/11/23 9:05:00 in Japanese; in the reader's own time zone. */
export function time(at: string | number | null | undefined, language: Language, seconds = true): string {
	if (at === null || at === undefined || at === "") return "–";
	const date = new Date(at);
	if (Number.isNaN(date.getTime())) return "–";
	const clock: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", ...(seconds ? { second: "2-digit" } : {}), hour12: false };
	return date.toLocaleString(language === "ja" ? "ja" : "sv", { year: "numeric", month: "2-digit", day: "2-digit", ...clock });
}

export function ago(iso: string, language: Language, now = Date.now()): string {
	const seconds = Math.round((new Date(iso).getTime() - now) / 1000);
	const format = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
	for (const [unit, length] of [["day", 86400], ["hour", 3600], ["minute", 60]] as const)
		if (Math.abs(seconds) >= length) return format.format(Math.round(seconds / length), unit);
	return format.format(seconds, "second");
}

export function country(code: string, language: Language): string {
	if (!/^[A-Z]{2}$/.test(code) || code === "ZZ") return language === "ja" ? "不明" : "Unknown";
	try {
		return new Intl.DisplayNames([language], { type: "region" }).of(code) ?? code;
	} catch {
		return code;
	}
}

/** Codes of countries whose English or Japanese name begins so, or whose code it is; five at most. */
export function countriesLike(text: string): string[] {
	const wanted = text.trim().toLowerCase();
	const names = (["en", "ja"] as const).map((language) => new Intl.DisplayNames([language], { type: "region", fallback: "none" }));
	const found: string[] = [];
	for (let at = 0; at < 676 && found.length < 5; at++) {
		const code = String.fromCharCode(65 + Math.floor(at / 26), 65 + (at % 26));
		const known = names.map((one) => one.of(code)?.toLowerCase());
		if (known[0] && (code.toLowerCase() === wanted || known.some((name) => name?.startsWith(wanted))) && !/^(EU|UN|EZ|QO|XA|XB|ZZ)$/.test(code)) found.push(code);
	}
	return found;
}

const RELATIVE = /^-(\d+)(s|m|h|d)$/;
const LENGTH: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86400 };

/** "-24h", "now" or RFC 3339, to milliseconds since 1970; NaN when it is none of these. */
export function instant(text: string, now = Date.now()): number {
	if (text === "now") return now;
	const relative = RELATIVE.exec(text);
	if (relative) return now - Number(relative[1]) * (LENGTH[relative[2] ?? "s"] ?? 1) * 1000;
	return Date.parse(text);
}

/** A bucket that gives some 60 to 200 points over the span. */
export function bucketFor(spanMs: number): string {
	for (const [ms, name] of [[60e3, "1m"], [300e3, "5m"], [900e3, "15m"], [3600e3, "1h"], [21600e3, "6h"]] as const)
		if (spanMs / ms <= 200) return name;
	return "1d";
}

const SERVICES: Record<string, string> = {
	"tcp/21": "FTP", "tcp/22": "SSH", "tcp/23": "Telnet", "tcp/25": "SMTP", "tcp/80": "HTTP", "tcp/443": "HTTPS", "tcp/445": "SMB", "tcp/1433": "MSSQL",
	"tcp/2323": "Telnet", "tcp/3306": "MySQL", "tcp/3389": "RDP", "tcp/5060": "SIP", "tcp/5555": "ADB", "tcp/6379": "Redis", "tcp/7547": "TR-069",
	"tcp/8080": "HTTP", "tcp/37215": "UPnP (HG532)", "tcp/52869": "UPnP (Realtek)", "udp/53": "DNS", "udp/123": "NTP", "udp/161": "SNMP",
	"udp/389": "CLDAP", "udp/1900": "SSDP", "udp/5060": "SIP", "udp/11211": "memcached", "tcp/2375": "Docker", "tcp/9530": "DVR", "tcp/34567": "DVR",
};

export function service(port: string): string {
	return SERVICES[port] ?? "";
}
