// Where one is: `#/observe/top?from=-24h&to=now&port=23`. Everything that a view shows stands in its address.

import { useEffect, useState } from "preact/hooks";

export interface Route { path: string[]; params: URLSearchParams }

export function routeOf(hash: string): Route {
	const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
	return { path: path.split("/").filter(Boolean).map(decodeURIComponent), params: new URLSearchParams(query) };
}

export function address(path: string, params: URLSearchParams | Record<string, string | undefined>): string {
	const given = params instanceof URLSearchParams ? params : new URLSearchParams();
	if (!(params instanceof URLSearchParams)) for (const [name, value] of Object.entries(params)) if (value) given.set(name, value);
	const query = given.toString();
	return `#/${path}${query ? `?${query}` : ""}`;
}

/** The same view with other parameters; undefined takes one away. */
export function withParams(changes: Record<string, string | undefined>): string {
	const route = routeOf(location.hash);
	for (const [name, value] of Object.entries(changes)) value === undefined ? route.params.delete(name) : route.params.set(name, value);
	return address(route.path.map(encodeURIComponent).join("/"), route.params);
}

/** The same, at once and without a step back: for what changes with every letter. */
export function replaceParams(changes: Record<string, string | undefined>): void {
	history.replaceState(null, "", withParams(changes));
	dispatchEvent(new HashChangeEvent("hashchange"));
}

export function useRoute(): Route {
	const [route, set] = useState(() => routeOf(location.hash));
	useEffect(() => {
		const changed = () => set(routeOf(location.hash));
		addEventListener("hashchange", changed);
		return () => removeEventListener("hashchange", changed);
	}, []);
	return route;
}

export function range(params: URLSearchParams): { from: string; to: string } {
	return { from: params.get("from") ?? "-24h", to: params.get("to") ?? "now" };
}

/** Parameters that every link inside the program keeps. */
export function kept(params: URLSearchParams): Record<string, string | undefined> {
	return { from: params.get("from") ?? undefined, to: params.get("to") ?? undefined };
}
