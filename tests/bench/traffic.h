/* Traffic of a national telescope for benchmarks: made in memory, quick and the same for the same seed.
 *
 * Shares (of packets) and populations follow what NICTER publishes of its years: most packets are scans, a third of
 * them of the Mirai family from a hundred thousand devices, half of fast scanners, a tenth of ordinary systems; echoes
 * of attacks, UDP probes and answers the rest. Rate 22,200 packets a second, NICTER's average of 2024 and 2025.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TRAFFIC_DARKNET_V4 UINT32_C(0xc6120000) /* 198.18.0.0/15 */
enum { TRAFFIC_FRAME_BYTES_MAX = 160, TRAFFIC_NS_PER_PACKET = 45045 };

struct traffic {
	uint64_t random;
	uint64_t count;
};

/* The next frame (Ethernet, IPv4, as from a wire, at least 60 bytes). Returns its bytes. */
size_t traffic_frame(struct traffic *traffic, uint8_t out[TRAFFIC_FRAME_BYTES_MAX]);
