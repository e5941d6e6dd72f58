/* nearest.c - the distance of Damerau and Levenshtein (optimal string alignment), in three rows. */
#include "wire/nearest.h"

#include <string.h>
#include "base/macros.h"

#define LETTERS 48 /* longer names are not compared */

static unsigned distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
	unsigned rows[3][LETTERS + 1];
	unsigned *before = rows[0], *above = rows[1], *row = rows[2];
	for (size_t j = 0; j <= b_size; j++)
		above[j] = (unsigned)j;
	memcpy(before, above, sizeof rows[0]);
	for (size_t i = 1; i <= a_size; i++) {
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_size; j++) {
			unsigned best = above[j - 1] + (a[i - 1] != b[j - 1]);
			best = AV_MIN(best, above[j] + 1);
			best = AV_MIN(best, row[j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = AV_MIN(best, before[j - 2] + 1);
			row[j] = best;
		}
		unsigned *oldest = before;
		before = above;
		above = row;
		row = oldest;
	}
	return above[b_size];
}

void av_nearest_try(struct av_nearest *nearest, const char *name)
{
	size_t wanted = strlen(nearest->wanted), size = name ? strlen(name) : 0;
	if (size == 0 || size > LETTERS || wanted == 0 || wanted > LETTERS)
		return;
	unsigned apart = distance(nearest->wanted, wanted, name, size);
	/* A third of the letters may be wrong, at least one. */
	if (apart > AV_MAX(1, AV_MAX(wanted, size) / 3))
		return;
	if (!nearest->found || apart < nearest->distance) {
		nearest->found = name;
		nearest->distance = apart;
	}
}
