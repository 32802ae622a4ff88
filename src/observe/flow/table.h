/* Flows from tables that other programs wrote, a line at a time: Zeek's conn.log (TSV with or without its header of '#'
 * lines, JSON) and what Argus' ra writes with
 * commas or tabs (the CTU's .binetflow).
 *
 * A connection is one record: from who began it, with the answers in the reverse columns. Argus' CSV tells packets of
 * both sides together where it has no SrcPkts: they are parted as the bytes are.
 */
#pragma once

#include "core/err.h"
#include "record/batch.h"

enum flow_table_form { FLOW_TABLE_NONE, FLOW_TABLE_ZEEK, FLOW_TABLE_ZEEK_JSON, FLOW_TABLE_ARGUS };

enum { FLOW_TABLE_LINE_MAX = 65536 };

/* By the beginning of a file. */
enum flow_table_form flow_table_form_of(const void *data, size_t bytes);

struct flow_table;

/* Batches go to the sink, which is borrowed. -ENOMEM. */
int flow_table_new(enum flow_table_form form, struct sink *sink, struct flow_table **ret_table,
		   struct err *err) must_check;
void flow_table_free(struct flow_table *table); /* NULL is fine */

/* A line without its end. 0: a flow, or a line that holds none (a header, ARP); 1: it cannot be read, `err` says why;
 * negative: the sink fails. */
int flow_table_line(struct flow_table *table, const char *line, size_t bytes, struct err *err) must_check;
int flow_table_flush(struct flow_table *table, struct err *err) must_check;
