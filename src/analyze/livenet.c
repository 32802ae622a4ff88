/* The life of alerts. See livenet.h; verdicts and findings are made in livenet_alert.c. */
#include "analyze/livenet.h"

#include "analyze/livenet_alert.h"
#include "analyze/table.h"
#include "core/clock.h"

#include <errno.h>
#include <string.h>

const struct option_spec livenet_option_table[] = {
	{.name = "livenet-quiet",
	 .type = OPTION_DURATION,
	 OPTION_AT(struct livenet_options, quiet_ns),
	 .default_text = "6h",
	 .min = NS_PER_S,
	 .max = 400 * NS_PER_DAY,
	 .argument = "TIME",
	 .help = "silence of a member's address, observed without a gap, that ends its alert",
	 .help_ja = "会員のアドレスの警報を終わらせる無通信時間(その間の観測に切れ目がないこと)"},
	{.name = NULL},
};

struct livenet {
	struct livenet_options options;
	struct table table;
	uint32_t *touched; /* alerts that a batch changed; BATCH_ROWS_MAX */
	uint32_t touched_count;
	uint64_t refused;
};

int livenet_new(const struct livenet_options *options, struct pool *pool, struct livenet **ret_livenet, struct err *err)
{
	struct livenet *livenet = pool_alloc(pool, sizeof *livenet);
	uint32_t *touched = pool_array(pool, BATCH_ROWS_MAX, sizeof *touched);
	if (!livenet || !touched)
		return err_set(err, -ENOMEM, "no memory for livenet");
	livenet->options = *options;
	livenet->touched = touched;
	table_init(&livenet->table, pool, sizeof(struct alert), sizeof(struct alert_key), LIMIT_LIVENET_ALERTS);
	*ret_livenet = livenet;
	return 0;
}

struct sighting_columns {
	const int64_t *last, *first;
	const uint16_t *sensor, *port;
	const uint32_t *member, *packets, *scans, *mistakes, *doubtful, *targets;
	const struct addr *address;
	const uint8_t *prefix_bits, *role, *tool, *tool_version, *protocol, *signs;
	const uint64_t *bytes;
};

static struct sighting_columns sightings_of(const struct batch *batch)
{
	return (struct sighting_columns){
		.last = batch->columns[0],
		.sensor = batch->columns[1],
		.member = batch->columns[2],
		.address = batch->columns[3],
		.prefix_bits = batch->columns[4],
		.role = batch->columns[5],
		.tool = batch->columns[8],
		.tool_version = batch->columns[9],
		.protocol = batch->columns[10],
		.port = batch->columns[11],
		.signs = batch->columns[15],
		.packets = batch->columns[16],
		.scans = batch->columns[17],
		.mistakes = batch->columns[18],
		.doubtful = batch->columns[19],
		.bytes = batch->columns[20],
		.targets = batch->columns[21],
		.first = batch->columns[22],
	};
}

static void port_take(struct alert *alert, uint8_t protocol, uint16_t port)
{
	for (unsigned i = 0; i < alert->port_count; i++)
		if (alert->ports[i].port == port && alert->ports[i].protocol == protocol)
			return;
	if (alert->port_count < LIMIT_LIVENET_PORTS)
		alert->ports[alert->port_count++] = (struct alert_port){port, protocol};
	else
		alert->more_ports = true;
}

static void row_take(struct alert *alert, const struct sighting_columns *rows, uint32_t i)
{
	alert->first_ns = rows->first[i] < alert->first_ns ? rows->first[i] : alert->first_ns;
	alert->last_ns = rows->last[i] > alert->last_ns ? rows->last[i] : alert->last_ns;
	alert->packets += rows->packets[i];
	alert->scans += rows->scans[i];
	alert->mistakes += rows->mistakes[i];
	alert->doubtful += rows->doubtful[i];
	alert->bytes += rows->bytes[i];
	alert->signs |= rows->signs[i];
	alert->member = rows->member[i];
	alert->prefix_bits = rows->prefix_bits[i];
	alert->sensor = rows->sensor[i];
	if (rows->targets[i] > alert->most_targets)
		alert->most_targets = rows->targets[i];
	if (rows->tool[i] != TOOL_UNKNOWN) {
		alert->tool = rows->tool[i];
		alert->tool_version = rows->tool_version[i];
	}
	port_take(alert, rows->protocol[i], rows->port[i]);
}

static void alert_begin(struct alert *alert, const struct sighting_columns *rows, uint32_t i)
{
	*alert = (struct alert){.key = alert->key,
				.touched = alert->touched,
				.opened_ns = rows->first[i],
				.first_ns = rows->first[i],
				.last_ns = rows->first[i]};
}

/* A silence as long as the quiet time ends an alert also when nobody told the time meanwhile. */
static int alert_renew(struct livenet *livenet, struct alert *alert, const struct sighting_columns *rows, uint32_t i,
		       struct findings *findings, struct err *err)
{
	int result =
		alert_say(alert, livenet->options.quiet_ns, alert->last_ns + livenet->options.quiet_ns, findings, err);
	alert_begin(alert, rows, i);
	return result;
}

int livenet_take(struct livenet *livenet, const struct batch *batch, struct findings *findings, unsigned *ret_news,
		 struct err *err)
{
	struct sighting_columns rows = sightings_of(batch);
	int result = 0;
	unsigned news = 0;
	livenet->touched_count = 0;
	for (uint32_t i = 0; i < batch->rows; i++) {
		const struct alert_key key = {rows.address[i], rows.role[i] != ROLE_SOURCE};
		bool is_new;
		struct alert *alert = table_add(&livenet->table, &key, table_hash(&livenet->table, &key), &is_new);
		if (!alert) {
			livenet->refused++;
			continue;
		}
		if (is_new) {
			alert_begin(alert, &rows, i);
		} else if (rows.first[i] - alert->last_ns > livenet->options.quiet_ns) {
			int step = alert_renew(livenet, alert, &rows, i, findings, err);
			result = result < 0 ? result : step;
		}
		row_take(alert, &rows, i);
		if (!alert->touched)
			livenet->touched[livenet->touched_count++] = (uint32_t)table_index(&livenet->table, alert);
		alert->touched = true;
	}
	for (uint32_t i = 0; i < livenet->touched_count; i++) {
		struct alert *alert = table_record(&livenet->table, livenet->touched[i]);
		alert->touched = false;
		news += !alert->said || alert->verdict != alert_verdict(alert);
		int step = alert_say(alert, livenet->options.quiet_ns, 0, findings, err);
		result = result < 0 ? result : step;
	}
	*ret_news = news;
	return result;
}

struct ending {
	struct livenet *livenet;
	livenet_observed_fn *observed;
	void *context;
	struct findings *findings;
	struct err *err;
	unsigned ended;
	int code;
};

static bool alert_keep(void *record, void *context)
{
	struct alert *alert = record;
	struct ending *ending = context;
	int64_t since_ns, until_ns, quiet_ns = ending->livenet->options.quiet_ns;
	if (!ending->observed(ending->context, alert->sensor, &since_ns, &until_ns))
		return true;
	int64_t silent_since_ns = since_ns > alert->last_ns ? since_ns : alert->last_ns;
	if (until_ns - silent_since_ns < quiet_ns || ending->code < 0)
		return true;
	ending->code = alert_say(alert, quiet_ns, silent_since_ns + quiet_ns, ending->findings, ending->err);
	ending->ended += ending->code == 0;
	return ending->code < 0;
}

int livenet_tick(struct livenet *livenet, livenet_observed_fn *observed, void *context, struct findings *findings,
		 unsigned *ret_ended, struct err *err)
{
	struct ending ending = {livenet, observed, context, findings, err, 0, 0};
	if (livenet->table.count)
		table_sweep(&livenet->table, alert_keep, &ending);
	*ret_ended = ending.ended;
	return ending.code;
}

int livenet_restore(struct livenet *livenet, const json_t *finding, struct err *err)
{
	struct alert restored;
	bool is_new;
	int result = alert_from_finding(finding, &restored, err);
	if (result < 0)
		return result;
	struct alert *alert =
		table_add(&livenet->table, &restored.key, table_hash(&livenet->table, &restored.key), &is_new);
	if (!alert) {
		livenet->refused++;
		return 0;
	}
	if (is_new || restored.last_ns > alert->last_ns)
		*alert = restored;
	return 0;
}

struct forgetting {
	const char *id;
	bool found;
};

static bool is_other(void *record, void *context)
{
	struct forgetting *forgetting = context;
	char id[ALERT_ID_BYTES];
	alert_id(record, id);
	bool same = strcmp(id, forgetting->id) == 0;
	forgetting->found |= same;
	return !same;
}

bool livenet_forget(struct livenet *livenet, const char *id)
{
	struct forgetting forgetting = {id, false};
	if (livenet->table.count)
		table_sweep(&livenet->table, is_other, &forgetting);
	return forgetting.found;
}

size_t livenet_open(const struct livenet *livenet)
{
	return livenet->table.count;
}

uint64_t livenet_refused(const struct livenet *livenet)
{
	return livenet->refused;
}
