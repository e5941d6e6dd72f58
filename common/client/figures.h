/* figures.h - a copy of one unit's figures: key to value. */
#ifndef AVVIK_CLIENT_FIGURES_H
#define AVVIK_CLIENT_FIGURES_H

#include "avvik/client.h"

struct figure;
struct figures {
	struct figure *table; /* by packed key */
};

/* AV_MEMORY; AV_INVALID: no key, or one that is too long. */
int figures_set(struct figures *figures, const Avvik__V1__FigureKey *key, int64_t value);
int64_t figures_value(
	const struct figures *figures, const Avvik__V1__FigureKey *key); /* 0 when it is not there */
void figures_clear(struct figures *figures);
/* Puts an update's changes in. AV_CONFLICT: they do not lead from these values to those it says; AV_MEMORY.
 * Nothing has changed then. */
int figures_apply(struct figures *figures, const Avvik__V1__SummaryUpdate *update);
/* Every figure in which `after` differs from `before`, as an update. */
int figures_difference(
	const struct figures *before, const struct figures *after, Avvik__V1__SummaryUpdate **ret_update);
/* Sets whose update it is. On failure *update is freed and NULL. */
int figures_stamp(Avvik__V1__SummaryUpdate **update, const char *unit, const unsigned char epoch[16],
	uint64_t sequence, uint64_t previous);

#endif
