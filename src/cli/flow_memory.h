/* What a collector has to know of its exporters before they say it again, as JSON: templates and samplings. NetFlow v9
 * and IPFIX send templates every few minutes only; a collector that begins anew would wait for them, and lose flows.
 *
 *     [{"exporter": "192.0.2.1", "format": "netflow9", "domain": 0, "sampling": 100, "boot_ns": 0,
 *       "samplers": [[ID, 1 IN], ...], "templates": [[ID, SCOPES, [[ENTERPRISE, ELEMENT, BYTES], ...]], ...]}, ...]
 */
#pragma once

#include "core/err.h"
#include "observe/flow/exporter.h"

#include <jansson.h>

json_t *flow_memory_json(const struct exporter *exporter);
/* One of them again, to be given to exporter_done(). -EINVAL: what is wrong with it. */
int flow_memory_read(const json_t *remembered, struct exporter *ret_exporter, struct err *err) must_check;
