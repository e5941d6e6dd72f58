/* directory_deputies.c - circles among deputies: A stands in for B, who stands in for A, both absent on one
 * day.
 *
 * An edge goes from the absent person to the deputy, for the days of the absence. A circle that stands on
 * some day stands on the latest of the first days of its edges, so only first days are looked at. Edges that
 * no circle can use at all, whatever the day, are taken away first: what is left in a real directory is a
 * handful of pairs who stand in for each other, at different times.
 */
#include "directory_rules.h"

#include <stdlib.h>
#include <string.h>
#include "code_text.h"

#define CODE(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name
#define STEPS_MAX 20000000u /* edges looked at; no real directory comes near, and a turn must end */

struct edge {
	size_t absent, deputy; /* places in the directory's people */
	size_t place;	       /* in the absent person's deputies */
	av_day from, until;
	bool told;
};

struct walk {
	struct edge *edges;
	size_t edge_count;
	size_t people;
	unsigned int *in, *out;	 /* edges left, of each person */
	const struct edge **way; /* of each person, an edge that is left */
	size_t steps;
};

static size_t place_of(const Avvik__V1__Directory *directory, const size_t *sorted, const char *id)
{
	size_t low = 0, high = directory->n_people;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(directory->people[sorted[middle]]->id, id);
		if (order == 0)
			return sorted[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return SIZE_MAX;
}

struct keyed {
	const char *id;
	size_t place;
};

static int compare_keyed(const void *a, const void *b)
{
	return strcmp(((const struct keyed *)a)->id, ((const struct keyed *)b)->id);
}

static size_t *sort_people(const Avvik__V1__Directory *directory, struct av_arena *arena)
{
	struct keyed *keyed = av_arena_alloc(arena, (directory->n_people + 1) * sizeof(*keyed));
	size_t *sorted = av_arena_alloc(arena, (directory->n_people + 1) * sizeof(*sorted));
	if (!keyed || !sorted)
		return NULL;
	for (size_t i = 0; i < directory->n_people; i++)
		keyed[i] = (struct keyed){directory->people[i]->id, i};
	qsort(keyed, directory->n_people, sizeof(*keyed), compare_keyed);
	for (size_t i = 0; i < directory->n_people; i++)
		sorted[i] = keyed[i].place;
	return sorted;
}

static void collect_edges(const Avvik__V1__Directory *directory, const size_t *sorted, struct walk *walk)
{
	for (size_t p = 0; p < directory->n_people; p++) {
		const Avvik__V1__Person *person = directory->people[p];
		for (size_t d = 0; d < person->n_deputies; d++) {
			const Avvik__V1__Deputy *deputy = person->deputies[d];
			size_t to = place_of(directory, sorted, deputy->person);
			/* Strangers, oneself and absences without days have a fault of their own. */
			if (to != SIZE_MAX && to != p && deputy->from_on != 0 &&
				deputy->from_on <= deputy->until_on)
				walk->edges[walk->edge_count++] =
					(struct edge){p, to, d, deputy->from_on, deputy->until_on, false};
		}
	}
}

/* Takes away edges that lead to or come from a dead end, again and again. What is left of `edges` stands
 * first; `day` 0: any day, else those of the day. Answers how many are left: more than none means a circle
 * among them. */
static size_t trim(struct walk *walk, struct edge **edges, size_t count, av_day day)
{
	size_t left = 0, before;
	memset(walk->in, 0, walk->people * sizeof(*walk->in));
	memset(walk->out, 0, walk->people * sizeof(*walk->out));
	for (size_t i = 0; i < count; i++) {
		struct edge *edge = edges[i];
		if (edge->told || (day != 0 && (day < edge->from || day > edge->until)))
			continue;
		edges[i] = edges[left];
		edges[left++] = edge;
		walk->out[edge->absent]++;
		walk->in[edge->deputy]++;
	}
	walk->steps += count;
	do {
		before = left;
		for (size_t i = 0; i < left;) {
			struct edge *edge = edges[i];
			if (walk->in[edge->absent] > 0 && walk->out[edge->deputy] > 0) {
				i++;
				continue;
			}
			walk->out[edge->absent]--;
			walk->in[edge->deputy]--;
			edges[i] = edges[--left];
			edges[left] = edge;
		}
		walk->steps += before;
	} while (left != before && walk->steps < STEPS_MAX);
	return left;
}

/* Every person with an edge left has a way on, so going on comes back somewhere: that is the circle. */
static void tell_circle(
	struct walk *walk, struct edge **edges, size_t count, av_day day, struct av_faults *faults)
{
	char on[AV_DATE_TEXT];
	size_t at = edges[0]->absent;
	for (size_t i = 0; i < count; i++)
		walk->way[edges[i]->absent] = edges[i];
	for (size_t i = 0; i <= count; i++)
		at = walk->way[at]->deputy; /* surely inside a circle now */
	const struct edge *first = walk->way[at];
	const char *through = "";
	size_t length = 0;
	for (size_t next = at; length == 0 || next != at; length++) {
		struct edge *edge = &walk->edges[walk->way[next] - walk->edges];
		edge->told = true;
		next = edge->deputy;
		if (length < 8)
			through = path_of(faults, "%s%speople[%zu]", through, length ? ", " : "", next);
	}
	av_day_text(day, on);
	av_fault(faults, CODE(CONTRADICTION),
		path_of(faults, "people[%zu].deputies[%zu]", first->absent, first->place),
		"goes in a circle on %s, by way of %s%s, all of them absent: name somebody who is there that "
		"day",
		on, through, length > 8 ? " and others" : "");
}

static int compare_days(const void *left, const void *right)
{
	av_day a = *(const av_day *)left, b = *(const av_day *)right;
	return (a > b) - (a < b);
}

void directory_check_circles(
	const Avvik__V1__Directory *directory, struct av_arena *arena, struct av_faults *faults)
{
	struct walk walk = {.people = directory->n_people};
	size_t total = 0, left;
	for (size_t p = 0; p < directory->n_people; p++)
		total += directory->people[p]->n_deputies;
	if (total == 0)
		return;
	size_t *sorted = sort_people(directory, arena);
	struct edge **edges = av_arena_alloc(arena, total * sizeof(*edges));
	av_day *days = av_arena_alloc(arena, total * sizeof(*days));
	walk.edges = av_arena_alloc(arena, total * sizeof(*walk.edges));
	walk.in = av_arena_alloc(arena, walk.people * sizeof(*walk.in));
	walk.out = av_arena_alloc(arena, walk.people * sizeof(*walk.out));
	walk.way = av_arena_zalloc(arena, walk.people * sizeof(*walk.way));
	if (!sorted || !edges || !days || !walk.edges || !walk.in || !walk.out || !walk.way)
		return; /* the arena remembers, and the caller asks it */
	collect_edges(directory, sorted, &walk);
	for (size_t i = 0; i < walk.edge_count; i++)
		edges[i] = &walk.edges[i];
	left = trim(&walk, edges, walk.edge_count, 0);
	for (size_t i = 0; i < left; i++)
		days[i] = edges[i]->from;
	qsort(days, left, sizeof(*days), compare_days);
	for (size_t i = 0; i < left; i++) {
		if ((i > 0 && days[i] == days[i - 1]) || walk.steps >= STEPS_MAX)
			continue;
		/* One that is told is out of the way of the next. */
		size_t circle = trim(&walk, edges, left, days[i]);
		for (; circle > 0 && walk.steps < STEPS_MAX; circle = trim(&walk, edges, left, days[i]))
			tell_circle(&walk, edges, circle, days[i], faults);
	}
	if (walk.steps >= STEPS_MAX)
		av_fault(faults, CODE(OUT_OF_RANGE), "people",
			"have deputies that are too entangled to be checked: take away absences that are "
			"over");
}
