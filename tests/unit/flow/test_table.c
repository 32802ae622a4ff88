/* Zeek's conn.log and Argus' CSV: lines of the programs themselves become flows; what cannot be read is named. */
#include "export.h"

#include "observe/flow/table.h"

#include "core/clock.h"

#include <string.h>

#define ZEEK_FIELDS                                                                                                    \
	"ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\t"      \
	"conn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\t"             \
	"resp_ip_bytes\ttunnel_parents"
#define ARGUS_FIELDS                                                                                                   \
	"StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,Label"

struct made {
	struct bench bench; /* its rows; it has no collector */
	struct flow_table *table;
	struct err err;
};

static void open_table(struct made *made, enum flow_table_form form)
{
	*made = (struct made){.bench = {.sink.put = bench_put, .rows = batch_new(&record_flow, 16)}};
	assert_int_equal(flow_table_new(form, &made->bench.sink, &made->table, NULL), 0);
}

static void close_table(struct made *made)
{
	flow_table_free(made->table);
	batch_free(made->bench.rows);
}

static int line(struct made *made, const char *text)
{
	size_t bytes = strlen(text);
	char *exact = malloc(bytes ? bytes : 1); /* without an end: a read past it is seen */
	memcpy(exact, text, bytes);
	made->err.text[0] = '\0';
	int result = flow_table_line(made->table, exact, bytes, &made->err);
	free(exact);
	assert_int_equal(flow_table_flush(made->table, NULL), 0);
	return result;
}

static void assert_ends(struct made *made, uint32_t row, const char *source, unsigned source_port, const char *target,
			unsigned target_port)
{
	assert_address(&CELL(&made->bench, struct addr, "source", row), source);
	assert_address(&CELL(&made->bench, struct addr, "target", row), target);
	assert_int_equal(CELL(&made->bench, uint16_t, "source_port", row), source_port);
	assert_int_equal(CELL(&made->bench, uint16_t, "target_port", row), target_port);
}

static void assert_counts(struct made *made, uint32_t row, uint64_t packets, uint64_t bytes, uint64_t reverse_packets,
			  uint64_t reverse_bytes)
{
	assert_int_equal(CELL(&made->bench, uint64_t, "packets", row), packets);
	assert_int_equal(CELL(&made->bench, uint64_t, "bytes", row), bytes);
	assert_int_equal(CELL(&made->bench, uint64_t, "reverse_packets", row), reverse_packets);
	assert_int_equal(CELL(&made->bench, uint64_t, "reverse_bytes", row), reverse_bytes);
}

static void zeek_s_lines_become_flows(void **state)
{
	(void)state;
	struct made made;
	open_table(&made, FLOW_TABLE_ZEEK);
	assert_int_equal(line(&made, "#separator \\x09"), 0);
	assert_int_equal(line(&made, "#fields\t" ZEEK_FIELDS), 0);
	assert_int_equal(line(&made, "#types\ttime\tstring"), 0);
	assert_int_equal(
		line(&made,
		     "1545403816.962094\tCrDn63\t192.168.1.195\t41040\t185.244.25.235\t80\ttcp\t-\t3.139211\t0\t0\t"
		     "S0\t-\t-\t0\tShAdDaFf\t3\t180\t2\t112\t-\r"),
		0);
	assert_int_equal(made.bench.rows->rows, 1);
	assert_ends(&made, 0, "192.168.1.195", 41040, "185.244.25.235", 80);
	assert_counts(&made, 0, 3, 180, 2, 112);
	assert_int_equal(CELL(&made.bench, int64_t, "first", 0), INT64_C(1545403816962094000));
	assert_int_equal(CELL(&made.bench, int64_t, "last", 0), INT64_C(1545403820101305000));
	assert_int_equal(CELL(&made.bench, uint8_t, "flags", 0), 0x02 | 0x10 | 0x18 | 0x11);
	assert_int_equal(CELL(&made.bench, uint8_t, "protocol", 0), 6);
	assert_int_equal(CELL(&made.bench, uint32_t, "sampling", 0), 1);
	/* ICMP: type and code stand where ports do; nothing of bytes by IP: the payload's */
	assert_int_equal(
		line(&made,
		     "1.5\tC\tfe80::1\t135\tff02::1\t136\ticmp\t-\t6e-06\t24\t48\tOTH\t-\t-\t0\t-\t1\t-\t2\t-\t-"),
		0);
	assert_ends(&made, 1, "fe80::1", 0, "ff02::1", 135 << 8 | 136);
	assert_counts(&made, 1, 1, 24, 2, 48);
	assert_int_equal(CELL(&made.bench, int64_t, "last", 1), INT64_C(1500006000));
	assert_int_equal(CELL(&made.bench, uint8_t, "flags", 1), 0);
	close_table(&made);
}

static void zeek_s_objects_become_flows(void **state)
{
	(void)state;
	struct made made;
	open_table(&made, FLOW_TABLE_ZEEK_JSON);
	assert_int_equal(
		line(&made,
		     "{\"ts\":1700828217.314165,\"uid\":\"C\",\"id.orig_h\":\"192.168.1.9\",\"id.orig_p\":50820,"
		     "\"id.resp_h\":\"45.33.32.156\",\"id.resp_p\":443,\"proto\":\"tcp\",\"duration\":0.20696377,"
		     "\"history\":\"Sr\",\"orig_pkts\":1,\"orig_ip_bytes\":60,\"resp_pkts\":1,\"resp_ip_bytes\":40}"),
		0);
	assert_int_equal(line(&made, "{\"ts\":\"2026-01-31T09:00:00Z\",\"id.orig_h\":\"2001:db8::1\",\"id.orig_p\":5,"
				     "\"id.resp_h\":\"2001:db8::2\",\"id.resp_p\":53,\"proto\":\"udp\"}"),
			 0);
	assert_ends(&made, 0, "192.168.1.9", 50820, "45.33.32.156", 443);
	assert_counts(&made, 0, 1, 60, 1, 40);
	assert_int_equal(CELL(&made.bench, int64_t, "first", 0), INT64_C(1700828217314165000));
	assert_int_equal(CELL(&made.bench, int64_t, "last", 0) - CELL(&made.bench, int64_t, "first", 0), 206964000);
	assert_ends(&made, 1, "2001:db8::1", 5, "2001:db8::2", 53);
	assert_int_equal(CELL(&made.bench, int64_t, "first", 1), INT64_C(1769850000) * NS_PER_S);
	close_table(&made);
}

static void argus_lines_become_flows(void **state)
{
	(void)state;
	struct made made;
	open_table(&made, FLOW_TABLE_ARGUS);
	assert_int_equal(line(&made, ARGUS_FIELDS), 0);
	assert_int_equal(
		line(&made,
		     "2011/08/18 15:40:53.826372,2.983247,tcp,76.76.172.248,63577,   ->,147.32.84.229,13363,SR_SA,0,0,"
		     "3,184,122,flow=Background-TCP-Established"),
		0);
	assert_ends(&made, 0, "76.76.172.248", 63577, "147.32.84.229", 13363);
	assert_counts(&made, 0, 2, 122, 1, 62);
	assert_int_equal(CELL(&made.bench, int64_t, "first", 0), INT64_C(1313682053826372000));
	assert_int_equal(CELL(&made.bench, uint8_t, "flags", 0), 0x02 | 0x04);
	/* seen from its answers only: who sent them stands to the right */
	assert_int_equal(
		line(&made,
		     "2011/08/18 15:39:35.316904,0.001798,udp,147.32.87.249,53,  <-,147.32.87.13,999,RED,,0,2,148,0,x"),
		0);
	assert_ends(&made, 1, "147.32.87.13", 999, "147.32.87.249", 53);
	assert_counts(&made, 1, 2, 148, 0, 0);
	assert_int_equal(
		line(&made,
		     "2011/08/18 15:39:35,0,icmp,147.32.84.59,0x0303,   ->,210.49.64.185,0x4fa8,URP,0,,1,173,173,x"),
		0);
	assert_ends(&made, 2, "147.32.84.59", 0, "210.49.64.185", 0x0303);
	/* nothing of IP is no flow and no fault */
	assert_int_equal(
		line(&made, "2011/08/18 15:39:35,899.9,arp,147.32.87.13,,  who,147.32.87.1,,CON,,,6,360,180,x"), 0);
	assert_int_equal(made.bench.rows->rows, 3);
	close_table(&made);
}

static void what_cannot_be_read_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *line, *part;
	} wrong[] = {
		{"2011/08/18 15:40:53,1,tcp,1.2.3.4,1,->,5.6.7.8,2", "8 columns, of 15"},
		{"2011-18 15:40:53,1,tcp,1.2.3.4,1,->,5.6.7.8,2,,0,0,1,2,2,", "no time"},
		{"2011/13/18 15:40:53,1,tcp,1.2.3.4,1,->,5.6.7.8,2,,0,0,1,2,2,", "no time"},
		{"2011/08/18 15:40:53,x,tcp,1.2.3.4,1,->,5.6.7.8,2,,0,0,1,2,2,", "Dur: 'x'"},
		{"2011/08/18 15:40:53,-1,tcp,1.2.3.4,1,->,5.6.7.8,2,,0,0,1,2,2,", "Dur: '-1'"},
		{"2011/08/18 15:40:53,9200000000,tcp,1.2.3.4,1,->,5.6.7.8,2,,0,0,1,2,2,", "end of time"},
		{"2011/08/18 15:40:53,1,tpc,1.2.3.4,1,->,5.6.7.8,2,,0,0,1,2,2,", "'tpc' is no protocol"},
		{"2011/08/18 15:40:53,1,tcp,1.2.3,1,->,5.6.7.8,2,,0,0,1,2,2,", "1.2.3"},
		{"2011/08/18 15:40:53,1,tcp,1.2.3.4,1,->,5.6.7.8,65536,,0,0,1,2,2,", "Dport: '65536'"},
		{"2011/08/18 15:40:53,1,tcp,1.2.3.4,1,->,5.6.7.8,2,,0,0,-1,2,2,", "TotPkts: '-1'"},
		{"2011/08/18 15:40:53,1,tcp,1.2.3.4,1,->,5.6.7.8,2,,0,0,1,2,3,", "more than there was"},
	};
	struct made made;
	open_table(&made, FLOW_TABLE_ARGUS);
	assert_int_equal(line(&made, "StartTime,Dur,SrcAddr,DstAddr"), 1);
	assert_contains(made.err.text, "Proto");
	assert_int_equal(line(&made, ARGUS_FIELDS), 0);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_int_equal(line(&made, wrong[i].line), 1);
		assert_contains(made.err.text, wrong[i].part);
	}
	assert_int_equal(made.bench.rows->rows, 0);
	close_table(&made);
	open_table(&made, FLOW_TABLE_ZEEK_JSON);
	for (const char *const *text =
		     (const char *const[]){"{\"ts\":", "[1]", "{}", "\"ts\"", "{\"ts\":1e300,\"proto\":\"tcp\"}", NULL};
	     *text; text++)
		assert_int_equal(line(&made, *text), 1);
	close_table(&made);
}

static void forms_are_told_by_their_beginning(void **state)
{
	(void)state;
	static const struct {
		const char *begin;
		enum flow_table_form form;
	} files[] = {{"#separator \\x09\n", FLOW_TABLE_ZEEK},
		     {"\t#separator \\x09\n", FLOW_TABLE_ZEEK},
		     {"ts\tuid\tid.orig_h", FLOW_TABLE_ZEEK},
		     {"{\"ts\":1", FLOW_TABLE_ZEEK_JSON},
		     {ARGUS_FIELDS, FLOW_TABLE_ARGUS},
		     {"StartTime\tDur", FLOW_TABLE_ARGUS},
		     {"", FLOW_TABLE_NONE},
		     {"StartTim", FLOW_TABLE_NONE},
		     {"\xd4\xc3\xb2\xa1", FLOW_TABLE_NONE}};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		assert_int_equal(flow_table_form_of(files[i].begin, strlen(files[i].begin)), files[i].form);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zeek_s_lines_become_flows),         cmocka_unit_test(zeek_s_objects_become_flows),
		cmocka_unit_test(argus_lines_become_flows),          cmocka_unit_test(what_cannot_be_read_is_named),
		cmocka_unit_test(forms_are_told_by_their_beginning),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
