/* Files of flows that are no captures: tables (table.h), files of IPFIX messages behind one another
 * (RFC 5655), nfdump's. */
#pragma once

#include "observe/flow/reader.h"

/* 1: it was such a file and has been read; 0: it is none, look at it otherwise; negative as flow_file_read(). */
int flow_stream_read(const char *path, struct collector *collector, const struct flow_watch *watch,
		     struct flow_file_figures *figures, struct err *err) must_check;
