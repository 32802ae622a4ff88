// What a collection is served as, and lines to be pasted that take each form into use.

export interface FormFigures { file: string; type: string; values: number; left_out: number; bytes: number; serial: number; etag: string }
export interface Collection {
	id: string; name: string; title: string; description: string; most: string; group: boolean; automatic: boolean; writable: boolean;
	objects: number; last: string | null; forms?: FormFigures[];
}
export interface Offered { collections: Collection[]; url: string }

export type Form = "taxii" | "misp" | "csv" | "list" | "rpz" | "transfer" | "nft" | "bgp";
export interface Try { who: string; line: string }
export interface Service { form: Form; address: string; file?: string; way: string; tries: Try[] }

const ZONE = "rpz.yagura", TRANSFER_PORT = 5353;

/** Word for a shell, whatever is in it. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function rpzTries(fetch: (file: string, to?: string) => string): Try[] {
	const taken = (folder: string) => fetch("policy.zone", `${folder}/${ZONE}`);
	return [
		{ who: "Unbound", line: `${taken("/var/lib/unbound")}
cat > /etc/unbound/unbound.conf.d/yagura.conf <<'END'
server:
  module-config: "respip validator iterator"
rpz:
  name: "${ZONE}"
  zonefile: "/var/lib/unbound/${ZONE}"
END
unbound-checkconf && unbound-control reload` },
		{ who: "BIND", line: `${taken("/var/cache/bind")}
cat >> /etc/bind/named.conf.local <<'END'
zone "${ZONE}" { type primary; file "/var/cache/bind/${ZONE}"; allow-query { none; }; };
END
sed -i 's/^options {/&\\n\\tresponse-policy { zone "${ZONE}"; };/' /etc/bind/named.conf.options
named-checkconf && rndc reconfig` },
		{ who: "Knot Resolver", line: `${taken("/etc/knot-resolver")}
echo 'policy.add(policy.rpz(policy.DENY, "/etc/knot-resolver/${ZONE}", true))' >> /etc/knot-resolver/kresd.conf
systemctl restart kresd@1` },
		{ who: "curl", line: fetch("policy.zone") },
	];
}

/** Served by a process of its own; Unbound's transfers know no TSIG, so it takes the zone from a Knot or BIND beside it. */
function transferTries(collection: string, host: string): Try[] {
	return [
		{ who: "Yagura", line: `tsig-keygen member > rpz.key
yagura share rpz ${collection} --name ${ZONE} --serve ${host}:${TRANSFER_PORT} --key-file rpz.key` },
		{ who: "dig", line: `dig @${host} -p ${TRANSFER_PORT} -k rpz.key ${ZONE} AXFR` },
		{ who: "BIND", line: `include "/etc/bind/rpz.key";
zone "${ZONE}" { type secondary; primaries port ${TRANSFER_PORT} { ${host} key "member"; }; file "/var/cache/bind/${ZONE}"; };
// and in options { }: response-policy { zone "${ZONE}"; };` },
		{ who: "Knot DNS", line: `key:
  - id: member
    algorithm: hmac-sha256
    secret: SECRET
remote:
  - id: yagura
    address: ${host}@${TRANSFER_PORT}
    key: member
zone:
  - domain: ${ZONE}
    master: yagura
    semantic-checks: off` },
	];
}

const blocking = `nft -f - <<'END'
table inet yagura {
  chain input {
    type filter hook input priority -10;
    ip saddr @yagura_v4 drop
    ip6 saddr @yagura_v6 drop
  }
}
END`;

export function servicesOf(collection: Collection, url: string, host: string, token: string): Service[] {
	const base = `${url}/feeds/${collection.name}`, user = quoted(`x:${token}`);
	const fetch = (file: string, to?: string) => `curl -fsS -u ${user} ${quoted(`${base}/${file}`)}${to ? ` -o ${to}` : ""}`;
	const taxii = (what: string) => `curl -fsS -u ${user} -H 'Accept: application/taxii+json;version=2.1' ${quoted(`${url}/taxii2/api/collections/${collection.id}/${what}`)}`;
	return [
		{ form: "taxii", address: `${url}/taxii2/`, way: "taxii", tries: [{ who: "curl", line: taxii("objects/?limit=100") }, { who: "curl, manifest", line: taxii("manifest/") }] },
		{ form: "misp", address: `${base}/misp/`, file: "misp/manifest.json", way: "feed misp/", tries: [
			{ who: "MISP", line: `Name: Yagura ${collection.name}\nProvider: Yagura\nInput Source: Network\nURL: ${base}/misp/\nSource Format: MISP Feed\nAny headers to be passed with requests: Authorization: Bearer ${token}` },
			{ who: "curl", line: fetch("misp/manifest.json") },
		] },
		{ form: "list", address: `${base}/list.txt`, file: "list.txt", way: "feed list.txt", tries: [{ who: "curl", line: fetch("list.txt") }, { who: "curl, IPv4, score ≥ 50", line: fetch("list.txt?kind=ipv4&score=50") }] },
		{ form: "csv", address: `${base}/indicators.csv`, file: "indicators.csv", way: "feed indicators.csv", tries: [{ who: "curl", line: fetch("indicators.csv") }] },
		{ form: "rpz", address: `${base}/policy.zone`, file: "policy.zone", way: "feed policy.zone", tries: rpzTries(fetch) },
		{ form: "transfer", address: `${host}:${TRANSFER_PORT}`, way: "rpz", tries: transferTries(collection.name, host) },
		{ form: "nft", address: `${base}/sets.nft`, file: "sets.nft", way: "feed sets.nft", tries: [{ who: "nft", line: `${fetch("sets.nft")} | nft -f -` }, { who: "nft, drop", line: blocking }] },
		{ form: "bgp", address: `${base}/routes.bird`, file: "routes.bird", way: "feed routes.", tries: [
			{ who: "BIRD", line: `${fetch("routes.bird", "/etc/bird/yagura.conf")}\ngrep -q yagura.conf /etc/bird/bird.conf || echo 'include "/etc/bird/yagura.conf";' >> /etc/bird/bird.conf\nbirdc configure` },
			{ who: "FRR", line: `${fetch("routes.frr", "/etc/frr/yagura.conf")} && vtysh -f /etc/frr/yagura.conf` },
		] },
	];
}
