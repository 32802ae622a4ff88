/* Batches survive their encoded form, and nothing else is taken for one. */
#include "record/batch.h"

#include "../check.h"

#include <errno.h>
#include <stdlib.h>
#include <xxhash.h>

static struct batch *sample_findings(void)
{
	struct batch *batch = batch_new(&record_finding, 4);
	batch->sensor_boot = 77;
	batch->sequence = 5;
	for (uint32_t row = 0; row < 3; row++) {
		for (int i = 0; record_finding.columns[i].name; i++) {
			enum column_type type = record_finding.columns[i].type;
			if (type == COLUMN_TEXT || type == COLUMN_JSON)
				BATCH_COLUMN(batch, struct text, i)[row] = batch_text(batch, "{\"a\":1}", row * 3);
			else if (type == COLUMN_TIME)
				BATCH_COLUMN(batch, int64_t, i)[row] = row * 1000;
		}
		batch->rows++;
	}
	return batch;
}

static void a_batch_survives(void **state)
{
	(void)state;
	struct batch *batch = sample_findings(), *again = NULL;
	size_t bytes = batch_encoded_bytes(batch);
	char *encoded = malloc(bytes);
	batch_encode(batch, encoded);
	struct err err = {""};
	assert_int_equal(batch_decode(encoded, bytes, &again, &err), 0);
	assert_ptr_equal(again->kind, &record_finding);
	assert_int_equal(again->rows, 3);
	assert_int_equal(again->sensor_boot, 77);
	assert_int_equal(again->sequence, 5);
	struct text subject = BATCH_COLUMN(again, struct text, 4)[2];
	assert_int_equal(subject.length, 6);
	assert_memory_equal(subject.bytes, "{\"a\":1", 6);
	assert_int_equal(BATCH_COLUMN(again, int64_t, 1)[2], 2000);
	batch_free(again);
	free(encoded);
	batch_free(batch);
	batch_free(NULL);
}

static void every_cut_and_flip_is_refused(void **state)
{
	(void)state;
	struct batch *batch = sample_findings(), *again = NULL;
	size_t bytes = batch_encoded_bytes(batch);
	uint8_t *encoded = malloc(bytes);
	batch_encode(batch, encoded);
	for (size_t cut = 0; cut < bytes; cut++) {
		uint8_t *part = malloc(cut + 1); /* an own allocation: the sanitizer sees a read past the cut */
		memcpy(part, encoded, cut);
		assert_int_equal(batch_decode(part, cut, &again, NULL), -EINVAL);
		free(part);
		encoded[cut] ^= 0x40;
		assert_int_equal(batch_decode(encoded, bytes, &again, NULL), -EINVAL);
		encoded[cut] ^= 0x40;
	}
	free(encoded);
	batch_free(batch);
}

/* A hostile sender computes the check sum too. */
static int decode_sealed(uint8_t *encoded, size_t bytes, struct err *err)
{
	struct batch *again = NULL;
	uint64_t check = XXH3_64bits(encoded, bytes - 8);
	memcpy(encoded + bytes - 8, &check, 8);
	int result = batch_decode(encoded, bytes, &again, err);
	if (result == 0)
		batch_free(again);
	return result;
}

static void a_sealed_lie_is_refused(void **state)
{
	(void)state;
	struct batch *batch = sample_findings();
	size_t bytes = batch_encoded_bytes(batch);
	uint8_t *encoded = malloc(bytes);
	struct err err;
	batch_encode(batch, encoded);
	assert_int_equal(decode_sealed(encoded, bytes, &err), 0);

	uint32_t rows = 60000;
	memcpy(encoded + 8, &rows, 4);
	assert_int_equal(decode_sealed(encoded, bytes, &err), -EINVAL);
	assert_contains(err.text, "60000 rows");

	batch_encode(batch, encoded);
	uint32_t length = UINT32_MAX;
	memcpy(encoded + 28, &length, 4);
	assert_int_equal(decode_sealed(encoded, bytes, &err), -EINVAL);

	batch_encode(batch, encoded);
	size_t first_code = 28 + (4 * 3 + 9) + 8 * 3; /* header, ids, times */
	encoded[first_code] = 200;
	assert_int_equal(decode_sealed(encoded, bytes, &err), -EINVAL);
	assert_contains(err.text, "type is 200");

	uint16_t id = 999;
	batch_encode(batch, encoded);
	memcpy(encoded + 4, &id, 2);
	assert_int_equal(decode_sealed(encoded, bytes, &err), -EINVAL);
	assert_contains(err.text, "kind 999");
	free(encoded);
	batch_free(batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_survives),
		cmocka_unit_test(every_cut_and_flip_is_refused),
		cmocka_unit_test(a_sealed_lie_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
