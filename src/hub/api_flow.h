/* What the API tells of flow information beside its routes. */
#pragma once

#include "core/module.h"
#include "hub/api.h"

/* Figures of exporters, for /metrics. */
int flow_metrics(const struct keeper *keeper, struct text_buffer *text);
