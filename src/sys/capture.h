/* Frames from a capture file, a directory of them, standard input or a live interface, in bursts.
 *
 * Files are told apart by their content: pcap (micro- and nanoseconds, either byte order), pcapng, ERF, each also
 * compressed by gzip, zstd or xz. A plain file is mapped and its frames point into the mapping; everything else streams
 * through a buffer. Nothing is allocated per frame. One thread at a time may use a capture.
 *
 * Confinement: a single file, standard input and an interface need nothing but their descriptor after opening. A
 * directory, and `follow` of a file that is rotated, open further files by name, so they need read access to that
 * directory.
 */
#pragma once

#include "core/err.h"
#include "wire/packet.h"
#include "wire/trace.h"

#include <stdbool.h>
#include <stdint.h>

struct capture;

struct capture_counters {
	uint64_t frames, bytes;           /* delivered; bytes as captured */
	uint64_t lost;                    /* live: dropped by the kernel for want of room in the ring */
	uint64_t files;                   /* begun so far; 0 for an interface */
	uint64_t errors[TRACE_ANOMALIES]; /* by trace_anomaly_names */
	uint64_t done_bytes, total_bytes; /* of the files as they lie on the disk, for progress; total 0: unknown */
};

/* Open a file, a directory (every regular file in it that is a capture, in the order of names; others are skipped and
 * counted as `not_capture`) or "-" for standard input. With `follow` the end of the file is waited at: what is appended
 * is delivered, and when another file takes its name (rotation) that one is read next; in a directory, new files are
 * waited for. Then only a failure ends it. -ENOENT, -EACCES, -EBADMSG (no known format; the sentence says what the
 * content looks like), -ENOMEM ... */
int capture_open_file(const char *path, bool follow, struct capture **ret_capture, struct err *err) must_check;

/* A live interface by AF_PACKET and a TPACKET_V3 ring of `ring_mib` MiB (0: 64), promiscuous, own outgoing packets
 * left out, VLAN tags that the card took out put back in. With fanout_of > 1 this is one of so many captures that share
 * the interface's packets by flow hash (PACKET_FANOUT_HASH) in the group `fanout_id` (1..65535).
 * -EPERM (needs CAP_NET_RAW), -ENODEV, -ENETDOWN ... */
int capture_open_interface(const char *name, unsigned ring_mib, unsigned fanout_id, unsigned fanout_of,
			   struct capture **ret_capture, struct err *err) must_check;

/* The next burst. `frames` and the bytes they point to are valid until the next call. Positive: how many, at most
 * `max`. 0: none within timeout_ms (0: do not wait; -1: wait as long as it takes; files that are not followed never
 * wait). -ENODATA: the end. -ENETDOWN: the interface went away. -EBADMSG, -EIO ...: a file cannot be read further; the
 * sentence says file and offset, what lay before was delivered, and the next call goes on with the next file of a
 * directory, or answers -ENODATA. */
int capture_read(struct capture *capture, struct frame *frames, unsigned max, int timeout_ms,
		 struct err *err) must_check;

/* Always up to date but for `lost`, which is asked of the kernel here. */
const struct capture_counters *capture_counters(struct capture *capture);

/* What is being read: file or interface name. Borrowed, until the next capture_read(). */
const char *capture_where(const struct capture *capture);

/* The first trouble that was counted in `errors` and read over, in the file being read or, where that has none, in an
 * earlier one: a sentence with file and offset; NULL where there was none. Borrowed, until the next capture_read(). */
const char *capture_trouble(const struct capture *capture);

/* To poll() for reading beside other things; -1 where polling makes no sense (plain files). */
int capture_fd(const struct capture *capture);

void capture_close(struct capture *capture); /* NULL is fine */
