/* Counts that everybody may see, told so that no member can be made out from them.
 *
 * A count of fewer than TALLY_LEAST, or that fewer members than that stand behind, is hidden; and with it as many
 * others of the same sum as are needed that it cannot be had by subtraction (primary and complementary suppression, as
 * statistical offices do it). What is told is rounded to TALLY_STEP, so that tables of different spans, of a month and
 * of the year around it, cannot be subtracted from one another either.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { TALLY_LEAST = 3, TALLY_STEP = 5, TALLY_HIDDEN = -1 };

/* A count and the first few members behind it. Zeroed, it is ready. */
struct tally {
	int64_t count;
	uint32_t members[TALLY_LEAST];
	unsigned member_count; /* TALLY_LEAST: that many or more */
};

void tally_add(struct tally *tally, uint32_t member);

/* What one count is told as: rounded, or TALLY_HIDDEN. */
int64_t tally_told(const struct tally *tally);

/* The same of parts whose sum is told as well. `tallies[i]` answers in `told[i]`. */
void tallies_told(const struct tally *const *tallies, size_t count, int64_t *told);
