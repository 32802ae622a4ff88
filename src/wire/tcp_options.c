/* The walk over TCP options. See tcp_options.h. */
#include "wire/tcp_options.h"

#include "core/hash.h"

#include <stdbool.h>
#include <stddef.h>

enum { KIND_END, KIND_NOP, KIND_MSS, KIND_WINDOW_SCALE, KIND_SACK_PERMITTED, KIND_SACK, KIND_TIMESTAMP = 8 };

/* Whether an option with this length byte, of which `left` bytes are there behind the kind, is what its kind wants. */
static inline bool option_is_sound(uint8_t kind, uint8_t length, ptrdiff_t left)
{
	static const uint8_t lengths[256] = {
		[KIND_MSS] = 4, [KIND_WINDOW_SCALE] = 3, [KIND_SACK_PERMITTED] = 2, [KIND_TIMESTAMP] = 10};
	if (length < 2 || length - 1 > left || (lengths[kind] && lengths[kind] != length))
		return false;
	return kind != KIND_SACK || (length >= 10 && (length - 2) % 8 == 0);
}

uint64_t tcp_options_signature(struct packet *packet)
{
	if (packet->protocol != 6 || !packet->l4 || packet->header_bytes <= 20)
		return 0;
	const uint8_t *at = packet->l4 + 20, *end = packet->l4 + packet->header_bytes;
	uint64_t kinds = 0;
	bool sound = true;
	while (at < end && sound) {
		uint8_t kind = *at++;
		kinds = (kinds ^ (kind + 1u)) * UINT64_C(0x9e3779b97f4a7c15);
		if (kind == KIND_END)
			break;
		if (kind == KIND_NOP)
			continue;
		uint8_t length = at < end ? *at : 0;
		sound = option_is_sound(kind, length, end - at);
		at += sound ? length - 1 : 0;
	}
	if (!sound && packet->anomaly == ANOMALY_NONE)
		packet->anomaly = ANOMALY_TCP_OPTIONS;
	return hash_u64(kinds);
}
