/* The table of commands. A new one is a line here and a function in a file of its own. */
#include "cli/commands.h"

#include "cli/command_hub.h"

#include <stddef.h>

const struct command commands[] = {
	{
		.name = "hub",
		.summary = "collect, analyse, store and show: the system itself",
		.summary_ja = "収集・分析・蓄積・表示を行う本体",
		.operands = "[FILE...]",
		.operands_help = "further captures after --capture FILE",
		.options = hub_own_option_table,
		.groups = {{hub_option_table, offsetof(struct command_hub_options, hub)},
			   {telescope_sensor_option_table, offsetof(struct command_hub_options, telescope)},
			   {simulation_option_table, offsetof(struct command_hub_options, simulation)}},
		.options_bytes = sizeof(struct command_hub_options),
		.run = command_hub,
		.example = "yagura hub --data DIR --interface eth1 --darknet 192.0.2.0/24",
	},
	{
		.name = "telescope read",
		.summary = "report what capture files of a darknet hold; nothing is kept",
		.summary_ja = "ダークネットのキャプチャの中身を報告する(何も保存しない)",
		.operands = "FILE...",
		.operands_help = "pcap, pcapng or ERF, also gzip, zstd or xz; a directory; - for standard input",
		.options = telescope_read_option_table,
		.options_bytes = sizeof(struct telescope_read_options),
		.run = command_telescope_read,
		.example = "yagura telescope read --darknet 198.18.0.0/15 --json capture.pcap.zst",
	},
	{
		.name = "simulate telescope",
		.summary = "make a country's darknet traffic with known truth",
		.summary_ja = "一国分のダークネット通信を正解付きで作る",
		.options = simulate_option_table,
		.options_bytes = sizeof(struct simulate_options),
		.run = command_simulate_telescope,
		.example = "yagura simulate telescope --packets 1000000 --seconds 60 --seed 7 -o made.pcap --truth "
			   "made.json",
	},
	{
		.name = "query",
		.summary = "ask the store; while a hub runs, the hub is asked",
		.summary_ja = "蓄積した観測に問い合わせる(ハブの稼働中はハブに尋ねる)",
		.operands = "KIND ...",
		.operands_help = "tuple, echo, rollup, finding, raw, block or health, then what is wanted of it",
		.options = data_option_table,
		.options_bytes = sizeof(struct data_options),
		.reads_own_arguments = true,
		.run = command_query,
		.example = "yagura query tuple --from -24h --where port=23 --by country --sum packets --order "
			   "-sum_packets --limit 10",
	},
	{
		.name = "status",
		.summary = "tell how the running hub is",
		.summary_ja = "稼働中のハブの様子を示す",
		.options = data_option_table,
		.options_bytes = sizeof(struct data_options),
		.run = command_status,
	},
	{
		.name = "backup",
		.summary = "copy the store to a directory, while the hub runs or not",
		.summary_ja = "蓄積をディレクトリに複製する(ハブの稼働中でもよい)",
		.operands = "DIR",
		.operands_help = "directory to make",
		.options = data_option_table,
		.options_bytes = sizeof(struct data_options),
		.run = command_backup,
	},
	{
		.name = "restore",
		.summary = "make a data directory from a backup",
		.summary_ja = "複製からデータディレクトリを作る",
		.operands = "DIR",
		.operands_help = "directory of the backup",
		.options = restore_option_table,
		.options_bytes = sizeof(struct restore_options),
		.run = command_restore,
	},
	{
		.name = "doctor",
		.summary = "check what this machine offers and what would be missing",
		.summary_ja = "この計算機で足りないものがないか調べる",
		.options = doctor_option_table,
		.options_bytes = sizeof(struct doctor_options),
		.run = command_doctor,
	},
	{
		.name = "manual",
		.summary = "print a page of the manual in troff",
		.summary_ja = "マニュアルの頁を troff で出力する",
		.operands = "[COMMAND | records]",
		.options = manual_option_table,
		.options_bytes = sizeof(struct manual_options),
		.run = command_manual,
		.example = "yagura manual telescope read | man -l -",
	},
	{.name = NULL},
};
