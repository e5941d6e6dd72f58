/* nearest.h - the name that someone may have meant: fewest letters added, left out, changed or swapped.
 *
 *	struct av_nearest nearest = {.wanted = "untis"};
 *	av_nearest_try(&nearest, "units");
 *	nearest.found -> "units"; NULL when nothing is near
 */
#ifndef AVVIK_WIRE_NEAREST_H
#define AVVIK_WIRE_NEAREST_H

struct av_nearest {
	const char *wanted;
	const char *found; /* of those tried, the nearest so far */
	unsigned int distance;
};

/* NULL is passed over. `name` must live as long as the result is used. */
void av_nearest_try(struct av_nearest *nearest, const char *name);

#endif
