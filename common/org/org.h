/* org.h - the organisation as an index over a published Directory: units, who holds which role where, deputies.
 *
 * Pure: links base and the messages alone; time is an argument. The Directory must outlive the index. Made for
 * directories that were checked by intake; with an unchecked one every look-up still ends.
 */
#ifndef AVVIK_ORG_ORG_H
#define AVVIK_ORG_ORG_H

#include <stdbool.h>
#include "avvik/v1/directory.pb-c.h"
#include "base/arena.h"
#include "base/date.h"

#define AV_ORG_DEPTH 8	    /* levels from committee to group, and some */
#define AV_ORG_FOUND_MAX 64 /* people one look-up answers at the most */

struct av_org;

/* In the arena, like all that it holds. NULL when out of memory. */
struct av_org *av_org_create(const Avvik__V1__Directory *directory, struct av_arena *arena);

const Avvik__V1__Directory *av_org_directory(const struct av_org *org);
const Avvik__V1__Unit *av_org_unit(const struct av_org *org, const char *code);	  /* NULL: unknown */
const Avvik__V1__Person *av_org_person(const struct av_org *org, const char *id); /* NULL: unknown */
const Avvik__V1__Unit *av_org_parent(const struct av_org *org, const Avvik__V1__Unit *unit);
bool av_org_leaf(const struct av_org *org, const Avvik__V1__Unit *unit); /* has no unit below */
/* `code` and all above it, lowest first. Answers how many, 0 when unknown. */
size_t av_org_path(const struct av_org *org, const char *code, const char *ret_codes[AV_ORG_DEPTH]);
bool av_org_within(const struct av_org *org, const char *code, const char *ancestor); /* also itself */

/* Does the person hold the role for the unit (given there or above) on that day? Deputies of one who does and is absent
 * hold it too, transitively. */
bool av_org_holds(
	const struct av_org *org, const char *person, const char *role, const char *unit, av_day day);

struct av_org_found {
	const char *person;	/* who is told */
	const char *deputy_for; /* the holder who is absent; NULL: the holder */
	const char *unit;	/* where the role was found */
};
/* Who holds the role for a unit: at the lowest level, from the unit (or its ancestor at `from_level`:
 * AVVIK__V1__UNIT_LEVEL__…; 0: the unit itself) upwards, where someone does on that day. The absent are replaced by their deputies,
 * transitively; one who is absent without a deputy that day is told all the same. No person twice. Answers how many; 0: nobody. */
size_t av_org_find(const struct av_org *org, const char *role, const char *unit, int from_level, av_day day,
	struct av_org_found ret_found[AV_ORG_FOUND_MAX]);
/* --- when a role finds nobody (reach.c) --- */

#define AV_ORG_TURNS_MAX 32
/* The days from `from` to `until` on which it may change whom a role finds, wherever: `from`, then those on which a holding
 * begins or has ended, ascending; the first AV_ORG_TURNS_MAX of them. Deputies and absences change who is told, not whether. */
size_t av_org_turns(const struct av_org *org, const char *role, av_day from, av_day until,
	av_day ret_days[AV_ORG_TURNS_MAX]);
struct av_org_gap {
	av_day from, until; /* until 0: no end in sight */
};
/* Of the days that begin with these turns of the role, those on which it finds nobody for the unit (as av_org_find()). */
size_t av_org_gaps(const struct av_org *org, const char *role, const char *unit, int from_level,
	const av_day *turns, size_t count, struct av_org_gap ret_gaps[AV_ORG_TURNS_MAX]);

/* How a recipient of a rule pack says it: UNIT_LEVEL of "unit", "department", …; 0 for an empty or unknown one. */
int av_org_level(const char *name);
/* "reporter", "responsible", "actor": recipients that are not looked for in the organisation. */
bool av_org_role_is_special(const char *role);
/* The deputies of one person that day, or the person: the same replacement. */
size_t av_org_stand_ins(const struct av_org *org, const char *person, av_day day,
	struct av_org_found ret_found[AV_ORG_FOUND_MAX]);

#endif
