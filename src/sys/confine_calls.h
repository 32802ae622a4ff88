/* The seccomp half of confine(). */
#pragma once

#include "sys/confine.h"

/* Install the filter for the policy; `landlock_abi` says what Landlock governs already. */
int confine_calls_apply(const struct confine_policy *policy, int landlock_abi, struct err *err) must_check;
