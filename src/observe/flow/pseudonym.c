/* See pseudonym.h. All blocks of an address are known before the first is enciphered, so they go through AES at once;
 * on the way back each bit needs those before it. */
#include "observe/flow/pseudonym.h"

#include "core/clock.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 16, BITS = 128, V4_BITS = 96, TIME_TEXT_MAX = 40 };

/* --- keys -------------------------------------------------------------------------------------------------------- */

static int hex_value(char letter)
{
	return letter >= '0' && letter <= '9'   ? letter - '0'
	       : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10
	       : letter >= 'A' && letter <= 'F' ? letter - 'A' + 10
						: -1;
}

static int line_parse(const char *line, size_t bytes, struct pseudonym_key *key, struct err *err)
{
	char time[TIME_TEXT_MAX];
	size_t stop = 0;
	while (stop < bytes && line[stop] != ' ' && line[stop] != '\t')
		stop++;
	size_t digits = stop;
	while (digits < bytes && (line[digits] == ' ' || line[digits] == '\t'))
		digits++;
	if (stop >= sizeof time || bytes - digits != (size_t)2 * PSEUDONYM_KEY_BYTES)
		return err_set(err, -EINVAL, "a time and 64 hexadecimal digits were expected");
	memcpy(time, line, stop);
	time[stop] = '\0';
	if (time_parse(time, 0, &key->from_ns, err) < 0)
		return -EINVAL;
	for (size_t i = 0; i < PSEUDONYM_KEY_BYTES; i++) {
		int high = hex_value(line[digits + 2 * i]), low = hex_value(line[digits + 2 * i + 1]);
		if (high < 0 || low < 0)
			return err_set(err, -EINVAL, "64 hexadecimal digits were expected");
		key->key[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

int pseudonym_keys_parse(const char *where, const char *text, size_t bytes, struct pool *pool,
			 struct pseudonym_keys *ret_keys, struct err *err)
{
	size_t lines = 1;
	for (size_t i = 0; i < bytes; i++)
		lines += text[i] == '\n';
	ret_keys->items = pool_array(pool, lines, sizeof *ret_keys->items);
	ret_keys->count = 0;
	if (!ret_keys->items)
		return err_set(err, -ENOMEM, "no memory for keys");
	const char *at = text, *end = text + bytes;
	for (unsigned number = 1; at < end; number++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at)), *next = stop ? stop + 1 : end;
		const char *remark = memchr(at, '#', (size_t)((stop ? stop : end) - at));
		stop = remark ? remark : stop ? stop : end;
		while (stop > at && (stop[-1] == ' ' || stop[-1] == '\t' || stop[-1] == '\r'))
			stop--;
		struct pseudonym_key *key = &ret_keys->items[ret_keys->count];
		if (stop > at && line_parse(at, (size_t)(stop - at), key, err) < 0)
			return err_prefix(err, -EINVAL, "%s:%u", where, number);
		if (stop > at && ret_keys->count && key->from_ns <= key[-1].from_ns)
			return err_set(err, -EINVAL, "%s:%u: a time after that of the key before was expected", where,
				       number);
		ret_keys->count += stop > at;
		at = next;
	}
	return ret_keys->count ? 0 : err_set(err, -EINVAL, "%s: there is no key", where);
}

/* --- Crypto-PAn -------------------------------------------------------------------------------------------------- */

struct cipher {
	EVP_CIPHER_CTX *aes;
	uint8_t pad[BLOCK];
};

struct pseudonyms {
	const struct pseudonym_keys *keys;
	struct cipher *ciphers; /* one a key */
};

static void encipher(struct cipher *cipher, const uint8_t *blocks, size_t count, uint8_t *out)
{
	int bytes;
	(void)!EVP_EncryptUpdate(cipher->aes, out, &bytes, blocks, (int)(count * BLOCK));
}

int pseudonyms_new(const struct pseudonym_keys *keys, struct pseudonyms **ret_pseudonyms, struct err *err)
{
	struct pseudonyms *pseudonyms = calloc(1, sizeof *pseudonyms);
	bool ready = pseudonyms && (pseudonyms->ciphers = calloc(keys->count, sizeof *pseudonyms->ciphers));
	if (pseudonyms)
		pseudonyms->keys = keys;
	for (size_t i = 0; ready && i < keys->count; i++) {
		struct cipher *cipher = &pseudonyms->ciphers[i];
		cipher->aes = EVP_CIPHER_CTX_new();
		ready = cipher->aes &&
			EVP_EncryptInit_ex(cipher->aes, EVP_aes_128_ecb(), NULL, keys->items[i].key, NULL) == 1;
		if (ready) {
			EVP_CIPHER_CTX_set_padding(cipher->aes, 0);
			encipher(cipher, keys->items[i].key + BLOCK, 1, cipher->pad);
		}
	}
	if (!ready) {
		pseudonyms_free(pseudonyms);
		return err_set(err, -ENOMEM, "no memory for pseudonyms");
	}
	*ret_pseudonyms = pseudonyms;
	return 0;
}

void pseudonyms_free(struct pseudonyms *pseudonyms)
{
	if (!pseudonyms)
		return;
	for (size_t i = 0; pseudonyms->ciphers && i < pseudonyms->keys->count; i++)
		EVP_CIPHER_CTX_free(pseudonyms->ciphers[i].aes);
	free(pseudonyms->ciphers);
	free(pseudonyms);
}

static struct cipher *cipher_at(const struct pseudonyms *pseudonyms, int64_t time_ns)
{
	size_t key = pseudonyms->keys->count - 1;
	while (key > 0 && pseudonyms->keys->items[key].from_ns > time_ns)
		key--;
	return &pseudonyms->ciphers[key];
}

/* Which bits of an address are enciphered: [*ret_from, 128) of its 16 bytes. False: none. */
static bool span_of(const struct pseudonyms *pseudonyms, const struct addr *addr, unsigned *ret_from)
{
	const struct prefix_list *of = &pseudonyms->keys->of;
	unsigned longest = 0;
	bool found = of->count == 0;
	for (size_t i = 0; i < of->count; i++)
		if (prefix_has(&of->items[i], addr) && of->items[i].bits >= longest) {
			longest = of->items[i].bits;
			found = true;
		}
	*ret_from = addr_is_v4(addr) && longest < V4_BITS ? V4_BITS : longest;
	return found;
}

/* The block for a bit: the bits of the address before it, then the padding's. `begin` is where the address begins. */
static void block_make(const uint8_t *address, unsigned bits, const uint8_t *pad, uint8_t *block)
{
	memcpy(block, pad, BLOCK);
	memcpy(block, address, bits / 8);
	if (bits % 8) {
		uint8_t mask = (uint8_t)(0xff << (8 - bits % 8));
		block[bits / 8] = (uint8_t)((address[bits / 8] & mask) | (pad[bits / 8] & ~mask));
	}
}

struct addr pseudonym_of(struct pseudonyms *pseudonyms, const struct addr *addr, int64_t time_ns)
{
	uint8_t blocks[BITS * BLOCK], out[BITS * BLOCK];
	unsigned from, begin = addr_is_v4(addr) ? V4_BITS : 0;
	struct addr pseudonym = *addr;
	if (!span_of(pseudonyms, addr, &from))
		return pseudonym;
	struct cipher *cipher = cipher_at(pseudonyms, time_ns);
	for (unsigned bit = from; bit < BITS; bit++)
		block_make(addr->bytes + begin / 8, bit - begin, cipher->pad, blocks + (size_t)(bit - from) * BLOCK);
	encipher(cipher, blocks, BITS - from, out);
	for (unsigned bit = from; bit < BITS; bit++)
		pseudonym.bytes[bit / 8] ^= (uint8_t)((out[(size_t)(bit - from) * BLOCK] >> 7) << (7 - bit % 8));
	return pseudonym;
}

struct addr pseudonym_reveal(struct pseudonyms *pseudonyms, const struct addr *pseudonym, int64_t time_ns)
{
	unsigned from, begin = addr_is_v4(pseudonym) ? V4_BITS : 0;
	struct addr addr = *pseudonym;
	if (!span_of(pseudonyms, pseudonym, &from)) /* pseudonyms stay in their network */
		return addr;
	struct cipher *cipher = cipher_at(pseudonyms, time_ns);
	for (unsigned bit = from; bit < BITS; bit++) {
		uint8_t block[BLOCK], out[BLOCK];
		block_make(addr.bytes + begin / 8, bit - begin, cipher->pad, block);
		encipher(cipher, block, 1, out);
		addr.bytes[bit / 8] ^= (uint8_t)((out[0] >> 7) << (7 - bit % 8));
	}
	return addr;
}

/* --- batches ----------------------------------------------------------------------------------------------------- */

struct pseudonym_sink {
	struct sink sink; /* first */
	struct sink *next;
	struct pseudonyms *pseudonyms;
	struct batch *batch;
};

static int pseudonym_put(struct sink *sink, const struct batch *batch, struct err *err)
{
	static const char *const columns[] = {"source", "target", "next_hop"};
	static const struct addr nobody;
	struct pseudonym_sink *own = (struct pseudonym_sink *)sink;
	batch_clear(own->batch);
	int result = batch_append(own->batch, batch, err);
	if (result < 0)
		return result;
	own->batch->sensor_boot = batch->sensor_boot;
	own->batch->sequence = batch->sequence;
	const int64_t *first = BATCH_COLUMN(own->batch, int64_t, record_column_index(&record_flow, "first"));
	for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
		struct addr *cells =
			BATCH_COLUMN(own->batch, struct addr, record_column_index(&record_flow, columns[c]));
		for (uint32_t row = 0; row < own->batch->rows; row++)
			if (!addr_same(&cells[row], &nobody))
				cells[row] = pseudonym_of(own->pseudonyms, &cells[row], first[row]);
	}
	return own->next->put(own->next, own->batch, err);
}

struct sink *pseudonym_sink_new(const struct pseudonym_keys *keys, struct sink *next)
{
	struct pseudonym_sink *own = calloc(1, sizeof *own);
	if (!own)
		return NULL;
	*own = (struct pseudonym_sink){.sink.put = pseudonym_put, .next = next, .batch = batch_new(&record_flow, 8192)};
	if (!own->batch || pseudonyms_new(keys, &own->pseudonyms, NULL) < 0) {
		pseudonym_sink_free(&own->sink);
		return NULL;
	}
	return &own->sink;
}

void pseudonym_sink_free(struct sink *sink)
{
	struct pseudonym_sink *own = (struct pseudonym_sink *)sink;
	if (!own)
		return;
	pseudonyms_free(own->pseudonyms);
	batch_free(own->batch);
	free(own);
}
