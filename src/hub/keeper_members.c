/* Members' prefixes: from the registry to the sensors, as they change; and what a sensor elsewhere, which does not know
 * them, hands in is matched here.
 *
 * Sensors elsewhere are not given the list: whose prefixes are whose is the members' own affair, and a sensor may stand
 * anywhere. Their alerts come with the minute instead of at once.
 */
#include "hub/alerts.h"

#include "core/log.h"
#include "store/members.h"
#include "sys/prefix_board.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOOK_MS = 200 };
#define SAVE_NS NS_PER_MINUTE
#define FAR_NAME UINT64_C(0x5a9e1f7c3d2b4680) /* what is made of a batch has that batch's name, changed by this */

static const char setting[] = "livenet.observed";

/* --- the list ----------------------------------------------------------------------------------------------------- */

static int list_keep(struct alerts *alerts, const struct member_prefix *prefixes, size_t count, struct err *err)
{
	struct pool *pool = pool_new(NULL, "members");
	struct lpm_entry *entries = malloc((count + 1) * sizeof *entries);
	uint32_t *numbers = pool ? pool_array(pool, count + 1, sizeof *numbers) : NULL;
	uint8_t *bits = pool ? pool_array(pool, count + 1, sizeof *bits) : NULL;
	struct lpm *lpm = NULL;
	int result = entries && numbers && bits ? 0 : err_set(err, -ENOMEM, "no memory for %zu prefixes", count);
	for (size_t i = 0; i < count && result == 0; i++) {
		entries[i] = (struct lpm_entry){prefixes[i].prefix, (uint32_t)(i + 1)};
		numbers[i + 1] = prefixes[i].member;
		bits[i + 1] = prefixes[i].prefix.bits;
	}
	if (result == 0 && count)
		result = lpm_new(entries, count, pool, &lpm, err);
	for (size_t i = 0; i < count && result == 0; i++) /* there they name the member */
		entries[i] = (struct lpm_entry){prefixes[i].prefix, prefixes[i].member};
	if (result == 0 && alerts->keeper->setup->hub->members)
		result = prefix_board_write(alerts->keeper->setup->hub->members, entries, count, err);
	free(entries);
	if (result < 0) {
		pool_free(pool);
		return result;
	}
	pthread_rwlock_wrlock(&alerts->list_lock);
	struct pool *before = alerts->list_pool;
	alerts->list_pool = pool;
	alerts->lpm = lpm;
	alerts->numbers = numbers;
	alerts->bits = bits;
	pthread_rwlock_unlock(&alerts->list_lock);
	pool_free(before);
	atomic_store(&alerts->prefixes, count);
	atomic_fetch_add(&alerts->published, 1);
	return 0;
}

static int list_publish(struct alerts *alerts, uint64_t *ret_version, struct err *err)
{
	struct member_prefix *prefixes = NULL;
	size_t count = 0;
	uint64_t version = 0;
	int result =
		registry_member_prefixes(alerts->keeper->registry, clock_now_ns(), &prefixes, &count, &version, err);
	if (result == 0)
		result = list_keep(alerts, prefixes, count, err);
	free(prefixes);
	if (result < 0)
		return result;
	*ret_version = version;
	if (count || atomic_load(&alerts->published) > 1)
		LOG(LOG_INFO, "members.published", "sensors look for these members' prefixes",
		    LOG_NUMBER("prefixes", (int64_t)count));
	return 0;
}

/* --- how long the sensors have observed survives a restart -------------------------------------------------------- */

static void observed_save(struct alerts *alerts)
{
	struct keeper *keeper = alerts->keeper;
	struct err err = {""};
	json_t *all = json_object();
	uint32_t count = atomic_load(&keeper->sensor_count);
	pthread_mutex_lock(&alerts->lock);
	for (uint32_t i = 0; i < count; i++)
		if (alerts->observed[i].until_ns)
			json_object_set_new(all, keeper->sensors[i].name,
					    json_pack("[I, I]", (json_int_t)alerts->observed[i].since_ns,
						      (json_int_t)alerts->observed[i].until_ns));
	pthread_mutex_unlock(&alerts->lock);
	if (registry_setting_put(keeper->registry, setting, all, &err) < 0)
		LOG(LOG_WARNING, "members.observed", err.text);
	json_decref(all);
}

static void observed_load(struct alerts *alerts)
{
	struct keeper *keeper = alerts->keeper;
	struct err err = {""};
	json_t *all = NULL;
	int found = registry_setting(keeper->registry, setting, &all, &err);
	if (found < 0)
		LOG(LOG_WARNING, "members.observed", err.text);
	uint32_t count = atomic_load(&keeper->sensor_count);
	pthread_mutex_lock(&alerts->lock);
	for (uint32_t i = 0; i < count && found == 0; i++) {
		json_int_t since, until;
		if (json_unpack(json_object_get(all, keeper->sensors[i].name), "[I, I]", &since, &until) == 0 &&
		    alerts->observed[i].until_ns == 0)
			alerts->observed[i] = (struct observed){since, until};
	}
	pthread_mutex_unlock(&alerts->lock);
	json_decref(all);
}

void *alerts_members_main(void *context)
{
	struct keeper *keeper = context;
	struct alerts *alerts = keeper->alerts;
	uint64_t version = UINT64_MAX;
	int64_t saved = clock_monotonic_ns();
	pthread_setname_np(pthread_self(), "members");
	observed_load(alerts);
	bool failed = false;
	while (!atomic_load(&keeper->stop)) {
		struct err err = {""};
		uint64_t now = version;
		int result = registry_members_version(keeper->registry, &now, &err);
		if (result == 0 && now != version)
			result = list_publish(alerts, &version, &err);
		if (result < 0 && !failed)
			LOG(LOG_ERROR, "members.unpublished", err.text);
		failed = result < 0;
		if (clock_monotonic_ns() - saved > SAVE_NS) {
			saved = clock_monotonic_ns();
			observed_save(alerts);
		}
		usleep(LOOK_MS * 1000);
	}
	observed_save(alerts);
	return NULL;
}

/* --- sensors elsewhere -------------------------------------------------------------------------------------------- */

static const void *column_of(const struct batch *batch, const char *name)
{
	return batch->columns[record_column_index(batch->kind, name)];
}

/* A row of tuples or echoes as a sighting. */
static void far_row(struct alerts *alerts, const struct batch *from, uint32_t i, uint32_t value, uint8_t role)
{
	struct batch *to = alerts->far;
	uint32_t row = to->rows++, packets = ((const uint32_t *)column_of(from, "packets"))[i];
	bool tuple = from->kind == &record_tuple;
	bool doubtful = tuple && ((const uint8_t *)column_of(from, "spoofed"))[i];
	uint8_t kind = tuple ? ((const uint8_t *)column_of(from, "kind"))[i] : PACKET_BACKSCATTER;
	bool probe = kind == PACKET_SCAN || kind == PACKET_REFLECTION, source = role == ROLE_SOURCE;
	for (size_t c = 0; to->kind->columns[c].name; c++) {
		size_t width = column_width(to->kind->columns[c].type);
		memset((char *)to->columns[c] + row * width, 0, width);
	}
	BATCH_COLUMN(to, int64_t, 0)[row] = ((const int64_t *)column_of(from, "last"))[i];
	BATCH_COLUMN(to, uint16_t, 1)[row] = ((const uint16_t *)column_of(from, "sensor"))[i];
	BATCH_COLUMN(to, uint32_t, 2)[row] = alerts->numbers[value];
	BATCH_COLUMN(to, struct addr, 3)[row] = ((const struct addr *)from->columns[2])[i];
	BATCH_COLUMN(to, uint8_t, 4)[row] = alerts->bits[value];
	BATCH_COLUMN(to, uint8_t, 5)[row] = role;
	BATCH_COLUMN(to, uint8_t, 7)[row] = kind;
	if (tuple) {
		BATCH_COLUMN(to, uint8_t, 8)[row] = ((const uint8_t *)column_of(from, "tool"))[i];
		BATCH_COLUMN(to, uint8_t, 9)[row] = ((const uint8_t *)column_of(from, "tool_version"))[i];
		BATCH_COLUMN(to, uint8_t, 13)[row] = ((const uint8_t *)column_of(from, "ttl"))[i];
		BATCH_COLUMN(to, uint8_t, 14)[row] = ((const uint8_t *)column_of(from, "flags"))[i];
	}
	BATCH_COLUMN(to, uint8_t, 10)[row] = ((const uint8_t *)column_of(from, "protocol"))[i];
	BATCH_COLUMN(to, uint16_t, 11)[row] = ((const uint16_t *)column_of(from, "port"))[i];
	BATCH_COLUMN(to, uint32_t, 16)[row] = packets;
	BATCH_COLUMN(to, uint32_t, 17)[row] = source && probe && !doubtful ? packets : 0;
	BATCH_COLUMN(to, uint32_t, 18)[row] = source && !probe && !doubtful ? packets : 0;
	BATCH_COLUMN(to, uint32_t, 19)[row] = source && doubtful ? packets : 0;
	BATCH_COLUMN(to, uint64_t, 20)[row] = ((const uint64_t *)column_of(from, "bytes"))[i];
	BATCH_COLUMN(to, uint32_t, 21)[row] = ((const uint32_t *)column_of(from, "targets"))[i];
	BATCH_COLUMN(to, int64_t, 22)[row] = ((const int64_t *)column_of(from, "first"))[i];
}

/* Echoes tell of victims, also those that ICMP errors quote; tuples of everybody else. */
static void far_match(struct alerts *alerts, const struct batch *batch)
{
	const struct addr *addresses = batch->columns[2]; /* source, victim */
	const uint8_t *kinds = batch->kind == &record_tuple ? column_of(batch, "kind") : NULL;
	for (uint32_t i = 0; i < batch->rows && alerts->far->rows < alerts->far->capacity; i++) {
		if (kinds && (kinds[i] == PACKET_BACKSCATTER || kinds[i] == PACKET_SURVEY))
			continue;
		uint32_t value = lpm_find(alerts->lpm, &addresses[i]);
		if (value)
			far_row(alerts, batch, i, value, kinds ? ROLE_SOURCE : ROLE_ANSWERING);
	}
}

int alerts_take_far(struct alerts *alerts, const struct sensor_state *sensor, const struct batch *batch,
		    struct err *err)
{
	if (sensor->local || batch->sequence == 0 || (batch->kind != &record_tuple && batch->kind != &record_echo))
		return 0;
	if (!alerts->far)
		alerts->far = batch_new(&record_sighting, BATCH_ROWS_MAX);
	if (!alerts->far)
		return err_set(err, -ENOMEM, "no memory for sightings");
	batch_clear(alerts->far);
	pthread_rwlock_rdlock(&alerts->list_lock);
	if (alerts->lpm)
		far_match(alerts, batch);
	pthread_rwlock_unlock(&alerts->list_lock);
	if (alerts->far->rows == 0)
		return 0;
	alerts->far->sensor_boot = batch->sensor_boot ^ FAR_NAME;
	alerts->far->sequence = batch->sequence;
	return alerts_take_named(alerts, alerts->far, err);
}
