/* The walk over TCP options (RFC 9293 section 3.2): a sticky cursor over what was captured of them. */
#include "wire/tcp_options.h"

#include "core/cursor.h"
#include "core/hash.h"

enum { KIND_END, KIND_NOP, KIND_MSS, KIND_WINDOW_SCALE, KIND_SACK_PERMITTED, KIND_SACK, KIND_TIMESTAMP = 8 };

/* What one option of a kind and a length (all its bytes) says; `c` is at its value. False: not what the kind wants. */
static bool option_take(struct tcp_options *options, uint8_t kind, uint8_t length, struct cursor c)
{
	switch (kind) {
	case KIND_MSS:
		options->has_mss = length == 4;
		options->mss = options->has_mss ? cursor_be16(&c) : options->mss;
		return options->has_mss;
	case KIND_WINDOW_SCALE:
		options->has_window_scale = length == 3;
		options->window_scale = options->has_window_scale ? cursor_u8(&c) : options->window_scale;
		return options->has_window_scale;
	case KIND_SACK_PERMITTED:
		options->sack_permitted = length == 2;
		return options->sack_permitted;
	case KIND_SACK:
		return length >= 10 && (length - 2) % 8 == 0;
	case KIND_TIMESTAMP:
		options->has_timestamp = length == 10;
		if (options->has_timestamp) {
			options->timestamp = cursor_be32(&c);
			options->timestamp_echo = cursor_be32(&c);
		}
		return options->has_timestamp;
	default:
		return true;
	}
}

struct tcp_options tcp_options_read(struct packet *packet)
{
	struct tcp_options options = {0};
	if (packet->protocol != 6 || !packet->l4 || packet->header_bytes <= 20)
		return options;
	struct cursor c = cursor_over(packet->l4 + 20, packet->header_bytes - 20u);
	uint64_t kinds = 0;
	while (cursor_left(&c) > 0 && !options.malformed) {
		uint8_t kind = cursor_u8(&c);
		options.count++;
		kinds = (kinds ^ (kind + 1u)) * UINT64_C(0x9e3779b97f4a7c15);
		if (kind == KIND_END)
			break;
		if (kind == KIND_NOP)
			continue;
		uint8_t length = cursor_u8(&c);
		struct cursor value = cursor_sub(&c, length < 2 ? 0 : length - 2u);
		options.malformed = length < 2 || c.failed || !option_take(&options, kind, length, value);
	}
	if (options.malformed && packet->anomaly == ANOMALY_NONE)
		packet->anomaly = ANOMALY_TCP_OPTIONS;
	options.signature = hash_u64(kinds);
	return options;
}
