/* nfdump's language for filters, over records of flows: "src net 10/8 and dst port in [22 23] and packets > 3". Words
 * as in nfdump(1), version 1.7; what a record of ours does not keep (labels, masks, MAC addresses, NAT) is refused by
 * name.
 */
#pragma once

#include "core/err.h"
#include "store/scan.h"

/* Values that are made of columns, beyond those of record_flow. */
enum flow_derived {
	FLOW_DURATION_MS = RECORD_COLUMNS_MAX,
	FLOW_BPS, /* bits a second over the flow's time; of flows without length 0, as in nfdump */
	FLOW_PPS,
	FLOW_BPP, /* bytes a packet */
	FLOW_DERIVED_END,
};

/* Compile; an empty text is every flow. -EINVAL with the place, what stands there and what was expected. */
int flow_filter_parse(const char *text, struct scan_filter *ret_filter, struct err *err) must_check;

/* What nfdump's names mean in -s and -A: "srcip", "dstport", "ip", "proto", "srcip4/24" (a mask over mapped addresses).
 * Returns 0 with the key, and for names that mean either end ("ip", "port", "as", "if") with the other one in
 * *ret_either, else its column UINT16_MAX. -EINVAL with the names there are. */
int flow_key_parse(const char *name, struct scan_key *ret_key, struct scan_key *ret_either, struct err *err) must_check;
extern const char *const flow_key_names[]; /* NULL-terminated */

/* Fills the values of a derived column of a block: for struct scan_question. */
int flow_derive(struct scan *scan, unsigned column, uint32_t rows, uint64_t *ret_values, struct err *err) must_check;
