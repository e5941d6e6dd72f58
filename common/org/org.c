/* org.c - sorted arrays over a Directory, looked up by bisection.
 *
 * Three orders: units by code, people by id, and who holds what by (role, unit). Deputies are kept the other
 * way round too (by who stands in), since that is what av_org_holds asks. Walks upwards stop after
 * AV_ORG_DEPTH levels and walks through deputies after AV_ORG_FOUND_MAX people, so that a directory with
 * cycles costs no more than a large one.
 */
#include "org/org.h"

#include "base/macros.h"

#include <stdlib.h>
#include <string.h>

#define NONE SIZE_MAX

struct unit {
	const Avvik__V1__Unit *unit;
	size_t parent; /* index, or NONE */
	bool has_below;
};

struct holding {
	const char *role, *unit;
	size_t place; /* in the file: the order in which holders are answered */
	const char *person;
	av_day from, until;
};

struct standing {
	const char *deputy, *absent;
	av_day from, until;
};

struct av_org {
	const Avvik__V1__Directory *directory;
	struct unit *units;
	const Avvik__V1__Person **people;
	struct holding *holdings;
	struct standing *standings;
	size_t unit_count, people_count, holding_count, standing_count;
};

static int compare_units(const void *a, const void *b)
{
	return strcmp(((const struct unit *)a)->unit->code, ((const struct unit *)b)->unit->code);
}

static int compare_people(const void *a, const void *b)
{
	return strcmp((*(const Avvik__V1__Person *const *)a)->id, (*(const Avvik__V1__Person *const *)b)->id);
}

static int compare_holding_key(const struct holding *a, const struct holding *b)
{
	int order = strcmp(a->role, b->role);
	return order ? order : strcmp(a->unit, b->unit);
}

static int compare_holdings(const void *left, const void *right)
{
	const struct holding *a = left, *b = right;
	int order = compare_holding_key(a, b);
	return order ? order : (a->place > b->place) - (a->place < b->place);
}

static int compare_standings(const void *left, const void *right)
{
	const struct standing *a = left, *b = right;
	int order = strcmp(a->deputy, b->deputy);
	return order ? order : strcmp(a->absent, b->absent);
}

/* 0 as either end: open. */
static bool covers(av_day from, av_day until, av_day day)
{
	return (from == 0 || from <= day) && (until == 0 || day <= until);
}

static size_t unit_index(const struct av_org *org, const char *code)
{
	size_t low = 0, high = org->unit_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(org->units[middle].unit->code, code);
		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NONE;
}

static void index_units(struct av_org *org)
{
	for (size_t i = 0; i < org->unit_count; i++)
		org->units[i] = (struct unit){org->directory->units[i], NONE, false};
	qsort(org->units, org->unit_count, sizeof(*org->units), compare_units);
	for (size_t i = 0; i < org->unit_count; i++) {
		const char *parent = org->units[i].unit->parent;
		if (!*parent)
			continue;
		org->units[i].parent = unit_index(org, parent);
		if (org->units[i].parent != NONE)
			org->units[org->units[i].parent].has_below = true;
	}
}

static void index_people(struct av_org *org)
{
	size_t held = 0, standing = 0;
	for (size_t i = 0; i < org->people_count; i++) {
		const Avvik__V1__Person *person = org->directory->people[i];
		org->people[i] = person;
		for (size_t r = 0; r < person->n_roles; r++, held++) {
			const Avvik__V1__RoleHeld *role = person->roles[r];
			org->holdings[held] = (struct holding){
				role->role, role->unit, held, person->id, role->from_on, role->until_on};
		}
		for (size_t d = 0; d < person->n_deputies; d++, standing++) {
			const Avvik__V1__Deputy *deputy = person->deputies[d];
			org->standings[standing] = (struct standing){
				deputy->person, person->id, deputy->from_on, deputy->until_on};
		}
	}
	qsort(org->people, org->people_count, sizeof(*org->people), compare_people);
	qsort(org->holdings, held, sizeof(*org->holdings), compare_holdings);
	qsort(org->standings, standing, sizeof(*org->standings), compare_standings);
}

struct av_org *av_org_create(const Avvik__V1__Directory *directory, struct av_arena *arena)
{
	struct av_org *org = av_arena_zalloc(arena, sizeof(*org));
	if (!org)
		return NULL;
	org->directory = directory;
	org->unit_count = directory->n_units;
	org->people_count = directory->n_people;
	for (size_t i = 0; i < directory->n_people; i++) {
		org->holding_count += directory->people[i]->n_roles;
		org->standing_count += directory->people[i]->n_deputies;
	}
	/* One more of each: no array is ever empty. */
	org->units = av_arena_alloc(arena, (org->unit_count + 1) * sizeof(*org->units));
	org->people = av_arena_alloc(arena, (org->people_count + 1) * sizeof(*org->people));
	org->holdings = av_arena_alloc(arena, (org->holding_count + 1) * sizeof(*org->holdings));
	org->standings = av_arena_alloc(arena, (org->standing_count + 1) * sizeof(*org->standings));
	if (!org->units || !org->people || !org->holdings || !org->standings)
		return NULL;
	index_units(org);
	index_people(org);
	return org;
}

const Avvik__V1__Directory *av_org_directory(const struct av_org *org)
{
	return org->directory;
}

const Avvik__V1__Unit *av_org_unit(const struct av_org *org, const char *code)
{
	size_t at = unit_index(org, code);
	return at == NONE ? NULL : org->units[at].unit;
}

const Avvik__V1__Person *av_org_person(const struct av_org *org, const char *id)
{
	size_t low = 0, high = org->people_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(org->people[middle]->id, id);
		if (order == 0)
			return org->people[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const Avvik__V1__Unit *av_org_parent(const struct av_org *org, const Avvik__V1__Unit *unit)
{
	return *unit->parent ? av_org_unit(org, unit->parent) : NULL;
}

bool av_org_leaf(const struct av_org *org, const Avvik__V1__Unit *unit)
{
	size_t at = unit_index(org, unit->code);
	return at != NONE && !org->units[at].has_below;
}

/* `index` and all above it, lowest first. */
static size_t walk_up(const struct av_org *org, size_t index, size_t ret_path[AV_ORG_DEPTH])
{
	size_t count = 0;
	for (; index != NONE && count < AV_ORG_DEPTH; index = org->units[index].parent)
		ret_path[count++] = index;
	return count;
}

size_t av_org_path(const struct av_org *org, const char *code, const char *ret_codes[AV_ORG_DEPTH])
{
	size_t path[AV_ORG_DEPTH];
	size_t count = walk_up(org, unit_index(org, code), path);
	for (size_t i = 0; i < count; i++)
		ret_codes[i] = org->units[path[i]].unit->code;
	return count;
}

bool av_org_within(const struct av_org *org, const char *code, const char *ancestor)
{
	size_t path[AV_ORG_DEPTH];
	size_t count = walk_up(org, unit_index(org, code), path);
	for (size_t i = 0; i < count; i++)
		if (strcmp(org->units[path[i]].unit->code, ancestor) == 0)
			return true;
	return false;
}

/* Given to the person, deputies aside. */
static bool holds_itself(const struct av_org *org, const Avvik__V1__Person *person, const char *role,
	const char *unit, av_day day)
{
	for (size_t i = 0; i < person->n_roles; i++) {
		const Avvik__V1__RoleHeld *held = person->roles[i];
		if (strcmp(held->role, role) == 0 && covers(held->from_on, held->until_on, day) &&
			av_org_within(org, unit, held->unit))
			return true;
	}
	return false;
}

/* The first place in `standings` of that deputy. */
static size_t standings_of(const struct av_org *org, const char *deputy)
{
	size_t low = 0, high = org->standing_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(org->standings[middle].deputy, deputy) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool among(const Avvik__V1__Person *const *people, size_t count, const Avvik__V1__Person *person)
{
	for (size_t i = 0; i < count; i++)
		if (people[i] == person)
			return true;
	return false;
}

/* Breadth first from the person to those he or she stands in for that day. */
bool av_org_holds(
	const struct av_org *org, const char *person, const char *role, const char *unit, av_day day)
{
	const Avvik__V1__Person *queue[AV_ORG_FOUND_MAX];
	size_t count = 0;
	const Avvik__V1__Person *first = av_org_person(org, person);
	if (!first || unit_index(org, unit) == NONE)
		return false;
	queue[count++] = first;
	for (size_t next = 0; next < count; next++) {
		if (holds_itself(org, queue[next], role, unit, day))
			return true;
		for (size_t i = standings_of(org, queue[next]->id);
			i < org->standing_count && strcmp(org->standings[i].deputy, queue[next]->id) == 0;
			i++) {
			const struct standing *standing = &org->standings[i];
			const Avvik__V1__Person *absent = av_org_person(org, standing->absent);
			if (absent && covers(standing->from, standing->until, day) &&
				count < AV_ORG_FOUND_MAX && !among(queue, count, absent))
				queue[count++] = absent;
		}
	}
	return false;
}

static size_t add_found(struct av_org_found *found, size_t count, const char *person, const char *deputy_for,
	const char *unit)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(found[i].person, person) == 0)
			return count;
	if (count == AV_ORG_FOUND_MAX)
		return count;
	found[count] = (struct av_org_found){person, deputy_for, unit};
	return count + 1;
}

/* Adds who is there instead of `person`: breadth first through deputies of the absent. Nobody there: the
 * person. */
static size_t replace_absent(const struct av_org *org, const char *id, const char *unit, av_day day,
	struct av_org_found *found, size_t count)
{
	const Avvik__V1__Person *queue[AV_ORG_FOUND_MAX];
	size_t queued = 0;
	bool reached = false;
	const Avvik__V1__Person *holder = av_org_person(org, id);
	if (!holder)
		return count;
	queue[queued++] = holder;
	for (size_t next = 0; next < queued; next++) {
		const Avvik__V1__Person *person = queue[next];
		bool absent = false;
		for (size_t i = 0; i < person->n_deputies; i++) {
			const Avvik__V1__Deputy *deputy = person->deputies[i];
			const Avvik__V1__Person *other = av_org_person(org, deputy->person);
			if (!other || !covers(deputy->from_on, deputy->until_on, day))
				continue;
			absent = true;
			if (queued < AV_ORG_FOUND_MAX && !among(queue, queued, other))
				queue[queued++] = other;
		}
		if (!absent) {
			reached = true;
			count = add_found(
				found, count, person->id, person == holder ? NULL : holder->id, unit);
		}
	}
	return reached ? count : add_found(found, count, holder->id, NULL, unit);
}

/* The first place in `holdings` of (role, unit). */
static size_t holdings_of(const struct av_org *org, const char *role, const char *unit)
{
	const struct holding key = {.role = role, .unit = unit};
	size_t low = 0, high = org->holding_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare_holding_key(&org->holdings[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t av_org_find(const struct av_org *org, const char *role, const char *unit, int from_level, av_day day,
	struct av_org_found ret_found[AV_ORG_FOUND_MAX])
{
	size_t path[AV_ORG_DEPTH], found = 0;
	size_t levels = walk_up(org, unit_index(org, unit), path);
	/* A branch may lack the level asked for: then the search begins at the first one above it. */
	for (size_t i = 0; i < levels && found == 0; i++) {
		const Avvik__V1__Unit *here = org->units[path[i]].unit;
		if (from_level != 0 && (int)here->level > from_level)
			continue;
		for (size_t h = holdings_of(org, role, here->code);
			h < org->holding_count && strcmp(org->holdings[h].role, role) == 0 &&
			strcmp(org->holdings[h].unit, here->code) == 0;
			h++)
			if (covers(org->holdings[h].from, org->holdings[h].until, day))
				found = replace_absent(
					org, org->holdings[h].person, here->code, day, ret_found, found);
	}
	return found;
}

size_t av_org_stand_ins(const struct av_org *org, const char *person, av_day day,
	struct av_org_found ret_found[AV_ORG_FOUND_MAX])
{
	return replace_absent(org, person, "", day, ret_found, 0);
}

int av_org_level(const char *name)
{
	static const struct {
		const char *name;
		int level;
	} levels[] = {
		{"committee", AVVIK__V1__UNIT_LEVEL__UNIT_LEVEL_COMMITTEE},
		{"administration", AVVIK__V1__UNIT_LEVEL__UNIT_LEVEL_ADMINISTRATION},
		{"department", AVVIK__V1__UNIT_LEVEL__UNIT_LEVEL_DEPARTMENT},
		{"unit", AVVIK__V1__UNIT_LEVEL__UNIT_LEVEL_UNIT},
		{"group", AVVIK__V1__UNIT_LEVEL__UNIT_LEVEL_GROUP},
	};

	for (size_t i = 0; name && i < AV_COUNT(levels); i++)
		if (strcmp(name, levels[i].name) == 0)
			return levels[i].level;
	return 0;
}

bool av_org_role_is_special(const char *role)
{
	return strcmp(role, "reporter") == 0 || strcmp(role, "responsible") == 0 ||
	       strcmp(role, "actor") == 0;
}
