/* Settings and the numbers of sensors. */
#include "store/registry_parts.h"

#include "core/clock.h"

#include <errno.h>
#include <stdlib.h>

int registry_setting(struct registry *registry, const char *name, json_t **ret_value, struct err *err)
{
	pthread_mutex_lock(&registry->lock);
	sqlite3_stmt *statement =
		registry_prepare(registry, err, "SELECT value FROM setting WHERE name = ?", "s", name);
	int code = statement ? registry_step(registry, statement, err) : -EIO;
	json_t *value = NULL;
	if (code == 1) {
		value = json_loads((const char *)sqlite3_column_text(statement, 0), JSON_DECODE_ANY, NULL);
		if (!value)
			code = err_set(err, -EBADMSG, "setting %s: not JSON", name);
	}
	sqlite3_finalize(statement);
	pthread_mutex_unlock(&registry->lock);
	if (value)
		*ret_value = value;
	return code < 0 ? code : !value;
}

int registry_setting_put(struct registry *registry, const char *name, const json_t *value, struct err *err)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	if (!text)
		return err_set(err, -EINVAL, "setting %s: not a value", name);
	pthread_mutex_lock(&registry->lock);
	int code = registry_run(registry, err, "INSERT OR REPLACE INTO setting VALUES (?, ?)", "ss", name, text);
	pthread_mutex_unlock(&registry->lock);
	free(text);
	return code;
}

int registry_sensor(struct registry *registry, const char *name, uint16_t *ret_number, struct err *err)
{
	int code = name_check("sensor", name, err);
	if (code < 0)
		return code;
	pthread_mutex_lock(&registry->lock);
	code = registry_run(registry, err,
			    "INSERT INTO sensor SELECT coalesce(max(number), 0) + 1, ?, ? FROM sensor WHERE true "
			    "ON CONFLICT (name) DO NOTHING",
			    "si", name, clock_now_ns());
	sqlite3_stmt *statement =
		code == 0 ? registry_prepare(registry, err, "SELECT number FROM sensor WHERE name = ?", "s", name)
			  : NULL;
	if (code == 0)
		code = statement ? registry_step(registry, statement, err) : -EIO;
	if (code == 1)
		*ret_number = (uint16_t)sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	pthread_mutex_unlock(&registry->lock);
	return code == 1 ? 0 : code < 0 ? code : err_set(err, -EIO, "sensor %s has no number", name);
}

int registry_sensors(struct registry *registry, json_t **ret_array, struct err *err)
{
	pthread_mutex_lock(&registry->lock);
	sqlite3_stmt *statement =
		registry_prepare(registry, err, "SELECT number AS id, name, created FROM sensor ORDER BY number", "");
	int code = statement ? registry_rows(registry, statement, "ist", ret_array, err) : -EIO;
	sqlite3_finalize(statement);
	pthread_mutex_unlock(&registry->lock);
	return code;
}
