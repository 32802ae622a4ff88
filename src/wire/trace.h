/* Capture file formats, read from windows of bytes: pcap, pcapng and ERF behind one reader.
 *
 * The reader holds no bytes. It is shown a window that begins where it stopped, answers the frames in it (pointing into
 * the window) and how far it came; when the window ends inside a record it asks for more. So the same code walks a
 * mapped file in one piece and a decompressor's buffer piece by piece. It allocates nothing: pcapng's interfaces stand
 * in a table of fixed size.
 *
 * Bad input is counted by name and read over where a sound record can be found again within TRACE_RESYNC_BYTES; where
 * none can be, it is an error. Formats: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng, Endace ERF types.
 */
#pragma once

#include "core/err.h"
#include "wire/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TRACE_INTERFACES_MAX = 256,   /* of a pcapng section */
	TRACE_RECORD_MAX = 1 << 18,   /* captured bytes of one packet; libpcap's MAXIMUM_SNAPLEN */
	TRACE_BLOCK_MAX = 16 << 20,   /* a pcapng block of any kind; libpcap's bound too */
	TRACE_RESYNC_BYTES = 1 << 20, /* how far a sound record is searched for behind a broken one */
};
#define TRACE_LEAP_NS (INT64_C(86400) * 1000000000) /* from one packet to the next: a leap */

enum trace_format { TRACE_NONE, TRACE_PCAP, TRACE_PCAPNG, TRACE_ERF, TRACE_FORMATS };
extern const char *const trace_format_names[TRACE_FORMATS];

/* Named troubles of capture files. Names are stable: they are metric labels. */
enum trace_anomaly {
	TRACE_TRUNCATED,   /* the file ends inside a record */
	TRACE_OVERLONG,    /* a record claims more than TRACE_RECORD_MAX or its block holds */
	TRACE_GARBAGE,     /* bytes that are no record, skipped up to the next that is; counted once a stretch */
	TRACE_TIME_BACK,   /* a packet is earlier than the one before it */
	TRACE_TIME_LEAP,   /* a packet is more than a day after or before the one before it */
	TRACE_INTERFACE,   /* pcapng: a packet of an interface that was not described, or one too many */
	TRACE_BLOCK,       /* pcapng: a block whose inside is malformed, left out */
	TRACE_NOT_CAPTURE, /* directory: a file of no known format, left out */
	TRACE_UNPACK,      /* the compressed stream is damaged or ends early */
	TRACE_ANOMALIES,
};
extern const char *const trace_anomaly_names[TRACE_ANOMALIES + 1]; /* NULL-terminated */

struct trace_interface {
	uint16_t link_type;
	uint32_t snap_bytes; /* 0: no bound */
	uint64_t ticks_per_s;
	int64_t offset_s;
};

struct trace {
	enum trace_format format;
	bool swapped;    /* the file's byte order is not this machine's */
	bool modified;   /* pcap: Kuznetzov's records of 24 bytes */
	uint64_t offset; /* in the file, of the next byte to be shown */
	int64_t last_ns; /* of the packet before; INT64_MIN at the start */
	uint64_t anomalies[TRACE_ANOMALIES];
	uint64_t first_anomaly_offset;
	enum trace_anomaly first_anomaly; /* TRACE_ANOMALIES: none yet */
	uint32_t interface_count;
	struct trace_interface interfaces[TRACE_INTERFACES_MAX];
};

/* Tell the format by the first bytes of a file and read its header. `last`: there is nothing behind the window.
 * Returns 0 with *ret_used header bytes to be left out of the next window, 1 when more bytes are needed, -EBADMSG with
 * a sentence that says what was found (no file name: the caller puts it in front). An empty file is -ENODATA. */
int trace_start(struct trace *trace, const uint8_t *data, size_t bytes, bool last, size_t *ret_used,
		struct err *err) must_check;

/* Up to `max` frames of the window. *ret_used tells how far it came; the next window begins there. Positive: so many
 * frames. 0: the window holds no further whole record; give a longer one, or with `last`, it is the end (an incomplete
 * record was counted). -EBADMSG: no sound record within TRACE_RESYNC_BYTES, or a header that cannot be read on from;
 * the sentence names the offset. Never negative while frames of this call are not delivered. */
int trace_read(struct trace *trace, const uint8_t *data, size_t bytes, bool last, struct frame *frames, unsigned max,
	       size_t *ret_used, struct err *err) must_check;
