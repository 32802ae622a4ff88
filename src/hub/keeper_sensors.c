/* The sensors that the keeper knows: those of this hub, and those elsewhere, each named by its token. */
#include "hub/keeper.h"

#include "core/clock.h"
#include "core/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct sensor_state *sensor_find(struct keeper *keeper, const char *name)
{
	uint32_t count = atomic_load(&keeper->sensor_count);
	for (uint32_t i = 0; i < count; i++)
		if (strcmp(keeper->sensors[i].name, name) == 0)
			return &keeper->sensors[i];
	return NULL;
}

struct sensor_state *keeper_sensor(struct keeper *keeper, const char *name)
{
	struct err err = {""};
	pthread_mutex_lock(&keeper->sensors_lock);
	struct sensor_state *sensor = sensor_find(keeper, name);
	uint32_t count = atomic_load(&keeper->sensor_count);
	if (!sensor && count < sizeof keeper->sensors / sizeof *keeper->sensors) {
		struct sensor_state *made = &keeper->sensors[count];
		if (registry_sensor(keeper->registry, name, &made->number, &err) < 0) {
			LOG(LOG_ERROR, "sensor.unnamed", err.text);
		} else {
			snprintf(made->name, sizeof made->name, "%s", name);
			atomic_store(&keeper->sensor_count, count + 1);
			sensor = made;
		}
	}
	pthread_mutex_unlock(&keeper->sensors_lock);
	return sensor;
}

struct sensor_state *keeper_sensor_by_number(struct keeper *keeper, uint16_t number)
{
	uint32_t count = atomic_load(&keeper->sensor_count);
	for (uint32_t i = 0; i < count; i++)
		if (keeper->sensors[i].number == number)
			return &keeper->sensors[i];
	return NULL;
}

/* When each sensor last told of itself within a week, by its number. */
static int sensors_last(struct keeper *keeper, json_t **ret_answer, struct err *err)
{
	struct query *query = NULL;
	json_t *json = json_pack("{s:s, s:s, s:[s], s:[{s:s, s:s}], s:i}", "kind", "health", "from", "-7d", "keys",
				 "sensor", "aggregates", "op", "max", "field", "minute", "limit", UINT16_MAX);
	int result = json ? query_from_json(json, clock_now_ns(), &query, err) : -ENOMEM;
	json_decref(json);
	if (result == 0)
		result = store_query(keeper->store, query, ret_answer, err);
	query_free(query);
	return result;
}

static bool is_sensors_token(const json_t *tokens, const char *name)
{
	size_t i;
	const json_t *token;
	json_array_foreach(tokens, i, token)
	{
		const char *of = json_string_value(json_object_get(token, "name"));
		const char *role = json_string_value(json_object_get(token, "role"));
		if (of && role && strcmp(of, name) == 0 && strcmp(role, role_names[ROLE_SENSOR]) == 0)
			return true;
	}
	return false;
}

static void sensor_remember(struct keeper *keeper, const char *name, const json_t *last)
{
	size_t i;
	const json_t *row;
	struct err err = {""};
	struct sensor_state *sensor = keeper_sensor(keeper, name);
	json_array_foreach(json_object_get(last, "rows"), i, row)
	{
		const char *text = json_string_value(json_array_get(row, 1));
		int64_t last_ns;
		if (sensor && text && json_integer_value(json_array_get(row, 0)) == sensor->number &&
		    time_parse(text, 0, &last_ns, &err) == 0)
			atomic_store(&sensor->last_ns, last_ns);
	}
}

void keeper_sensors_remember(struct keeper *keeper)
{
	size_t i;
	struct err err = {""};
	json_t *sensors = NULL, *tokens = NULL, *last = NULL, *sensor;
	int result = registry_sensors(keeper->registry, &sensors, &err);
	if (result == 0)
		result = registry_tokens(keeper->registry, &tokens, &err);
	if (result == 0)
		result = sensors_last(keeper, &last, &err);
	json_array_foreach(sensors, i, sensor)
	{
		const char *name = json_string_value(json_object_get(sensor, "name"));
		if (name && is_sensors_token(tokens, name))
			sensor_remember(keeper, name, last);
	}
	if (result < 0)
		LOG(LOG_WARNING, "sensors.forgotten", err.text);
	json_decref(sensors);
	json_decref(tokens);
	json_decref(last);
}
