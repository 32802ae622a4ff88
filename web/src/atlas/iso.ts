// ISO 3166-1: numeric code (as the map data carries it) to the two letters that records carry. Names come from the browser (Intl).

const TABLE =
	"004AF008AL010AQ012DZ016AS020AD024AO028AG031AZ032AR036AU040AT044BS048BH050BD051AM052BB056BE060BM064BT068BO070BA072BW" +
	"076BR084BZ086IO090SB092VG096BN100BG104MM108BI112BY116KH120CM124CA132CV136KY140CF144LK148TD152CL156CN158TW162CX166CC" +
	"170CO174KM175YT178CG180CD184CK188CR191HR192CU196CY203CZ204BJ208DK212DM214DO218EC222SV226GQ231ET232ER233EE234FO238FK" +
	"239GS242FJ246FI248AX250FR254GF258PF260TF262DJ266GA268GE270GM275PS276DE288GH292GI296KI300GR304GL308GD312GP316GU320GT" +
	"324GN328GY332HT334HM336VA340HN344HK348HU352IS356IN360ID364IR368IQ372IE376IL380IT384CI388JM392JP398KZ400JO404KE408KP" +
	"410KR414KW417KG418LA422LB426LS428LV430LR434LY438LI440LT442LU446MO450MG454MW458MY462MV466ML470MT474MQ478MR480MU484MX" +
	"492MC496MN498MD499ME500MS504MA508MZ512OM516NA520NR524NP528NL531CW533AW534SX540NC548VU554NZ558NI562NE566NG570NU574NF" +
	"578NO580MP583FM584MH585PW586PK591PA598PG600PY604PE608PH612PN616PL620PT624GW626TL630PR634QA638RE642RO643RU646RW652BL" +
	"654SH659KN660AI662LC663MF666PM670VC674SM678ST682SA686SN688RS690SC694SL702SG703SK704VN705SI706SO710ZA716ZW724ES728SS" +
	"729SD732EH740SR748SZ752SE756CH760SY762TJ764TH768TG772TK776TO780TT784AE788TN792TR795TM796TC798TV800UG804UA807MK818EG" +
	"826GB831GG832JE833IM834TZ840US850VI854BF858UY860UZ862VE876WF882WS887YE894ZM";

const NAMED: Record<string, string> = { Kosovo: "XK", "N. Cyprus": "CY", Somaliland: "SO" };

const letters = new Map<string, string>();
for (let i = 0; i < TABLE.length; i += 5) letters.set(TABLE.slice(i, i + 3), TABLE.slice(i + 3, i + 5));

/** Two letters of a country of the map data, or "" for land that has no code. */
export function countryLetters(numeric: string | number | undefined, name: string): string {
	const known = numeric === undefined ? undefined : letters.get(String(numeric).padStart(3, "0"));
	return known ?? NAMED[name] ?? "";
}

const namers = new Map<string, Intl.DisplayNames>();

function namer(language: string, style: "short" | "long"): Intl.DisplayNames {
	const key = language + style;
	let made = namers.get(key);
	if (!made) namers.set(key, (made = new Intl.DisplayNames([language], { type: "region", fallback: "code", style })));
	return made;
}

/** The country's name in the reader's language; unknown codes come back as they are. */
export function countryName(code: string, language: string): string {
	if (!/^[A-Z]{2}$/.test(code)) return "";
	try {
		const short = namer(language, "short").of(code) ?? code;
		return /^[A-Z]{2}$/.test(short) ? (namer(language, "long").of(code) ?? code) : short;
	} catch {
		return code;
	}
}
