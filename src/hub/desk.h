/* Where the keeper takes requests of the fronts and hands out answers: one thread reads, some workers answer. */
#pragma once

#include "core/err.h"
#include "hub/api.h"

struct desk;
struct keeper;

int desk_open(struct keeper *keeper, struct desk **ret_desk, struct err *err) must_check; /* starts its threads */
void desk_close(struct desk *desk);                                                       /* ends them; NULL is fine */
