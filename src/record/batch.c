/* Batches in memory and encoded. See batch.h for the form. */
#include "record/batch.h"

#include "core/cursor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static const uint8_t batch_magic[4] = {'Y', 'G', 'B', '1'};

enum { BATCH_HEADER_BYTES = 4 + 2 + 2 + 4 + 8 + 8, BATCH_CHECK_BYTES = 8 };

static bool column_is_text(enum column_type type)
{
	return type == COLUMN_TEXT || type == COLUMN_BLOB || type == COLUMN_JSON;
}

struct batch *batch_new(const struct record_kind *kind, uint32_t capacity)
{
	struct batch *batch = calloc(1, sizeof *batch);
	if (!batch)
		return NULL;
	batch->kind = kind;
	batch->capacity = capacity;
	batch->texts = arena_new(16384);
	bool whole = batch->texts != NULL;
	for (size_t i = 0; kind->columns[i].name && whole; i++) {
		batch->columns[i] = calloc(capacity ? capacity : 1, column_width(kind->columns[i].type));
		whole = batch->columns[i] != NULL;
	}
	if (whole)
		return batch;
	batch_free(batch);
	return NULL;
}

void batch_free(struct batch *batch)
{
	if (!batch)
		return;
	for (size_t i = 0; i < RECORD_COLUMNS_MAX; i++)
		free(batch->columns[i]);
	arena_free(batch->texts);
	free(batch);
}

void batch_clear(struct batch *batch)
{
	batch->rows = 0;
	arena_reset(batch->texts);
}

struct text batch_text(struct batch *batch, const char *bytes, size_t length)
{
	char *copy = arena_copy(batch->texts, bytes, length);
	return copy ? (struct text){copy, (uint32_t)length} : (struct text){NULL, 0};
}

int batch_copy(const struct batch *batch, struct batch *copy)
{
	batch_clear(copy);
	if (batch->rows > copy->capacity)
		return -ENOMEM;
	copy->sensor_boot = batch->sensor_boot;
	copy->sequence = batch->sequence;
	for (size_t i = 0; batch->kind->columns[i].name; i++) {
		enum column_type type = batch->kind->columns[i].type;
		memcpy(copy->columns[i], batch->columns[i], batch->rows * column_width(type));
		struct text *texts = copy->columns[i];
		for (uint32_t row = 0; row < batch->rows && column_is_text(type); row++) {
			uint32_t length = texts[row].length;
			texts[row] = batch_text(copy, texts[row].bytes, length);
			if (length > 0 && !texts[row].bytes)
				return -ENOMEM;
		}
	}
	copy->rows = batch->rows;
	return 0;
}

static int batch_grow(struct batch *batch, uint32_t rows)
{
	uint64_t capacity = batch->capacity ? batch->capacity : 16;
	while (capacity < (uint64_t)batch->rows + rows)
		capacity *= 2;
	if (capacity > UINT32_MAX)
		return -ENOMEM;
	for (size_t i = 0; batch->kind->columns[i].name && capacity > batch->capacity; i++) {
		void *grown = realloc(batch->columns[i], capacity * column_width(batch->kind->columns[i].type));
		if (!grown)
			return -ENOMEM;
		batch->columns[i] = grown;
	}
	batch->capacity = (uint32_t)capacity;
	return 0;
}

static int texts_copy(struct batch *batch, struct text *texts, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (texts[i].length)
			texts[i] = batch_text(batch, texts[i].bytes, texts[i].length);
		if (texts[i].length && !texts[i].bytes)
			return -ENOMEM;
	}
	return 0;
}

int batch_append(struct batch *batch, const struct batch *rows, struct err *err)
{
	int result = batch_grow(batch, rows->rows);
	for (size_t i = 0; rows->kind->columns[i].name && rows->rows && result == 0; i++) {
		enum column_type type = rows->kind->columns[i].type;
		char *to = (char *)batch->columns[i] + batch->rows * column_width(type);
		memcpy(to, rows->columns[i], rows->rows * column_width(type));
		if (column_is_text(type))
			result = texts_copy(batch, (struct text *)to, rows->rows);
	}
	if (result < 0)
		return err_set(err, result, "no memory for %u more rows of %s", rows->rows, rows->kind->name);
	batch->rows += rows->rows;
	return 0;
}

size_t batch_encoded_bytes(const struct batch *batch)
{
	size_t bytes = BATCH_HEADER_BYTES + BATCH_CHECK_BYTES;
	for (size_t i = 0; batch->kind->columns[i].name; i++) {
		enum column_type type = batch->kind->columns[i].type;
		if (!column_is_text(type)) {
			bytes += batch->rows * column_width(type);
			continue;
		}
		const struct text *texts = batch->columns[i];
		for (uint32_t row = 0; row < batch->rows; row++)
			bytes += sizeof(uint32_t) + texts[row].length;
	}
	return bytes;
}

static uint8_t *put(uint8_t *at, const void *data, size_t bytes)
{
	if (bytes)
		memcpy(at, data, bytes);
	return at + bytes;
}

void batch_encode(const struct batch *batch, void *out)
{
	uint8_t *at = out;
	at = put(at, batch_magic, sizeof batch_magic);
	at = put(at, &batch->kind->id, 2);
	at = put(at, &batch->kind->version, 2);
	at = put(at, &batch->rows, 4);
	at = put(at, &batch->sensor_boot, 8);
	at = put(at, &batch->sequence, 8);
	for (size_t i = 0; batch->kind->columns[i].name; i++) {
		enum column_type type = batch->kind->columns[i].type;
		if (!column_is_text(type)) {
			at = put(at, batch->columns[i], batch->rows * column_width(type));
			continue;
		}
		const struct text *texts = batch->columns[i];
		for (uint32_t row = 0; row < batch->rows; row++)
			at = put(at, &texts[row].length, 4);
		for (uint32_t row = 0; row < batch->rows; row++)
			at = put(at, texts[row].bytes, texts[row].length);
	}
	uint64_t check = XXH3_64bits(out, (size_t)(at - (uint8_t *)out));
	put(at, &check, sizeof check);
}

static int decode_texts(struct cursor *c, struct batch *batch, size_t column, struct err *err)
{
	struct text *texts = batch->columns[column];
	for (uint32_t row = 0; row < batch->rows; row++)
		texts[row].length = cursor_le32(c);
	for (uint32_t row = 0; row < batch->rows && !c->failed; row++) {
		const uint8_t *bytes = cursor_take(c, texts[row].length);
		texts[row].bytes = bytes ? arena_copy(batch->texts, bytes, texts[row].length) : NULL;
		if (bytes && !texts[row].bytes)
			return err_set(err, -ENOMEM, "no memory for the texts of a batch");
	}
	return 0;
}

static int decode_codes(const struct batch *batch, size_t column, struct err *err)
{
	const struct column *spec = &batch->kind->columns[column];
	uint8_t most = 0;
	while (spec->codes[most])
		most++;
	const uint8_t *codes = batch->columns[column];
	for (uint32_t row = 0; row < batch->rows; row++)
		if (codes[row] >= most)
			return err_set(err, -EINVAL, "batch of %s, row %u: %s is %u, less than %u was expected",
				       batch->kind->name, row, spec->name, codes[row], most);
	return 0;
}

static int decode_columns(struct cursor *c, struct batch *batch, struct err *err)
{
	for (size_t i = 0; batch->kind->columns[i].name && !c->failed; i++) {
		const struct column *spec = &batch->kind->columns[i];
		int result = 0;
		if (column_is_text(spec->type)) {
			result = decode_texts(c, batch, i, err);
		} else {
			size_t bytes = batch->rows * column_width(spec->type);
			const uint8_t *values = cursor_take(c, bytes);
			if (values && bytes)
				memcpy(batch->columns[i], values, bytes);
			if (values && spec->type == COLUMN_CODE)
				result = decode_codes(batch, i, err);
		}
		if (result < 0)
			return result;
	}
	if (c->failed || cursor_left(c) > 0)
		return err_set(err, -EINVAL, "batch of %s, offset %zu: %s", batch->kind->name, cursor_offset(c),
			       c->failed ? "it ends before its last column" : "bytes are left after its last column");
	return 0;
}

int batch_decode(const void *data, size_t bytes, struct batch **ret_batch, struct err *err)
{
	if (bytes < BATCH_HEADER_BYTES + BATCH_CHECK_BYTES || memcmp(data, batch_magic, sizeof batch_magic) != 0)
		return err_set(err, -EINVAL, "not a batch: %zu bytes that do not start with YGB1", bytes);
	size_t body = bytes - BATCH_CHECK_BYTES;
	if (load_le64((const uint8_t *)data + body) != XXH3_64bits(data, body))
		return err_set(err, -EINVAL, "batch of %zu bytes: its check sum does not match its content", bytes);

	struct cursor c = cursor_over(data, body);
	cursor_skip(&c, sizeof batch_magic);
	uint16_t id = cursor_le16(&c), version = cursor_le16(&c);
	uint32_t rows = cursor_le32(&c);
	const struct record_kind *kind = record_kind_by_id(id);
	if (!kind || kind->version != version)
		return err_set(err, -EINVAL, "batch of kind %u version %u: this program does not know it", id, version);
	if (rows > BATCH_ROWS_MAX)
		return err_set(err, -EINVAL, "batch of %s: %u rows, at most %u were expected", kind->name, rows,
			       BATCH_ROWS_MAX);
	size_t least = 0;
	for (size_t i = 0; kind->columns[i].name; i++)
		least += column_is_text(kind->columns[i].type) ? 4 : column_width(kind->columns[i].type);
	if (rows * least > cursor_left(&c))
		return err_set(err, -EINVAL, "batch of %s: %u rows cannot be in %zu bytes", kind->name, rows, bytes);

	struct batch *batch = batch_new(kind, rows);
	if (!batch)
		return err_set(err, -ENOMEM, "no memory for a batch of %u rows", rows);
	batch->rows = rows;
	batch->sensor_boot = cursor_le64(&c);
	batch->sequence = cursor_le64(&c);
	int result = decode_columns(&c, batch, err);
	if (result < 0) {
		batch_free(batch);
		return result;
	}
	*ret_batch = batch;
	return 0;
}
