/* Which groups switch on and off together: non-negative matrix factorisation of groups x minutes (Lee and Seung,
 * "Algorithms for Non-negative Matrix Factorization", NIPS 2000), in the spirit of Dark-TRACER's Dark-NMF (Han et al.,
 * IEEE Access 2022). There the rows are hosts, which is why it must stop at a thousand; here they are groups of hosts
 * that grouping has already found, so that the number of sources does not matter.
 *
 * What is always on says nothing: each row loses its median, and rows that are then nearly empty are left out. No
 * random numbers: components begin as the rows that are most unlike one another.
 */
#include "analyze/campaigns.h"

#include <math.h>
#include <stdlib.h>

enum { RANK = 8, ROUNDS = 80, LEAST_MINUTES = 12 };
static const float MEMBER_COSINE = 0.85F, LEAST_BURST = 0.5F, LEAST_RESIDUE = 0.5F, EPSILON = 1e-9F;

struct factors {
	unsigned rows, minutes, rank;
	uint32_t group[LIMIT_CAMPAIGN_ROWS];
	float v[LIMIT_CAMPAIGN_ROWS][WINDOW_MINUTES];
	float w[LIMIT_CAMPAIGN_ROWS][RANK];
	float h[RANK][WINDOW_MINUTES];
};

static int number_order(const void *a, const void *b)
{
	uint32_t one = *(const uint32_t *)a, two = *(const uint32_t *)b;
	return one < two ? -1 : one > two;
}

/* The group's activity less its median, of length 1. False when too little is left. */
static bool row_fill(const struct campaign_group *group, unsigned minutes, float row[WINDOW_MINUTES])
{
	uint32_t sorted[WINDOW_MINUTES];
	memcpy(sorted, group->by_minute, minutes * sizeof *sorted);
	qsort(sorted, minutes, sizeof *sorted, number_order);
	uint32_t median = sorted[minutes / 2];
	float left = 0, all = 0, square = 0;
	for (unsigned i = 0; i < minutes; i++) {
		row[i] = group->by_minute[i] > median ? (float)(group->by_minute[i] - median) : 0;
		left += row[i];
		all += (float)group->by_minute[i];
		square += row[i] * row[i];
	}
	if (left < LEAST_RESIDUE * all || square <= 0)
		return false;
	for (unsigned i = 0; i < minutes; i++)
		row[i] /= sqrtf(square);
	return true;
}

static float cosine(const float *a, const float *b, unsigned count)
{
	float dot = 0, aa = 0, bb = 0;
	for (unsigned i = 0; i < count; i++) {
		dot += a[i] * b[i];
		aa += a[i] * a[i];
		bb += b[i] * b[i];
	}
	return dot / (sqrtf(aa * bb) + EPSILON);
}

static void factors_begin(struct factors *f)
{
	float nearest[LIMIT_CAMPAIGN_ROWS] = {0};
	unsigned seed = 0;
	f->rank = f->rows < RANK ? f->rows : RANK;
	for (unsigned k = 0; k < f->rank; k++) {
		for (unsigned t = 0; t < f->minutes; t++)
			f->h[k][t] = f->v[seed][t] + 0.01F;
		unsigned next = 0;
		for (unsigned i = 0; i < f->rows; i++) {
			float near = cosine(f->v[i], f->v[seed], f->minutes);
			nearest[i] = near > nearest[i] ? near : nearest[i];
			next = nearest[i] < nearest[next] ? i : next;
		}
		seed = next;
	}
	for (unsigned i = 0; i < f->rows; i++)
		for (unsigned k = 0; k < f->rank; k++)
			f->w[i][k] = cosine(f->v[i], f->h[k], f->minutes) + 0.01F;
}

/* One round of the multiplicative updates for the Frobenius norm. */
static void factors_update(struct factors *f)
{
	float gram[RANK][RANK];
	for (unsigned a = 0; a < f->rank; a++)
		for (unsigned b = 0; b < f->rank; b++) {
			gram[a][b] = 0;
			for (unsigned t = 0; t < f->minutes; t++)
				gram[a][b] += f->h[a][t] * f->h[b][t];
		}
	for (unsigned i = 0; i < f->rows; i++) {
		float before[RANK];
		memcpy(before, f->w[i], sizeof before);
		for (unsigned k = 0; k < f->rank; k++) {
			float up = 0, down = EPSILON;
			for (unsigned t = 0; t < f->minutes; t++)
				up += f->v[i][t] * f->h[k][t];
			for (unsigned b = 0; b < f->rank; b++)
				down += before[b] * gram[b][k];
			f->w[i][k] *= up / down;
		}
	}
	for (unsigned a = 0; a < f->rank; a++)
		for (unsigned b = 0; b < f->rank; b++) {
			gram[a][b] = 0;
			for (unsigned i = 0; i < f->rows; i++)
				gram[a][b] += f->w[i][a] * f->w[i][b];
		}
	for (unsigned t = 0; t < f->minutes; t++) {
		float before[RANK];
		for (unsigned k = 0; k < f->rank; k++)
			before[k] = f->h[k][t];
		for (unsigned k = 0; k < f->rank; k++) {
			float up = 0, down = EPSILON;
			for (unsigned i = 0; i < f->rows; i++)
				up += f->w[i][k] * f->v[i][t];
			for (unsigned b = 0; b < f->rank; b++)
				down += gram[k][b] * before[b];
			f->h[k][t] *= up / down;
		}
	}
}

static float component_burst(const float *h, unsigned minutes)
{
	unsigned width = (minutes + 5) / 6;
	float all = EPSILON, most = 0;
	for (unsigned t = 0; t < minutes; t++) {
		float sum = 0;
		for (unsigned i = t; i < t + width && i < minutes; i++)
			sum += h[i];
		most = sum > most ? sum : most;
		all += h[t];
	}
	return most / all;
}

static bool component_read(const struct factors *f, unsigned k, const struct campaign_groups *groups,
			   struct synchrony *ret)
{
	*ret = (struct synchrony){.similarity = 1, .burst = component_burst(f->h[k], f->minutes)};
	if (ret->burst < LEAST_BURST)
		return false;
	for (unsigned i = 0; i < f->rows; i++) {
		float near = cosine(f->v[i], f->h[k], f->minutes);
		bool strongest = true;
		for (unsigned b = 0; b < f->rank; b++)
			strongest &= b == k || cosine(f->v[i], f->h[b], f->minutes) <= near;
		if (!strongest || near < MEMBER_COSINE || ret->count == 32)
			continue;
		const struct campaign_group *group = table_record(&groups->table, f->group[i]);
		ret->groups[ret->count++] = f->group[i];
		ret->sources += group->sources;
		ret->similarity = near < ret->similarity ? near : ret->similarity;
	}
	return ret->count >= 2;
}

size_t campaign_synchronies(const struct campaign_groups *groups, uint32_t least, unsigned minutes,
			    struct synchrony *ret, size_t room)
{
	if (minutes < LEAST_MINUTES)
		return 0;
	struct factors *f = pool_alloc(groups->table.pool, sizeof *f);
	if (!f)
		return 0;
	f->minutes = minutes < WINDOW_MINUTES ? minutes : WINDOW_MINUTES;
	for (size_t i = 0; i < groups->order_count && f->rows < LIMIT_CAMPAIGN_ROWS; i++) {
		uint32_t index = groups->order[i];
		const struct campaign_group *group = table_record(&groups->table, index);
		if (group->leader != index || group->sources < least)
			continue;
		if (row_fill(group, f->minutes, f->v[f->rows]))
			f->group[f->rows++] = index;
	}
	size_t found = 0;
	if (f->rows >= 2) {
		factors_begin(f);
		for (int i = 0; i < ROUNDS; i++)
			factors_update(f);
		for (unsigned k = 0; k < f->rank && found < room; k++)
			found += component_read(f, k, groups, &ret[found]);
	}
	pool_release(groups->table.pool, f);
	return found;
}
