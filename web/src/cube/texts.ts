// Words of the Cube; what it shares with the Atlas is in ../atlas/texts. Both languages say the same; {name} is filled in.

import { language } from "../atlas/house";

const en = {
	title: "Cube: source, destination and port of each packet, live",
	name: "Cube",
	"axis.source": "Source address",
	"axis.target": "Destination in the darknet",
	"axis.port": "Destination port",
	"axis.noport": "no port",
	"view.free": "Free view",
	"view.x": "Seen along the sources: destination and port",
	"view.y": "Seen from above: source and destination",
	"view.z": "Seen from the source face: source and port",
	"view.x.short": "Destination × port",
	"view.y.short": "Source × destination",
	"view.z.short": "Source × port",
	"view.free.short": "Cube",
	views: "View",
	turn: "Turn slowly",
	"kinds.note": "per second",
	sweeps: "Lines and columns",
	"sweeps.note": "last 10 seconds",
	"sweeps.none": "No host sweeps visibly at the moment",
	"sweep.line": "{port} · {count} destinations",
	"sweep.column": "{target} · {count} ports",
	ports: "Heaviest ports",
	points: "{count} points",
	keys: "Keys: space pause · 1–6 kinds · x y z flat views · 0 first view · arrows turn · + − zoom · r slow turn · t table · s save",
	described:
		"A cube. To the right the source address, upwards the destination port, into the depth the destination address within the darknet. Each packet flies in from the source face to its place and fades within six seconds. The same is to be had as a table with the key t.",
	save: "Save the picture",
	table: "Newest packets as a table",
	back: "Back to the cube",
	refresh: "Take the newest",
	at: "Time",
	ground: "How this is made",
	"ground.read":
		"Each mark is one packet. It enters through the source face at the place of its source address and port, flies to its destination and fades within six seconds. A line into the depth is one host that tries one port on many addresses; a column is one host that tries many ports on one address; a plane is one port that many hosts try. Faint lines join packets of one sweep from three different destinations or ports on. The planes with a name are the ports that take the largest part of the last ten seconds.",
	"ground.axes":
		"Source addresses run evenly from 0.0.0.0 to 255.255.255.255; small marks stand at every eighth /8. Destinations are the darknet's prefixes side by side: IPv4 ones by size, none smaller than a twentieth. Ports are on a logarithmic scale; packets without a port, such as ICMP, lie in a strip at the floor. For backscatter the port is the attacked host's own.",
	"ground.six":
		"IPv6: when the darknet has IPv6 prefixes, they take the far end of the destinations, each with an equal part, ordered by the bits that follow the prefix, so subnets come first. Sources of IPv6 take the right end of their axis: 2000:: to 2fff:: in order, by their first 32 bits.",
	"ground.sample":
		"Rates by kind count every packet that the sensors saw. Points, lines and ports come from a sample of up to {sample} packets in each tenth of a second. No more than {most} points are shown at once; on a slow machine fewer. What continues a line or column, and what is not an ordinary scan, is left out last.",
	"ground.exact": "Exact figures by port",
	nogl: "This browser has no WebGL 2: the cube is drawn simply, with fewer points.",
	still: "Motion is reduced, as your system asks: the cube stands and packets appear at their place.",
	"picture.caption": "{time} · {pps} packets per second",
};

type Texts = typeof en;

const ja: Texts = {
	title: "キューブ：パケットの送信元・宛先・ポートの実況",
	name: "キューブ",
	"axis.source": "送信元アドレス",
	"axis.target": "ダークネット内の宛先",
	"axis.port": "宛先ポート",
	"axis.noport": "ポートなし",
	"view.free": "自由な視点",
	"view.x": "送信元の軸に沿って見る：宛先とポート",
	"view.y": "真上から見る：送信元と宛先",
	"view.z": "送信元の面から見る：送信元とポート",
	"view.x.short": "宛先×ポート",
	"view.y.short": "送信元×宛先",
	"view.z.short": "送信元×ポート",
	"view.free.short": "立体",
	views: "視点",
	turn: "ゆっくり回す",
	"kinds.note": "毎秒の数",
	sweeps: "線と柱",
	"sweeps.note": "直近10秒間",
	"sweeps.none": "目立つ走査は今のところありません",
	"sweep.line": "{port}・宛先{count}か所",
	"sweep.column": "{target}・ポート{count}個",
	ports: "集中しているポート",
	points: "{count}点",
	keys: "キー：スペース 一時停止・1～6 種類・x y z 正面図・0 最初の視点・矢印 回転・＋－ 拡大縮小・r 自動回転・t 表・s 保存",
	described:
		"立方体です。右方向が送信元アドレス、上方向が宛先ポート、奥行きがダークネット内の宛先アドレスです。パケットは送信元の面から飛び込んで位置に着き、6秒で消えます。tキーで同じ内容を表として見られます。",
	save: "画像を保存",
	table: "最新のパケットを表で見る",
	back: "キューブに戻る",
	refresh: "最新に更新",
	at: "時刻",
	ground: "この図の作り方",
	"ground.read":
		"印の一つ一つがパケットです。送信元アドレスとポートの位置で送信元の面を通って飛び込み、宛先に着き、6秒で消えます。奥へ伸びる線は、一つのポートで多数の宛先を試す一台のホスト、柱は、一つの宛先で多数のポートを試す一台のホスト、面は、多数のホストが試す一つのポートです。異なる宛先またはポートが三つ以上になると、同じ走査のパケットを細い線で結びます。名前の付いた面は、直近10秒間で割合の大きいポートです。",
	"ground.axes":
		"送信元アドレスは0.0.0.0から255.255.255.255まで等間隔で、小さな目盛りは/8の8個ごとです。宛先はダークネットのプレフィックスを並べたもので、IPv4は大きさに応じ、最小でも全体の20分の1の幅を取ります。ポートは対数目盛で、ICMPなどポートのないパケットは床の帯に置きます。跳ね返りのポートは、攻撃を受けたホスト側のポートです。",
	"ground.six":
		"IPv6：ダークネットにIPv6のプレフィックスがあるときは、宛先の奥の端に等しい幅で並べ、プレフィックスに続くビットの順（サブネットが先）に置きます。IPv6の送信元は軸の右端を使い、2000::から2fff::までを先頭32ビットの順に置きます。",
	"ground.sample":
		"種類ごとの毎秒の数は、センサーが見たすべてのパケットの数です。点・線・ポートは、0.1秒ごとに最大{sample}個のパケットを抜き出した標本によります。同時に表示する点は最大{most}個で、遅い機器では減らします。線や柱の続きと、通常のスキャン以外は、最後まで残します。",
	"ground.exact": "ポートごとの正確な値",
	nogl: "このブラウザーはWebGL 2に対応していないため、点を減らして簡略に描いています。",
	still: "システムの設定に従って動きを抑えています。立方体は回らず、パケットは位置に直接現れます。",
	"picture.caption": "{time}・毎秒{pps}パケット",
};

export type CubeWord = keyof Texts;

export function say(key: CubeWord, filled: Record<string, string | number> = {}): string {
	return (language() === "ja" ? ja : en)[key].replace(/\{(\w+)\}/g, (_, name: string) => String(filled[name] ?? ""));
}
