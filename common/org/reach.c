/* reach.c - from when to when a role finds nobody
 *
 * Whom a role finds changes only on the days on which somebody's holding of it begins or has ended: deputies change who is
 * told, never whether anybody is. So a look at these few days is a look at every day between them.
 */
#include "base/macros.h"
#include "org/org.h"

#include <string.h>

static size_t add_day(av_day *days, size_t count, size_t room, av_day day)
{
	size_t at = 0;

	while (at < count && days[at] < day)
		at++;
	if ((at < count && days[at] == day) || at == room)
		return count;
	count = AV_MIN(count + 1, room);
	memmove(days + at + 1, days + at, (count - at - 1) * sizeof(*days));
	days[at] = day;
	return count;
}

size_t av_org_turns(const struct av_org *org, const char *role, av_day from, av_day until,
	av_day ret_days[AV_ORG_TURNS_MAX])
{
	const Avvik__V1__Directory *directory = av_org_directory(org);
	size_t count = add_day(ret_days, 0, AV_ORG_TURNS_MAX, from);

	for (size_t i = 0; i < directory->n_people; i++)
		for (size_t k = 0; k < directory->people[i]->n_roles; k++) {
			const Avvik__V1__RoleHeld *held = directory->people[i]->roles[k];
			av_day days[] = {held->from_on, held->until_on ? held->until_on + 1 : 0};

			for (size_t d = 0; strcmp(held->role, role) == 0 && d < AV_COUNT(days); d++)
				if (days[d] > from && days[d] <= until)
					count = add_day(ret_days, count, AV_ORG_TURNS_MAX, days[d]);
		}
	return count;
}

size_t av_org_gaps(const struct av_org *org, const char *role, const char *unit, int from_level,
	const av_day *turns, size_t count, struct av_org_gap ret_gaps[AV_ORG_TURNS_MAX])
{
	struct av_org_found found[AV_ORG_FOUND_MAX];
	bool open = false;
	size_t gaps = 0;

	for (size_t i = 0; i < count; i++) {
		bool nobody = av_org_find(org, role, unit, from_level, turns[i], found) == 0;

		if (nobody && !open)
			ret_gaps[gaps++] = (struct av_org_gap){turns[i], 0};
		else if (!nobody && open)
			ret_gaps[gaps - 1].until = turns[i] - 1;
		open = nobody;
	}
	return gaps;
}
