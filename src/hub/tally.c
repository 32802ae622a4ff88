/* Suppression and rounding of counts. See tally.h. */
#include "hub/tally.h"

#include <stdbool.h>

static void member_add(struct tally *tally, uint32_t member)
{
	for (unsigned i = 0; i < tally->member_count; i++)
		if (tally->members[i] == member)
			return;
	if (tally->member_count < TALLY_LEAST)
		tally->members[tally->member_count++] = member;
}

void tally_add(struct tally *tally, uint32_t member)
{
	tally->count++;
	member_add(tally, member);
}

static bool tally_small(const struct tally *tally)
{
	return tally->count > 0 && (tally->count < TALLY_LEAST || tally->member_count < TALLY_LEAST);
}

int64_t tally_told(const struct tally *tally)
{
	return tally_small(tally) ? TALLY_HIDDEN : (tally->count + TALLY_STEP / 2) / TALLY_STEP * TALLY_STEP;
}

static void tally_join(struct tally *sum, const struct tally *part)
{
	sum->count += part->count;
	for (unsigned i = 0; i < part->member_count; i++)
		member_add(sum, part->members[i]);
}

void tallies_told(const struct tally *const *tallies, size_t count, int64_t *told)
{
	struct tally hidden = {0};
	size_t parts = 0;
	for (size_t i = 0; i < count; i++) {
		told[i] = tally_told(tallies[i]);
		if (told[i] != TALLY_HIDDEN)
			continue;
		tally_join(&hidden, tallies[i]);
		parts++;
	}
	while (parts && (parts < 2 || tally_small(&hidden))) {
		size_t least = count;
		for (size_t i = 0; i < count; i++)
			if (told[i] > 0 && (least == count || tallies[i]->count < tallies[least]->count))
				least = i;
		if (least == count)
			return; /* the sum itself is small, and hidden */
		tally_join(&hidden, tallies[least]);
		told[least] = TALLY_HIDDEN;
		parts++;
	}
}
