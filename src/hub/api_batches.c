/* What sensors elsewhere hand in, and the backup. A batch is named by its sensor's boot and its sequence: handed in
 * twice it is stored once, so a sensor that heard no answer sends again.
 */
#include "hub/api.h"

#include "core/clock.h"
#include "core/cursor.h"
#include "hub/keeper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { BATCHES_OF_REQUEST_MAX = 4096 };

static int batches_decode(const struct api_call *call, struct handed_in *handed, struct err *err)
{
	struct cursor c = cursor_over(call->body, call->body_bytes);
	while (cursor_left(&c) > 0) {
		uint32_t bytes = cursor_le32(&c);
		const uint8_t *data = cursor_take(&c, bytes);
		if (!data || bytes > LIMIT_BATCH_BYTES)
			return err_set(err, -EINVAL, "batch %zu: %u bytes were announced, %zu are left",
				       handed->count + 1, bytes, cursor_left(&c));
		if (handed->count == BATCHES_OF_REQUEST_MAX)
			return err_set(err, -EMSGSIZE, "more than %d batches in a request", BATCHES_OF_REQUEST_MAX);
		struct batch **grown = realloc(handed->batches, (handed->count + 1) * sizeof *grown);
		if (!grown)
			return -ENOMEM;
		handed->batches = grown;
		int result = batch_decode(data, bytes, &handed->batches[handed->count], err);
		if (result < 0)
			return err_prefix(err, result, "batch %zu", handed->count + 1);
		handed->count++;
	}
	return handed->count > 0 ? 0 : err_set(err, -EINVAL, "there is no batch in the request");
}

int api_batches_post(struct api_call *call, struct err *err)
{
	struct handed_in handed = {.name = call->user.name};
	int result = batches_decode(call, &handed, err);
	if (result == 0)
		result = keeper_hand_in(call->keeper, &handed);
	if (result < 0 && handed.err.text[0])
		*err = handed.err;
	uint64_t boot = result == 0 ? handed.batches[handed.count - 1]->sensor_boot : 0;
	for (size_t i = 0; i < handed.count; i++)
		batch_free(handed.batches[i]);
	free(handed.batches);
	if (result < 0)
		return result;
	char text[20];
	snprintf(text, sizeof text, "%016llx", (unsigned long long)boot);
	return api_json(call, 200,
			json_pack("{s:{s:s, s:I}}", "acknowledged", "boot", text, "sequence",
				  (json_int_t)store_acknowledged(call->keeper->store, boot)));
}

/* The keeper may write below the data directory only, so a backup is made in DATA/backups under a plain name; `yagura
 * backup` moves it to where it was asked for. */
int api_backup_post(struct api_call *call, struct err *err)
{
	json_t *body;
	const char *name = NULL;
	char path[4096], parent[4096];
	int result = api_body(call, &body, err);
	if (result < 0)
		return result;
	if (json_unpack(body, "{s:s}", "dir", &name) < 0 || !name[0] || name[0] == '.' || strchr(name, '/') ||
	    strlen(name) > 128)
		result = err_set(err, -EINVAL, "dir: the name of a new directory below %s/backups was expected",
				 call->keeper->setup->options->data);
	else if (snprintf(path, sizeof path, "%s/backups/%s", call->keeper->setup->options->data, name) >=
		 (int)sizeof path)
		result = -ENAMETOOLONG;
	json_decref(body);
	snprintf(parent, sizeof parent, "%s/backups", call->keeper->setup->options->data);
	if (result == 0 && mkdir(parent, 0700) < 0 && errno != EEXIST)
		result = err_set(err, -errno, "%s: cannot be made: %s", parent, strerror(errno));
	if (result == 0)
		result = store_backup(call->keeper->store, path, err);
	return result < 0 ? result : api_json(call, 200, json_pack("{s:s}", "dir", path));
}
