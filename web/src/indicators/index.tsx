// Indicators: #/indicators the list, #/indicators/import, #/indicators/ID one of them.

import { useRoute } from "../core/route";
import { Import } from "./import";
import { List } from "./list";
import { One } from "./one";
import "../people/people.css";
import "../sharing/sharing.css";
import "./indicators.css";

export default function Indicators() {
	const { path } = useRoute();
	const place = path[1] ?? "";
	return place === "" ? <List /> : place === "import" ? <Import /> : <One key={place} id={place} />;
}
